package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Every file of the API carries a C2PA manifest with fresh ids and a signature, so that the same
// picture never comes as the same bytes. The simulator puts one of the same shape where the API
// does: in PNG a chunk caBX, in JPEG a segment APP11, in WebP a chunk C2PA. Nobody could verify it,
// and nothing in it is about the picture.

// manifestNoise is how many bytes of a manifest look random. Those of the API have some thousand.
const manifestNoise = 512

// manifest returns the JUMBF box of a task: the same whenever its file is asked for, and another
// for each other task.
func (s *Simulator) manifest(t *task) []byte {
	noise := make([]byte, 0, manifestNoise)
	for len(noise) < manifestNoise {
		mac := hmac.New(sha256.New, s.secret[:])
		// A hash takes everything.
		_, _ = mac.Write(binary.BigEndian.AppendUint32([]byte("manifest "+t.id), uint32(len(noise)))) //nolint:gosec // at most manifestNoise
		noise = mac.Sum(noise)
	}
	const store = "c2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71" // what kind of box this is
	description := jumbf("jumd", []byte(store+"\x03urn:c2pa:"+t.id+"\x00"))
	return jumbf("jumb", description, jumbf("bidb", noise))
}

// jumbf returns a box: its length, its type, its content.
func jumbf(kind string, content ...[]byte) []byte {
	body := slices.Concat(content...)
	box := binary.BigEndian.AppendUint32(nil, uint32(8+len(body))) //nolint:gosec // far below
	return append(append(box, kind...), body...)
}

// signed returns a file with a manifest in it. The file is one that this package has made, which is
// all that is known of its structure.
func signed(format string, file []byte, size bfl.Size, manifest []byte) []byte {
	switch format {
	case "png":
		const header = 8 + 25 // the signature and IHDR
		return slices.Concat(file[:header], pngChunk("caBX", manifest), file[header:])
	case "jpeg":
		const start = 2
		return slices.Concat(file[:start], app11(manifest), file[start:])
	default:
		return signedWebP(file, size, manifest)
	}
}

func pngChunk(kind string, data []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(data))) //nolint:gosec // a manifest
	chunk = append(append(chunk, kind...), data...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

// app11 returns the segment that carries a box: its length, the identifier JP, the box's number,
// and that of this part of it.
func app11(box []byte) []byte {
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xeb}, uint16(10+len(box))) //nolint:gosec // a manifest
	segment = append(segment, "JP\x00\x01\x00\x00\x00\x01"...)
	return append(segment, box...)
}

// signedWebP puts the image into the extended form of a file, the only one with room for more than
// the image.
func signedWebP(file []byte, size bfl.Size, manifest []byte) []byte {
	const (
		riffHead  = 12
		hasAlpha  = 0x10
		alphaByte = riffHead + 8 + 4 // of a lossless image, with the flag in its fifth bit
	)
	image := file[riffHead:]
	header := make([]byte, 10)
	if string(image[:4]) == "VP8L" && file[alphaByte]&0x10 != 0 {
		header[0] = hasAlpha
	}
	put24 := func(at, value int) {
		header[at], header[at+1], header[at+2] = byte(value), byte(value>>8), byte(value>>16) //nolint:gosec // its bytes
	}
	put24(4, size.Width-1)
	put24(7, size.Height-1)
	body := slices.Concat([]byte("WEBP"), riffChunk("VP8X", header), image, riffChunk("C2PA", manifest))
	return riffChunk("RIFF", body)
}

func riffChunk(kind string, data []byte) []byte {
	chunk := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data))) //nolint:gosec // a picture's
	chunk = append(chunk, data...)
	if len(data)%2 != 0 {
		chunk = append(chunk, 0)
	}
	return chunk
}
