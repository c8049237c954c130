package planner

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// Matches say which images can be had for nothing because another address has made the very same
// request: what a first plan finds to go, or to be paid for already, a second one gives to whoever
// asks for it. The zero value has none.
type Matches struct {
	// images are the addresses whose images go or are replaced, by the address that is to have
	// them.
	images map[addrs.Image]addrs.Image
	// tasks are those of interrupted runs that their own address has no use for.
	tasks map[addrs.Image]*state.Task
	// twins are images of the same plan that are made from the same seeded request.
	twins map[addrs.Image]addrs.Image
	// refused are pairs that turned out not to fit: the image stays after all.
	refused map[pair]bool
}

type pair struct{ to, from addrs.Image }

func (m *Matches) image(to addrs.Image) (addrs.Image, bool) {
	from, ok := m.images[to]
	return from, ok
}

func (m *Matches) task(to addrs.Image) *state.Task { return m.tasks[to] }

func (m *Matches) twin(to addrs.Image) (addrs.Image, bool) {
	from, ok := m.twins[to]
	return from, ok
}

// Settle plans until nothing more is found that is to be had for nothing. An image that is not
// bought after all, because another one has it, can be what others are made from, which are then
// not bought either; and one that stays after all has nothing to give. evaluate plans all images
// with the given options. It is called at least once, and ends the planning where it returns no
// plan. The diagnostics are those of the last round.
//
// It ends because each round adds a match or refuses one for good.
func Settle(o Options, evaluate func(Options) (*Plan, hcl.Diagnostics)) (*Plan, hcl.Diagnostics) {
	for {
		plan, diags := evaluate(o)
		if plan == nil {
			return nil, diags
		}
		next, found := plan.match(o)
		if !found {
			plan.renamed(o)
			return plan, diags
		}
		o.Matches = next
	}
}

// match returns the matches for another round, and whether they differ from those that the plan was
// made with.
func (p *Plan) match(o Options) (next Matches, found bool) {
	next = Matches{maps.Clone(o.Matches.images), maps.Clone(o.Matches.tasks), maps.Clone(o.Matches.twins), maps.Clone(o.Matches.refused)}
	found = p.refuse(&next)
	donors := p.donors(&next, o)
	offered := map[string]bool{}
	for i := range p.Abandoned {
		if a := &p.Abandoned[i]; a.Fetches() {
			offered[a.Task.Fingerprint] = true
		}
	}
	for _, c := range donors {
		offered[c.Prior.Fingerprint] = true
	}
	wanted := p.wanted(offered)
	return next, p.matchTasks(&next, wanted) || matchImages(&next, donors, wanted) || p.matchTwins(&next) || found
}

// refuse gives up the matches with images that stay after all.
func (p *Plan) refuse(next *Matches) (found bool) {
	if len(next.images) == 0 {
		return false
	}
	changes := p.byAddress()
	for to, from := range next.images {
		if c := changes[from]; c == nil || !gives(c) {
			delete(next.images, to)
			put(&next.refused, pair{to, from}, true)
			found = true
		}
	}
	return found
}

// donors returns the changes whose images are to be had, and not given to anybody yet. Images whose
// files are there come first, and those that go before those that are replaced: most likely they
// only changed their address.
func (p *Plan) donors(next *Matches, o Options) []*Change {
	taken := map[addrs.Image]bool{}
	for _, from := range next.images {
		taken[from] = true
	}
	var donors []*Change
	for _, c := range p.Changes {
		if gives(c) && !taken[c.Address] && !p.isOfCandidate(c) {
			donors = append(donors, c)
		}
	}
	slices.SortStableFunc(donors, func(a, b *Change) int {
		return cmp.Or(cmp.Compare(o.Files[a.Address], o.Files[b.Address]), cmp.Compare(replaced(a), replaced(b)))
	})
	return donors
}

// isOfCandidate reports whether the picture of an image is one that its candidate gives: it is one
// picture, and not to be given twice.
func (p *Plan) isOfCandidate(c *Change) bool {
	if c.Address.Candidate > 0 || c.Prior.Candidate == 0 {
		return false
	}
	candidate := p.Change(c.Address.Nth(c.Prior.Candidate))
	return candidate != nil && gives(candidate) && candidate.Prior.Output.Identity() == c.Prior.Output.Identity()
}

// wanted returns the changes that ask for what is offered, and would pay for it, or take from the
// store what another address may have now. An image with candidates has the picture of one of them,
// which ask for themselves.
func (p *Plan) wanted(offered map[string]bool) map[string][]*Change {
	wanted := map[string][]*Change{}
	if len(offered) == 0 {
		return wanted
	}
	for _, c := range p.Changes {
		isOpen := c.Origin == Generate || c.Origin == Restore && c.Donor() == nil && c.Twin() == nil && !c.OnlyDrifted()
		if isOpen && c.Makes() && len(c.Candidates()) == 0 && offered[c.Fingerprint] {
			wanted[c.Fingerprint] = append(wanted[c.Fingerprint], c)
		}
	}
	return wanted
}

// matchTasks gives tasks that nobody takes up to those who ask for the same.
func (p *Plan) matchTasks(next *Matches, wanted map[string][]*Change) (found bool) {
	for _, a := range p.Abandoned {
		if !a.Fetches() {
			continue
		}
		for _, c := range wanted[a.Task.Fingerprint] {
			if c.Origin == Generate && next.tasks[c.Address] == nil && (c.Simulator || !a.Task.Simulated) {
				put(&next.tasks, c.Address, a.Task)
				found = true
				break
			}
		}
	}
	return found
}

// matchImages gives images to those who ask for the same.
func matchImages(next *Matches, donors []*Change, wanted map[string][]*Change) (found bool) {
	for _, donor := range donors {
		for _, c := range wanted[donor.Prior.Fingerprint] {
			_, has := next.images[c.Address]
			isFit := c != donor && !has && !next.refused[pair{c.Address, donor.Address}] && !c.IsRequested() && next.tasks[c.Address] == nil
			if isFit && (c.Simulator || !donor.Prior.Result.Simulated) {
				put(&next.images, c.Address, donor.Address)
				found = true
				break
			}
		}
	}
	return found
}

// matchTwins has of several new images with one seeded request only the first one made. They are in
// the order in which they were decided on, so that none of them waits for one that is made from it.
func (p *Plan) matchTwins(next *Matches) (found bool) {
	// Of a million fingerprints, 64 bits tell all apart, and cost an eighth of the memory. Whether
	// two really are the same is looked at below.
	first := map[bool]map[uint64]*Change{true: {}, false: {}} // by whether the provider may be a simulator
	for _, c := range p.decided {
		if c.Origin != Generate && c.Origin != Resume || c.Fingerprint == "" || c.IsRequested() || !c.has("seed") {
			continue
		}
		key, err := strconv.ParseUint(c.Fingerprint[:min(len(c.Fingerprint), 16)], 16, 64)
		twin := first[c.Simulator][key]
		switch {
		case err != nil:
		case twin == nil:
			first[c.Simulator][key] = &c.Change
		case c.Origin == Generate && twin.Fingerprint == c.Fingerprint && next.twins[c.Address] != twin.Address:
			put(&next.twins, c.Address, twin.Address)
			found = true
		}
	}
	return found
}

// gives reports whether a change leaves the image that exists to whoever wants it.
func gives(c *Change) bool {
	switch {
	case c.Prior == nil || c.Prior.Made != nil:
		return false
	case c.Action == Replace:
		// One that apply may keep gives nothing, and neither does one that wants the very same
		// again.
		return !c.Withheld() && c.Fingerprint != "" && !c.OnlyDrifted()
	default:
		return c.Action == Destroy || c.Action == Forget
	}
}

func replaced(c *Change) int {
	if c.Action == Replace {
		return 1
	}
	return 0
}

func put[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = value
}

func (p *Plan) byAddress() map[addrs.Image]*Change {
	all := make(map[addrs.Image]*Change, len(p.Changes))
	for _, c := range p.Changes {
		all[c.Address] = c
	}
	return all
}

// renamed lists the images that seem to have another address now: they ask for exactly what made
// one that goes.
func (p *Plan) renamed(o Options) {
	if len(o.Matches.images) == 0 {
		return
	}
	changes := p.byAddress()
	for _, c := range p.Changes {
		from, ok := o.Matches.image(c.Address)
		if !ok || c.Action != Create || c.Prior != nil {
			continue
		}
		if donor := changes[from]; donor.Action != Destroy || donor.Reasons[0].Kind != NotInConfiguration {
			continue
		}
		// Candidates move with their image, which is what a moved block names.
		r := Rename{From: from.Of(), To: c.Address.Of(), Lost: c.Donor() == nil}
		if at := slices.IndexFunc(p.Renamed, func(one Rename) bool { return one.From == r.From && one.To == r.To }); at >= 0 {
			p.Renamed[at].Lost = p.Renamed[at].Lost || r.Lost
			continue
		}
		p.Renamed = append(p.Renamed, r)
	}
	p.Renamed = p.blocks(p.Renamed)
}

// blocks puts the instances of a block that all keep their keys under another name into one Rename.
// That says the same of them as one each does, unless the former block is declared still.
func (p *Plan) blocks(renames []Rename) []Rename {
	to := map[addrs.Image]addrs.Image{} // former block -> block
	mixed := map[addrs.Image]bool{}
	instances := map[addrs.Image]int{}
	for _, r := range renames {
		from := r.From.Block()
		instances[from]++
		if was, seen := to[from]; r.From.Key != r.To.Key || r.To.Key.IsNone() || seen && was != r.To.Block() {
			mixed[from] = true
		}
		to[from] = r.To.Block()
	}
	for _, c := range p.decided {
		mixed[c.Address.Block()] = true
	}
	for place := range p.Unchanged.All() {
		mixed[place.Address().Block()] = true
	}
	var out []Rename
	places := map[addrs.Image]int{}
	for _, r := range renames {
		from := r.From.Block()
		if mixed[from] || instances[from] < 2 {
			out = append(out, r)
			continue
		}
		i, seen := places[from]
		if !seen {
			i = len(out)
			places[from] = i
			out = append(out, Rename{From: from, To: to[from], Instances: instances[from]})
		}
		out[i].Lost = out[i].Lost || r.Lost
	}
	return out
}

// Rename is an image, or a block of several, that seems to have another address now.
type Rename struct {
	From, To addrs.Image
	// Instances is how many images these are, where From and To are blocks; else it is 0.
	Instances int
	// Lost says that its file is not there any more, or that of one of them, so that it is made
	// again.
	Lost bool
}
