// Package executor carries a plan out: it submits requests, polls tasks, fetches images and records
// each step.
//
// Words:
//
//   - An account is a provider's API with its limits. A slot is the right to one active task in it, held from the POST until the
//     task ends at the API.
//   - The three lanes are submit, poll and download. A task holds its slot through the first two; downloads have a small limit of
//     their own, so that a slot never waits for bytes.
//   - The coordinator is the one goroutine that owns the run: it decides what starts next and is told what ended. Workers do
//     one call each and touch nothing of the run's.
//   - Draining is finishing what is in flight without beginning anything new. Aborting is leaving it to the next run.
//
// What is durable when. Every step is recorded, and the record is on disk before the next step
// begins:
//
//	intent      before the POST: from here on, money may be spent
//	submitted   after its answer: the task can be found again
//	ready       before the download: the API has the image
//	fetched     before the rename: the verified bytes are durable in a temporary file that the record names
//	stored      after the rename: the image exists
//	failed, moderated   the task is over without an image
//	removed     after the file of a destroyed image went into the store
//
// A crash leaves the last record of each image, and state/README.md says what each of them leads
// to.
package executor
