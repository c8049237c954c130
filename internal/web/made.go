package web

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// madeHere is the grade of what is made from other pictures, for nothing and as often as one likes.
const madeHere = "made here"

// sheets adds what was made here and belongs to no image: sheets, and renditions of files. changes
// are what is done with them, and st the state before that.
func (a *Album) sheets(st *state.State, changes []*planner.RenditionChange) {
	known, planned := ownersOf(st), map[addrs.Rendition]bool{}
	for _, c := range changes {
		if c.Address.Kind == addrs.OfImage {
			continue
		}
		planned[c.Address] = true
		e := newSheet(c.Address)
		e.Change, e.File = ofAction(c.Action), c.Output
		e.Why = []string{layout.Sentence(view.RenditionText(c))}
		for _, cell := range c.Cells {
			from := Source{Address: cell.Image.String()}
			if cell.Asset != nil {
				from.Address = cell.String()
			}
			e.From = append(e.From, from)
		}
		if c.Prior != nil {
			e.Before = a.shot(*c.Prior.Picture(), true)
			if len(c.Cells) == 0 {
				e.From = known.sources(c.Prior)
			}
		}
		if !c.Makes() {
			e.keepOnly()
		}
		a.Entries = append(a.Entries, e)
	}
	for _, addr := range st.SortedRenditions() {
		if addr.Kind != addrs.OfImage && !planned[addr] {
			a.Entries = append(a.Entries, a.sheet(addr, st.Renditions[addr], known))
		}
	}
}

// sheet returns the entry of one that stays as it is.
func (a *Album) sheet(addr addrs.Rendition, r *state.Rendition, known owners) *Entry {
	e := newSheet(addr)
	e.Change, e.File, e.From = Same, r.Picture().Path, known.sources(r)
	e.After = a.shot(*r.Picture(), false)
	for i := range r.Files[1:] {
		if f := r.Files[i+1]; f.Format != state.FormatAtlas {
			e.Renditions = append(e.Renditions, Source{Name: f.Path, Shot: a.shot(f, false)})
		}
	}
	return e
}

// sheetsSince adds what was made here and belongs to no image, as it was then and is now.
func (a *Album) sheetsSince(then, now *state.State, files Past) {
	whose := [2]owners{ownersOf(then), ownersOf(now)}
	all := append(now.SortedRenditions(), then.SortedRenditions()...)
	slices.SortFunc(all, addrs.Rendition.Compare)
	for _, addr := range slices.Compact(all) {
		if addr.Kind != addrs.OfImage {
			a.Entries = append(a.Entries, a.sheetSince(addr, then.Renditions[addr], now.Renditions[addr], whose, files))
		}
	}
}

// sheetSince is the entry of one as it was and is; of what was not, or is not, was or is is nil. whose
// are the owners of its pictures then and now.
func (a *Album) sheetSince(addr addrs.Rendition, was, is *state.Rendition, whose [2]owners, files Past) *Entry {
	e := newSheet(addr)
	if is != nil {
		e = a.sheet(addr, is, whose[1])
	}
	switch {
	case was == nil:
		e.Change = Creates
	case is == nil:
		e.Change, e.File, e.From = Destroys, was.Picture().Path, whose[0].sources(was)
	case was.Picture().Identity() == is.Picture().Identity():
		return e
	default:
		e.Change = Replaces
	}
	if e.After != nil {
		e.After.Whole = true
	}
	if was != nil {
		if e.Before = a.shot(*was.Picture(), true); e.Before == nil {
			e.Missing = files.Missing(*was.Picture())
		}
	}
	return e
}

func newSheet(addr addrs.Rendition) *Entry {
	return &Entry{Address: addr.String(), Module: string(addr.Of.Module), Block: addr.String(), Made: true, Grade: madeHere}
}

// owners are the images whose pictures are on record, by what these show.
type owners map[string]string

func ownersOf(st *state.State) owners {
	o := owners{}
	if len(st.Renditions) == 0 {
		return o
	}
	for addr, f := range st.Images.Files() {
		if content := f.Identity(); addr.Candidate == 0 && o[content] == "" {
			o[content] = addr.String()
		}
	}
	// A cell can be a rendition, of an image or of a file.
	for _, addr := range st.SortedRenditions() {
		content := st.Renditions[addr].Picture().Identity()
		switch {
		case o[content] != "":
		case addr.Kind == addrs.OfImage:
			o[content] = addr.Of.String()
		case addr.Kind == addrs.OfAsset:
			o[content] = addr.String()
		}
	}
	return o
}

// sources are what something was made from, as far as the state tells.
func (o owners) sources(r *state.Rendition) []Source {
	var all []Source
	for _, content := range r.From {
		if addr := o[content]; addr != "" {
			all = append(all, Source{Address: addr})
		}
	}
	return all
}
