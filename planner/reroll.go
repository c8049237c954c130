package planner

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// A seed that was drawn in the place of the configured one is kept with the image that it made,
// beside the configured seed that it stands for. It holds as long as the configuration has that
// very seed: whoever writes another one wants that.

// mostSeed bounds the seeds that are drawn: all models take them, and people can read them.
const mostSeed = 1 << 31

// reseed puts the seed into a desired image that was drawn for it before, or is drawn now.
func (p *Planner) reseed(img *image.Image, prior *state.Image) {
	if prior == nil {
		return
	}
	held(img, prior)
	if !slices.Contains(p.opts.Reroll, img.Address) && !p.marked[img.Address] && !p.isThrown(img, prior) {
		return
	}
	seed, ok := seedOf(img)
	if !ok {
		// Each throw without a seed is another picture.
		p.replace[img.Address] = true
		return
	}
	if img.ConfiguredSeed() == nil {
		img.Rare().ConfiguredSeed = &seed
	}
	setSeed(img, drawnSeed(img, prior))
}

// isThrown reports whether an interrupted run drew a seed for an image and has paid for it. Who asked
// for another picture then does not have to ask again: what was paid for is brought.
func (p *Planner) isThrown(img *image.Image, prior *state.Image) bool {
	if _, ok := seedOf(img); !ok {
		return false
	}
	simulated := p.simulates(img.Provider)
	for _, task := range p.prior.tasks[img.Address] {
		if !p.resumable(task, simulated) || task.Fingerprint == prior.Fingerprint {
			continue
		}
		thrown := *img
		setSeed(&thrown, drawnSeed(img, prior))
		p.complete(&thrown)
		if thrown.Request().Fingerprint() == task.Fingerprint {
			return true
		}
	}
	return false
}

// held puts the seed into an image that was drawn for the one on record, as long as it holds.
func held(img *image.Image, prior *state.Image) {
	configured := prior.Result.ConfiguredSeed
	if seed, ok := seedOf(img); !ok || configured == nil || seed != *configured {
		return
	}
	// A recorded request that is damaged was found when the state was read.
	recorded, err := prior.Asked(img.Model)
	if err != nil {
		return
	}
	if drawn, ok := seedOf(recorded); ok {
		img.Rare().ConfiguredSeed = configured
		setSeed(img, drawn)
	}
}

// drawnSeed draws a seed. It is the same for the same image on record, so that a saved plan, and a
// run that goes on after a crash, draw the same.
func drawnSeed(img *image.Image, prior *state.Image) int64 {
	sum := sha256.Sum256([]byte(img.Address.String() + "\n" + prior.Fingerprint))
	return int64(binary.BigEndian.Uint64(sum[:8]) % mostSeed)
}

// seedOf returns the seed that an image is asked for with, false where it has none that is known.
func seedOf(img *image.Image) (int64, bool) {
	i := slices.IndexFunc(img.Arguments, func(a bfl.Argument) bool { return a.Name == "seed" })
	if i < 0 {
		return 0, false
	}
	seed, ok := img.Arguments[i].Value.(int64)
	return seed, ok
}

// setSeed changes the seed of an image that has one.
func setSeed(img *image.Image, seed int64) {
	img.Arguments = slices.Clone(img.Arguments)
	for i := range img.Arguments {
		if img.Arguments[i].Name == "seed" {
			img.Arguments[i].Value = seed
		}
	}
}
