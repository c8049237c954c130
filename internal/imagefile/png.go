package imagefile

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

var pngSignature = []byte("\x89PNG\r\n\x1a\n")

// pngScanner follows a PNG file: the signature, then chunks of length, type, data and checksum,
// from IHDR to IEND. The rules are those of the PNG specification (W3C, third edition), sections 5
// and 11.
type pngScanner struct {
	state         pngState
	part          collector // what is being gathered: the signature, a chunk's head, IHDR's data, a checksum
	chunk         int       // the chunk that is being read, counted from 1
	kind          string
	left          uint32 // bytes of its data to come
	crc           uint32 // of its type and the data read
	width, height int
	needsPalette  bool
	hasPalette    bool
	pixels        uint64 // bytes of all IDAT chunks
	pixelsOver    bool   // a chunk of another type came after IDAT
	id            *identity
}

// pngPicture are the chunks that make the picture: its pixels, palette, transparency, colours and
// animation. All others are about the file, its maker, or how it might be printed.
var pngPicture = map[string]bool{
	"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true, "cHRM": true, "gAMA": true, "iCCP": true, "sBIT": true, "sRGB": true,
	"cICP": true, "mDCV": true, "cLLI": true, "acTL": true, "fcTL": true, "fdAT": true,
}

type pngState uint8

const (
	pngInSignature pngState = iota
	pngInHead
	pngInHeader // the data of IHDR
	pngInData
	pngInChecksum
	pngAtEnd
)

func (s *pngScanner) dimensions() (width, height int) { return s.width, s.height }

func (s *pngScanner) scan(p []byte) error {
	for len(p) > 0 {
		var err error
		switch s.state {
		case pngInSignature:
			p, err = s.part.gather(p, 8, s.start)
		case pngInHead:
			p, err = s.part.gather(p, 8, s.startChunk)
		case pngInHeader:
			p, err = s.part.gather(p, 13, s.readHeader)
		case pngInChecksum:
			p, err = s.part.gather(p, 4, s.endChunk)
		case pngInData:
			n := min(uint64(s.left), uint64(len(p)))
			s.crc = crc32.Update(s.crc, crc32.IEEETable, p[:n])
			s.identify(p[:n])
			s.left -= uint32(n) //nolint:gosec // n is at most s.left
			p = p[n:]
			if s.left == 0 {
				s.state = pngInChecksum
			}
		case pngAtEnd:
			// Programs look no further, so that bytes behind the end are no damage: tools append
			// such things as archives there.
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// start takes the signature, which the caller has looked at.
func (s *pngScanner) start([]byte) error {
	s.state = pngInHead
	return nil
}

func (s *pngScanner) startChunk(b []byte) error {
	s.chunk++
	s.left, s.kind = binary.BigEndian.Uint32(b), string(b[4:8])
	s.crc = crc32.ChecksumIEEE(b[4:8])
	if !isChunkType(s.kind) {
		return damaged("%s has no valid type", ordinal(s.chunk, "chunk"))
	}
	if s.left > 1<<31-1 {
		return damaged("%s is longer than a chunk can be", s.where())
	}
	if (s.kind == "IHDR") != (s.chunk == 1) {
		return damaged("%s is not where it belongs", s.where())
	}
	s.state = pngInData
	if s.kind == "IHDR" {
		s.state = pngInHeader
	}
	if err := s.checkChunk(); err != nil {
		return err
	}
	if s.kind != "IDAT" && s.pixels > 0 {
		s.pixelsOver = true
		s.id.endPixels()
	}
	if pngPicture[s.kind] && s.kind != "IDAT" {
		s.id.chunk(s.kind, uint64(s.left))
	}
	if s.left == 0 {
		s.state = pngInChecksum
	}
	return nil
}

// checkChunk holds a chunk that begins against the rules of its type.
func (s *pngScanner) checkChunk() error {
	switch s.kind {
	case "IHDR":
		if s.left != 13 {
			return damaged("its header has a wrong length")
		}
	case "PLTE":
		if s.hasPalette || s.pixels > 0 || s.left == 0 || s.left%3 != 0 || s.left > 3*256 {
			return damaged("its palette is not valid")
		}
		s.hasPalette = true
	case "IDAT":
		if s.pixelsOver {
			return damaged("its image data is interrupted before %s", s.where())
		}
		if s.needsPalette && !s.hasPalette {
			return damaged("it has no palette")
		}
		s.pixels += uint64(s.left)
	case "IEND":
		if s.left != 0 {
			return damaged("its end chunk is not empty")
		}
		if s.pixels == 0 {
			return damaged("it has no image data")
		}
	default:
		if s.kind[0]&0x20 == 0 {
			return damaged("%s is of a type that no program knows", s.where())
		}
	}
	return nil
}

// identify adds data of a chunk to the content identity, where it belongs there.
func (s *pngScanner) identify(p []byte) {
	switch {
	case s.kind == "IDAT":
		s.id.writePixels(p)
	case s.kind == "eXIf":
		s.id.writeEXIF(p)
	case pngPicture[s.kind]:
		s.id.write(p)
	}
}

func (s *pngScanner) endChunk(sum []byte) error {
	if binary.BigEndian.Uint32(sum) != s.crc {
		return damaged("the checksum of %s is wrong", s.where())
	}
	switch s.kind {
	case "eXIf":
		s.id.endEXIF(false)
	case "IHDR":
		// Only now, since before its checksum was compared a damaged width would pass for an
		// enormous one.
		if err := checkDimensions(uint64(s.width), uint64(s.height)); err != nil { //nolint:gosec // both come from a uint32
			return err
		}
	case "IEND":
		s.state = pngAtEnd
		return nil
	}
	s.state = pngInHead
	return nil
}

// depths are the bit depths that go with each colour type.
var depths = map[byte][]byte{0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}

func (s *pngScanner) readHeader(b []byte) error {
	s.crc = crc32.Update(s.crc, crc32.IEEETable, b)
	s.identify(b)
	s.state = pngInChecksum
	s.width, s.height = int(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:]))
	depth, colour, compression, filter, interlace := b[8], b[9], b[10], b[11], b[12]
	if !slices.Contains(depths[colour], depth) || compression != 0 || filter != 0 || interlace > 1 {
		return damaged("its header is not valid")
	}
	s.needsPalette = colour == 3
	return nil
}

func (s *pngScanner) end() error {
	switch {
	case s.state == pngAtEnd:
		return nil
	case s.state == pngInHead && s.part.n == 0:
		return truncated("after %s, before its end chunk", s.where())
	case s.state == pngInHead:
		return truncated("inside the head of %s", ordinal(s.chunk+1, "chunk"))
	default:
		return truncated("inside %s", s.where())
	}
}

// where names the chunk that is being read.
func (s *pngScanner) where() string {
	if s.chunk == 0 {
		return "its signature"
	}
	return ordinal(s.chunk, "chunk") + " (" + s.kind + ")"
}

func isChunkType(kind string) bool {
	for _, c := range []byte(kind) {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
