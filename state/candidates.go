package state

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Candidates returns the images that were kept for a request and whose bytes are there and whole,
// each content once: those of the address itself first, and the last one kept before earlier ones,
// and what only other machines kept last. Only with simulated set are those among them that a
// simulator made.
//
// recorded are what is on record under the address: where other machines have that, they need not
// be asked how it was made, of which a clone of ten thousand images would ask ten thousand times.
func (s *Store) Candidates(a addrs.Image, fingerprint string, simulated bool, recorded ...*Image) []*Image {
	var images []*Image
	seen := map[string]bool{}
	recipes := slices.Collect(s.recipes.find(fingerprint))
	recipes = append(recipes, s.others(a, fingerprint, recorded)...)
	for _, own := range []bool{true, false} {
		for _, r := range recipes {
			if (r.Address == a) == own && (simulated || !r.Image.Result.Simulated) && !seen[r.SHA256] && s.whole(r.SHA256) {
				seen[r.SHA256] = true
				images = append(images, r.Image)
			}
		}
	}
	return images
}

// others are what other machines kept for a request.
func (s *Store) others(a addrs.Image, fingerprint string, recorded []*Image) []*recipe {
	for _, img := range recorded {
		if img == nil || img.Fingerprint != fingerprint {
			continue
		}
		if elsewhere, err := s.Elsewhere(img.Output.SHA256); elsewhere && err == nil {
			return []*recipe{{Fingerprint: fingerprint, SHA256: img.Output.SHA256, Address: a, Image: img}}
		}
	}
	others, err := s.shared.recipes(fingerprint)
	if err != nil {
		s.fail(s.shared.unreachable(err))
	}
	return others
}
