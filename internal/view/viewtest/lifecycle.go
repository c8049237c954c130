package viewtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Moved returns an image that only has another address.
func Moved(from, to string) *planner.Change {
	c := Unchanged(to)
	c.Action, c.Rare().From = planner.Move, new(Addr(from))
	return c
}

// Imported returns an image that is taken from a file.
func Imported(address, file string) *planner.Change {
	c := CreateLogo()
	c.Address, c.Desired = Addr(address), &image.Image{Address: Addr(address)}
	c.Action, c.Origin, c.Cost = planner.Import, 0, 0
	c.Rare().Import = &config.Import{To: c.Address, File: file, Name: file, SHA256: shaNew, Size: bfl.Size{Width: 1024, Height: 768}}
	return c
}

// Forgotten returns an image that is taken off record, and whose file stays.
func Forgotten(address string) *planner.Change {
	c := DestroyOld()
	c.Address, c.Action = Addr(address), planner.Forget
	return c
}

// LostPlan forgets n images whose files are gone.
func LostPlan(n int) *planner.Plan {
	p := &planner.Plan{RefreshOnly: true}
	for i := range n {
		c := Forgotten(fmt.Sprintf("image.gone[%d]", i))
		c.Reasons = []planner.Reason{{Kind: planner.FileMissing}}
		p.Changes = append(p.Changes, c)
	}
	return p
}

// Frozen returns an image that stays as it is although its prompt changed.
func Frozen(address string) *planner.Change {
	c := ReplaceLogo()
	c.Address, c.Action, c.Frozen, c.Origin, c.Cost = Addr(address), planner.NoOp, true, 0, 0
	return c
}

// Refused returns an image that moderation refused before.
func Refused(address string, reasons ...string) *planner.Change {
	c := CreateLogo()
	c.Address, c.Desired = Addr(address), &image.Image{Address: Addr(address)}
	c.Origin, c.Cost, c.Rare().Moderation = planner.Refused, 0, &state.Moderation{Reasons: reasons}
	return c
}

// Unmakable returns an image that needs one that will not be there.
func Unmakable(address, lacks string) *planner.Change {
	c := CreateLogo()
	c.Address, c.Desired = Addr(address), &image.Image{Address: Addr(address), Dependencies: []addrs.Image{Addr(lacks)}}
	c.Origin, c.Cost, c.Rare().Lacks = planner.Skipped, 0, new(Addr(lacks))
	return c
}

// LifecyclePlan has what becomes of images besides being made and removed.
func LifecyclePlan() *planner.Plan {
	renamed := UpdateBanner()
	renamed.Rare().From = new(Addr("image.banner"))
	stays := Frozen("image.frozen")
	stays.Rare().From = new(Addr("image.was_frozen"))
	uncertain := CreateLogo()
	uncertain.Address, uncertain.Rare().Unanswered = Addr("image.lost"), []*state.Task{{Cost: bfl.CreditsOf(3)}}
	uncertain.Fingerprint = "f"
	seeded := CreateGone()
	seeded.Address, seeded.Rare().RecordedSeed = Addr("image.seeded"), new(int64(7))
	seeded.Rare().Listed = slices.Delete(seeded.Listed(), 4, 5)
	conditional := Dragged(1, "image.seeded")[0]
	triggered := ReplaceLogo()
	triggered.Address, triggered.Fingerprint = Addr("image.triggered"), shaNew
	triggered.Reasons = []planner.Reason{{Kind: planner.Triggered, Upstream: Addr("image.lost")}}
	again := ReplaceLogo()
	again.Address, again.Origin, again.Cost = Addr("image.refused_again"), planner.Refused, 0
	poster := Unmakable("image.poster", "image.refused")
	frame := Unmakable("image.frame", "image.poster")
	return &planner.Plan{Changes: []*planner.Change{
		Forgotten("image.forgotten"), stays, Imported("image.imported", "old art/logo.png"), uncertain,
		Moved(`image.tile["the sun"]`, `image.card["the sun"]`), poster, frame, conditional,
		Refused("image.refused", "Derivative Works Filter", "Violence"), again, seeded, triggered, renamed,
	}}
}

// LifecycleEvents is the apply of what asks the API for nothing.
func LifecycleEvents() []executor.Event {
	return []executor.Event{
		executor.Completed{Address: Addr("image.gone[0]"), Action: planner.Forget, Elapsed: time.Millisecond},
		executor.Completed{Address: Addr("image.forgotten"), Action: planner.Forget, Elapsed: time.Millisecond},
		executor.Completed{
			Address: Addr("image.imported"), Action: planner.Import,
			Image: &state.Image{Output: state.File{Path: "images/imported.png", SHA256: shaNew, Width: 1024, Height: 768}},
		},
	}
}

// FreePlan returns a plan of what LifecycleEvents tells.
func FreePlan() *planner.Plan {
	return &planner.Plan{Changes: []*planner.Change{
		LostPlan(1).Changes[0], Forgotten("image.forgotten"), Imported("image.imported", "old art/logo.png"), Moved("image.a", "image.b"), Moved("image.c", "image.d"),
	}}
}
