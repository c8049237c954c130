package web

import (
	"fmt"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/state"
)

// Past finds the pictures of a former state too.
type Past interface {
	Files
	// Missing says for people why the picture of a file cannot be had.
	Missing(f state.File) string
}

// FromStates gathers an album of what is other now than it was then. since names the former state
// for people.
func FromStates(then, now *state.State, files Past, since string, o Options) (*Album, error) {
	a := newAlbum(files, o)
	a.Head.Compared = fmt.Sprintf("Before is what there was at %s, after is what is there now.", since)
	all := slices.Collect(now.Images.Addresses())
	for addr := range then.Images.Addresses() {
		if !now.Images.Has(addr) {
			all = append(all, addr)
		}
	}
	slices.SortFunc(all, addrs.Image.Compare)
	counts := map[Change]int{}
	var cost bfl.Credits
	for _, addr := range all {
		if addr.Candidate > 0 {
			continue
		}
		e := a.since(addr, then, now, files)
		counts[e.Change]++
		if e.Change == Creates || e.Change == Replaces {
			cost += now.Images.Get(addr).Result.Cost
		}
		a.Entries = append(a.Entries, e)
	}
	a.sheetsSince(then, now, files)
	a.Head.Images = len(a.Entries)
	a.Head.Summary = fmt.Sprintf("Since %s: %d created, %d replaced, %d updated, %d destroyed. %s cost %s.", since, counts[Creates], counts[Replaces],
		counts[Updates], counts[Destroys], layout.Count(counts[Creates]+counts[Replaces], "picture"), money(cost))
	return a, nil
}

// since returns the entry of an image that there is, or was.
func (a *Album) since(addr addrs.Image, then, now *state.State, files Past) *Entry {
	e := newEntry(addr)
	was, is := then.Images.Get(addr), now.Images.Get(addr)
	asked, before := askedOf(now, is), askedOf(then, was)
	e.fill(is, asked, image.Compare(before, asked))
	picture := ""
	if is != nil {
		e.After, e.Edited = a.standing(is, false)
		if picture = is.Output.Identity(); e.After != nil {
			picture = e.After.File.Identity()
		}
	}
	switch {
	case was == nil:
		e.Change = Creates
	case is == nil:
		e.Change = Destroys
		e.fill(was, nil, nil)
	case was.Output.Identity() != picture:
		e.Change = Replaces
	case was.DiffersFreely(asked):
		e.Change = Updates
	default:
		e.Change = Same
	}
	if is != nil {
		if e.After != nil && e.Change != Same {
			e.After.Whole = true
		}
		a.candidates(e, now, is)
		a.sources(e, asked)
	}
	if was != nil && (e.Change == Replaces || e.Change == Destroys) {
		if e.Before = a.shot(was.Output, true); e.Before == nil {
			e.Missing = files.Missing(was.Output)
		}
	}
	return e
}

// askedOf returns what an image on record was asked for, nil for none. Of a record that is damaged
// it says less.
func askedOf(s *state.State, img *state.Image) *image.Image {
	if img == nil {
		return nil
	}
	asked, _ := s.Asked(img, nil)
	asked.Candidate, asked.Picked = img.Candidate, img.Picked
	return asked
}
