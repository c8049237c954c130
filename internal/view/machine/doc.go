// Package machine writes for programs what package view writes for people, from the same values and
// in the same words. README.md is the contract: within a major version, fields and values are
// added, and none is renamed, removed or given another meaning.
//
// A stream is one JSON object a line, a message each, while a plan or an apply goes on: Terraform's
// machine-readable UI. A document is one indented JSON value that a command writes as its whole
// result: a plan and a state in Terraform's formats, which the tools for these decode, and what
// other commands tell. An object is an image's values by the names of the language.
//
// Documents are written as they come, so that a plan of a hundred thousand images need not be in
// memory twice. What cannot be written, to a disk that is full or a reader that went away, is
// dropped: the caller gave the writer, and knows.
package machine
