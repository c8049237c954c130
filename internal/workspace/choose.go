package workspace

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/planner"
)

// ErrNoChoice says that an image has no candidates to choose from.
var ErrNoChoice = errors.New("it has no candidates to choose from")

// PickedError says that the configuration picks a candidate itself.
type PickedError struct {
	Address addrs.Image
	// Pick is the number of the candidate that the configuration picks.
	Pick int
}

func (e *PickedError) Error() string {
	return fmt.Sprintf("the configuration picks candidate %d of %s", e.Pick, e.Address)
}

// NotMadeError says that there is no picture of a candidate.
type NotMadeError struct{ Address addrs.Image }

func (e *NotMadeError) Error() string { return e.Address.String() + " is not there" }

// KeptError says that an image stays as it is, so that no other candidate is taken and none is made beside
// it.
type KeptError struct {
	Address addrs.Image
	// IsEdited says that somebody edited it and its block asks for other pictures by now. Otherwise it
	// is frozen.
	IsEdited bool
}

func (e *KeptError) Error() string { return e.Address.String() + " stays as it is" }

// Choice is what picking a candidate comes to.
type Choice struct {
	// Plan puts its picture in place, for nothing.
	Plan *planner.Plan
	// Images is how many images more the next apply makes because of it, and Cost what that is
	// estimated to cost.
	Images int
	Cost   bfl.Credits
}

// PlanPick plans to pick the nth candidate of an image. It refuses with ErrNoChoice, a PickedError,
// a NotMadeError and a KeptError. There is no choice where the diagnostics have errors.
func (w *Workspace) PlanPick(addr addrs.Image, n int) (*Choice, hcl.Diagnostics, error) {
	before, diags, err := w.planWith(nil)
	if before == nil || diags.HasErrors() || err != nil {
		return nil, diags, err
	}
	c := before.Change(addr)
	switch {
	case c == nil || c.Desired == nil || !c.Desired.HasChoice():
		return nil, nil, ErrNoChoice
	case c.Desired.Pick() > 0:
		return nil, nil, &PickedError{addr, c.Desired.Pick()}
	}
	after, diags, err := w.planWith(map[addrs.Image]int{addr: n})
	if after == nil || diags.HasErrors() || err != nil {
		return nil, diags, err
	}
	only := after.Pick(addr)
	if only == nil || !w.State().Images.Has(addr.Nth(n)) {
		return nil, nil, &NotMadeError{addr.Nth(n)}
	}
	if img := w.State().Images.Get(addr); img != nil && img.Candidate != n && after.Change(addr).Desired.Lifecycle().Frozen {
		return nil, nil, &KeptError{Address: addr}
	}
	was, is := before.Summary(), after.Summary()
	return &Choice{
		Plan: only, Images: max(is.Create+is.Replace-was.Create-was.Replace, 0), Cost: max(is.Cost-was.Cost, 0),
	}, diags, nil
}

// ErrNotPicked says that nobody has picked a candidate of an image.
var ErrNotPicked = errors.New("nobody has picked")

// Unpick takes a choice back. The picture stays until the next apply, which lets the gates choose, or
// takes the first. It refuses with ErrNoChoice, a PickedError and ErrNotPicked. Nothing is taken back
// where the diagnostics have errors.
func (w *Workspace) Unpick(addr addrs.Image) (hcl.Diagnostics, error) {
	plan, diags, err := w.planWith(nil)
	if plan == nil || diags.HasErrors() || err != nil {
		return diags, err
	}
	c, img := plan.Change(addr), w.State().Images.Get(addr)
	switch {
	case img == nil || c == nil || c.Desired == nil || !c.Desired.HasChoice():
		return nil, ErrNoChoice
	case c.Desired.Pick() > 0:
		return nil, &PickedError{addr, c.Desired.Pick()}
	case !img.Picked:
		return nil, ErrNotPicked
	}
	unpicked := *img
	unpicked.Picked = false
	return diags, w.record(addr, &unpicked)
}

// WantMore has the next apply make that many further candidates of an image. It spends nothing, and
// refuses with ErrNoChoice and a KeptError. Nothing is wanted where the diagnostics have errors.
func (w *Workspace) WantMore(addr addrs.Image, more int) (hcl.Diagnostics, error) {
	plan, diags, err := w.planWith(nil)
	if plan == nil || diags.HasErrors() || err != nil {
		return diags, err
	}
	c, img := plan.Change(addr), w.State().Images.Get(addr)
	switch {
	case c == nil || c.Desired == nil || !c.Desired.HasChoice():
		return nil, ErrNoChoice
	case c.Choice() == nil && img != nil:
		return nil, &KeptError{addr, img.Made != nil && c.Frozen}
	case img == nil:
		// None of its candidates was taken yet: the first of them keeps the wish.
		addr = addr.Nth(1)
		img = w.State().Images.Get(addr)
	}
	if img == nil {
		return nil, ErrNoChoice
	}
	wanting := *img
	wanting.More += more
	return diags, w.record(addr, &wanting)
}

// ErrNoneWanted says that no candidate is wanted that is not made yet.
var ErrNoneWanted = errors.New("no further candidates are wanted")

// WantNoMore takes back what WantMore asked for and no apply has made yet, and returns how many
// candidates that are. It refuses with ErrNoChoice and ErrNoneWanted. Nothing is taken back where the
// diagnostics have errors.
func (w *Workspace) WantNoMore(addr addrs.Image) (int, hcl.Diagnostics, error) {
	plan, diags, err := w.planWith(nil)
	if plan == nil || diags.HasErrors() || err != nil {
		return 0, diags, err
	}
	c := plan.Change(addr)
	if c == nil || c.Desired == nil || !c.Desired.HasChoice() {
		return 0, nil, ErrNoChoice
	}
	holder, img := addr, w.State().Images.Get(addr)
	if img == nil {
		holder = addr.Nth(1) // It keeps the wish; see WantMore.
		img = w.State().Images.Get(holder)
	}
	if img == nil {
		return 0, nil, ErrNoChoice // A moved image is on record under its former address until apply.
	}
	n := c.Wanted()
	if n == 0 {
		return 0, nil, ErrNoneWanted
	}
	content := *img
	content.More -= n
	return n, diags, w.record(holder, &content)
}

// planWith plans all with the candidates that are picked, by address.
func (w *Workspace) planWith(choices map[addrs.Image]int) (*planner.Plan, hcl.Diagnostics, error) {
	options, err := w.plannerOptions()
	if err != nil {
		return nil, nil, err
	}
	options.Choices = choices
	plan, diags := planner.Make(w.Config, options)
	return plan, diags, nil
}
