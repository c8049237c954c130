// Package config reads a fluxbatch configuration: HCL files that declare images, and everything
// that may stand beside them.
//
// Words:
//
//   - A module is a directory. Its *.flux.hcl and *.flux.json files together are one body of blocks. The directory that
//     a command runs in is the root module; a module block calls another.
//   - A block is what stands in a file: image, variable, locals, output, module and so on. An image block stands for one
//     image, or with for_each or count for many: its instances.
//   - A node is what is evaluated as one: a block, a single local value, an argument of a module call. Nodes name each
//     other in their expressions, which makes a graph; a node is evaluated after those it names, once for each instance
//     of its module.
//   - A scope is one instance of a module, with the values of its nodes.
//   - A value is unknown when only apply can know it, because it comes from an image that will be made. It carries a mark
//     for each image that it comes from, which is how an image's dependencies are found.
//
// Load does what needs no image: it reads files, checks blocks, and evaluates variables, locals and
// settings. Evaluate goes through the images. Both report all that is wrong, as HCL diagnostics.
//
// What knows no image is said elsewhere: functions and marks in internal/lang, the reading of long
// files in internal/hclfast, of all others that a configuration names in internal/sourcefile, what
// may stand in a block in internal/schema, and how a mistake is worded in internal/diag.
//
// A Config is not safe for concurrent use.
package config
