package executor

import (
	"context"
	"io"
	"io/fs"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/state"
)

// API is what the executor asks of a provider. *bfl.Client is one.
type API interface {
	Submit(ctx context.Context, request *bfl.Request, open bfl.Opener) (bfl.Submission, error)
	Poll(ctx context.Context, pollingURL string) (bfl.Result, error)
	Find(ctx context.Context, taskID string) (bfl.Result, error)
	Download(ctx context.Context, sampleURL string, w io.Writer, limit int64) (int64, error)
}

// Journal makes records durable. *state.Session is one. Append returns once the record is on disk
// and is safe for concurrent use.
type Journal interface {
	Append(record state.Record) error
}

// Store keeps the files of images that make way for others. *state.Store is one, and says what its
// methods do.
type Store interface {
	PutFile(dir *safefile.Dir, name string, addr addrs.Image, img *state.Image) error
	KeepFile(dir *safefile.Dir, name string, addr addrs.Image, img *state.Image) error
	Take(sha256 string, dir *safefile.Dir, path string) (*safefile.Pending, error)
	Whole(sha256 string) bool
	Elsewhere(sha256 string) (bool, error)
	Publish(dir *safefile.Dir, name string, addr addrs.Image, img *state.Image) error
}

// Index remembers files, so that they need not be read again to know that they are as recorded.
// *state.Index is one.
type Index interface {
	Record(path string, info fs.FileInfo, sha256 string)
	Hash(dir *safefile.Dir, path string) (string, error)
}

// Account is a provider's API and its limits.
type Account struct {
	API API
	// Concurrency bounds the active tasks of the account, ModelConcurrency those of single models.
	Concurrency      int
	ModelConcurrency map[string]int
	// TaskTimeout is how long a task may be active before it is left to a later run. The default is
	// 15 minutes.
	TaskTimeout time.Duration
	// Simulator says that a simulator may answer.
	Simulator bool
	// Slots, where not nil, shares the account with other runs.
	Slots Slots
	// Rings says that the API was asked to ring Options.Doorbell when a task of this account has
	// ended. Tasks are then looked at seldom before it does.
	Rings bool
}

// Options are what an apply needs besides its plan.
type Options struct {
	// Accounts are the providers by address. Every provider that the plan names must be there.
	Accounts map[string]Account
	Journal  Journal
	// Distant says that the journal is on another machine, so that a record takes as long as a call.
	Distant bool
	Store   Store
	// Stored is that of planner.Options; nil where there is no store. An error says that there may be
	// others that could not be looked at.
	Stored func(addr addrs.Image, fingerprint string, simulated bool) ([]*state.Image, error)
	// Index is told of new files, and asked what is in files that may stand where images go.
	Index Index
	// Dir is where the paths of the state begin: the root module's directory, or the simulation's.
	Dir *safefile.Dir
	// Prior is the state that the plan was made from.
	Prior *state.State
	// Parallelism, when not 0, bounds the active tasks of each account further.
	Parallelism int
	// MaxCost, when not nil, bounds what this apply spends.
	MaxCost *bfl.Credits
	// RetryModerated asks again for what moderation refused before.
	RetryModerated bool
	// Drain, when done, ends the beginning of new work; its cause is what skipped images are told.
	Drain context.Context
	// Resolve evaluates the desired image again, now that the results of the images upstream are
	// known, and returns it as the plan saw it; see planner.Plan.See. It is called for changes with
	// arguments or preconditions that were not known in the plan, one at a time.
	Resolve func(addr addrs.Image, results func(addrs.Image) *image.Result) (*image.Image, error)
	// Accept checks an image that is there now against its postconditions, one at a time. The image
	// is kept in any case, but where this fails, nothing is made from it. Nil accepts all.
	Accept func(addr addrs.Image, results func(addrs.Image) *image.Result) bool
	// Judge asks a gate about a picture: what is on record of it, and of the other instances of its
	// block. It is called beside the run, several at a time. An error is the gate's own, and judges
	// nothing.
	Judge func(ctx context.Context, gate image.Gate, subject Subject) (image.Verdict, error)
	// Doorbell carries the ids of tasks that may have ended, and that are then looked at at once;
	// nil where nobody rings. What comes through it is believed no further than that: ids that are
	// wrong, late, repeated or missing cost time and nothing else.
	Doorbell <-chan string
	// OnEvent is told what happens, one event at a time.
	OnEvent func(Event)
}

// Neighbour is another image of the block of one that is judged.
type Neighbour struct {
	Address addrs.Image
	Image   *state.Image
}

// Subject is a picture that a gate judges.
type Subject struct {
	Address addrs.Image
	Image   *state.Image
	// Others are the pictures of the other instances of its block.
	Others []Neighbour
}

const defaultTaskTimeout = 15 * time.Minute
