package simulator

import (
	"io"
	"maps"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Header is set to "1" on every answer of a simulator, so that nobody takes its images for real
// ones.
const Header = "X-Fluxbatch-Simulator"

// Defaults of Options.
const (
	DefaultConcurrency    = 24
	DefaultSampleLifetime = 10 * time.Minute
	DefaultRetention      = time.Hour
	// DefaultMaxBody has room for eight references of the largest size in Base64, and their JSON.
	DefaultMaxBody = 8*bfl.MaxInputBytes/3*4 + 1<<20
	// DefaultMemory bounds the pictures and inputs that are kept.
	DefaultMemory = 512 << 20
	// DefaultCredits is the balance of an account that Options.Keys does not name.
	DefaultCredits = bfl.Credits(1_000_000_000)
)

// Options configure a Simulator. The zero value works: any key is accepted, tasks take about 150
// ms, nothing fails.
type Options struct {
	// Seed makes ids, latencies and faults repeatable. With 0 they differ in every Simulator, so
	// that an id of one is never an id of another. Pictures do not depend on it.
	Seed uint64
	// Now is the clock; time.Now by default. Webhooks wait by the real one.
	Now func() time.Time

	// Models are served besides those of the catalogue, whose endpoints cannot be taken. Of their
	// parameters nothing is known; references are checked as they are declared.
	Models []*bfl.Model

	// Latency is how long tasks take, ModelLatency the exceptions by model name. See
	// RealisticLatency.
	Latency      Latency
	ModelLatency map[string]Latency
	// Workers is how many tasks of one model are worked on at a time; more wait in a queue, active
	// but not started. 0 is no bound.
	Workers int

	// Concurrency bounds an account's active tasks, ModelConcurrency those of one model within it.
	// By default 24, and what the catalogue says.
	Concurrency      int
	ModelConcurrency map[string]int
	// Keys are the accounts by their key. When nil any key that is not empty has an account, with
	// DefaultCredits.
	Keys map[string]Account
	// Finetunes are the accounts' fine-tunes. When nil every finetune_id is taken to exist.
	Finetunes []string

	// BaseURL begins the URLs in answers, such as "http://127.0.0.1:8787". By default it is taken
	// from each request's Host. PollingURL and DeliveryURL replace it for polling URLs and samples.
	BaseURL, PollingURL, DeliveryURL string
	// Region, when not empty, makes polling URLs those of a region, with a query of their own. A
	// task then is found by exactly the URL that was returned, and not by its id alone.
	Region string
	// SampleLifetime is how long a sample can be fetched after its task has finished; Retention how
	// long the task is known.
	SampleLifetime, Retention time.Duration

	// MaxBody bounds a request's body in bytes.
	MaxBody int64
	// Memory bounds the bytes of inputs and pictures that are kept. Beyond it pictures are drawn
	// again when asked for, and the samples of tasks with inputs that were downloaded once end
	// early.
	Memory int64
	// StrictFields refuses fields that the model does not have. The API ignores them.
	StrictFields bool

	// Undocumented makes tasks go through statuses that the schema does not have, as others have
	// seen them: Reasoning and Generating for Pending, Failed for Error.
	Undocumented bool
	// Faults happen from the start; see Simulator.Inject.
	Faults []Fault
	// Webhooks says where webhooks may be sent.
	Webhooks Webhooks

	// Ledger, when not nil, gets each charge as a line of JSON before the task is answered for.
	Ledger io.Writer
}

// Account is what one key may do.
type Account struct {
	// Credits is the balance to begin with.
	Credits bfl.Credits
	// Concurrency overrides Options.Concurrency when not 0.
	Concurrency int
}

// Latency is a lognormal distribution of how long tasks take, from their start.
type Latency struct {
	// Median of the distribution. 0 stands for 150 ms; for tasks that are ready at once say
	// time.Nanosecond.
	Median time.Duration
	// Spread is the standard deviation of the logarithm. With 0.5 two of three tasks take between
	// 0.6 and 1.6 medians.
	Spread float64
}

// RealisticLatency returns latencies of the order that users of the API see. They are rough: the
// API promises none, and they change with its load.
func RealisticLatency() map[string]Latency {
	return maps.Clone(realistic)
}

var realistic = map[string]Latency{
	"flux-2-klein-4b":              {1200 * time.Millisecond, 0.3},
	"flux-2-klein-9b":              {2 * time.Second, 0.3},
	"flux-2-klein-9b-preview":      {2 * time.Second, 0.3},
	"flux-2-pro":                   {6 * time.Second, 0.4},
	"flux-2-pro-preview":           {6 * time.Second, 0.4},
	"flux-2-max":                   {14 * time.Second, 0.5},
	"flux-2-flex":                  {12 * time.Second, 0.5},
	"flux-pro-1.1":                 {4 * time.Second, 0.4},
	"flux-pro-1.1-ultra":           {9 * time.Second, 0.4},
	"flux-pro-1.1-ultra-finetuned": {11 * time.Second, 0.4},
	"flux-dev":                     {3 * time.Second, 0.4},
	"flux-kontext":                 {6 * time.Second, 0.4},
	"flux-kontext-pro":             {6 * time.Second, 0.4},
	"flux-kontext-max":             {8 * time.Second, 0.4},
	"flux-fill":                    {9 * time.Second, 0.4},
	"flux-pro-1.0-fill":            {9 * time.Second, 0.4},
	"flux-pro-1.0-fill-finetuned":  {10 * time.Second, 0.4},
	"flux-pro-1.0-expand":          {10 * time.Second, 0.4},
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Latency.Median == 0 {
		o.Latency = Latency{Median: 150 * time.Millisecond, Spread: 0.25}
	}
	o.Concurrency = defaultTo(o.Concurrency, DefaultConcurrency)
	o.SampleLifetime = defaultTo(o.SampleLifetime, DefaultSampleLifetime)
	o.Retention = defaultTo(o.Retention, DefaultRetention)
	o.MaxBody = defaultTo(o.MaxBody, DefaultMaxBody)
	o.Memory = defaultTo(o.Memory, DefaultMemory)
	return o
}

func defaultTo[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// latency returns the distribution for a model.
func (o *Options) latency(m *bfl.Model) Latency {
	if l, ok := o.ModelLatency[m.Name]; ok {
		return l
	}
	return o.Latency
}

// modelConcurrency returns how many tasks of a model may be active in an account, 0 for no bound of
// its own.
func (o *Options) modelConcurrency(m *bfl.Model) int {
	if n, ok := o.ModelConcurrency[m.Name]; ok {
		return n
	}
	return m.Concurrency
}
