package picture

import (
	"image"
)

// Window is a part of a picture, in 65536ths of a pixel.
type Window struct{ X, Y, Width, Height int }

// Whole is the window that shows all of a picture.
func Whole(size image.Point) Window { return Window{0, 0, size.X << 16, size.Y << 16} }

// Scale brings a window of a picture to a size, in linear light and with premultiplied alpha, so that
// neither dark fringes nor false colours come up at edges.
//
// It reduces with a Catmull-Rom spline, which is as sharp as Lanczos and rings less, and enlarges
// with Mitchell and Netravali's, which does not ring at all.
func (s *Source) Scale(w Window, width, height int) *Pixels {
	columns, rows := taps(w.X, w.Width, width, s.Size.X), taps(w.Y, w.Height, height, s.Size.Y)
	channels := s.channels()
	out := &Pixels{Width: width, Height: height, Channels: channels, Deep: s.Deep, Light: make([]uint16, width*height*channels)}
	// Rows of the picture are scaled to the width as they are needed, and as many are kept as one row
	// of the result is made from.
	most := 0
	for i := range rows {
		most = max(most, len(rows[i].weights))
	}
	ring := make([][]int32, most)
	for i := range ring {
		ring[i] = make([]int32, width*channels)
	}
	line, sums := make([]uint16, s.Size.X*channels), make([]int32, width*channels)
	next := 0
	for y := range rows {
		tap := &rows[y]
		for next = max(next, tap.first); next < tap.first+len(tap.weights); next++ {
			s.row(next, line)
			across(ring[next%most], line, columns, channels)
		}
		down(sums, ring, tap)
		row := out.Light[y*width*channels:][:width*channels]
		if settle(row, sums); channels == 4 {
			bound(row)
		}
	}
	return out
}

// tap is what one row or column of the result is made from.
type tap struct {
	first   int
	weights []int32 // they add up to unit
}

// unit is the weight of the whole. A light of 16 bits times a sum of weights fits into 32 bits, also
// where the spline swings over.
const (
	unitBits = 14
	unit     = 1 << unitBits
)

// taps returns what each of n rows or columns is made from, of those in a window that begins at start
// and has an extent. There are size of them.
func taps(start, extent, n, size int) []tap {
	all := make([]tap, n)
	// step is how far apart two of the result are, and reach how far the spline reaches.
	step := extent / n
	kernel, scale := catmullRom, step
	if step < 1<<16 {
		kernel, scale = mitchell, 1<<16
	}
	reach := 2 * scale
	for i := range all {
		center := start + (2*i+1)*extent/(2*n)
		first := max((center-reach)>>16, 0)
		last := min((center+reach)>>16, size-1)
		var raw []int
		sum := 0
		for j := first; j <= last; j++ {
			distance := j<<16 + 1<<15 - center
			if distance < 0 {
				distance = -distance
			}
			weight := kernel(distance << 16 / scale)
			raw = append(raw, weight)
			sum += weight
		}
		all[i] = tap{first, normal(raw, sum)}
	}
	return all
}

// normal scales weights so that they add up to unit exactly, and cuts off those at the ends that are
// nothing.
func normal(raw []int, sum int) []int32 {
	weights := make([]int32, len(raw))
	left, most := unit, 0
	for i, w := range raw {
		n := (2*w*unit + sum) / (2 * sum)
		if w < 0 {
			n = -((-2*w*unit + sum) / (2 * sum))
		}
		weights[i] = int32(n) //nolint:gosec // not much more than unit
		left -= n
		if w > raw[most] {
			most = i
		}
	}
	weights[most] += int32(left)
	return weights
}

// The splines are those of Mitchell and Netravali's family, for a distance t in 65536ths; so is what
// they return.

// catmullRom has B = 0 and C = 1/2.
func catmullRom(t int) int {
	t2 := t * t >> 16
	t3 := t2 * t >> 16
	switch {
	case t < 1<<16:
		return (3*t3 - 5*t2 + 2<<16) / 2
	case t < 2<<16:
		return (-t3 + 5*t2 - 8*t + 4<<16) / 2
	}
	return 0
}

// mitchell has B = C = 1/3.
func mitchell(t int) int {
	t2 := t * t >> 16
	t3 := t2 * t >> 16
	switch {
	case t < 1<<16:
		return (21*t3 - 36*t2 + 16<<16) / 18
	case t < 2<<16:
		return (-7*t3 + 36*t2 - 60*t + 32<<16) / 18
	}
	return 0
}

// across scales a row to the width.
func across(dst []int32, src []uint16, columns []tap, channels int) {
	switch channels {
	case 1:
		for x := range columns {
			tap := &columns[x]
			var sum int32
			for i, w := range tap.weights {
				sum += w * int32(src[tap.first+i])
			}
			dst[x] = round(sum)
		}
	case 3:
		for x := range columns {
			tap := &columns[x]
			var r, g, b int32
			px := src[tap.first*3:]
			for _, w := range tap.weights {
				r += w * int32(px[0])
				g += w * int32(px[1])
				b += w * int32(px[2])
				px = px[3:]
			}
			d := dst[x*3 : x*3+3 : x*3+3]
			d[0], d[1], d[2] = round(r), round(g), round(b)
		}
	default:
		for x := range columns {
			tap := &columns[x]
			var r, g, b, a int32
			px := src[tap.first*4:]
			for _, w := range tap.weights {
				r += w * int32(px[0])
				g += w * int32(px[1])
				b += w * int32(px[2])
				a += w * int32(px[3])
				px = px[4:]
			}
			d := dst[x*4 : x*4+4 : x*4+4]
			d[0], d[1], d[2], d[3] = round(r), round(g), round(b), round(a)
		}
	}
}

// round takes the weights off a sum. What swings over stays until the end.
func round(sum int32) int32 { return (sum + unit/2) >> unitBits }

// down adds up the rows that one of the result is made from.
func down(sums []int32, ring [][]int32, tap *tap) {
	clear(sums)
	for i, w := range tap.weights {
		if w == 0 {
			continue
		}
		row := ring[(tap.first+i)%len(ring)][:len(sums)]
		for x := range sums {
			sums[x] += w * row[x]
		}
	}
}

// settle writes what sums come to.
func settle(dst []uint16, sums []int32) {
	for x, sum := range sums {
		dst[x] = uint16(min(max(round(sum), 0), 65535))
	}
}

// bound keeps premultiplied colours from being more than their alpha, where the spline swung over.
func bound(row []uint16) {
	for i := 0; i+3 < len(row); i += 4 {
		px := row[i : i+4 : i+4]
		px[0], px[1], px[2] = min(px[0], px[3]), min(px[1], px[3]), min(px[2], px[3])
	}
}
