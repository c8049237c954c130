// Package preview draws pictures in terminals. A Terminal is what one has said that it can: it is
// asked, since neither its name nor its environment tell. One that can draw no pictures, or that
// nobody can ask because it is inside of tmux, gets half blocks: characters whose upper half has
// one colour and the lower half another.
//
// Nothing here changes a mode of the terminal; whoever asks has it in raw mode while they do.
package preview
