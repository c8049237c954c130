package vp8

// The transforms are those of RFC 6386, 14.3 and 14.4, and their inverses. Blocks are 4 x 4, row by row.

// forward transforms what src has more than pred.
func forward(src []uint8, srcStride int, pred []uint8, predStride int, out *[16]int32) {
	var t [16]int32
	for y := range 4 {
		s, p := src[y*srcStride:][:4:4], pred[y*predStride:][:4:4]
		d0, d1 := int32(s[0])-int32(p[0]), int32(s[1])-int32(p[1])
		d2, d3 := int32(s[2])-int32(p[2]), int32(s[3])-int32(p[3])
		a, b, c, d := d0+d3, d1+d2, d1-d2, d0-d3
		t[4*y] = (a + b) * 8
		t[4*y+1] = (c*2217 + d*5352 + 1812) >> 9
		t[4*y+2] = (a - b) * 8
		t[4*y+3] = (d*2217 - c*5352 + 937) >> 9
	}
	for x := range 4 {
		a, b, c, d := t[x]+t[12+x], t[4+x]+t[8+x], t[4+x]-t[8+x], t[x]-t[12+x]
		out[x] = (a + b + 7) >> 4
		out[4+x] = (c*2217 + d*5352 + 12000) >> 16
		if d != 0 {
			out[4+x]++
		}
		out[8+x] = (a - b + 7) >> 4
		out[12+x] = (d*2217 - c*5352 + 51000) >> 16
	}
}

// inverse adds what coefficients stand for to a prediction.
func inverse(c *[16]int32, px []uint8, stride int) {
	const (
		cosine = 85627 // 65536 * cos(pi/8) * sqrt(2)
		sine   = 35468 // 65536 * sin(pi/8) * sqrt(2)
	)
	var t [16]int32
	for i := range 4 {
		a, b := c[i]+c[8+i], c[i]-c[8+i]
		e := c[4+i]*sine>>16 - c[12+i]*cosine>>16
		d := c[4+i]*cosine>>16 + c[12+i]*sine>>16
		t[4*i], t[4*i+1], t[4*i+2], t[4*i+3] = a+d, b+e, b-e, a-d
	}
	for y := range 4 {
		a, b := t[y]+4+t[8+y], t[y]+4-t[8+y]
		e := t[4+y]*sine>>16 - t[12+y]*cosine>>16
		d := t[4+y]*cosine>>16 + t[12+y]*sine>>16
		row := px[y*stride:][:4:4]
		row[0] = clip(int32(row[0]) + (a+d)>>3)
		row[1] = clip(int32(row[1]) + (b+e)>>3)
		row[2] = clip(int32(row[2]) + (b-e)>>3)
		row[3] = clip(int32(row[3]) + (a-d)>>3)
	}
}

func clip(v int32) uint8 {
	return uint8(min(max(v, 0), 255))
}

// forwardMeans transforms the means of the 16 blocks of a macroblock.
func forwardMeans(in, out *[16]int32) {
	var t [16]int32
	for i := 0; i < 16; i += 4 {
		a, b, c, d := in[i]+in[i+2], in[i+1]+in[i+3], in[i+1]-in[i+3], in[i]-in[i+2]
		t[i], t[i+1], t[i+2], t[i+3] = a+b, d+c, d-c, a-b //nolint:gosec // in steps of four
	}
	for i := range 4 {
		a, b, c, d := t[i]+t[8+i], t[4+i]+t[12+i], t[4+i]-t[12+i], t[i]-t[8+i]
		out[i], out[4+i], out[8+i], out[12+i] = (a+b)>>1, (d+c)>>1, (d-c)>>1, (a-b)>>1
	}
}

// inverseMeans returns the means.
func inverseMeans(c, out *[16]int32) {
	var t [16]int32
	for i := range 4 {
		a, b, d, e := c[i]+c[12+i], c[4+i]+c[8+i], c[4+i]-c[8+i], c[i]-c[12+i]
		t[i], t[4+i], t[8+i], t[12+i] = a+b, e+d, a-b, e-d
	}
	for i := 0; i < 16; i += 4 {
		a, b, d, e := t[i]+3+t[i+3], t[i+1]+t[i+2], t[i+1]-t[i+2], t[i]+3-t[i+3] //nolint:gosec // in steps of four
		out[i], out[i+1], out[i+2], out[i+3] = (a+b)>>3, (e+d)>>3, (a-b)>>3, (e-d)>>3
	}
}

// difference is how far src is from pred, as the sum of what the Hadamard transform has of it: near to
// what the residual will cost.
func difference(src []uint8, srcStride int, pred []uint8, predStride int) int32 {
	var t [16]int32
	for y := range 4 {
		s, p := src[y*srcStride:][:4:4], pred[y*predStride:][:4:4]
		d0, d1 := int32(s[0])-int32(p[0]), int32(s[1])-int32(p[1])
		d2, d3 := int32(s[2])-int32(p[2]), int32(s[3])-int32(p[3])
		a, b, c, d := d0+d2, d1+d3, d0-d2, d1-d3
		t[4*y], t[4*y+1], t[4*y+2], t[4*y+3] = a+b, a-b, c+d, c-d
	}
	var sum int32
	for x := range 4 {
		a, b, c, d := t[x]+t[8+x], t[4+x]+t[12+x], t[x]-t[8+x], t[4+x]-t[12+x]
		sum += abs(a+b) + abs(a-b) + abs(c+d) + abs(c-d)
	}
	return sum / 2
}

func abs(v int32) int32 {
	mask := v >> 31
	return (v ^ mask) - mask
}
