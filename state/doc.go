// Package state keeps what is known of the images that exist, and loses none of it.
//
// Words:
//
//   - The snapshot is the state file, fluxbatch.state.json: all images and outputs, in a form that people review and
//     version control merges. It is replaced as a whole.
//   - The journal stands beside it, fluxbatch.state.json.journal: what happened since the snapshot was written, one
//     Record a line. The state is the snapshot with the journal replayed on it.
//   - A Session is one run's hold on a state: it has the lock, appends records, and at the end commits a new snapshot.
//   - A task is a submission that may have been paid for and whose image has not arrived. Tasks are kept in the journal
//     only, since they mean nothing to anybody who checks the repository out elsewhere.
//   - A recipe is the record of an image together with its address, as the store keeps it beside the bytes.
//   - The local directory, .fluxbatch/, holds what is worth keeping on one machine: the store, the stat index and the
//     requests that were moderated. All of it can be deleted at any time.
//
// The README.md of this directory describes the formats and what a crash at each step leads to.
package state
