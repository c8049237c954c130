package vp8

// A block to be predicted stands in a workspace whose rows are stride apart: what is above it in the row
// before, what is left of it in the column before.
const stride = 32

// whole predicts a block of size x size. hasAbove and hasLeft say whether it has neighbours, which only
// the flat prediction asks for.
func whole(mode int, w []uint8, at, size int, hasAbove, hasLeft bool) {
	switch mode {
	case flat:
		v := mean(w, at, size, hasAbove, hasLeft)
		for y := range size {
			row := w[at+y*stride:][:size]
			for x := range row {
				row[x] = v
			}
		}
	case vertical:
		above := w[at-stride:][:size]
		for y := range size {
			copy(w[at+y*stride:][:size], above)
		}
	case horizontal:
		for y := range size {
			row, left := w[at+y*stride:][:size], w[at+y*stride-1]
			for x := range row {
				row[x] = left
			}
		}
	default:
		moved(w, at, size)
	}
}

// mean is that of the neighbours that there are.
func mean(w []uint8, at, size int, hasAbove, hasLeft bool) uint8 {
	sum, n := 0, 0
	if hasAbove {
		for _, v := range w[at-stride:][:size] {
			sum += int(v)
		}
		n += size
	}
	if hasLeft {
		for y := range size {
			sum += int(w[at+y*stride-1])
		}
		n += size
	}
	if n == 0 {
		return 128
	}
	return uint8((sum + n/2) / n) //nolint:gosec // a mean of such
}

// moved carries on what changes above along the left side.
func moved(w []uint8, at, size int) {
	above, corner := w[at-stride:][:size], int32(w[at-stride-1])
	for y := range size {
		row, d := w[at+y*stride:][:size], int32(w[at+y*stride-1])-corner
		for x := range row {
			row[x] = clip(int32(above[x]) + d)
		}
	}
}

// edge are the 13 pixels around 4 x 4 others: those to the left from below upwards, the corner, and
// eight above.
type edge [13]int32

func edgeOf(w []uint8, at int) (e edge) {
	for i := range 4 {
		e[3-i] = int32(w[at+i*stride-1])
	}
	for i, v := range w[at-stride-1:][:9] {
		e[4+i] = int32(v) //nolint:gosec // there are nine
	}
	return e
}

// two and three are the means of neighbours in the edge, of which i is the first.
func (e *edge) two(i int) uint8   { return uint8((e[i] + e[i+1] + 1) >> 1) }            //nolint:gosec // a mean of such
func (e *edge) three(i int) uint8 { return uint8((e[i] + 2*e[i+1] + e[i+2] + 2) >> 2) } //nolint:gosec // a mean of such

// small predicts 4 x 4 pixels (12.3). out is row by row.
func small(mode int, e *edge, out *[16]uint8) {
	switch mode {
	case flat:
		v := uint8((e[0] + e[1] + e[2] + e[3] + e[5] + e[6] + e[7] + e[8] + 4) >> 3) //nolint:gosec // a mean of such
		for i := range out {
			out[i] = v
		}
	case motion:
		for i := range out {
			out[i] = clip(e[3-i/4] + e[5+i%4] - e[4])
		}
	case vertical:
		for i := range 4 {
			v := e.three(4 + i)
			out[i], out[4+i], out[8+i], out[12+i] = v, v, v, v
		}
	case horizontal:
		last := uint8((e[1] + 3*e[0] + 2) >> 2) //nolint:gosec // a mean of such
		for y, v := range [4]uint8{e.three(2), e.three(1), e.three(0), last} {
			out[4*y], out[4*y+1], out[4*y+2], out[4*y+3] = v, v, v, v
		}
	default:
		slanted(mode, e, out)
	}
}

// slanted are the predictions along a slant. Each is laid out as the pixels that have one value.
func slanted(mode int, e *edge, out *[16]uint8) {
	switch mode {
	case downRight:
		for i := range out {
			out[i] = e.three(3 - i/4 + i%4)
		}
	case downLeft:
		for i := range out[:15] {
			out[i] = e.three(5 + i/4 + i%4)
		}
		out[15] = uint8((e[11] + 3*e[12] + 2) >> 2) //nolint:gosec // a mean of such
	case verticalRight:
		for x := range 4 {
			out[x], out[4+x] = e.two(4+x), e.three(3+x)
		}
		out[8], out[12] = e.three(2), e.three(1)
		copy(out[9:12], out[0:3])
		copy(out[13:16], out[4:7])
	case verticalLeft:
		for x := range 4 {
			out[x], out[4+x] = e.two(5+x), e.three(5+x)
		}
		copy(out[8:11], out[1:4])
		copy(out[12:15], out[5:8])
		out[11], out[15] = e.three(9), e.three(10)
	case horizontalDown:
		for y := range 4 {
			out[4*y], out[4*y+1] = e.two(3-y), e.three(3-y)
		}
		out[2], out[3] = e.three(4), e.three(5)
		for y := 1; y < 4; y++ {
			copy(out[4*y+2:4*y+4], out[4*y-4:4*y-2])
		}
	default: // horizontalUp
		last := uint8(e[0]) //nolint:gosec // it was a pixel
		row := [10]uint8{
			e.two(2), e.three(1), e.two(1), e.three(0), e.two(0), uint8((e[1] + 3*e[0] + 2) >> 2), last, last, last, last, //nolint:gosec // a mean of such
		}
		for y := range 4 {
			copy(out[4*y:4*y+4], row[2*y:])
		}
	}
}
