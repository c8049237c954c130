package vp8

// quantizer brings coefficients to steps.
type quantizer struct {
	step, inverse [2]int32 // of the mean and of the others
	rounding      [2]int32
}

// rounding is added before a division, in 256ths of a step: less than half, since what is small costs
// more to write than it is worth.
func newQuantizer(mean, other, meanRounding, rounding int32) quantizer {
	return quantizer{
		step: [2]int32{mean, other}, inverse: [2]int32{1<<17/mean + 1, 1<<17/other + 1},
		rounding: [2]int32{mean * meanRounding / 256, other * rounding / 256},
	}
}

// maxLevel is the largest that can be written.
const maxLevel = 2047

// block quantizes coefficients from the first on. levels has them in the order in which they are written,
// and c becomes what a decoder has of them. It reports whether there are any.
func (q *quantizer) block(c *[16]int32, first int, levels *[16]int32) bool {
	has := false
	for n := first; n < 16; n++ {
		at := zigzag[n]
		kind := min(n, 1)
		size := abs(c[at])
		level := int32(int64(size+q.rounding[kind]) * int64(q.inverse[kind]) >> 17) //nolint:gosec // smaller than size
		if level == 0 {
			c[at], levels[n] = 0, 0
			continue
		}
		level = min(level, maxLevel)
		has = true
		if c[at] < 0 {
			level = -level
		}
		levels[n], c[at] = level, level*q.step[kind]
	}
	return has
}
