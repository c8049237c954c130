package workspace

import (
	"context"
	"fmt"
	"slices"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/rendition"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// maxMade bounds what is read of a file that is made here.
const maxMade = 1 << 30

// Unmarked is a file that was made here and does not say that it was generated.
type Unmarked struct {
	Address addrs.Rendition
	Path    string
}

// FindUnmarked reads what was made here from images and returns the files that lost their mark, by
// whatever else went over them, in the order of their addresses. Files that are gone are left out.
func FindUnmarked(ctx context.Context, dir string, cfg *config.Config, simulate bool) ([]Unmarked, error) {
	prior, err := PlaceOf(dir, &cfg.Settings, &Options{Simulate: simulate}).Read(ctx)
	if err != nil {
		return nil, err
	}
	base, err := safefile.Open(Base(dir, simulate))
	if err != nil {
		return nil, err
	}
	defer func() { _ = base.Close() }() // only read
	var lost []Unmarked
	own := map[string]bool{} // what nobody generated
	for addr, r := range prior.Renditions {
		if addr.Kind == addrs.OfAsset {
			own[r.Picture().Identity()] = true
		}
	}
	for _, addr := range prior.SortedRenditions() {
		from := prior.Renditions[addr].From
		if addr.Kind == addrs.OfAsset || addr.Kind == addrs.Sheet && !slices.ContainsFunc(from, func(content string) bool { return !own[content] }) {
			continue
		}
		for _, page := range prior.Renditions[addr].Pages() {
			data, err := base.ReadFile(page, maxMade)
			switch {
			case safefile.Gone(err):
			case err != nil:
				return nil, fmt.Errorf("looking at the file of %s: %w", addr, err)
			case !isMarked(data):
				lost = append(lost, Unmarked{addr, page})
			}
		}
	}
	return lost, nil
}

func isMarked(file []byte) bool {
	mark := rendition.ReadMark(imagefile.ReadMetadata(file).XMP)
	return mark.IsGenerated()
}
