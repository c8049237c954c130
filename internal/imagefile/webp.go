package imagefile

import (
	"bytes"
	"encoding/binary"
)

func isWebP(head []byte) bool {
	return bytes.HasPrefix(head, []byte("RIFF")) && bytes.Equal(head[8:12], []byte("WEBP"))
}

// webpScanner follows a WebP file: a RIFF header that announces the file's length, then chunks of
// type, length and data, each padded to an even length. The rules are those of RFC 9649, but for
// what programs let pass: they look at nothing behind the announced length, and take a length that
// leaves out the last chunk's padding, or ends in the beginning of a chunk.
type webpScanner struct {
	state         webpState
	part          collector
	riffLeft      uint64 // bytes that the RIFF header has announced and that are still to come
	chunk         int    // the chunk that is being read, counted from 1
	kind          string
	left          uint64 // bytes of its data and padding to come
	padding       uint64 // how many of them are padding
	width, height int
	extended      bool // the first chunk was VP8X, and its dimensions hold
	hasImage      bool
	id            *identity
}

type webpState uint8

const (
	webpInFile webpState = iota
	webpInHead
	webpInImage // the head of a VP8, VP8L or VP8X chunk
	webpInData
	webpInRest // what is announced and is no chunk
	webpAtEnd
)

func (s *webpScanner) dimensions() (width, height int) { return s.width, s.height }

func (s *webpScanner) scan(p []byte) error {
	for len(p) > 0 {
		var err error
		switch s.state {
		case webpInFile:
			p, err = s.part.gather(p, 12, s.start)
		case webpInHead:
			p, err = s.part.gather(p, webpHead, s.startChunk)
		case webpInImage:
			p, err = s.part.gather(p, webpHeads[s.kind], s.startImage)
		case webpInData:
			n := min(s.left, uint64(len(p)))
			s.identify(p[:min(n, s.left-min(s.left, s.padding))])
			s.left, p = s.left-n, p[n:]
			if s.left == 0 {
				err = s.endChunk()
			}
		case webpInRest:
			n := min(s.riffLeft, uint64(len(p)))
			s.riffLeft, p = s.riffLeft-n, p[n:]
			if s.riffLeft == 0 {
				s.state = webpAtEnd
			}
		case webpAtEnd:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// webpNoPicture are the chunks that do not count for what the picture is. VP8X is needed for the
// others, and repeats what those say that do count; that of an animation has its canvas besides.
var webpNoPicture = map[string]bool{"EXIF": true, "XMP ": true, "C2PA": true, "VP8X": true}

// webpHeads are the chunks with the image's dimensions, and how many bytes of them are looked at.
var webpHeads = map[string]int{"VP8 ": 10, "VP8L": 5, "VP8X": 10}

// start takes the RIFF header.
func (s *webpScanner) start(b []byte) error {
	size := uint64(binary.LittleEndian.Uint32(b[4:]))
	if size < 4 {
		return damaged("it announces a length that no such file has")
	}
	s.riffLeft = size - 4
	return s.nextChunk()
}

// startImage takes the head of a chunk with dimensions.
func (s *webpScanner) startImage(b []byte) error {
	s.identify(b)
	s.left -= uint64(len(b))
	s.state = webpInData
	if err := s.readImage(b); err != nil || s.left > 0 {
		return err
	}
	return s.endChunk()
}

// identify adds data of a chunk to the content identity, where it belongs there.
func (s *webpScanner) identify(p []byte) {
	switch {
	case s.kind == "EXIF":
		s.id.writeEXIF(p)
	case !webpNoPicture[s.kind]:
		s.id.write(p)
	}
}

func (s *webpScanner) endChunk() error {
	if s.kind == "EXIF" {
		s.id.endEXIF(false)
	}
	return s.nextChunk()
}

// nextChunk waits for a chunk, or for the end of the file.
func (s *webpScanner) nextChunk() error {
	switch {
	case s.riffLeft >= webpHead:
		s.state = webpInHead
		return nil
	case !s.hasImage:
		return damaged("it has no image data")
	case s.riffLeft > 0:
		s.state = webpInRest
		return nil
	}
	s.state = webpAtEnd
	return nil
}

// webpHead is the length of a chunk's head.
const webpHead = 8

func (s *webpScanner) startChunk(b []byte) error {
	s.chunk++
	s.kind = string(b[:4])
	size := uint64(binary.LittleEndian.Uint32(b[4:]))
	s.riffLeft -= webpHead
	if size > s.riffLeft {
		return damaged("%s is longer than the file announces to be", ordinal(s.chunk, "chunk"))
	}
	s.padding = min(size%2, s.riffLeft-size)
	s.left = size + s.padding
	s.riffLeft -= s.left
	first := s.chunk == 1
	s.state = webpInData
	switch s.kind {
	case "VP8 ", "VP8L":
		if !first && !s.extended || s.hasImage {
			return damaged("it has two images")
		}
		s.hasImage, s.state = true, webpInImage
	case "VP8X":
		if !first {
			return damaged("%s is not where it belongs", ordinal(s.chunk, "chunk"))
		}
		s.extended, s.state = true, webpInImage
	case "ANMF":
		s.hasImage = s.hasImage || s.extended
		s.animate()
	}
	if first && s.state != webpInImage {
		return damaged("its first chunk is not an image")
	}
	if s.state == webpInImage && size < uint64(webpHeads[s.kind]) { //nolint:gosec // a small positive constant
		return damaged("%s is too short", ordinal(s.chunk, "chunk"))
	}
	if !webpNoPicture[s.kind] {
		s.id.chunk(s.kind, size)
	}
	if s.left == 0 {
		return s.endChunk()
	}
	return nil
}

// animate notes that the canvas belongs to the picture: the frames of an animation cover only parts
// of it.
func (s *webpScanner) animate() {
	if s.id == nil || !s.extended {
		return
	}
	canvas := binary.BigEndian.AppendUint32(nil, uint32(s.width))         //nolint:gosec // of 24 bits
	s.id.canvas = binary.BigEndian.AppendUint32(canvas, uint32(s.height)) //nolint:gosec // as above
}

// readImage reads the dimensions.
func (s *webpScanner) readImage(b []byte) error {
	var width, height uint32
	switch s.kind {
	case "VP8 ":
		if b[0]&1 != 0 || !bytes.Equal(b[3:6], []byte{0x9d, 0x01, 0x2a}) {
			return damaged("its image data does not begin as it should")
		}
		width = uint32(binary.LittleEndian.Uint16(b[6:])) & 0x3fff
		height = uint32(binary.LittleEndian.Uint16(b[8:])) & 0x3fff
	case "VP8L":
		bits := binary.LittleEndian.Uint32(b[1:])
		if b[0] != 0x2f || bits>>29 != 0 {
			return damaged("its image data does not begin as it should")
		}
		width, height = bits&0x3fff+1, bits>>14&0x3fff+1
	case "VP8X":
		width = uint32(b[4]) | uint32(b[5])<<8 | uint32(b[6])<<16 + 1
		height = uint32(b[7]) | uint32(b[8])<<8 | uint32(b[9])<<16 + 1
	}
	if err := checkDimensions(uint64(width), uint64(height)); err != nil {
		return err
	}
	if s.extended && s.kind != "VP8X" && (int(width) != s.width || int(height) != s.height) {
		return damaged("its image is %d x %d pixels and its canvas %d x %d", width, height, s.width, s.height)
	}
	s.width, s.height = int(width), int(height)
	if s.kind == "VP8X" && b[0]&webpAnimated != 0 {
		s.animate()
	}
	return nil
}

// webpAnimated is the flag of a VP8X chunk that says that the frames follow.
const webpAnimated = 2

func (s *webpScanner) end() error {
	switch {
	case s.state == webpAtEnd:
		return nil
	case s.state == webpInHead && s.part.n == 0:
		return truncated("before %s, and announces to be longer", ordinal(s.chunk+1, "chunk"))
	case s.state == webpInHead:
		return truncated("inside the head of %s", ordinal(s.chunk+1, "chunk"))
	case s.state == webpInRest:
		return truncated("before the length that it announces")
	default:
		return truncated("inside %s", ordinal(max(s.chunk, 1), "chunk"))
	}
}
