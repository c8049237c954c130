package workspace

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/state"
)

// IsShared reports whether the state is kept where other machines change it as well.
func (w *Workspace) IsShared() bool { return w.session.IsDistant() }

// News returns what others did to a shared state since this machine last looked, the oldest first.
// Who looks for the first time has no news.
func (w *Workspace) News() []state.PastRun {
	if !w.IsShared() {
		return nil
	}
	seen := w.seen()
	if seen == nil {
		return nil
	}
	return slices.DeleteFunc(w.session.Past(), func(p state.PastRun) bool {
		// A state that was moved here has the same images as before.
		return p.Last <= seen.Last || slices.Contains(seen.Mine, p.Run) || p.Operation == migrates
	})
}

// seen is how far this machine has seen the state, nil where it has not looked yet.
func (w *Workspace) seen() *state.Seen { return w.local.Seen(w.place.String(), w.State().Lineage) }

// seenUpTo is that it has seen a batch and those before it.
func (w *Workspace) seenUpTo(last uint64) *state.Seen {
	return &state.Seen{Place: w.place.String(), Lineage: w.State().Lineage, Last: last}
}

// Looked records that what others did was told. Where it cannot be, it is told again.
func (w *Workspace) Looked() {
	if !w.IsShared() {
		return
	}
	_, last := w.session.Run()
	if seen := w.seen(); seen == nil || seen.Last != last {
		_ = w.local.See(w.seenUpTo(last))
	}
}

// sign records that a run which writes is one of this machine's.
func (w *Workspace) sign() {
	run, last := w.session.Run()
	seen := w.seen()
	if seen == nil || len(w.News()) == 0 {
		seen = w.seenUpTo(last)
	}
	seen.Mine = append(seen.Mine, run)
	// Where it cannot be recorded, this machine is told of its own doing.
	_ = w.local.See(seen)
}
