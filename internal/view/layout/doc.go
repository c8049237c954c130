// Package layout lays text out for a terminal. It knows strings, columns and styles, and nothing of
// what they say.
//
// A column is the width of one character of ASCII in a terminal; others take none, one or two. A
// style is what stands before and after text to show it in a certain way, a palette all styles that
// are used, or none of them. A span is text in one style. A flow breaks spans into lines of a
// width. An edit is a run of text that two versions of it share, or that only one of them has;
// edits are how the first becomes the second.
//
// Text is visible where no character of it is hidden from people or obeyed by a terminal: what
// would be is written out as in a string literal.
package layout
