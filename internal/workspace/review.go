package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// ReviewName is the file with what people said of images, beside the state and committed with it.
const ReviewName = "fluxbatch.review.json"

// maxReview bounds it.
const maxReview = 64 << 20

// reviewVersion is the version of its form.
const reviewVersion = 1

// Review is what people said of images.
type Review struct {
	Version int                    `json:"version"`
	Images  map[addrs.Image]Remark `json:"images"`
}

// Remark is what somebody said of one image.
type Remark struct {
	// Mark is the content identity of the picture that is to be made again, "" for none. It holds
	// for that very picture: once another one is on record, it says nothing any more, so that no
	// crash between the two can have an image made twice.
	Mark string `json:"mark,omitempty"`
	Note string `json:"note,omitempty"`
}

// ReadReview returns what people said of the images of the state at a path. A file that is damaged
// is an error: what is in it is nowhere else.
func ReadReview(statePath string) (*Review, error) {
	review := &Review{Version: reviewVersion, Images: map[addrs.Image]Remark{}}
	dir, err := safefile.Open(filepath.Dir(statePath))
	if errors.Is(err, fs.ErrNotExist) {
		return review, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }() // only read
	data, err := dir.ReadFile(ReviewName, maxReview)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return review, nil
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(data, review); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w. Take it from version control, or delete it to lose its marks and notes", ReviewName, err)
	}
	if review.Version > reviewVersion {
		return nil, fmt.Errorf("%s was written by a newer fluxbatch. Install that version", ReviewName)
	}
	return review, nil
}

// Review returns what people said of the images of this workspace.
func (w *Workspace) Review() (*Review, error) { return ReadReview(w.StateFile()) }

// Remark changes what is said of an image, under the state's lock.
func (w *Workspace) Remark(addr addrs.Image, change func(*Remark)) error {
	review, err := w.Review()
	if err != nil {
		return err
	}
	remark := review.Images[addr]
	change(&remark)
	if review.Images[addr] = remark; remark == (Remark{}) {
		delete(review.Images, addr)
	}
	// What was marked and made since is over.
	for other, remark := range review.Images {
		if img := w.State().Images.Get(other); remark.Mark != "" && (img == nil || img.Output.Identity() != remark.Mark) {
			if remark.Mark = ""; remark == (Remark{}) {
				delete(review.Images, other)
			} else {
				review.Images[other] = remark
			}
		}
	}
	dir, err := safefile.Open(filepath.Dir(w.StateFile()))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // the file is durable by then
	return dir.WithFaults(w.env.Faults).WriteFile(ReviewName, 0o644, func(out io.Writer) error {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(review)
	})
}

// Mark has the next apply make an image again, at its price, with a new seed. It refuses with
// ErrNotRecorded what is not there.
func (w *Workspace) Mark(addr addrs.Image) error {
	img := w.State().Images.Get(addr)
	if img == nil {
		return ErrNotRecorded
	}
	return w.Remark(addr, func(r *Remark) { r.Mark = img.Output.Identity() })
}

// Marked returns the images whose picture somebody marked, sorted.
func (w *Workspace) Marked() ([]addrs.Image, error) {
	review, err := w.Review()
	if err != nil {
		return nil, err
	}
	var all []addrs.Image
	for addr, remark := range review.Images {
		if img := w.State().Images.Get(addr); remark.Mark != "" && img != nil && img.Output.Identity() == remark.Mark {
			all = append(all, addr)
		}
	}
	slices.SortFunc(all, addrs.Image.Compare)
	return all, nil
}

// Notes returns the notes by address.
func (r *Review) Notes() map[addrs.Image]string {
	notes := map[addrs.Image]string{}
	for addr, remark := range r.Images {
		if remark.Note != "" {
			notes[addr] = remark.Note
		}
	}
	return notes
}
