// Package simulator is a server of the Black Forest Labs FLUX API that needs no network, no key and
// no money. It checks requests as strictly as the API's documents say, answers in the API's shapes,
// draws the images itself, and keeps a ledger of what it charged.
//
// Words:
//
//   - An order is a request body that passed all checks. Accepting one makes a task and charges for it.
//   - A task is active from its acceptance until its picture is ready. Its states are computed from the clock when somebody
//     asks; no goroutine runs for a task.
//   - An account belongs to a key: it has a balance of credits and a number of slots for active tasks.
//   - A sample is the picture of a finished task, behind a signed URL that expires.
//   - A fault is a deliberate failure of one step: submit, poll, download or webhook.
//
// The package shares the catalogue of models with the client, and the meaning of "the same picture"
// with the whole program; nothing else: it reads bodies with code of its own, so that a mistake in
// the client's requests is seen here.
package simulator
