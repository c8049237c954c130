package machine

import (
	"io"

	"github.com/hashicorp/hcl/v2"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Verification is what WriteVerification writes. Plan and Prior are nil where the configuration
// could not be held against anything.
type Verification struct {
	Plan        *planner.Plan
	Prior       *state.State
	Diagnostics hcl.Diagnostics
	Files       map[string]*hcl.File
}

// verification is a document: what "validate -json" has, and what waits for people.
type verification struct {
	tfjson.ValidateOutput
	// Images is how many are on record.
	Images int `json:"images"`
	// ToPick are the images of which somebody has to pick a candidate.
	ToPick []toPick `json:"to_pick"`
}

// toPick is an image that waits for somebody's choice.
type toPick struct {
	Address    addrs.Image `json:"address"`
	Candidates []candidate `json:"candidates"`
	// Waiting are the images that are made from it, and wait as well.
	Waiting []addrs.Image `json:"waiting"`
}

// candidate is a picture to choose from. Seed is absent where none is known, and Cost is in US
// dollars.
type candidate struct {
	Number   int             `json:"candidate"`
	Seed     *int64          `json:"seed,omitempty"`
	Cost     float64         `json:"cost"`
	Path     string          `json:"path"`
	SHA256   string          `json:"sha256"`
	Verdicts []image.Verdict `json:"verdicts"`
}

// WriteVerification writes what verify found, as README.md documents it.
func WriteVerification(out io.Writer, v Verification) {
	result := verification{ValidateOutput: validation(v.Diagnostics, v.Files), ToPick: []toPick{}}
	if v.Prior != nil {
		result.Images = view.Recorded(v.Prior)
	}
	if v.Plan != nil {
		for _, u := range v.Plan.Unpicked() {
			result.ToPick = append(result.ToPick, toPickOf(u, v.Prior))
		}
	}
	document(out, result)
}

func toPickOf(u planner.Unpicked, s *state.State) toPick {
	pick := toPick{Address: u.Address, Candidates: []candidate{}, Waiting: append([]addrs.Image{}, u.Waiting...)}
	for n := 1; n <= image.MaxCandidates; n++ {
		if img := s.Images.Get(u.Address.Nth(n)); img != nil {
			pick.Candidates = append(pick.Candidates, candidate{
				Number: n, Seed: img.Result.Seed, Cost: img.Result.Cost.USD(), Path: img.Output.Path, SHA256: img.Output.SHA256,
				Verdicts: append([]image.Verdict{}, img.Verdicts...),
			})
		}
	}
	return pick
}
