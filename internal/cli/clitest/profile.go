package clitest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// profiled returns a PNG with a colour profile of a space: "RGB " is that of wide screens, of curves
// and a matrix.
func profiled(png []byte, space string) ([]byte, error) {
	data := bytes.NewBufferString("screen\x00\x00")
	z := zlib.NewWriter(data)
	if _, err := z.Write(profileOf(space)); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	named := append([]byte("iCCP"), data.Bytes()...)
	chunk := binary.BigEndian.AppendUint32(nil, uint32(data.Len())) //nolint:gosec // it is short
	chunk = binary.BigEndian.AppendUint32(append(chunk, named...), crc32.ChecksumIEEE(named))
	const header = 33 // the signature and IHDR
	return slices.Concat(png[:header], chunk, png[header:]), nil
}

// profileOf returns a profile with the primaries of P3 and a gamma of 2.2.
func profileOf(space string) []byte {
	header := make([]byte, 128)
	copy(header[16:], space+"XYZ ")
	curve := append([]byte("curv\x00\x00\x00\x00"), 0, 0, 0, 1, 2, 0x33, 0, 0)
	var table, values []byte
	tags := map[string][]byte{"rTRC": curve, "gTRC": curve, "bTRC": curve}
	for name, xyz := range map[string][3]int32{"rXYZ": {33757, 15807, -72}, "gXYZ": {19136, 45364, 2746}, "bXYZ": {10296, 4365, 51387}} {
		tag := []byte("XYZ \x00\x00\x00\x00")
		for _, v := range xyz {
			tag = binary.BigEndian.AppendUint32(tag, uint32(v)) //nolint:gosec // it has a sign
		}
		tags[name] = tag
	}
	for name, tag := range tags {
		at := len(header) + 4 + 12*len(tags) + len(values)
		table = append(table, name...)
		table = binary.BigEndian.AppendUint32(table, uint32(at))       //nolint:gosec // it is short
		table = binary.BigEndian.AppendUint32(table, uint32(len(tag))) //nolint:gosec // it is short
		values = append(values, tag...)
	}
	return slices.Concat(header, binary.BigEndian.AppendUint32(nil, uint32(len(tags))), table, values) //nolint:gosec // it is short
}
