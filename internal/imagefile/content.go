package imagefile

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// identity computes a file's content identity while the file is scanned: the SHA-256 of
//
//   - the format's name and a zero byte, so that no two formats meet;
//   - what makes the picture, in the file's order. In PNG and WebP each chunk comes as its type, its length and its data, and the IDAT chunks of a PNG
//     as one with the hash of their data joined; what is left of a JPEG is a JPEG, which needs no frames. Two different sequences thus never hash alike;
//   - where the picture is turned by EXIF, a last record with its orientation, wherever in the file that was said.
//
// Identities are kept in state files: what is hashed must stay as it is. All methods do nothing on
// a nil identity, which is for readers that ask only for the dimensions.
type identity struct {
	sum hash.Hash
	// pixels hashes the image data of a PNG, whose length is known only at its end. It is nil
	// outside of that.
	pixels hash.Hash
	// exif holds the beginning of the EXIF block that is being read.
	exif []byte
	// turned is the orientation that the first EXIF block with one names, 0 before that.
	turned int
	// canvas is that of an animated WebP, nil for all other files.
	canvas []byte
}

// maxEXIF bounds what is kept of an EXIF block. A JPEG cannot hold a longer one, and the
// orientation stands near the beginning.
const maxEXIF = 64 << 10

func newIdentity() *identity { return &identity{sum: sha256.New()} }

// begin starts the hash, once the format is known.
func (id *identity) begin(format string) {
	if id != nil {
		id.write([]byte(format + "\x00"))
	}
}

// write adds bytes. A hash never fails.
func (id *identity) write(p []byte) {
	if id != nil && len(p) > 0 {
		_, _ = id.sum.Write(p)
	}
}

// chunk adds the frame of a chunk. Its data follows by write.
func (id *identity) chunk(kind string, length uint64) {
	if id != nil {
		id.write(binary.BigEndian.AppendUint64([]byte(kind), length))
	}
}

// writePixels adds image data of a PNG. However it is divided into chunks, the picture is the same.
func (id *identity) writePixels(p []byte) {
	if id == nil {
		return
	}
	if id.pixels == nil {
		id.pixels = sha256.New()
	}
	_, _ = id.pixels.Write(p) // as above
}

// endPixels says that a PNG's image data is complete.
func (id *identity) endPixels() {
	if id == nil || id.pixels == nil {
		return
	}
	id.chunk("IDAT", sha256.Size)
	id.write(id.pixels.Sum(nil))
	id.pixels = nil
}

// writeEXIF keeps the beginning of an EXIF block.
func (id *identity) writeEXIF(p []byte) {
	if id != nil && id.turned == 0 {
		id.exif = append(id.exif, p[:min(len(p), maxEXIF-len(id.exif))]...)
	}
}

// endEXIF looks at the EXIF block, which in a JPEG must begin as one, since other metadata is kept
// in the same place.
func (id *identity) endEXIF(marked bool) {
	if id == nil {
		return
	}
	block, found := cutEXIFMark(id.exif)
	if found || !marked {
		// What a second block says is nothing that programs look at.
		if id.turned == 0 {
			id.turned = orientation(block)
		}
	}
	id.exif = id.exif[:0]
}

// cutEXIFMark takes off what a block begins with in a JPEG, and by some writers in other formats
// too. Its last byte varies.
func cutEXIFMark(block []byte) (rest []byte, found bool) {
	if len(block) >= 6 && string(block[:5]) == "Exif\x00" {
		return block[6:], true
	}
	return block, false
}

// end returns the identity of the file, in hexadecimal.
func (id *identity) end() string {
	if id.canvas != nil {
		id.chunk("VP8X", uint64(len(id.canvas)))
		id.write(id.canvas)
	}
	if id.turned > 1 {
		id.chunk("turn", 1)
		id.write([]byte{byte(id.turned)}) //nolint:gosec // from 2 to 8
	}
	return hex.EncodeToString(id.sum.Sum(nil))
}

// orientationTag is the field of TIFF that says how to turn a picture.
const orientationTag = 0x0112

// orientation returns how a TIFF structure, which EXIF is, says that its picture is turned: from 1,
// which is not at all, to 8. It is 0 where the structure does not say, or cannot be read.
func orientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.BigEndian
	switch string(tiff[:4]) {
	case "MM\x00*":
	case "II*\x00":
		order = binary.LittleEndian
	default:
		return 0
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 0
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 0
		}
		if order.Uint16(entries) == orientationTag {
			return orientationValue(order, entries)
		}
		entries = entries[12:]
	}
	return 0
}

// orientationValue reads the value of an entry, of any integer type, since programs differ in which
// they take.
func orientationValue(order binary.ByteOrder, entry []byte) int {
	var value uint32
	switch order.Uint16(entry[2:]) {
	case 1: // BYTE
		value = uint32(entry[8])
	case 3: // SHORT
		value = uint32(order.Uint16(entry[8:]))
	case 4: // LONG
		value = order.Uint32(entry[8:])
	}
	if order.Uint32(entry[4:]) != 1 || value > 8 {
		return 0
	}
	return int(value)
}
