package web

import (
	"cmp"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// Files finds the pictures of images. *workspace.Workspace is one.
type Files interface {
	// Stands returns the file at an image's path as it is now, false where there is no picture.
	Stands(img *state.Image) (state.File, bool)
	// HasPicture reports whether OpenPicture finds the bytes of a file, by their hash.
	HasPicture(f state.File) bool
	OpenPicture(f state.File) (io.ReadCloser, error)
	// Former returns the last former image of each address.
	Former() (map[addrs.Image]*state.Image, error)
}

// Album is all that a page shows. It is owned by one goroutine while it is gathered and its
// pictures are made, and not changed after that.
type Album struct {
	Head    Head
	Entries []*Entry

	files Files
	shots map[string]*Shot // by name of the picture
	// renditions are those on record, which others may be made from.
	renditions map[addrs.Rendition]*state.Rendition
	// whole says that unchanged pictures are shown in full too.
	whole bool
}

// Head is what the page knows before it knows any entry.
type Head struct {
	Title string `json:"title"`
	// Compared says what is before and after, and Summary what changes.
	Compared  string `json:"compared"`
	Summary   string `json:"summary,omitempty"`
	Simulated bool   `json:"simulated,omitempty"`
	Images    int    `json:"images"`
	// Pieces is how many pieces the entries come in, and Version changes when they do.
	Pieces  int    `json:"pieces"`
	Version string `json:"version,omitempty"`
	// Token goes with each request of the review page, which the report is not.
	Token string `json:"token,omitempty"`
}

// shot returns the picture of a file as the page has it, nil where its bytes are nowhere.
func (a *Album) shot(f state.File, whole bool) *Shot { return a.shotIf(f, whole, a.files.HasPicture) }

// shotIf is shot for a caller who knows how to find out whether the bytes are there.
func (a *Album) shotIf(f state.File, whole bool, isThere func(state.File) bool) *Shot {
	if len(f.SHA256) < nameDigits || len(f.Identity()) < nameDigits {
		return nil
	}
	s := &Shot{File: f, Whole: whole || a.whole}
	name := s.Picture()
	if known := a.shots[name]; known != nil {
		known.Whole = known.Whole || s.Whole
		return known
	}
	if !isThere(f) {
		return nil
	}
	a.shots[name] = s
	return s
}

// standing returns the picture of an image as its file is now, and whether that is another one than
// the one on record.
func (a *Album) standing(img *state.Image, whole bool) (s *Shot, edited bool) {
	f, ok := a.files.Stands(img)
	if !ok {
		return nil, false
	}
	// It was looked at just now.
	return a.shotIf(f, whole, func(state.File) bool { return true }), f.SHA256 != img.Output.SHA256
}

// open opens the bytes of a shot.
func (a *Album) open(s *Shot) (io.ReadCloser, error) {
	if s.Local != "" {
		return os.Open(s.Local)
	}
	return a.files.OpenPicture(s.File)
}

// Shots returns the pictures that the page shows, each once, in a fixed order.
func (a *Album) Shots() []*Shot {
	all := make([]*Shot, 0, len(a.shots))
	for _, name := range slices.Sorted(maps.Keys(a.shots)) {
		all = append(all, a.shots[name])
	}
	return all
}

// order are the places of the changes on the page.
var order = map[Change]int{Creates: 1, Replaces: 1, Updates: 1, Waits: 2, Destroys: 3, Was: 4, Same: 5}

// sort puts what changed first, and the worst of it first of all. Among images that have no other
// picture yet, what costs most comes first.
func (a *Album) sort() {
	slices.SortStableFunc(a.Entries, func(x, y *Entry) int {
		return cmp.Or(cmp.Compare(order[x.Change], order[y.Change]), -cmp.Compare(x.amount(), y.amount()),
			-cmp.Compare(x.pending(), y.pending()))
	})
}

func (e *Entry) amount() float64 {
	if e.Difference == nil {
		return 0
	}
	return e.Difference.Amount
}

// pending is what a change of an entry costs that is not made yet.
func (e *Entry) pending() float64 {
	if order[e.Change] == 1 {
		return e.Dollars
	}
	return 0
}

// Changed counts the entries that change.
func (a *Album) Changed() int {
	n := 0
	for _, e := range a.Entries {
		if e.Change != Same && e.Change != Was {
			n++
		}
	}
	return n
}

// Remark adds what people said of images.
func (a *Album) Remark(notes map[addrs.Image]string, marked []addrs.Image) {
	said := map[string]string{}
	for addr, note := range notes {
		said[addr.String()] = note
	}
	isMarked := map[string]bool{}
	for _, addr := range marked {
		isMarked[addr.String()] = true
	}
	for _, e := range a.Entries {
		e.Note, e.Marked = said[e.Address], isMarked[e.Address]
	}
}
