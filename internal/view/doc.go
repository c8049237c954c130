// Package view renders what the program has to say, for people as text and for machines as JSON. It decides nothing: what is shown was decided by
// the planner, the executor or the configuration, and both forms are drawn from the same values.
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
// Results go to standard output: plans, summaries, outputs, states. Everything else goes to standard error: diagnostics,
// questions, progress.
//
// Everything in a text can be seen: what cannot, or would be a command to a terminal, is written out as in a string literal. See visible.
//
// Nothing here changes a mode of the terminal, and the cursor always rests below what was written. A process that is killed while its
// progress is shown therefore leaves a usable terminal.
package view
