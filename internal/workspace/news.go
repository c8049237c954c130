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
	seen := w.local.Seen(w.State().Lineage)
	if seen == nil {
		return nil
	}
	return slices.DeleteFunc(w.session.Past(), func(p state.PastRun) bool {
		return p.Last <= seen.Last || slices.Contains(seen.Mine, p.Run)
	})
}

// Looked records that what others did was told. Where it cannot be, it is told again.
func (w *Workspace) Looked() {
	if !w.IsShared() {
		return
	}
	_, last := w.session.Run()
	now := &state.Seen{Lineage: w.State().Lineage, Last: last}
	if seen := w.local.Seen(now.Lineage); seen == nil || seen.Last != last {
		_ = w.local.See(now)
	}
}

// sign records that a run which writes is one of this machine's.
func (w *Workspace) sign() {
	run, last := w.session.Run()
	seen := w.local.Seen(w.State().Lineage)
	if seen == nil || len(w.News()) == 0 {
		seen = &state.Seen{Lineage: w.State().Lineage, Last: last}
	}
	seen.Mine = append(seen.Mine, run)
	// Where it cannot be recorded, this machine is told of its own doing.
	_ = w.local.See(seen)
}
