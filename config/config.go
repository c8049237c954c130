package config

import (
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Settings are what the root module says about the run rather than about images. They never depend on images.
type Settings struct {
	// OutputDir is where images go, relative to the root module, with slashes, clean.
	OutputDir string
	// StatePath is the state file, relative to the root module or absolute.
	StatePath string
	// Providers are the accounts by address: "bfl" always, "bfl.ALIAS" for each further one.
	Providers map[string]*Provider
	// MaxCost is the budget for one apply, nil where none is set.
	MaxCost *bfl.Credits
}

// Provider is one account of the API.
type Provider struct {
	// Address is "bfl" or "bfl.ALIAS".
	Address string
	// Region is "global", "eu" or "us".
	Region string
	// Endpoint, when not "", is the base URL to use instead of the region's.
	Endpoint string
	// KeyEnv is the name of the environment variable that holds the key.
	KeyEnv string
	// Concurrency bounds the account's active tasks, ModelConcurrency those of single models.
	Concurrency      int
	ModelConcurrency map[string]int
	// TaskTimeout is how long a task may be active before it is left to a later apply, 0 for the executor's own.
	TaskTimeout time.Duration
	// Webhook is where the API says that a task has ended, nil where it is only asked.
	Webhook *Webhook
	Range   hcl.Range
}

// Image is one desired image: an instance of an image block, evaluated.
type Image struct {
	Address addrs.Image
	// Provider is the address of the account that makes it.
	Provider string
	// Request is what the API is to be asked. Its inputs that are images of this configuration have no hash yet, and
	// arguments whose value only apply can know have none (see bfl.Argument).
	Request bfl.Request
	// Sources say where the content of each of Request.Inputs comes from, in the same order.
	Sources []Source
	// Output is the file to write, relative to the root module, with slashes, clean.
	Output string
	Labels map[string]string
	// Dependencies are the images whose files or values this one uses, sorted.
	Dependencies []addrs.Image
	Lifecycle    Lifecycle
	// Sensitive are the names of arguments of the request that come from sensitive values, sorted. They are sent, and
	// not shown.
	Sensitive []string
	// Range is the block's header, for messages about the image as a whole.
	Range hcl.Range
}

// Source is where an input's content comes from: a URL (all fields zero), a file, another image, or not known yet.
type Source struct {
	// File is the path of a local file, usable with package os from the current directory.
	File string
	// Name is the file's path for people: relative to the root module, with slashes, wherever the program runs. A path from elsewhere that the
	// configuration has as an absolute one stays that.
	Name string
	// Image is the address of the image of this configuration whose file it is, where IsImage is set.
	Image   addrs.Image
	IsImage bool
	// Size is the file's extent in pixels, zero for other sources, and SHA256 the hash of its bytes. The request names it by its content instead,
	// which stays the same where only its metadata changes.
	Size   bfl.Size
	SHA256 string
	// Unknown says that it depends on an image that is not made yet what the content is. Config.Resolve tells once
	// that image is there.
	Unknown bool
}

// Lifecycle is an image's lifecycle block. Its preconditions were checked as far as they are known; for its postconditions see
// Config.Postconditions.
type Lifecycle struct {
	// Undecided says that a precondition depends on an image that is not made yet. Config.Resolve checks it once that image is there.
	Undecided bool
	// PreventDestroy makes a plan that would remove or replace the image an error.
	PreventDestroy bool
	// Frozen images are never made again; that they differ from the configuration is reported.
	Frozen bool
	// IgnoreChanges are arguments by name whose changes do not count, single labels as LabelName writes them; IgnoreAll says that none does.
	IgnoreChanges []string
	IgnoreAll     bool
	// ReplaceTriggeredBy are the images whose replacement, or the change of one of their arguments, makes this one be
	// replaced too.
	ReplaceTriggeredBy []Trigger
}

// Trigger is an entry of replace_triggered_by.
type Trigger struct {
	Image addrs.Image
	// Attribute is the argument or result whose change counts, "" for the image as a whole.
	Attribute string
}

// Result is what is known of an image once it exists: what other expressions may use beyond its arguments.
type Result struct {
	SHA256 string
	TaskID string
	// Seed is nil where the API named none.
	Seed          *int64
	Width, Height int
	Format        string
	Cost          bfl.Credits
}

// Decide is told of every desired image, upstream images before those that depend on them, and answers with the
// image's Result where it exists and will stay as it is. It answers nil where it will be made anew: its values are
// then unknown. It may change the image into what it is to be seen as, where lifecycle says that changes do not count.
type Decide func(*Image) *Result

// Output is the value of one output block of the root module. Value may be unknown, wholly or in part, before apply.
type Output struct {
	Name      string
	Value     cty.Value
	Sensitive bool
}
