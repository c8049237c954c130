package vp8

import (
	"encoding/binary"
	"errors"
	"image"
	"sync"
)

// ErrTooLarge says that a frame cannot hold the picture.
var ErrTooLarge = errors.New("the picture is too large for a lossy WebP file. Make it smaller, or write it as jpeg or png")

const (
	// MaxSide is the longest side of a frame.
	MaxSide = 16383
	// maxModes is how long the partition of the predictions may be.
	maxModes = 1<<19 - 1
	// maxTokens is how long each of the others may be, so that every decoder reads it.
	maxTokens = 1<<24 - 1
)

// Encode returns a picture as a key frame. quality is from 0 to 100. Alpha is not in it, and what is clear
// counts for nothing where colours are averaged. The error is ErrTooLarge.
func Encode(img *image.NRGBA, quality int) ([]byte, error) {
	width, height := img.Rect.Dx(), img.Rect.Dy()
	if width > MaxSide || height > MaxSide {
		return nil, ErrTooLarge
	}
	f := newFrame(planesOf(img), indexOf[min(max(quality, 0), 100)])
	f.encode()
	file, ok := f.write(width, height)
	if !ok {
		return nil, ErrTooLarge
	}
	return file, nil
}

// write puts the frame together (9.1). It reports false where it does not fit.
func (f *frame) write(width, height int) ([]byte, bool) {
	w := newBitWriter(len(f.blocks) * 4)
	f.header(w)
	probs := fit(w, &f.counts)
	f.modes(w)
	first := w.finish()
	if len(first) > maxModes {
		return nil, false
	}
	out := make([]byte, 10, 10+len(first)+len(f.parts[0].list)/5)
	tag := uint32(len(first))<<5 | 1<<4 //nolint:gosec // at most maxModes
	out[0], out[1], out[2] = byte(tag), byte(tag>>8), byte(tag>>16)
	copy(out[3:], "\x9d\x01\x2a")
	binary.LittleEndian.PutUint16(out[6:], uint16(width))  //nolint:gosec // at most MaxSide
	binary.LittleEndian.PutUint16(out[8:], uint16(height)) //nolint:gosec // at most MaxSide
	out = append(out, first...)
	var rest []byte
	for i := range f.parts {
		part := f.parts[i].write(probs)
		if len(part) > maxTokens {
			return nil, false
		}
		if i < len(f.parts)-1 {
			out = append(out, byte(len(part)), byte(len(part)>>8), byte(len(part)>>16)) //nolint:gosec // 24 bits
		}
		rest = append(rest, part...)
	}
	return append(out, rest...), true
}

// header writes what is said of the whole frame (9.2 to 9.6).
func (f *frame) header(w *bitWriter) {
	w.number(0, 2)                // the colour space, and that pixels are to be clamped
	w.number(0, 1)                // no segments
	w.number(0, 1)                // the normal loop filter
	w.number(uint32(f.smooth), 6) //nolint:gosec // at most 63
	w.number(0, 3)                // its sharpness
	w.number(0, 1)                // the same everywhere
	parts := 0
	for 1<<parts < len(f.parts) {
		parts++
	}
	w.number(uint32(parts), 2)
	w.number(uint32(f.index), 7) //nolint:gosec // below 128
	w.number(0, 5)               // all quantizers go by the index
	w.number(0, 1)               // what follows is for this frame
}

// modes writes the predictions (8, 11).
func (f *frame) modes(w *bitWriter) {
	w.number(1, 1)
	skipped := 0
	for i := range f.blocks {
		if f.blocks[i].skip {
			skipped++
		}
	}
	prob := uint8(max((len(f.blocks)-skipped)*255/len(f.blocks), 1)) //nolint:gosec // at most 255
	w.number(uint32(prob), 8)
	above := make([]uint8, 4*f.across)
	for y := range f.down {
		var left [4]uint8
		for x := range f.across {
			b := &f.blocks[y*f.across+x]
			w.bit(b.skip, prob)
			b.write(w, above[4*x:4*x+4:4*x+4], &left)
		}
	}
}

// write writes the predictions of a macroblock. above and left are those of its neighbours, and become
// its own.
func (b *block) write(w *bitWriter, above []uint8, left *[4]uint8) {
	if w.bit(b.whole, 145); b.whole {
		w.bit(b.luma[0] == motion || b.luma[0] == horizontal, 156)
		switch b.luma[0] {
		case flat, vertical:
			w.bit(b.luma[0] == vertical, 163)
		default:
			w.bit(b.luma[0] == motion, 128)
		}
		for i := range 4 {
			above[i], left[i] = b.luma[0], b.luma[0]
		}
	} else {
		for i, mode := range b.luma {
			x, y := i%4, i/4
			for _, step := range paths[mode] {
				w.bit(step.is, modeProbs[above[x]][left[y]][step.at])
			}
			above[x], left[y] = mode, mode
		}
	}
	if w.bit(b.chroma != flat, 142); b.chroma == flat {
		return
	}
	if w.bit(b.chroma != vertical, 114); b.chroma != vertical {
		w.bit(b.chroma == motion, 183)
	}
}

// step is a decision on the way to a prediction.
type step struct {
	at int
	is bool
}

// paths are the decisions that lead to each prediction of 4 x 4 pixels.
var paths = [predictions][]step{
	flat:           {{0, false}},
	motion:         {{0, true}, {1, false}},
	vertical:       {{0, true}, {1, true}, {2, false}},
	horizontal:     {{0, true}, {1, true}, {2, true}, {3, false}, {4, false}},
	downRight:      {{0, true}, {1, true}, {2, true}, {3, false}, {4, true}, {5, false}},
	verticalRight:  {{0, true}, {1, true}, {2, true}, {3, false}, {4, true}, {5, true}},
	downLeft:       {{0, true}, {1, true}, {2, true}, {3, true}, {6, false}},
	verticalLeft:   {{0, true}, {1, true}, {2, true}, {3, true}, {6, true}, {7, false}},
	horizontalDown: {{0, true}, {1, true}, {2, true}, {3, true}, {6, true}, {7, true}, {8, false}},
	horizontalUp:   {{0, true}, {1, true}, {2, true}, {3, true}, {6, true}, {7, true}, {8, true}},
}

// modeCosts are what the decisions cost, in 256ths of a bit.
var modeCosts = sync.OnceValue(func() *[predictions][predictions][predictions]int32 {
	var table [predictions][predictions][predictions]int32
	for above := range table {
		for left := range table[above] {
			for mode, path := range paths {
				for _, step := range path {
					prob := modeProbs[above][left][step.at]
					if step.is {
						prob = ^prob + 1
					}
					table[above][left][mode] += int32(cost(prob))
				}
			}
		}
	}
	return &table
})
