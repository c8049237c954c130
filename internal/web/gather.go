package web

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Options say how an album is gathered.
type Options struct {
	Title string
	// Whole has the page show every picture in full, rather than those alone that changed.
	Whole     bool
	Simulated bool
}

// FromPlan gathers an album of what exists and what a plan does with it. What is before is what is
// there now, for images that change, and what was there before for others. prior is the state that
// the plan was made with.
func FromPlan(p *planner.Plan, prior *state.State, files Files, o Options) (*Album, error) {
	former, err := files.Former()
	if err != nil {
		return nil, err
	}
	a := newAlbum(files, o)
	a.renditions = prior.Renditions
	a.Head.Summary = view.PlanSummary(p)
	a.Head.Compared = "Before is what is there now, after is what the next apply puts there."
	reasons, made := view.Reasons(p), a.made(prior)
	for _, c := range p.Changes {
		if c.Address.Candidate > 0 {
			continue
		}
		e := a.planned(c, prior, former[c.Address])
		e.Renditions = made[c.Address]
		e.Why = reasons(c)
		for i, why := range e.Why {
			e.Why[i] = layout.Sentence(strings.TrimPrefix(why, "because "))
		}
		a.Entries = append(a.Entries, e)
	}
	a.sheets(prior, p.Renditions)
	a.Head.Images = len(a.Entries)
	return a, nil
}

func newAlbum(files Files, o Options) *Album {
	return &Album{
		Head:  Head{Title: o.Title, Simulated: o.Simulated},
		files: files, shots: map[string]*Shot{}, whole: o.Whole,
	}
}

// planned returns the entry of a change.
func (a *Album) planned(c *planner.Change, prior *state.State, former *state.Image) *Entry {
	e := newEntry(c.Address)
	if e.Change = changeOf(c); e.Change != Same || c.Frozen {
		e.Told = view.ChangeText(c)
	}
	e.fill(c.Prior, c.Desired, c.Attributes())
	if c.Desired != nil {
		e.Pinned, e.Wanted = c.Desired.Pick() > 0, c.Wanted()
		a.sources(e, c.Desired)
	}
	changes := e.Change != Same
	if c.Prior != nil {
		now, edited := a.standing(c.Prior, changes || former != nil)
		e.Edited = edited
		switch {
		case changes:
			e.Before, e.After = now, a.coming(c)
			e.keepOnly()
		case former != nil && former.Output.Identity() != c.Prior.Output.Identity():
			e.After = now
			if e.Before = a.shot(former.Output, true); e.Before != nil {
				e.Change, e.Told = Was, ""
			}
		default:
			e.After = now
		}
		a.candidates(e, prior, c.Prior)
		e.Restorable = former != nil && !e.has(former.Output.Identity()) && a.files.HasPicture(former.Output)
	} else {
		e.After = a.coming(c)
	}
	if changes {
		e.price(c)
	}
	return e
}

// has reports whether a picture is what the image has now, or one of its candidates.
func (e *Entry) has(identity string) bool {
	now := e.After
	if e.Change != Same && e.Change != Was && e.Before != nil {
		now = e.Before
	}
	return now != nil && now.File.Identity() == identity ||
		slices.ContainsFunc(e.Candidates, func(c Candidate) bool { return c.Shot != nil && c.Shot.File.Identity() == identity })
}

// keepOnly has an image that keeps its picture show it once.
func (e *Entry) keepOnly() {
	if e.After == nil && e.Change == Updates {
		e.Before, e.After = nil, e.Before
	}
}

// coming returns the picture that a change puts in place, as far as it is there already.
func (a *Album) coming(c *planner.Change) *Shot {
	switch {
	case c.Kept() != nil:
		return a.shot(c.Kept().Output, true)
	case c.Found() != nil:
		return a.shot(*c.Found(), true)
	case c.Task() != nil && c.Task().Fetched != nil:
		return a.shot(c.Task().Fetched.Output, true)
	default:
		return nil
	}
}

func changeOf(c *planner.Change) Change {
	switch {
	case c.Withheld():
		return Waits
	case c.Frozen:
		return Same
	}
	return ofAction(c.Action)
}

func ofAction(action planner.Action) Change {
	switch action {
	case planner.Create:
		return Creates
	case planner.Replace:
		return Replaces
	case planner.Update, planner.Move, planner.Import:
		return Updates
	case planner.Destroy, planner.Forget:
		return Destroys
	default:
		return Same
	}
}

// price is what a change costs.
func (e *Entry) price(c *planner.Change) {
	text := view.PriceText(c)
	if text == "" {
		return
	}
	e.Price, e.Dollars = text, c.Cost.USD()
	for _, candidate := range c.Candidates() {
		if candidate.Generates() {
			e.Dollars += candidate.Cost.USD()
		}
	}
}

func newEntry(addr addrs.Image) *Entry {
	return &Entry{Address: addr.String(), Module: string(addr.Module), Block: addr.Block().String()}
}

// fill takes over what is known of an image as it was asked for, before and after.
func (e *Entry) fill(record *state.Image, desired *image.Image, all []image.Attribute) {
	for i := range all {
		at := &all[i]
		e.attribute(at)
		if prompt, ok := shownValue(at).(string); ok && at.Name == "prompt" && !at.Sensitive {
			e.Prompt = prompt
		}
	}
	if desired != nil {
		e.Model, e.Labels, e.File = desired.Model.Name, desired.Labels, desired.Output
		e.Grade = grade(desired)
	}
	if record == nil {
		return
	}
	if desired == nil {
		e.Model, e.Labels = record.Model, record.Labels
		if asked, err := record.Asked(nil); err == nil {
			e.Grade = grade(asked)
		}
	}
	e.File, e.Seed = record.Output.Path, record.Result.Seed
	e.Price, e.Dollars = record.Result.Cost.Dollars(), record.Result.Cost.USD()
	e.Picked, e.Accepted, e.Simulated = record.Picked, record.Made != nil, record.Result.Simulated
}

func shownValue(at *image.Attribute) any {
	if at.After == nil {
		return at.Before
	}
	return at.After
}

// leastDiffed is how long a text is whose changed words are shown, in bytes.
const leastDiffed = 24

func (e *Entry) attribute(at *image.Attribute) {
	before, after := view.AttributeText(at.Before, at.Sensitive), view.AttributeText(at.After, at.Sensitive)
	shown := Attribute{Name: at.Name, After: after, Changed: at.Changed(), Forces: at.Forces}
	if at.Unknown {
		shown.After = "(known after apply)"
	}
	old, ok1 := at.Before.(string)
	now, ok2 := at.After.(string)
	switch {
	case !shown.Changed:
	case ok1 && ok2 && !at.Sensitive && max(len(old), len(now)) >= leastDiffed:
		shown.Words, shown.After = wordsOf(old, now), ""
	default:
		shown.Before = before
	}
	e.Attributes = append(e.Attributes, shown)
}

// grade says how far an image can be had again.
func grade(img *image.Image) string {
	request := img.Request()
	grounded, _ := request.Value("grounding").(bool)
	if request.Value("seed") == nil || grounded || img.Model.Preview {
		return "once only"
	}
	return "seeded"
}

// sources lists what an image is made from, in the order of its references, and then what else it
// depends on.
func (a *Album) sources(e *Entry, img *image.Image) {
	for i := range img.References {
		r := &img.References[i]
		switch {
		case r.Derived != nil && r.Derived.Asset != nil:
			e.From = append(e.From, Source{Address: r.Name()})
		case r.Derived != nil:
			source := Source{Name: r.Name()}
			if made := a.renditions[r.Derived.Address]; made != nil {
				source.Shot = a.shot(*made.Picture(), false)
			}
			e.From = append(e.From, source)
		case r.IsImage():
			e.From = append(e.From, Source{Address: r.Image.String()})
		case r.Name() != "":
			e.From = append(e.From, Source{Name: r.Name(), Shot: a.local(r)})
		}
	}
	for _, addr := range img.Dependencies {
		if !slices.ContainsFunc(e.From, func(s Source) bool { return s.Address == addr.String() }) {
			e.From = append(e.From, Source{Address: addr.String()})
		}
	}
}

// local returns the picture of a file that a reference names, nil where it is none.
func (a *Album) local(r *image.Reference) *Shot {
	if r.Path == "" || len(r.FileSHA256) < nameDigits || len(r.SHA256) < nameDigits {
		return nil
	}
	f := state.File{Path: r.File, SHA256: r.FileSHA256, Content: r.SHA256, Width: r.Size.Width, Height: r.Size.Height}
	s := &Shot{File: f, Local: r.Path}
	if known := a.shots[s.Picture()]; known != nil {
		return known
	}
	a.shots[s.Picture()] = s
	return s
}

// candidates lists the pictures that there are to choose from.
func (a *Album) candidates(e *Entry, s *state.State, img *state.Image) {
	if img.Candidate == 0 {
		return
	}
	addr, err := addrs.Parse(e.Address)
	if err != nil {
		panic(fmt.Sprintf("web: the address of an entry: %v", err)) // it was written by addrs
	}
	for n := 1; n <= image.MaxCandidates; n++ {
		record := s.Images.Get(addr.Nth(n))
		if record == nil {
			continue
		}
		c := Candidate{
			Number: n, Shot: a.shot(record.Output, true), Seed: record.Result.Seed, Price: money(record.Result.Cost),
			Used: img.Candidate == n,
		}
		for _, v := range record.Verdicts {
			c.Verdicts = append(c.Verdicts, Verdict{v.Gate, v.Passed, v.Reason, v.Score})
		}
		e.Candidates = append(e.Candidates, c)
	}
}

func money(c bfl.Credits) string { return c.Dollars() }

// made lists what was made here from each image.
func (a *Album) made(s *state.State) map[addrs.Image][]Source {
	all := map[addrs.Image][]Source{}
	for _, addr := range s.SortedRenditions() {
		if addr.Kind == addrs.OfImage {
			all[addr.Of] = append(all[addr.Of], Source{Name: addr.Name, Shot: a.shot(*s.Renditions[addr].Picture(), false)})
		}
	}
	return all
}
