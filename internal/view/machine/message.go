package machine

import (
	"encoding/json"
	"time"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/state"
)

// The types below are the messages of the JSON stream, one a line. README.md documents them as a
// contract: fields are added, never renamed or removed while StreamVersion has the same major
// number.

// StreamVersion is the version of the JSON stream, that of Terraform's machine-readable UI which it
// follows.
const StreamVersion = "1.2"

// messageModule is the value of "@module" in every message.
const messageModule = "fluxbatch.ui"

// header is what every message begins with.
type header struct {
	// Level is "info", "warn" or "error".
	Level string `json:"@level"`
	// Message is the line that people would read.
	Message   string    `json:"@message"`
	Module    string    `json:"@module"`
	Timestamp time.Time `json:"@timestamp"`
}

// versionMessage is the first message.
type versionMessage struct {
	header
	Fluxbatch string `json:"fluxbatch"`
	Type      string `json:"type"`
	UI        string `json:"ui"`
}

// plannedChangeMessage is a change of a plan.
type plannedChangeMessage struct {
	header
	Change plannedChange `json:"change"`
	Type   string        `json:"type"`
}

type plannedChange struct {
	Resource messageResource `json:"resource"`
	// PreviousResource is the address that the image had before, where it moves.
	PreviousResource *messageResource `json:"previous_resource,omitempty"`
	// Action is "create", "replace", "update", "delete", "move", "import", "remove" or "noop".
	Action string `json:"action"`
	// Reason is Terraform's nearest word, Reasons are ours.
	Reason  string          `json:"reason,omitempty"`
	Reasons []plannedReason `json:"reasons,omitempty"`
	// Frozen says that lifecycle.frozen alone keeps the image as it is. Reasons are then those for
	// which it would be replaced.
	Frozen bool `json:"frozen,omitempty"`
	// Conditional says that only the images upstream decide whether the change is needed.
	Conditional bool `json:"conditional,omitempty"`
	// Importing is the file that is taken as the image.
	Importing *messageImport `json:"importing,omitempty"`
	// Origin is "generate", "restore" or "resume" for an image that is to be made, "refused" or
	// "skipped" for one that is not.
	Origin string `json:"origin,omitempty"`
	// PictureOf is the image whose picture it gets, for nothing, where Origin is "restore" and the
	// store is not all that has it.
	PictureOf string `json:"picture_of,omitempty"`
	// Candidates is how many candidates an image has to choose from, and Candidate the number of
	// the one whose picture it gets, absent while gates decide. Picked says that somebody chose it.
	Candidates int  `json:"candidates,omitempty"`
	Candidate  int  `json:"candidate,omitempty"`
	Picked     bool `json:"picked,omitempty"`
	// Retries is how many more are bought at most while none passes its gates, each at RetryCost in
	// US dollars, which EstimatedCost does not count.
	Retries   int     `json:"retries,omitempty"`
	RetryCost float64 `json:"retry_cost,omitempty"`
	// Edited says that the image is a file that somebody edited and that was accepted.
	Edited bool `json:"edited,omitempty"`
	// Because is the image that a skipped one needs.
	Because string `json:"because,omitempty"`
	// ModerationReasons are the API's, for an image that stays refused.
	ModerationReasons []string `json:"moderation_reasons,omitempty"`
	// MayHaveBeenCharged says that an interrupted run asked for the image and got no answer, at
	// UncertainCost in US dollars.
	MayHaveBeenCharged bool    `json:"may_have_been_charged,omitempty"`
	UncertainCost      float64 `json:"uncertain_cost,omitempty"`
	// RecordedSeed is the seed that a lost image is asked for with.
	RecordedSeed *int64 `json:"recorded_seed,omitempty"`
	// EstimatedCost is in US dollars, and absent where PriceUnknown says that nobody knows it.
	EstimatedCost          *float64 `json:"estimated_cost,omitempty"`
	EstimatedCostIsMinimum bool     `json:"estimated_cost_is_minimum,omitempty"`
	PriceUnknown           bool     `json:"price_unknown,omitempty"`
	// Path is the file of a rendition or a sheet.
	Path string `json:"path,omitempty"`
}

type plannedReason struct {
	Kind      string           `json:"kind"`
	Upstream  *addrs.Image     `json:"upstream,omitempty"`
	Rendition *addrs.Rendition `json:"rendition,omitempty"`
}

// messageImport is the file of an image that is imported.
type messageImport struct {
	ID string `json:"id"`
}

// messageResource names an image.
type messageResource struct {
	Addr            string `json:"addr"`
	Module          string `json:"module"`
	Resource        string `json:"resource"`
	ImpliedProvider string `json:"implied_provider"`
	ResourceType    string `json:"resource_type"`
	ResourceName    string `json:"resource_name"`
	// ResourceKey is a number, a string or null.
	ResourceKey any `json:"resource_key"`
}

// changeSummaryMessage ends a plan and an apply.
type changeSummaryMessage struct {
	header
	Changes changeSummary `json:"changes"`
	Type    string        `json:"type"`
}

// abandonedTask is a task of an earlier run that no image takes up.
type abandonedTask struct {
	// Addr is the image that it was submitted for, TaskID its id, "" for a request that got no
	// answer.
	Addr   string `json:"addr"`
	TaskID string `json:"task_id,omitempty"`
	// Cost is what was paid for it, or may have been, in US dollars.
	Cost float64 `json:"cost"`
	// Fate is "fetched" for one whose image goes into the store, "lost" for one that was paid for
	// in vain, "unanswered" for one that may have been charged, and "given_up". Reason says why it
	// is lost.
	Fate   string `json:"fate"`
	Reason string `json:"reason,omitempty"`
}

type changeSummary struct {
	// Add, Change, Import and Remove count as Terraform does: a replacement is one of Add and one
	// of Remove.
	Add    int `json:"add"`
	Change int `json:"change"`
	Import int `json:"import"`
	Remove int `json:"remove"`
	// Operation is "plan", "apply" or "destroy".
	Operation string `json:"operation"`
	// Create, Replace, Update and Destroy count as our own summary line does.
	Create  int `json:"create"`
	Replace int `json:"replace"`
	Update  int `json:"update"`
	Destroy int `json:"destroy"`
	// Restored and Resumed count those of Create and Replace that are free, Abandoned the tasks
	// that no image wants; of a plan.
	Restored  int `json:"restored,omitempty"`
	Resumed   int `json:"resumed,omitempty"`
	Abandoned int `json:"abandoned,omitempty"`
	// AbandonedTasks are these tasks; of a plan.
	AbandonedTasks []abandonedTask `json:"abandoned_tasks,omitempty"`
	// Conditional counts those of Replace that only images upstream decide on, Refused and Frozen
	// the images that will not be what the configuration says; of a plan.
	Conditional int `json:"conditional,omitempty"`
	Refused     int `json:"refused,omitempty"`
	// Rejected counts images none of whose candidates passes its gates, Waiting those that are made
	// from one that nobody has picked yet; of a plan.
	Rejected int `json:"rejected,omitempty"`
	Waiting  int `json:"waiting,omitempty"`
	Frozen   int `json:"frozen,omitempty"`
	// MayHaveBeenCharged counts those of Create and Replace that an interrupted run may have been
	// charged UncertainCost for; of a plan.
	MayHaveBeenCharged int     `json:"may_have_been_charged,omitempty"`
	UncertainCost      float64 `json:"uncertain_cost,omitempty"`
	// Moved and Forgotten count changes that are free.
	Moved     int `json:"moved,omitempty"`
	Forgotten int `json:"forgotten,omitempty"`
	// Skipped counts the images that need one that is refused or, of an apply, is not there for
	// another reason. Unchanged and Failed are of an apply.
	Unchanged int `json:"unchanged,omitempty"`
	Failed    int `json:"failed,omitempty"`
	Skipped   int `json:"skipped,omitempty"`
	// EstimatedCost is of a plan, Cost of an apply, both in US dollars.
	EstimatedCost          *float64 `json:"estimated_cost,omitempty"`
	EstimatedCostIsMinimum bool     `json:"estimated_cost_is_minimum,omitempty"`
	// PriceUnknown counts the images of a plan that are not in EstimatedCost because nobody knows
	// their price.
	PriceUnknown int      `json:"price_unknown,omitempty"`
	Cost         *float64 `json:"cost,omitempty"`
	Simulated    bool     `json:"simulated,omitempty"`
	// These count what is made here from pictures; none of it is in the other counts.
	RenditionsMade    int `json:"renditions_made,omitempty"`
	RenditionsRemoved int `json:"renditions_removed,omitempty"`
	RenditionsFailed  int `json:"renditions_failed,omitempty"`
	RenditionsSkipped int `json:"renditions_skipped,omitempty"`
}

// uploadMessage tells how far uploads are.
type uploadMessage struct {
	header
	Upload upload `json:"upload"`
	Type   string `json:"type"`
}

type upload struct {
	Images int   `json:"images"`
	Of     int   `json:"of"`
	Bytes  int64 `json:"bytes"`
}

// waitMessage tells that the state is waited for.
type waitMessage struct {
	header
	Wait wait   `json:"wait"`
	Type string `json:"type"`
}

type wait struct {
	State string `json:"state"`
	// Holder is nil where it is not known.
	Holder        *state.LockInfo `json:"holder,omitempty"`
	LapsesSeconds float64         `json:"lapses_seconds,omitempty"`
}

func holderOf(i state.LockInfo) *state.LockInfo {
	if i.ID == "" {
		return nil
	}
	return &i
}

// transferMessage tells how far one object is on its way.
type transferMessage struct {
	header
	Transfer transfer `json:"transfer"`
	Type     string   `json:"type"`
}

// lookupMessage tells how many images were looked for in a store.
type lookupMessage struct {
	header
	Lookup lookup `json:"lookup"`
	Type   string `json:"type"`
}

type lookup struct {
	Store  string `json:"store"`
	Images int    `json:"images"`
	Of     int    `json:"of"`
}

// outageMessage says that no result can be fetched, and that nothing is bought meanwhile. Its type is
// "delivery_down".
type outageMessage struct {
	header
	Outage outage `json:"outage"`
	Type   string `json:"type"`
}

type outage struct {
	Host  string     `json:"host,omitempty"`
	Call  string     `json:"call"`
	Since time.Time  `json:"since"`
	Until *time.Time `json:"until,omitempty"`
	Error string     `json:"error"`
}

func outageOf(u executor.Undelivered) outage {
	o := outage{Host: u.Host, Call: what(u.Looks), Since: u.Since.UTC().Truncate(time.Millisecond), Error: layout.OneLine(u.Err)}
	if !u.Until.IsZero() {
		o.Until = new(u.Until.UTC().Truncate(time.Millisecond))
	}
	return o
}

// deliveredMessage says that an outage is over. Its type is "delivery_back".
type deliveredMessage struct {
	header
	Delivery delivered `json:"delivery"`
	Type     string    `json:"type"`
}

type delivered struct {
	Host    string  `json:"host,omitempty"`
	Call    string  `json:"call"`
	Seconds float64 `json:"seconds"`
	Buys    bool    `json:"buys"`
}

// what is the call that an outage is about.
func what(looks bool) string {
	if looks {
		return "poll"
	}
	return "download"
}

// silenceMessage says that a store does not answer. Its type is "store_silent".
type silenceMessage struct {
	header
	Silence silence `json:"silence"`
	Type    string  `json:"type"`
}

type silence struct {
	Store   string  `json:"store"`
	Seconds float64 `json:"seconds"`
}

type transfer struct {
	Object string `json:"object"`
	Upload bool   `json:"upload"`
	Bytes  int64  `json:"bytes"`
	Size   int64  `json:"size"`
}

// hookMessage is something that happened to one image during an apply. Its type is "apply_start",
// "apply_progress", "apply_complete" or "apply_errored".
type hookMessage struct {
	header
	Hook hook   `json:"hook"`
	Type string `json:"type"`
}

type hook struct {
	Resource messageResource `json:"resource"`
	// Action is that of the planned change, or "noop" where it turned out not to be needed.
	Action string `json:"action"`
	// IDKey is "id" where IDValue is the task's.
	IDKey   string `json:"id_key,omitempty"`
	IDValue string `json:"id_value,omitempty"`
	// ElapsedSeconds is absent from apply_start.
	ElapsedSeconds *float64 `json:"elapsed_seconds,omitempty"`
	// Status is, in apply_progress, the API's word for the task, or "submitted" or "retrying"; in
	// apply_errored it is "failed" or "skipped".
	Status string `json:"status,omitempty"`
	// Progress is from 0 to 1.
	Progress float64 `json:"progress,omitempty"`
	// RetryInSeconds and Error are of a call that is made again; Error is also of what failed.
	RetryInSeconds float64 `json:"retry_in_seconds,omitempty"`
	Error          string  `json:"error,omitempty"`
	// Verdicts are what gates said of a candidate.
	Verdicts []image.Verdict `json:"verdicts,omitempty"`
	// Candidates is how many candidates an image has to choose from, and Candidate the number of
	// the one whose picture it gets, absent while gates decide. Picked says that somebody chose it.
	Candidates int  `json:"candidates,omitempty"`
	Candidate  int  `json:"candidate,omitempty"`
	Picked     bool `json:"picked,omitempty"`
	// Retries is how many more are bought at most while none passes its gates, each at RetryCost in
	// US dollars, which EstimatedCost does not count.
	Retries   int     `json:"retries,omitempty"`
	RetryCost float64 `json:"retry_cost,omitempty"`
	// Edited says that the image is a file that somebody edited and that was accepted.
	Edited bool `json:"edited,omitempty"`
	// Because is the image that a skipped one needs.
	Because string `json:"because,omitempty"`
	// Cost is what was charged for the image, in US dollars; absent where it was free.
	Cost *float64 `json:"cost,omitempty"`
	// Origin is that of the planned change.
	Origin string `json:"origin,omitempty"`
	// Path and SHA256 are of the file that was made.
	Path   string `json:"path,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

// diagnosticMessage is an error or a warning.
type diagnosticMessage struct {
	header
	Diagnostic tfjson.Diagnostic `json:"diagnostic"`
	Type       string            `json:"type"`
}

// outputsMessage lists the root module's outputs, with the plan's actions or after an apply.
type outputsMessage struct {
	header
	Outputs map[string]outputMessage `json:"outputs"`
	Type    string                   `json:"type"`
}

type outputMessage struct {
	Sensitive bool `json:"sensitive"`
	// Type and Value are absent while the value is not known, and Value of sensitive outputs
	// always.
	Type  json.RawMessage `json:"type,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
	// Action is "create", "update", "delete" or "noop", of a plan only.
	Action string `json:"action,omitempty"`
}
