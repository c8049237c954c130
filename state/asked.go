package state

import (
	"maps"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// Asked returns an image on record as what it was asked for, under no address. now is the model
// that the configuration has for it, or nil: where it is the one that made the image, it tells the
// fields of a model that only the configuration describes. Else the catalogue does.
//
// An error says that the recorded request is damaged, which reading the state finds. All else is
// returned nonetheless.
func (img *Image) Asked(now *bfl.Model) (*image.Image, error) {
	if now == nil || now.Name != img.Model {
		now = bfl.Lookup(img.Model)
	}
	asked, err := image.Decode(img.Request, now, img.Model)
	asked.Provider, asked.Output, asked.Labels, asked.Dependencies = img.Provider, img.Output.Path, img.Labels, img.Dependencies
	return asked, err
}

// Asked returns an image on record as Image.Asked does, with its references named after the images
// that they are of, as far as these still show the picture that was used.
func (s *State) Asked(img *Image, now *bfl.Model) (*image.Image, error) {
	asked, err := img.Asked(now)
	for i := range asked.References {
		r := &asked.References[i]
		for _, upstream := range img.Dependencies {
			if up := s.Images.Get(upstream); up != nil && r.SHA256 != "" && up.Output.Identity() == r.SHA256 {
				r.Image = upstream
			}
		}
	}
	return asked, err
}

// DiffersFreely reports whether an image that is wanted differs from the one on record in something
// that costs nothing.
func (img *Image) DiffersFreely(wanted *image.Image) bool {
	return img.Output.Path != wanted.Output || img.Provider != wanted.Provider || !maps.Equal(img.Labels, wanted.Labels) ||
		img.Candidate != wanted.Candidate || img.Picked != wanted.Picked
}

// Updated returns the record of an image to which all has been done that costs nothing.
func (img *Image) Updated(wanted *image.Image) *Image {
	updated := *img
	updated.Output.Path = wanted.Output
	updated.Provider, updated.Labels, updated.Dependencies = wanted.Provider, wanted.Labels, wanted.Dependencies
	updated.Candidate, updated.Picked, updated.More = wanted.Candidate, wanted.Picked, wanted.More()
	return &updated
}

// Exports returns what expressions may know of an image on record.
func (img *Image) Exports() *image.Result {
	return &image.Result{
		SHA256: img.Output.SHA256, TaskID: img.Result.TaskID, Seed: img.Result.Seed,
		Width: img.Output.Width, Height: img.Output.Height, Format: img.Output.Format, Cost: img.Result.Cost, Picked: img.Picked,
	}
}

// Exports returns what expressions may know of an image and of its candidates, nil where it does
// not exist. record finds what is on record of an address.
func Exports(addr addrs.Image, record func(addrs.Image) *Image) *image.Result {
	img := record(addr)
	if img == nil {
		return nil
	}
	result := img.Exports()
	for n := 1; img.Candidate > 0 && n <= image.MaxCandidates; n++ {
		if c := record(addr.Nth(n)); c != nil {
			result.Candidates = append(result.Candidates, c.made())
		}
	}
	return result
}

// made returns what expressions may know of a candidate.
func (img *Image) made() image.CandidateResult {
	return image.CandidateResult{Seed: img.Result.Seed, Cost: img.Result.Cost, SHA256: img.Output.SHA256, Path: img.Output.Path, Verdicts: img.Verdicts}
}

// Size returns the extent of the image in pixels.
func (f *File) Size() bfl.Size { return bfl.Size{Width: f.Width, Height: f.Height} }
