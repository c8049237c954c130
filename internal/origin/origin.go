// Package origin tells where a file comes from: which image it shows, or was made from, by what is on
// record in a directory.
//
//   - Evidence is what tells, the surest first: the bytes, the picture, the mark in the file, its looks.
//   - An origin is what came out for one file.
//
// Nothing is changed, no lock is taken, and no network is needed. Find is safe for concurrent use.
package origin

import (
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/rendition"
	"github.com/fluxbatch/fluxbatch/state"
)

// Evidence is what tells where a file comes from, the surest first.
type Evidence string

// The kinds of evidence.
const (
	ByHash    Evidence = "hash"     // the bytes are those on record
	ByContent Evidence = "content"  // the picture is, whatever else is in the file
	ByMark    Evidence = "mark"     // the file says from which picture it was made
	ByLooks   Evidence = "likeness" // it looks like one on record
	Unknown   Evidence = ""
)

// Origin is where a file comes from, as far as it can be told.
type Origin struct {
	File string
	// Err says why it could not be looked at.
	Err error
	By  Evidence
	// Address and Image are the image that it shows or that it was made from. Image is nil for a sheet,
	// and where nothing was found.
	Address addrs.Image
	Image   *state.Image
	// Rendition is what it is, where it is something that was made here.
	Rendition *addrs.Rendition
	// Former says that the image is not there any more, and Edited that somebody changed it by hand.
	Former, Edited bool
	// Likeness is how alike they look, from 0 to 1; only by looks.
	Likeness float64
	// Made is when the image was charged, zero where the ledger does not say.
	Made time.Time
	// Mark is what the file says itself.
	Mark rendition.Marked
}
