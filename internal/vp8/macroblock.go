package vp8

// macroblock is the one at work. Its workspaces have a row above and columns to the left and, for luma,
// four to the right, of what is there already.
type macroblock struct {
	x, y int
	// src are its pixels: luma, and the chromas side by side.
	src  [256]uint8
	tint [128]uint8
	// whole and small are luma as it comes out by one prediction and by sixteen; chroma has both, u from
	// column 8 on and v from column 24.
	whole, small [17 * stride]uint8
	chroma       [9 * stride]uint8
	// levels are the coefficients: luma, chroma, and the means.
	levels [25][16]int32
}

// The blocks begin here in their workspaces.
const (
	lumaAt  = stride + 8
	tintAtU = stride + 8
	tintAtV = stride + 24
)

func (m *macroblock) load(f *frame, x, y int) {
	m.x, m.y = x, y
	width := 16 * f.across
	for i := range 16 {
		copy(m.src[16*i:16*i+16], f.y[(16*y+i)*width+16*x:])
	}
	for i := range 8 {
		at := (8*y+i)*width/2 + 8*x
		copy(m.tint[16*i:16*i+8], f.u[at:])
		copy(m.tint[16*i+8:16*i+16], f.v[at:])
	}
	surround(m.whole[:], lumaAt, f.made.y, width, x, y, 16)
	m.corner(f)
	copy(m.small[:stride], m.whole[:stride])
	for i := range 16 {
		m.small[lumaAt+i*stride-1] = m.whole[lumaAt+i*stride-1]
	}
	surround(m.chroma[:], tintAtU, f.made.u, width/2, x, y, 8)
	surround(m.chroma[:], tintAtV, f.made.v, width/2, x, y, 8)
}

// surround fills the row above a block and the column to its left. Outside the picture there are 127
// above and 129 at the left (12.2).
func surround(w []uint8, at int, plane []uint8, width, x, y, size int) {
	above := w[at-stride-1 : at-stride+size]
	for i := range above {
		above[i] = 127
	}
	if y > 0 {
		copy(above[1:], plane[(y*size-1)*width+x*size:][:size])
		if above[0] = 129; x > 0 {
			above[0] = plane[(y*size-1)*width+x*size-1]
		}
	}
	for i := range size {
		w[at+i*stride-1] = 129
		if x > 0 {
			w[at+i*stride-1] = plane[(y*size+i)*width+x*size-1]
		}
	}
}

// corner fills the four pixels above and to the right. The last macroblock of a row has none there, and
// repeats the one before.
func (m *macroblock) corner(f *frame) {
	right := m.whole[lumaAt-stride+16:][:4]
	above := (16*m.y - 1) * 16 * f.across
	for i := range right {
		switch {
		case m.y == 0:
			right[i] = 127
		case m.x == f.across-1:
			right[i] = f.made.y[above+16*m.x+15]
		default:
			right[i] = f.made.y[above+16*m.x+16+i]
		}
	}
}

// predict chooses the predictions and works out what comes of them.
func (m *macroblock) predict(f *frame, b *block) {
	mode, wholeCost := m.bestWhole(f)
	b.luma[0] = uint8(mode) //nolint:gosec // one of four
	// What is said before: 1.2 bits for one prediction, 0.8 for sixteen.
	if small := m.bestSmall(f, b, wholeCost+f.bits(310-210)); small {
		b.whole = false
		for i, mode := range b.luma[12:] {
			f.aboveModes[4*m.x+i] = mode
			f.leftModes[i] = b.luma[4*i+3]
		}
	} else {
		b.whole = true
		b.luma[0] = uint8(mode) //nolint:gosec // one of four
		for i := range 4 {
			f.aboveModes[4*m.x+i], f.leftModes[i] = b.luma[0], b.luma[0]
		}
		m.makeWhole(f, mode)
	}
	b.chroma = m.makeChroma(f)
}

// bits is what bits cost, given in 256ths.
func (f *frame) bits(n int32) int32 { return n * f.lambda >> 14 }

// wholeCosts and chromaCosts are those of telling a prediction, in 256ths of a bit.
var (
	wholeCosts  = [4]int32{flat: 348, vertical: 555, horizontal: 602, motion: 602}
	chromaCosts = [4]int32{flat: 218, vertical: 597, horizontal: 640, motion: 924}
)

// bestWhole finds the best prediction for all of luma.
func (m *macroblock) bestWhole(f *frame) (mode int, least int32) {
	least = -1
	for try := range 4 {
		whole(try, m.whole[:], lumaAt, 16, m.y > 0, m.x > 0)
		sum := f.bits(wholeCosts[try])
		for i := range 16 {
			sum += difference(m.src[i/4*64+i%4*4:], 16, m.whole[lumaAt+i/4*4*stride+i%4*4:], stride)
		}
		if least < 0 || sum < least {
			mode, least = try, sum
		}
	}
	return mode, least
}

// makeWhole works out what comes of a prediction for all of luma.
func (m *macroblock) makeWhole(f *frame, mode int) {
	whole(mode, m.whole[:], lumaAt, 16, m.y > 0, m.x > 0)
	var c [16][16]int32
	var dc, means [16]int32
	for i := range 16 {
		forward(m.src[i/4*64+i%4*4:], 16, m.whole[lumaAt+i/4*4*stride+i%4*4:], stride, &c[i])
		dc[i] = c[i][0]
	}
	forwardMeans(&dc, &means)
	f.means.block(&means, 0, &m.levels[24])
	inverseMeans(&means, &dc)
	for i := range 16 {
		f.luma.block(&c[i], 1, &m.levels[i])
		m.levels[i][0] = 0
		c[i][0] = dc[i]
		inverse(&c[i], m.whole[lumaAt+i/4*4*stride+i%4*4:], stride)
	}
}

// bestSmall finds and makes the best predictions for 4 x 4 pixels each. It reports false, and may leave
// the work half done, where they cost more than most.
func (m *macroblock) bestSmall(f *frame, b *block, most int32) bool {
	above, left := [4]uint8(f.aboveModes[4*m.x:4*m.x+4]), f.leftModes
	for y := 4; y < 16; y += 4 {
		copy(m.small[lumaAt+(y-1)*stride+16:][:4], m.small[lumaAt-stride+16:][:4])
	}
	var sum int32
	var out, best [16]uint8
	for i := range 16 {
		x, y := i%4, i/4
		at := lumaAt + y*4*stride + x*4
		src := m.src[y*64+x*4:]
		e := edgeOf(m.small[:], at)
		costs := &modeCosts()[above[x]][left[y]]
		least := int32(-1)
		for mode := range predictions {
			told := f.bits(costs[mode])
			if least >= 0 && told >= least {
				continue
			}
			small(mode, &e, &out)
			if d := told + difference(src, 16, out[:], 4); least < 0 || d < least {
				least, best = d, out
				b.luma[i] = uint8(mode)
			}
		}
		if sum += least; sum >= most {
			return false
		}
		above[x], left[y] = b.luma[i], b.luma[i]
		for row := range 4 {
			copy(m.small[at+row*stride:][:4], best[4*row:])
		}
		var c [16]int32
		forward(src, 16, best[:], 4, &c)
		f.luma.block(&c, 0, &m.levels[i])
		inverse(&c, m.small[at:], stride)
	}
	m.levels[24] = [16]int32{}
	return true
}

// makeChroma finds the best prediction for both chromas and works out what comes of it.
func (m *macroblock) makeChroma(f *frame) uint8 {
	best, least := 0, int32(-1)
	for mode := range 4 {
		sum := f.bits(chromaCosts[mode])
		for plane, at := range [2]int{tintAtU, tintAtV} {
			whole(mode, m.chroma[:], at, 8, m.y > 0, m.x > 0)
			for i := range 4 {
				sum += difference(m.tint[8*plane+i/2*64+i%2*4:], 16, m.chroma[at+i/2*4*stride+i%2*4:], stride)
			}
		}
		if least < 0 || sum < least {
			best, least = mode, sum
		}
	}
	for plane, at := range [2]int{tintAtU, tintAtV} {
		whole(best, m.chroma[:], at, 8, m.y > 0, m.x > 0)
		for i := range 4 {
			px := m.chroma[at+i/2*4*stride+i%2*4:]
			var c [16]int32
			forward(m.tint[8*plane+i/2*64+i%2*4:], 16, px, stride, &c)
			f.tint.block(&c, 0, &m.levels[16+4*plane+i])
			inverse(&c, px, stride)
		}
	}
	return uint8(best)
}

// tokens writes the levels (13.3), or notes that there are none.
func (m *macroblock) tokens(f *frame, b *block, t *tokens) {
	above, left := &f.aboveHas[m.x], &f.leftHas
	if b.skip = m.levels == [25][16]int32{}; b.skip {
		ofMeans, ofMeansLeft := above[8], left[8]
		*above, *left = [9]bool{}, [9]bool{}
		if !b.whole {
			above[8], left[8] = ofMeans, ofMeansLeft // It has none, and tells nothing of them.
		}
		return
	}
	plane, first := withMean, 0
	if b.whole {
		has := t.block(means, count(above[8], left[8]), 0, &m.levels[24])
		above[8], left[8] = has, has
		plane, first = withoutMean, 1
	}
	for i := range 16 {
		x, y := i%4, i/4
		has := t.block(plane, count(above[x], left[y]), first, &m.levels[i])
		above[x], left[y] = has, has
	}
	for i := range 8 {
		x, y := 4+i/4*2+i%2, 4+i/4*2+i%4/2
		has := t.block(chroma, count(above[x], left[y]), 0, &m.levels[16+i])
		above[x], left[y] = has, has
	}
}

func count(a, b bool) int {
	n := 0
	if a {
		n++
	}
	if b {
		n++
	}
	return n
}

// store keeps what comes out, for the neighbours.
func (m *macroblock) store(f *frame) {
	from, width := &m.small, 16*f.across
	if f.blocks[m.y*f.across+m.x].whole {
		from = &m.whole
	}
	for i := range 16 {
		copy(f.made.y[(16*m.y+i)*width+16*m.x:][:16], from[lumaAt+i*stride:])
	}
	for i := range 8 {
		at := (8*m.y+i)*width/2 + 8*m.x
		copy(f.made.u[at:at+8], m.chroma[tintAtU+i*stride:])
		copy(f.made.v[at:at+8], m.chroma[tintAtV+i*stride:])
	}
}
