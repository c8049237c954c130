package state

import (
	"fmt"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Generation is one of the images that an address had before.
type Generation struct {
	// Number counts an address's generations from 1, the oldest. It never changes while the store
	// lives.
	Number int
	Image  *Image
	// Edited says that the bytes are not those that the request made: somebody changed the file.
	Edited bool
	// Available says that the store has the bytes, as the file Path, relative like File.Path, since
	// Kept, which is zero where that is not known. Elsewhere says that only the part of the store has
	// them that other machines have as well, at Path.
	Available, Elsewhere bool
	Path                 string
	Kept                 time.Time
}

// History returns the images that were put into the store under an address, the oldest first, and
// then those that other machines have, among which can be the one that the address has now. Of
// those that this machine put into the store, it is only one that was restored from there.
func (s *Store) History(a addrs.Image) ([]Generation, error) {
	all, err := s.recipes.of(a)
	if err != nil {
		return nil, fmt.Errorf("reading the history of %s: %w", a, err)
	}
	others, err := s.shared.of(a)
	if err != nil {
		return nil, s.shared.unreachable(err)
	}
	all = append(all, others...)
	var generations []Generation
	seen := map[string]bool{}
	for _, r := range all {
		// An image that was restored and replaced again is put there twice.
		key := r.Fingerprint + r.SHA256
		if seen[key] {
			continue
		}
		seen[key] = true
		g := Generation{
			Number: len(generations) + 1, Image: r.Image, Edited: r.Fingerprint == "", Available: s.Has(r.SHA256),
			Path: blobName(r.SHA256), Kept: s.keptSince(r.SHA256),
		}
		if !g.Available {
			if elsewhere, err := s.shared.has(r.SHA256); elsewhere && err == nil {
				g.Available, g.Elsewhere = true, true
				g.Path, g.Kept = s.shared.blobs.String()+"/"+r.SHA256, s.shared.since(r.SHA256)
			}
		}
		generations = append(generations, g)
	}
	return generations, nil
}

// keptSince returns when the store took a file, zero where it does not have it.
func (s *Store) keptSince(sum string) time.Time {
	info, err := s.root.Stat(blobName(sum))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
