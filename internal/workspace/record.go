package workspace

import (
	"cmp"
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
	stay := map[addrs.Image]*occupants{} // by block
	var none occupants
	for _, addr := range everyAddress(s) {
		if to, ok := move.Apply(addr); ok && to != addr {
			steps = append(steps, state.Moved{From: addr, To: to})
			continue
		}
		if stay[addr.Block()] == nil {
			stay[addr.Block()] = new(occupants)
		}
		stay[addr.Block()].add(addr)
	}
	tasks := map[addrs.Image]bool{}
	for _, task := range s.Tasks {
		tasks[task.Address] = true
	}
	var taken []string
	for _, step := range steps {
		if s.Images.Has(step.To) || tasks[step.To] {
			taken = append(taken, step.To.String())
		}
		for _, other := range cmp.Or(stay[step.To.Block()], &none).inTheWayOf(step.To) {
			taken = append(taken, other.String())
		}
	}
	if len(taken) > 0 {
		slices.Sort(taken)
		return nil, &InUseError{By: slices.Compact(taken)}
	}
	return steps, nil
}

// occupants are the addresses of a block that stay where they are.
type occupants struct {
	single, instances []addrs.Image
}

func (o *occupants) add(addr addrs.Image) {
	if addr.Key.IsNone() {
		o.single = append(o.single, addr)
	} else {
		o.instances = append(o.instances, addr)
	}
}

// inTheWayOf returns those that cannot be beside an address: a block is one image, or has instances. It
// returns each once, however many come.
func (o *occupants) inTheWayOf(addr addrs.Image) (others []addrs.Image) {
	if addr.Key.IsNone() {
		others, o.instances = o.instances, nil
	} else {
		others, o.single = o.single, nil
	}
	return others
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
	moved := make(map[addrs.Image]addrs.Image, len(steps))
	records := make([]state.Record, 0, len(steps))
	for _, step := range steps {
		records = append(records, step)
		moved[step.From] = step.To
	}
	dependent := dependentOn(w.session.State(), moved)
	for _, some := range [][]state.Record{records, movedRenditions(w.session.State(), moved), dependent} {
		if err := w.session.AppendAll(some); err != nil {
			return err
		}
	}
	return w.commit(nil)
}

// dependentOn returns the records of the images, under their new addresses, that are made from images
// that move.
func dependentOn(s *state.State, moved map[addrs.Image]addrs.Image) (records []state.Record) {
	for addr, img := range s.Images.All() {
		if !slices.ContainsFunc(img.Dependencies, func(d addrs.Image) bool { _, ok := moved[d]; return ok }) {
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
		if to, ok := moved[addr]; ok {
			addr = to
		}
		records = append(records, state.Stored{Address: addr, Image: &renamed})
	}
	return records
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

// movedRenditions returns the records that give what was made from images their new addresses.
func movedRenditions(s *state.State, moved map[addrs.Image]addrs.Image) (records []state.Record) {
	for _, from := range s.SortedRenditions() {
		to := from
		var isMoved bool
		if to.Of, isMoved = moved[from.Of]; !isMoved || from.Kind != addrs.OfImage {
			continue
		}
		records = append(records, state.Made{Address: to, Rendition: s.Renditions[from]}, state.Unmade{Address: from})
	}
	return records
}

// Forget takes images off the record, with their candidates and what was made from them here. Their
// files stay where they are.
func (w *Workspace) Forget(images []addrs.Image) error {
	var records []state.Record
	gone := map[addrs.Image]bool{}
	for _, addr := range images {
		for _, one := range append(CandidatesOf(w.State(), addr), addr) {
			if !gone[one] {
				records = append(records, state.Removed{Address: one})
			}
			gone[one] = true
		}
	}
	for _, r := range w.State().SortedRenditions() {
		if r.Kind == addrs.OfImage && gone[r.Of] {
			records = append(records, state.Unmade{Address: r})
		}
	}
	if err := w.session.AppendAll(records); err != nil {
		return err
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
