// Package slots shares the slots of an account among all runs that use it, through a key-value
// bucket of NATS JetStream. A slot is a key, and whoever creates it has it:
//
//	ACCOUNT.slot.a.N         one of the account's, N from 0
//	ACCOUNT.slot.MODEL.N     one of a model that has a limit of its own
//	ACCOUNT.run.ID           a run that uses the account: who, how many slots it could use, and how
//	                         many tasks it has left
//	ACCOUNT.key              a hash of the account's key, and key.HASH the account of a key
//	ACCOUNT.spent.DATE       what was spent on a day or in a month, in thousandths of a credit
//
// A slot outlives the process that took it, since the task that it is for does. It is freed when
// the task was seen to end, and otherwise when nobody knows better: task_timeout after it was last
// heard of. Whoever goes on with a task of another run inherits its slot.
//
// Ages are those that a run sees by its own clock, so that clocks are never compared.
package slots
