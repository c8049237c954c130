// Package s3 keeps states in a bucket of an S3-compatible object store.
//
// All that it asks of the store beyond reading and writing is that a write with If-None-Match: *
// fails where there is an object. A store that takes it and does not do it is found out when a
// state is first begun. Objects lie under the key of the state:
//
//	KEY/log/NUMBER        batches, NUMBER in twenty digits
//	KEY/snapshot/NUMBER   snapshots
//	KEY/late/RUN/TASK     what an overtaken run learnt
//	KEY/lock              the lease
//
// Who may write to the bucket is trusted. Its log has the addresses at which tasks are asked for,
// so that it is to be as private as the state's journal.
package s3
