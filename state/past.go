package state

import (
	"maps"
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// PastRun is what a run did to the images of a state that is kept away from this machine. Those of
// some time are kept with its snapshot, so that people can be told what others did.
type PastRun struct {
	// First is the batch that the run began with, Last the last one that did something to an image.
	First     uint64    `json:"first"`
	Last      uint64    `json:"last,omitempty"`
	Run       string    `json:"run"`
	Operation string    `json:"operation,omitempty"`
	Who       string    `json:"who,omitempty"`
	At        time.Time `json:"at,omitzero"`
	// Did is what the run did, by image; More counts the images that are too many for that.
	Did  map[addrs.Image]Deed `json:"did,omitempty"`
	More int                  `json:"more,omitempty"`
}

// Deed is what was done to an image.
type Deed string

// The deeds.
const (
	DeedMade      Deed = "made"
	DeedReplaced  Deed = "replaced"
	DeedPicked    Deed = "picked"
	DeedAccepted  Deed = "accepted"
	DeedDestroyed Deed = "destroyed"
	DeedMoved     Deed = "moved"
)

// Bounds of what is kept: a snapshot is to grow by no more than a fifth of a megabyte.
const (
	maxPastRuns  = 50
	maxPastDeeds = 100
)

// deed says what makes one record of an image of another, "" where nothing does that people see.
func deed(was, now *Image) Deed {
	switch {
	case now == nil:
		return DeedDestroyed
	case was == nil:
		return DeedMade
	case now.Picked && (!was.Picked || was.Candidate != now.Candidate):
		return DeedPicked
	case now.Made != nil && (was.Made == nil || was.Output.SHA256 != now.Output.SHA256):
		return DeedAccepted
	case was.Output.SHA256 != now.Output.SHA256:
		return DeedReplaced
	}
	return ""
}

// began notes a run that began with a batch.
func (r *remote) began(h *batchHead) {
	r.past = append(r.past, &PastRun{First: h.Number, Run: h.Run, Operation: h.Operation, Who: h.Who, At: h.At})
}

// noteChanges notes what a batch of a run is about to do to the images of a state.
func (r *remote) noteChanges(run string, batch uint64, st *State, changes []change) {
	if len(changes) == 0 {
		return
	}
	i := slices.IndexFunc(r.past, func(p *PastRun) bool { return p.Run == run })
	if i < 0 {
		return // It began before anything was kept of it.
	}
	gone := map[string]bool{}
	for _, c := range changes {
		if was := st.Images.Get(c.address); was != nil && c.now == nil {
			gone[was.Output.SHA256] = true
		}
	}
	moved := map[string]bool{}
	for _, c := range changes {
		if c.now != nil && !st.Images.Has(c.address) && gone[c.now.Output.SHA256] {
			moved[c.now.Output.SHA256] = true
			r.past[i].note(c.address, DeedMoved, batch)
		}
	}
	for _, c := range changes {
		was := st.Images.Get(c.address)
		switch {
		case c.address.Candidate > 0, was == nil && c.now == nil:
		case was != nil && c.now == nil && moved[was.Output.SHA256], was == nil && c.now != nil && moved[c.now.Output.SHA256]:
		default:
			r.past[i].note(c.address, deed(was, c.now), batch)
		}
	}
}

// noteAll notes that a run puts another state in the place of one.
func (r *remote) noteAll(before, after *State) {
	var changes []change
	for a := range before.Images.Addresses() {
		if !after.Images.Has(a) {
			changes = append(changes, change{address: a})
		}
	}
	for a, img := range after.Images.All() {
		changes = append(changes, change{address: a, now: img})
	}
	r.noteChanges(r.run.Run, r.at, before, changes)
}

// note adds a deed. What was made by a run stays that, unless it is gone again.
func (p *PastRun) note(a addrs.Image, d Deed, batch uint64) {
	before, isKnown := p.Did[a]
	switch {
	case d == "":
		return
	case isKnown && before == DeedMade && d != DeedDestroyed:
	case !isKnown && len(p.Did) == maxPastDeeds:
		p.More++
	default:
		if p.Did == nil {
			p.Did = map[addrs.Image]Deed{}
		}
		p.Did[a] = d
	}
	p.Last = batch
}

// kept returns those of the past that a snapshot keeps.
func (r *remote) kept() []*PastRun {
	did := slices.DeleteFunc(slices.Clone(r.past), func(p *PastRun) bool { return p.Last == 0 })
	return did[max(0, len(did)-maxPastRuns):]
}

// Past returns what runs did to a state that is kept away from this machine, the oldest first, as
// far as that is kept.
func (s *Session) Past() []PastRun {
	if s.remote == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []PastRun
	for _, p := range s.remote.kept() {
		copied := *p
		copied.Did = maps.Clone(p.Did)
		all = append(all, copied)
	}
	return all
}

// Run returns the session's id, and the newest batch that its state has; "" and 0 for a state in
// files.
func (s *Session) Run() (id string, last uint64) {
	if s.remote == nil {
		return "", 0
	}
	return s.remote.run.Run, s.remote.at
}
