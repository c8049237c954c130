package planner

import (
	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// Rare is what few changes have. It is set through Change.Rare, and read through methods of its
// fields' names.
type Rare struct {
	// From is the address that the image had before, nil where it does not move. Moves go along
	// with any action but Create.
	From *addrs.Image
	// Import is the file to take, where Action is Import.
	Import *config.Import
	// Kept is the image to restore, where Origin is Restore and it exists already.
	Kept *state.Image
	// Found is the image's file as it is now, where an Update takes it over; see
	// Planner.RefreshOnly.
	Found *state.File
	// RecordedSeed, when not nil, is to be sent along although the configuration names no seed: it
	// makes a lost image again.
	RecordedSeed *int64
	// Donor is the address that has Kept, where it is not in the store alone.
	Donor *addrs.Image
	// Twin is the image of this plan, made from the very same seeded request, whose picture is
	// taken once it is there, where Origin is Restore and Kept is nil.
	Twin *addrs.Image
	// Task is what an interrupted run left of this very request, where Origin is Resume.
	Task *state.Task
	// Unanswered are requests that an interrupted run sent and that got no answer: this very one,
	// or one for this address while the fingerprint is not known. Nobody knows whether they were
	// charged. They are no longer remembered once this one is sent.
	Unanswered []*state.Task
	// Moderation is why the API refused the request before, where Origin is Refused, nil elsewhere.
	Moderation *state.Moderation
	// Lacks is the image that it needs and that will not be there, where Origin is Skipped, and else
	// nil.
	Lacks *addrs.Image
	// Candidates are the changes of the pictures to choose from, in their order. They stand in the
	// plan themselves too.
	Candidates []*Change
	// Choice is the image as it is configured, from which its candidates are made, where it has
	// some.
	Choice *image.Image
	// More says how many candidates are bought at most while none passes, each at MoreCost.
	More     int
	MoreCost bfl.Credits
	// Listed, when not nil, is what Attributes returns, where that does not follow from Prior and
	// Desired.
	Listed []image.Attribute
}

// nothingRare is what most changes have. Nobody sets anything in it.
var nothingRare Rare

// Rare returns what few changes have, to be set.
func (c *Change) Rare() *Rare {
	if c.rare == nil {
		c.rare = &Rare{}
	}
	return c.rare
}

// few returns the same, to be read.
func (c *Change) few() *Rare {
	if c.rare == nil {
		return &nothingRare
	}
	return c.rare
}

// From returns Rare.From.
func (c *Change) From() *addrs.Image { return c.few().From }

// Import returns Rare.Import.
func (c *Change) Import() *config.Import { return c.few().Import }

// Kept returns Rare.Kept.
func (c *Change) Kept() *state.Image { return c.few().Kept }

// Found returns Rare.Found.
func (c *Change) Found() *state.File { return c.few().Found }

// RecordedSeed returns Rare.RecordedSeed.
func (c *Change) RecordedSeed() *int64 { return c.few().RecordedSeed }

// Donor returns Rare.Donor.
func (c *Change) Donor() *addrs.Image { return c.few().Donor }

// Twin returns Rare.Twin.
func (c *Change) Twin() *addrs.Image { return c.few().Twin }

// Task returns Rare.Task.
func (c *Change) Task() *state.Task { return c.few().Task }

// Unanswered returns Rare.Unanswered.
func (c *Change) Unanswered() []*state.Task { return c.few().Unanswered }

// Moderation returns Rare.Moderation.
func (c *Change) Moderation() *state.Moderation { return c.few().Moderation }

// Lacks returns Rare.Lacks.
func (c *Change) Lacks() *addrs.Image { return c.few().Lacks }

// Candidates returns Rare.Candidates.
func (c *Change) Candidates() []*Change { return c.few().Candidates }

// Choice returns Rare.Choice.
func (c *Change) Choice() *image.Image { return c.few().Choice }

// More returns Rare.More.
func (c *Change) More() int { return c.few().More }

// MoreCost returns Rare.MoreCost.
func (c *Change) MoreCost() bfl.Credits { return c.few().MoreCost }

// Listed returns Rare.Listed.
func (c *Change) Listed() []image.Attribute { return c.few().Listed }
