// Package view renders what the program has to say to people. It decides nothing: what is shown was
// decided by the planner, the executor or the configuration. Package machine, below, draws JSON
// from the same values, and takes its sentences from here. Package layout knows how text fills
// lines, and package hcltext how values and sources of a configuration are written.
//
// A page is the whole text of a plan; an item of it is a change or a fold, which stands for
// instances of a block that all change alike. A cascade is what changes because something else
// does. The log is what an apply tells line by line, the live display what a terminal shows of it
// in place. A tally is what a summary counts.
//
// The rules of our voice, for everything that people read:
//
//   - Full sentences in sentence case. No exclamation marks, no praise, no blame.
//   - An address stands before what is said of it: "image.logo: Creating...".
//   - Money has a dollar sign and two decimals, "$0.19", and is named before it is spent.
//   - A message says what is wrong, why, and what to do next. A command to type stands on a line of its own, indented.
//   - Symbols and words carry the meaning; colour only repeats it. Only the eight base colours are used, which every
//     terminal theme, light or dark, has chosen for its own background.
//
// Results go to standard output: plans, summaries, outputs, states. Everything else goes to
// standard error: diagnostics, questions, progress.
//
// Everything in a text can be seen: what cannot, or would be a command to a terminal, is written
// out as in a string literal. See package layout.
//
// Nothing here changes a mode of the terminal, and the cursor always rests below what was written.
// A process that is killed while its progress is shown therefore leaves a usable terminal.
package view
