package config

import (
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// Settings are what the root module says about the run rather than about images. They never depend
// on images.
type Settings struct {
	// OutputDir is where images go, relative to the root module, with slashes, clean.
	OutputDir string
	// StatePath is the state file, relative to the root module or absolute.
	StatePath string
	// StateBucket, when not nil, keeps the state in the place of a file. ImagesBucket, when not nil,
	// keeps all images besides their files.
	StateBucket, ImagesBucket *Bucket
	// Providers are the accounts by address: "bfl" always, "bfl.ALIAS" for each further one.
	Providers map[string]*Provider
	// Prompt says that files that are made here tell what was asked for.
	Prompt bool
	// MaxCost is the budget for one apply, nil where none is set. PerDay and PerMonth are those of
	// all who use an account.
	MaxCost, PerDay, PerMonth *bfl.Credits
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
	// TaskTimeout is how long a task may be active before it is left to a later apply, 0 for the
	// executor's own.
	TaskTimeout time.Duration
	// Webhook is where the API says that a task has ended, nil where it is only asked.
	Webhook *Webhook
	// Slots is where the account's limits are shared, nil where this run has them for itself.
	Slots *Slots
	Range hcl.Range
}

// Decide is told of every desired image, upstream images before those that depend on them, and
// answers with the image's Result where it exists and will stay as it is. It answers nil where it
// will be made anew: its values are then unknown. It may change the image into what it is to be
// seen as, where lifecycle says that changes do not count.
type Decide func(*image.Image) *image.Result

// Output is the value of one output block of the root module. Value may be unknown, wholly or in
// part, before apply.
type Output struct {
	Name string
	// Value is cty.NilVal where there is a Collection in its place; see Whole.
	Value      cty.Value
	Collection *Collection
	Sensitive  bool
	// From are images that the value comes from, as far as its marks tell.
	From []addrs.Image
}

// Whole returns the value, also where there is a collection in its place.
func (o *Output) Whole() cty.Value {
	if o.Collection != nil {
		return o.Collection.Elements().Whole()
	}
	return o.Value
}
