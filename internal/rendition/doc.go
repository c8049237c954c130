// Package rendition makes renditions and sheets: files that are made here from pictures, for nothing.
//
//   - A recipe says how; see image.Recipe.
//   - A mark is what the file tells of its origin, as XMP; see image.Mark.
//   - An atlas says where each picture of a sheet stands.
//
// What is made is a function of the pictures, the recipe and the mark, byte for byte, on every
// machine: image.Maker goes up where it changes. The package reads and writes no files, and knows no
// state.
package rendition
