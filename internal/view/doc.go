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
// The rules of our voice, for everything that people read. All that the program can say stands in
// testdata/voice.txt, where a change of it is reviewed like code.
//
//  1. A message is a short summary in sentence case without a full stop, then whole sentences: what is
//     wrong, why, and the way out. "Provider bfl has no key" - "The environment variable BFL_API_KEY is
//     not set. Set it to a key from https://dashboard.bfl.ai."
//  2. A sentence says one thing. There is no semicolon, and no fact stands in a message twice. "The file
//     was changed. Plan again."
//  3. A command to type stands on a line of its own, indented: "List what is on record:", and below it
//     "fluxbatch state list".
//  4. The verbs are Terraform's: create, replace, update, destroy, restore. "Replacing...", and never
//     "made anew".
//  5. What people typed stands in quotes. An address stands before what is said of it, without any:
//     -type cannot be "svg". image.logo: Creating...
//  6. Alternatives are a command: "Use dot or mermaid." What a model lacks is named with what it has
//     instead: "flux-pro-1.1-ultra does not support width. Use aspect_ratio."
//  7. Money has a dollar sign, at least two decimals and as many as it needs, so that sums add up as
//     shown, "$0.045", and is named before it is spent.
//  8. One cause is one message, with three cases and a count: "The same holds for image.b, image.c and
//     141 more. Use -no-concise to see all."
//  9. No exclamation marks, no praise, no blame: "Nothing was changed and nothing was spent."
//  10. Symbols and words carry the meaning, and colour only repeats it: "-/+". Only the eight base
//     colours are used, which every terminal theme has chosen for its own background.
//
// Results go to standard output: plans, events, summaries, outputs, states. Everything else goes to
// standard error: diagnostics, questions, and the live progress of a terminal, which stands in the
// place of the events.
//
// Everything in a text can be seen: what cannot, or would be a command to a terminal, is written
// out as in a string literal. See package layout.
//
// Nothing here changes a mode of the terminal, and the cursor always rests below what was written.
// A process that is killed while its progress is shown therefore leaves a usable terminal.
package view
