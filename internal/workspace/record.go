package workspace

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// PlanMove returns the records that a move is about, sorted; none where nothing on record is. It
// refuses with an InUseError what would end where something is: at an address in use, or as the one
// image of a block that has instances, or the other way around.
func PlanMove(s *state.State, move addrs.Move) ([]state.Moved, error) {
	var steps []state.Moved
	stay := map[addrs.Image][]addrs.Image{} // by block
	for _, addr := range everyAddress(s) {
		if to, ok := move.Apply(addr); ok && to != addr {
			steps = append(steps, state.Moved{From: addr, To: to})
			continue
		}
		stay[addr.Block()] = append(stay[addr.Block()], addr)
	}
	var taken []string
	for _, step := range steps {
		if s.Images.Has(step.To) || len(s.TasksOf(step.To)) > 0 {
			taken = append(taken, step.To.String())
		}
		for _, other := range stay[step.To.Block()] {
			if other.Key.IsNone() != step.To.Key.IsNone() {
				taken = append(taken, other.String())
			}
		}
	}
	if len(taken) > 0 {
		slices.Sort(taken)
		return nil, &InUseError{By: slices.Compact(taken)}
	}
	return steps, nil
}

// everyAddress returns the addresses that have an image or a task, sorted.
func everyAddress(s *state.State) []addrs.Image {
	all := slices.AppendSeq(make([]addrs.Image, 0, s.Images.Len()+len(s.Tasks)), s.Images.Addresses())
	for _, task := range s.Tasks {
		all = append(all, task.Address)
	}
	slices.SortFunc(all, addrs.Image.Compare)
	return slices.Compact(all)
}

// Move carries out what PlanMove planned for this state. A crash between two records leaves a move
// that is done in part, and the same move does the rest.
func (w *Workspace) Move(steps []state.Moved) error {
	moved := map[addrs.Image]addrs.Image{}
	for _, step := range steps {
		if err := w.session.Append(step); err != nil {
			return err
		}
		moved[step.From] = step.To
	}
	s := w.session.State()
	if err := w.moveRenditions(moved); err != nil {
		return err
	}
	for _, addr := range everyAddress(s) {
		img := s.Images.Get(addr)
		if img == nil || !slices.ContainsFunc(img.Dependencies, func(d addrs.Image) bool { _, ok := moved[d]; return ok }) {
			continue
		}
		renamed := *img
		renamed.Dependencies = slices.Clone(img.Dependencies)
		for i, d := range renamed.Dependencies {
			if to, ok := moved[d]; ok {
				renamed.Dependencies[i] = to
			}
		}
		slices.SortFunc(renamed.Dependencies, addrs.Image.Compare)
		if err := w.session.Append(state.Stored{Address: addr, Image: &renamed}); err != nil {
			return err
		}
	}
	return w.commit(nil)
}

// CandidatesOf returns the candidates of an image that are on record, in order.
func CandidatesOf(s *state.State, addr addrs.Image) []addrs.Image {
	var all []addrs.Image
	for n := 1; n <= image.MaxCandidates && addr.Candidate == 0; n++ {
		if s.Images.Has(addr.Nth(n)) {
			all = append(all, addr.Nth(n))
		}
	}
	return all
}

// moveRenditions gives what was made from images their new addresses.
func (w *Workspace) moveRenditions(moved map[addrs.Image]addrs.Image) error {
	for _, from := range w.session.State().SortedRenditions() {
		to := from
		var isMoved bool
		if to.Of, isMoved = moved[from.Of]; !isMoved || from.Kind != addrs.OfImage {
			continue
		}
		if err := w.session.Append(state.Made{Address: to, Rendition: w.session.State().Renditions[from]}); err != nil {
			return err
		}
		if err := w.session.Append(state.Unmade{Address: from}); err != nil {
			return err
		}
	}
	return nil
}

// Forget takes images off the record, with their candidates and what was made from them here. Their
// files stay where they are.
func (w *Workspace) Forget(images []addrs.Image) error {
	for _, addr := range images {
		for _, one := range append(CandidatesOf(w.State(), addr), addr) {
			if err := w.session.Append(state.Removed{Address: one}); err != nil {
				return err
			}
		}
		for _, r := range w.session.State().RenditionsOf(addr) {
			if err := w.session.Append(state.Unmade{Address: r}); err != nil {
				return err
			}
		}
	}
	return w.commit(nil)
}

// Replace puts another state in the place of this one; see state.Session.Replace.
func (w *Workspace) Replace(next *state.State, force bool) error {
	if err := w.session.Replace(next, force); err != nil {
		return err
	}
	return w.commit(nil)
}
