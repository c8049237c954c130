// Package workspace is a directory being worked on: a root module, the state that goes with it, and
// all that its images are kept in.
//
// Words:
//
//   - A workspace is opened for one operation and holds the state's lock until it is closed.
//   - Its base is where the paths of the state begin: the root module itself, or the directory of
//     its simulation, which is a world of its own with a state, images and a store.
//   - The machine's directory, .fluxbatch, is in the base; what is in it belongs to this machine
//     alone.
//   - Connections are the clients of the accounts that a plan needs, and what receives the webhooks
//     that these send.
//   - A saved plan is a file with what was asked for, and digests of all that the answer depended
//     on.
//
// It puts planner, executor and state together. It knows neither flags nor terminals: what it
// cannot do is a typed error with data, or a diagnostic about the configuration, and what happens
// during an apply goes to the functions of an Environment. How to say it, and which command to type
// next, is for whoever opened the workspace.
package workspace
