package state

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Candidates returns the images that were kept for a request and whose bytes are there and whole,
// each content once: those of the address itself first, and the last one kept before earlier ones,
// and what only other machines kept last.
// Only with simulated set are those among them that a simulator made.
func (s *Store) Candidates(a addrs.Image, fingerprint string, simulated bool) []*Image {
	var images []*Image
	seen := map[string]bool{}
	recipes := slices.Collect(s.recipes.find(fingerprint))
	others, err := s.shared.recipes(fingerprint)
	if err != nil {
		s.fail(s.shared.unreachable(err))
	}
	recipes = append(recipes, others...)
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
