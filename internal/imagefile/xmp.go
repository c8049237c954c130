package imagefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// maxSegment is what a segment of a JPEG holds besides its length.
const maxSegment = 65533

// MaxXMP is how long a packet may be in a file of each format.
const MaxXMP = maxSegment - len(xmpHead)

// SetXMP returns an image file with a packet of XMP in the place of any that it had. The file must
// have passed Check. Neither the picture nor its content identity changes.
func SetXMP(data, packet []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, pngSignature):
		return pngWithXMP(data, packet), nil
	case bytes.HasPrefix(data, jpegSignature):
		if len(packet) > MaxXMP {
			return nil, errors.New("the metadata is longer than a JPEG file can hold")
		}
		return jpegWithXMP(data, packet), nil
	case len(data) >= signatureSize && isWebP(data):
		return webpWithXMP(data, packet), nil
	}
	return nil, &Error{Kind: ErrFormat, Reason: "the file is not a PNG, JPEG or WebP image"}
}

// pngWithXMP puts the packet behind IHDR.
func pngWithXMP(data, packet []byte) []byte {
	out := append(make([]byte, 0, len(data)+len(packet)+64), pngSignature...)
	for kind, body := range pngChunks(data) {
		if kind == "iTXt" && bytes.HasPrefix(body, []byte(xmpKeyword[:18])) {
			continue
		}
		out = appendPNGChunk(out, kind, body)
		if kind == "IHDR" {
			out = appendPNGChunk(out, "iTXt", append([]byte(xmpKeyword), packet...))
		}
	}
	return out
}

func appendPNGChunk(out []byte, kind string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body))) //nolint:gosec // it was one of a file, or is short
	start := len(out)
	out = append(append(out, kind...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
}

// jpegWithXMP puts the packet behind the start, and behind JFIF's segment, which must come first.
func jpegWithXMP(data, packet []byte) []byte {
	out := append(make([]byte, 0, len(data)+len(packet)+64), data[:2]...)
	rest, isSet := data[2:], false
	set := func() {
		if !isSet {
			out = appendJPEGSegment(out, markerAPP1, append([]byte(xmpHead), packet...))
			isSet = true
		}
	}
	for marker, body := range jpegSegments(data) {
		rest = data[len(data)-len(rest)+4+len(body):]
		switch {
		case marker == markerAPP1 && bytes.HasPrefix(body, []byte(xmpHead)):
			continue
		case marker != markerAPP0:
			set()
		}
		out = appendJPEGSegment(out, marker, body)
	}
	set()
	return append(out, rest...)
}

func appendJPEGSegment(out []byte, marker byte, body []byte) []byte {
	out = binary.BigEndian.AppendUint16(append(out, 0xff, marker), uint16(len(body)+2)) //nolint:gosec // it fits, as was checked
	return append(out, body...)
}

// webpXMP is the flag of a VP8X chunk that says that there is XMP, and webpAlpha that there is alpha.
const webpXMP, webpAlpha = 4, 16

// webpWithXMP puts the packet at the end, and a VP8X chunk that announces it at the beginning.
func webpWithXMP(data, packet []byte) []byte {
	var info dispatcher
	// It passed Check, and the dimensions stand in its first chunk.
	_ = info.scan(data)
	width, height := info.dimensions()
	head := make([]byte, 10)
	body := make([]byte, 0, len(data)+len(packet)+64)
	for kind, chunk := range webpChunks(data) {
		switch kind {
		case "VP8X":
			copy(head, chunk)
			continue
		case "XMP ":
			continue
		case "VP8L":
			if len(chunk) >= 5 && chunk[4]&16 != 0 {
				head[0] |= webpAlpha
			}
		}
		body = appendWebPChunk(body, kind, chunk)
	}
	head[0] |= webpXMP
	put24(head[4:], width-1)
	put24(head[7:], height-1)
	out := binary.LittleEndian.AppendUint32([]byte("RIFF"), 0)
	out = append(appendWebPChunk(append(out, "WEBP"...), "VP8X", head), body...)
	out = appendWebPChunk(out, "XMP ", packet)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8)) //nolint:gosec // a file of a few megabytes
	return out
}

func put24(b []byte, n int) {
	b[0], b[1], b[2] = byte(n), byte(n>>8), byte(n>>16) //nolint:gosec // three bytes of it
}

func appendWebPChunk(out []byte, kind string, body []byte) []byte {
	out = binary.LittleEndian.AppendUint32(append(out, kind...), uint32(len(body))) //nolint:gosec // it was one of a file, or is short
	out = append(out, body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}
