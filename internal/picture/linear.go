package picture

import (
	"math/bits"
	"sync"
)

// All arithmetic on pixels is in whole numbers, so that what is made on one processor is made byte
// for byte on every other one: floating-point operations may be fused on some and not on others.

// one is 1 as a fixed-point fraction with 32 bits.
const one = 1 << 32

// sRGB's curve: linear below a threshold, then a power.
const (
	// exponent is 2.4 with 20 bits.
	exponent = 2516582
)

// toLinear has the linear light of each of the 256 values of sRGB, from 0 to 65535, and fromLinear
// the value of each linear light. They are computed where a pixel is first looked at, which few
// commands do.
var (
	toLinear   = sync.OnceValue(linearTable)
	fromLinear = sync.OnceValue(func() *[65536]uint8 { return inverse(toLinear()) })
)

func linearTable() *[256]uint16 {
	var table [256]uint16
	for i := range table {
		v := uint64(i) * one / 255
		var light uint64
		if i <= 10 { // 0.04045 of 255
			light = v * 100 / 1292
		} else {
			light = power((v+one*55/1000)*1000/1055, exponent, 20)
		}
		table[i] = uint16((light*65535 + one/2) / one)
	}
	return &table
}

// inverse returns the value whose light is nearest, for each light.
func inverse(table *[256]uint16) *[65536]uint8 {
	var values [65536]uint8
	v := 0
	for light := range values {
		for v < 255 && int(table[v+1])-light <= light-int(table[v]) {
			v++
		}
		values[light] = uint8(v)
	}
	return &values
}

// toLinear16 is toLinear for a value of 16 bits, interpolated.
func toLinear16(v uint16, table *[256]uint16) uint16 {
	i, rest := int(v)/257, int(v)%257
	if rest == 0 {
		return table[i]
	}
	low, high := int(table[i]), int(table[i+1])
	return uint16(low + ((high-low)*rest+128)/257) //nolint:gosec // between two of 16 bits
}

// fromLinear16 is the inverse of toLinear16.
func fromLinear16(light uint16) uint16 {
	i, table := int(fromLinear()[light]), toLinear()
	if table[i] > light {
		i--
	}
	if i == 255 {
		return 65535
	}
	low, high := int(table[i]), int(table[i+1])
	return uint16(i*257 + ((int(light)-low)*257+(high-low)/2)/(high-low)) //nolint:gosec // at most 65535
}

// power returns a fraction x of one to the power of n, which has that many bits behind the point. It
// multiplies the square roots of x whose bits are set.
func power(x, n uint64, behind int) uint64 {
	result := uint64(one)
	for range n >> behind {
		result = times(result, x)
	}
	for bit := behind - 1; bit >= 0 && x > 0; bit-- {
		x = root(x)
		if n>>bit&1 == 1 {
			result = times(result, x)
		}
	}
	return result
}

// times multiplies two fractions.
func times(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high<<32 | low>>32
}

// root returns the square root of a fraction.
func root(x uint64) uint64 {
	// The root of x * 2^32, bit by bit.
	var result uint64
	for bit := uint64(1) << 32; bit > 0; bit >>= 1 {
		try := result | bit
		if high, low := bits.Mul64(try, try); high < x>>32 || high == x>>32 && low <= x<<32 {
			result = try
		}
	}
	return result
}
