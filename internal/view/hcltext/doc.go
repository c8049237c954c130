// Package hcltext writes what stands in a configuration: values as they would be typed, and the
// lines of a source that a diagnostic points at. People read the same of both as machines do.
//
// A value is a cty value, a source the part of a file that a diagnostic is about, a line of it has
// a subject that is marked, and an expression value is what a variable in the diagnostic's
// expression stood for there. Nothing here knows what a configuration is for.
package hcltext
