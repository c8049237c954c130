package slots

import (
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Options say which account is shared, and how.
type Options struct {
	// URL is the broker's address, Account the name that all who use the account have for it.
	URL, Account string
	// Key is the account's, of which only a hash leaves this machine. Who only looks has none.
	Key string
	// Who describes this run to others.
	Who         string
	Credentials Credentials
	// Concurrency bounds the tasks of the account, Models those of single models.
	Concurrency int
	Models      map[string]int
	// TaskTimeout is how long a task may be active of which nothing is heard.
	TaskTimeout time.Duration
	// PerDay and PerMonth bound what all runs spend, nil does not.
	PerDay, PerMonth *bfl.Credits
	// Warn is told what the user should know, each thing once.
	Warn func(summary, detail string)
	// Remember keeps what the run could not free when it ended, for Free of a later one; nil keeps
	// nothing.
	Remember func(Left) error
	// dead is how long nothing is heard of a run that does not live any more, 0 is usualDead.
	dead time.Duration
}

// Credentials are what the broker knows this program by: the path of a file of credentials, or a
// user and a password, each "" where there is none. CA is the path of certificates to trust besides
// the system's.
type Credentials struct{ File, User, Password, CA string }

func (c Credentials) options() []nats.Option {
	var options []nats.Option
	if c.File != "" {
		options = append(options, nats.UserCredentials(c.File))
	}
	if c.User != "" {
		options = append(options, nats.UserInfo(c.User, c.Password))
	}
	if c.CA != "" {
		options = append(options, nats.RootCAs(c.CA))
	}
	return options
}

// defaultTimeout is how long a task may be active where the provider says nothing.
const defaultTimeout = 15 * time.Minute
