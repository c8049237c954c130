package planner

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// Action is what a plan does with one image.
type Action uint8

// The actions.
const (
	NoOp Action = iota + 1
	Create
	Replace
	Update
	Destroy
	// Move gives an image another address and changes nothing else.
	Move
	// Forget takes an image out of the state and leaves its file.
	Forget
	// Import takes an existing file as the image.
	Import
)

// Origin is where the image of a Create or Replace comes from.
type Origin uint8

// The origins.
const (
	// Generate asks the API for it, at a price.
	Generate Origin = iota + 1
	// Restore takes it from the store, where an image with the same fingerprint is kept.
	Restore
	// Resume fetches the image of a task that an interrupted run submitted, and that is paid for
	// already.
	Resume
	// Refused is nowhere: the API's moderation refused this very request before, so that it is not
	// asked again.
	Refused
	// Skipped is nowhere either: an image that it needs is refused, or skipped itself.
	Skipped
	// Rejected is nowhere as well: none of its candidates passes its gates, and no more are bought.
	Rejected
)

var actionNames = [...]string{NoOp: "no-op", Create: "create", Replace: "replace", Update: "update", Destroy: "destroy", Move: "move", Forget: "forget", Import: "import"}

// String returns the name of the action, "" of none.
func (a Action) String() string { return actionNames[a] }

var originNames = [...]string{Generate: "generate", Restore: "restore", Resume: "resume", Refused: "refused", Skipped: "skipped", Rejected: "rejected"}

// String returns the name of the origin, "" of none.
func (o Origin) String() string { return originNames[o] }

// ReasonKind says why an image is created, replaced or destroyed.
type ReasonKind string

// The reasons.
const (
	// NotInState: the image is new.
	NotInState ReasonKind = "not_in_state"
	// FileMissing: the image's file is gone.
	FileMissing ReasonKind = "file_missing"
	// FileChanged: the image's file is not the one that was made.
	FileChanged ReasonKind = "file_changed"
	// FileOutdated: the image's file is one that was on record before another machine made the one
	// that is on record now.
	FileOutdated ReasonKind = "file_outdated"
	// RequestChanged: the request differs from the one that made the image.
	RequestChanged ReasonKind = "request_changed"
	// UpstreamChanges: an image that this one is made from will be made anew.
	UpstreamChanges ReasonKind = "upstream_changes"
	// RenditionChanges: a rendition that this image is made from will be made anew, of a picture that
	// stays.
	RenditionChanges ReasonKind = "rendition_changes"
	// Requested: the user asked for it with -replace.
	Requested ReasonKind = "requested"
	// Marked: somebody marked it for another throw.
	Marked ReasonKind = "marked"
	// WasSimulated: the image was made by a simulator, and its provider no longer is one.
	WasSimulated ReasonKind = "was_simulated"
	// Picked: the picture of another candidate is picked.
	Picked ReasonKind = "picked"
	// Unjudged: gates have to judge its candidates.
	Unjudged ReasonKind = "unjudged"
	// Interrupted: a run that was cut off had asked for it.
	Interrupted ReasonKind = "interrupted"
	// Triggered: lifecycle.replace_triggered_by names an image that changes.
	Triggered ReasonKind = "replace_triggered_by"
	// NotInConfiguration: no image block makes this instance any more.
	NotInConfiguration ReasonKind = "not_in_configuration"
	// DestroyRequested: the user asked for images to be destroyed.
	DestroyRequested ReasonKind = "destroy_requested"
)

// Reason is one reason for a change.
type Reason struct {
	Kind ReasonKind
	// Upstream is the image that an UpstreamChanges or Triggered is about, and Rendition what a
	// RenditionChanges is about.
	Upstream  addrs.Image
	Rendition addrs.Rendition
}

// Change is what a plan does with one image, and why. A plan can have a million, so that what says
// yes or no stands together, and what few changes have stands apart; see Rare.
type Change struct {
	Address addrs.Image
	Action  Action
	// Origin is where the image comes from, zero for actions that make none.
	Origin Origin
	// Reasons is empty for actions that need none.
	Reasons []Reason
	// Prior is the image as it exists, nil for Create.
	Prior *state.Image
	// Desired is the image as it is configured, with the content of all references that are known
	// now. It is nil where the change does not look at the configuration.
	Desired *image.Image
	// Fingerprint is that of the desired request, "" while parts of it are known only after apply.
	Fingerprint string
	// Price is the estimated price of generating the image, whether or not the plan has to.
	Price bfl.Credits
	// Cost is what the change is estimated to cost: Price, or zero for what is free.
	Cost bfl.Credits
	// Frozen says that the image stays as it is for lifecycle.frozen alone; Reasons are then those
	// for which it would be made anew.
	Frozen bool
	// CostUnknown says that Cost is a lower bound, because the size is known only after apply.
	CostUnknown bool
	// PriceUnknown says that nobody knows what the change costs. Cost is then no estimate: it is
	// what counts against a cap all the same, the highest price that is known of the model, or zero
	// where Uncapped says that none is.
	PriceUnknown, Uncapped bool
	// Judges says that gates have to judge candidates before it is known which one the image gets.
	Judges bool
	// NotPicked says that the image waits, as Skipped, because nobody has picked the picture of the
	// one that it Lacks.
	NotPicked bool
	// Simulator says that the provider may be a simulator.
	Simulator bool

	// rare is what few changes have, nil where it has none of that.
	rare *Rare
	// known is the state that the plan was made with.
	known *state.State
}

// Attributes returns what the image is, before and after, sorted for reading. Unchanged attributes
// are included. They are worked out by every call, since of a hundred thousand changes people look
// at a few.
func (c *Change) Attributes() []image.Attribute {
	if listed := c.Listed(); listed != nil {
		return listed
	}
	if c.Prior == nil {
		return image.Compare(nil, c.Desired)
	}
	// Of a damaged request, the diff says less, and the fingerprints still decide.
	recorded, _ := c.known.Asked(c.Prior, c.model())
	return image.Compare(recorded.Reveal(c.Desired, c.Prior.Fingerprint), c.Desired)
}

// IsUpstream reports whether the reason is about what the image is made from, of which apply may
// find that it is as it was.
func (r Reason) IsUpstream() bool { return r.Kind == UpstreamChanges || r.Kind == RenditionChanges }

// Conditional reports whether apply may find, once the images upstream are there, that the change
// is not needed.
func (c *Change) Conditional() bool {
	return c.Action == Replace && c.Fingerprint == ""
}

// Lost reports whether the image's file is gone and does not come back: the image is forgotten for
// that alone, or frozen.
func (c *Change) Lost() bool {
	if c.Frozen {
		return slices.ContainsFunc(c.Reasons, func(r Reason) bool { return r.Kind == FileMissing })
	}
	return c.Action == Forget && onlyReason(c.Reasons, FileMissing)
}

// OnlyDrifted reports whether nothing is wrong with the image but its file.
func (c *Change) OnlyDrifted() bool {
	return onlyReason(c.Reasons, FileMissing) || onlyReason(c.Reasons, FileChanged) || onlyReason(c.Reasons, FileOutdated)
}

// model returns the model that the configuration has for the image, or nil.
func (c *Change) model() *bfl.Model {
	if c.Desired == nil {
		return nil
	}
	return c.Desired.Model
}

// Makes reports whether the change puts an image in place that is not there now.
func (c *Change) Makes() bool { return c.Action == Create || c.Action == Replace }

// Leaves reports whether the image on record goes, and leaves nothing at its address.
func (c *Change) Leaves() bool { return c.Action == Destroy || c.Action == Forget }

// Generates reports whether the change needs the API.
func (c *Change) Generates() bool { return c.Makes() && (c.Origin == Generate || c.Origin == Resume) }

// MayAsk reports whether the change needs the API, or may need it when gates have judged.
func (c *Change) MayAsk() bool { return c.Generates() || c.Judges && c.More() > 0 }

// MayHaveBeenCharged reports whether an earlier run sent this very request, as far as can be told,
// and got no answer.
func (c *Change) MayHaveBeenCharged() bool { return len(c.Unanswered()) > 0 }

// ModerationReasons are the API's, for an image that it refused before.
func (c *Change) ModerationReasons() []string {
	if c.Moderation() == nil {
		return nil
	}
	return c.Moderation().Reasons
}

// Uncertain is what may have been charged for it by an earlier run that got no answer.
func (c *Change) Uncertain() bfl.Credits {
	var sum bfl.Credits
	for _, task := range c.Unanswered() {
		sum += task.Cost
	}
	return sum
}

// IsRequested reports whether the user wants a new image although nothing about it changed.
func (c *Change) IsRequested() bool {
	return slices.ContainsFunc(c.Reasons, func(r Reason) bool { return r.Kind == Requested || r.Kind == Marked || r.Kind == Triggered })
}

// Plan is all that apply is to do.
type Plan struct {
	// Changes has one entry for every image that is configured or exists, no-ops included, sorted
	// by address.
	Changes []*Change
	// Unchanged are, where Options.Brief asks for that, the images that stay as they are and about
	// which there is nothing else to say. They are not among the Changes; see All.
	Unchanged state.Refs
	// Renditions are what is done with files that are made here, sorted by address, without those
	// that stay as they are.
	Renditions []*RenditionChange
	// Outputs are the root module's outputs, sorted by name. It is nil where the plan is limited to
	// some images.
	Outputs []OutputChange
	// Abandoned are the tasks of interrupted runs that no change takes up, sorted by address.
	Abandoned []Abandoned
	// Renamed are images that seem to have another address now, sorted by the new one.
	Renamed []Rename
	// RefreshOnly says that the plan only makes the state say what is there, and does not look at
	// the configuration; see Planner.RefreshOnly.
	RefreshOnly bool

	// decided are the changes of desired images in the order in which they were decided on.
	decided []*decision
	where   func(addrs.Image) *hcl.Range
	// models are those of Unchanged, and known is the state that the plan was made with.
	models []*bfl.Model
	known  *state.State
}

// Models are those of all images that are configured.
func (p *Plan) Models() []*bfl.Model {
	models := slices.Clone(p.models)
	for _, c := range p.Changes {
		if c.Desired != nil && !slices.Contains(models, c.Desired.Model) {
			models = append(models, c.Desired.Model)
		}
	}
	return models
}

// Where returns where the configuration declares an image, for messages about it; nil where it does
// not.
func (p *Plan) Where(addr addrs.Image) *hcl.Range {
	if p.where == nil {
		return nil
	}
	return p.where(addr)
}

// Abandoned is a task of an interrupted run that no change takes up.
type Abandoned struct {
	Address addrs.Image
	Task    *state.Task
	// MayBeWanted says that the image at its address has a request that is known only after apply,
	// which may turn out to be the task's.
	MayBeWanted bool
	// GivenUp says that the user gives it up.
	GivenUp bool
	// Simulated says that it is a simulator's, while its provider is none any more: nobody paid for
	// it, and nobody has it.
	Simulated bool
}

// Fetches reports whether apply looks for the task's image, to keep it in the store. Of all other
// tasks it forgets what the plan has told: one that got no answer, was paid for in vain, or is
// given up.
func (a *Abandoned) Fetches() bool { return a.Task.Open() && !a.GivenUp && !a.Simulated }

// OutputChange is an output's value before and after.
type OutputChange struct {
	Name string
	// Before is what the state has, nil where it has none.
	Before *state.OutputValue
	// After is what the configuration says, nil where it no longer has the output. Its Value may be
	// unknown.
	After *config.Output
	// Changed says whether they differ, or may.
	Changed bool
}

// Limited reports whether the plan leaves images aside that the configuration may want changed.
func (p *Plan) Limited() bool { return p.Outputs == nil && !p.RefreshOnly }

// Empty reports whether there is nothing to do: no image changes and no output does. An image that
// waits for somebody's choice is nothing that an apply can do.
func (p *Plan) Empty() bool {
	for _, c := range p.Changes {
		if !c.NotPicked && c.Action != NoOp || c.From() != nil {
			return false
		}
	}
	for i := range p.Outputs {
		if p.Outputs[i].Changed {
			return false
		}
	}
	return len(p.Unsettled()) == 0 && len(p.Renditions) == 0
}

// Unsettled returns the tasks that no change takes up and of which there is something to tell. What
// a simulator was asked for that is gone cost nothing, and goes with the next apply.
func (p *Plan) Unsettled() []Abandoned {
	return slices.DeleteFunc(slices.Clone(p.Abandoned), func(a Abandoned) bool { return a.Simulated })
}
