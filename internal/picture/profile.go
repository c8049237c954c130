package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
)

// A colour profile says what the numbers of a picture mean. Those that cameras and screens have are a
// curve for each channel and a matrix (ICC.1:2010, 8.3.3), and these are converted; one of another kind
// is only noted.

// maxProfile bounds an unpacked profile.
const maxProfile = 4 << 20

// profile takes the colours of a picture from a profile. That of a PNG is packed behind a name.
func (s *Source) profile(icc []byte, packed bool) {
	if packed {
		name := bytes.IndexByte(icc, 0)
		if name < 0 || name+2 > len(icc) {
			return
		}
		r, err := zlib.NewReader(bytes.NewReader(icc[name+2:]))
		if err != nil {
			return
		}
		if icc, err = io.ReadAll(io.LimitReader(r, maxProfile)); err != nil {
			return
		}
	}
	p, ok := parseProfile(icc)
	switch {
	case !ok && s.Grey && isSpace(icc, "GRAY"):
		// Greys of another curve differ little, and are left.
	case !ok:
		s.Unconverted = true
	case p.isSRGB():
	default:
		s.Converted, s.curves, s.matrix = true, &p.curves, &p.matrix
	}
}

// matrixProfile is a profile of curves and a matrix.
type matrixProfile struct {
	curves [3][256]uint16
	// matrix goes from the profile's linear colours to those of sRGB, with 14 bits behind the point.
	matrix [9]int32
}

// toSRGB goes from XYZ as profiles have it, under D50, to linear sRGB, in ten thousandths (B.
// Lindbloom, "RGB/XYZ Matrices").
var toSRGB = [9]int64{31339, -16169, -4906, -9788, 19161, 335, 719, -2290, 14052}

func isSpace(icc []byte, space string) bool { return len(icc) > 132 && string(icc[16:20]) == space }

func parseProfile(icc []byte) (*matrixProfile, bool) {
	if !isSpace(icc, "RGB ") || string(icc[20:24]) != "XYZ " {
		return nil, false
	}
	tag := func(name string) []byte {
		for i := range min(binary.BigEndian.Uint32(icc[128:]), 100) {
			entry := 132 + 12*int(i)
			if entry+12 > len(icc) {
				return nil
			}
			at, size := uint64(binary.BigEndian.Uint32(icc[entry+4:])), uint64(binary.BigEndian.Uint32(icc[entry+8:]))
			if string(icc[entry:entry+4]) == name && at+size <= uint64(len(icc)) {
				return icc[at : at+size]
			}
		}
		return nil
	}
	p := &matrixProfile{}
	var xyz [9]int64 // of red, green and blue, in columns
	for i, name := range []string{"r", "g", "b"} {
		column, curve := tag(name+"XYZ"), tag(name+"TRC")
		if len(column) < 20 || !readCurve(curve, &p.curves[i]) {
			return nil, false
		}
		for j := range 3 {
			xyz[3*j+i] = int64(int32(binary.BigEndian.Uint32(column[8+4*j:]))) //nolint:gosec // it has a sign
		}
	}
	for i := range 3 {
		for j := range 3 {
			var sum int64
			for k := range 3 {
				sum += toSRGB[3*i+k] * xyz[3*k+j]
			}
			// Of 16 bits behind the point, 14 are kept, and the ten thousandths taken off.
			p.matrix[3*i+j] = int32((sum + 20000) / 40000)
		}
	}
	return p, true
}

// readCurve reads a curve as the light of 256 values.
func readCurve(data []byte, table *[256]uint16) bool {
	if len(data) < 12 {
		return false
	}
	switch string(data[:4]) {
	case "curv":
		n := int(binary.BigEndian.Uint32(data[8:]))
		if n > 1 && len(data)-12 >= 2*n {
			sampled(data[12:12+2*n], n, table)
			return true
		}
		gamma := uint64(1 << 8)
		if n == 1 && len(data) >= 14 {
			gamma = uint64(binary.BigEndian.Uint16(data[12:]))
		}
		for i := range table {
			table[i] = light(power(uint64(i)*one/255, gamma, 8))
		}
		return n <= 1
	case "para":
		return parametric(data, table)
	}
	return false
}

func light(fraction uint64) uint16 {
	return uint16((min(fraction, one)*65535 + one/2) / one)
}

// sampled reads a curve of n samples.
func sampled(samples []byte, n int, table *[256]uint16) {
	for i := range table {
		at := i * (n - 1)
		low := int(binary.BigEndian.Uint16(samples[2*(at/255):]))
		high := int(binary.BigEndian.Uint16(samples[2*min(at/255+1, n-1):]))
		table[i] = uint16(low + ((high-low)*(at%255)*2+255)/510) //nolint:gosec // between two of 16 bits
	}
}

// parametric reads a curve of types 0 and 3: a power, and one with a straight beginning.
func parametric(data []byte, table *[256]uint16) bool {
	kind := binary.BigEndian.Uint16(data[8:])
	number := func(i int) int64 { return int64(int32(binary.BigEndian.Uint32(data[12+4*i:]))) } //nolint:gosec // it has a sign
	switch {
	case kind == 0 && len(data) >= 16 && number(0) > 0:
		for i := range table {
			table[i] = light(power(uint64(i)*one/255, uint64(number(0)), 16)) //nolint:gosec // both are positive
		}
		return true
	case kind == 3 && len(data) >= 32 && number(0) > 0:
		g, a, b, c, d := number(0), number(1), number(2), number(3), number(4)
		for i := range table {
			x := int64(i) * one / 255
			if x>>16 < d {
				table[i] = light(uint64(max(c*(x>>8)>>8, 0)))
				continue
			}
			table[i] = light(power(uint64(min(max(a*(x>>8)>>8+b<<16, 0), one)), uint64(g), 16)) //nolint:gosec // as above
		}
		return true
	}
	return false
}

// isSRGB reports whether the colours are those of sRGB, but for rounding.
func (p *matrixProfile) isSRGB() bool {
	for i, m := range p.matrix {
		want := int32(0)
		if i%4 == 0 {
			want = unit
		}
		if m-want > unit/50 || want-m > unit/50 {
			return false
		}
	}
	for i := range 3 {
		for v, l := range p.curves[i] {
			if d := int(l) - int(toLinear()[v]); d > 400 || d < -400 {
				return false
			}
		}
	}
	return true
}

// convert brings a row of the profile's colours to those of sRGB. What sRGB cannot show is cut off.
func (s *Source) convert(row []uint16) {
	channels, m := s.channels(), s.matrix
	for i := 0; i+channels <= len(row); i += channels {
		most := int64(65535)
		if channels == 4 {
			most = int64(row[i+3])
		}
		r, g, b := int64(row[i]), int64(row[i+1]), int64(row[i+2])
		for j := range 3 {
			sum := int64(m[3*j])*r + int64(m[3*j+1])*g + int64(m[3*j+2])*b
			row[i+j] = uint16(min(max((sum+unit/2)>>unitBits, 0), most))
		}
	}
}
