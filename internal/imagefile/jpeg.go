package imagefile

import (
	"bytes"
	"encoding/binary"
)

var jpegSignature = []byte("\xff\xd8\xff")

// jpegScanner follows a JPEG file: marker segments, and after each start of scan the entropy-coded
// data, in which a marker is told by its 0xFF that no zero follows. The rules are those of ITU
// T.81, annex B. Bytes after the end marker are left alone: phones append further images there, and
// programs ignore them.
type jpegScanner struct {
	state         jpegState
	part          collector
	marker        byte
	left          int // bytes of the segment to come
	width, height int
	framed        bool // a start of frame was read
	scans         int
	scanned       bool // the scan has data
	id            *identity
}

// isPicture reports whether a segment counts for what the picture is. APP1 has EXIF and XMP, APP11
// signed manifests, APP13 captions.
func isPicture(marker byte) bool {
	switch marker {
	case markerAPP1, markerAPP11, markerAPP13, markerCOM:
		return false
	}
	return true
}

type jpegState uint8

const (
	jpegInStart  jpegState = iota // the start marker
	jpegAtMarker                  // the 0xFF that begins a marker
	jpegInMarker                  // the marker's code, which more 0xFF may precede
	jpegInLength
	jpegInFrame // the head of a start of frame
	jpegInSegment
	jpegInScan
	jpegInScanMarker // after a 0xFF in a scan
	jpegAtEnd
)

// The markers that matter here.
const (
	markerTEM = 0x01
	markerSOF = 0xc0
	markerDHT = 0xc4
	markerJPG = 0xc8
	markerDAC = 0xcc
	markerRST = 0xd0 // eight of them
	markerSOI = 0xd8
	markerEOI = 0xd9
	markerSOS = 0xda

	markerAPP0  = 0xe0
	markerAPP1  = 0xe1
	markerAPP2  = 0xe2
	markerAPP11 = 0xeb
	markerAPP13 = 0xed
	markerCOM   = 0xfe
)

func (s *jpegScanner) dimensions() (width, height int) { return s.width, s.height }

func (s *jpegScanner) scan(p []byte) error {
	for len(p) > 0 {
		var err error
		switch s.state {
		case jpegInStart:
			p, err = s.part.gather(p, 2, s.start)
		case jpegAtMarker:
			if p[0] != 0xff {
				return damaged("there is no marker after %s", s.where())
			}
			s.state, p = jpegInMarker, p[1:]
		case jpegInMarker:
			err, p = s.startMarker(p[0]), p[1:]
		case jpegInLength:
			p, err = s.part.gather(p, 2, s.startSegment)
		case jpegInFrame:
			p, err = s.part.gather(p, 6, s.readFrame)
		case jpegInSegment:
			n := min(s.left, len(p))
			s.identify(p[:n])
			s.left, p = s.left-n, p[n:]
			if s.left == 0 {
				s.endSegment()
			}
		case jpegInScan:
			p = s.skipScan(p)
		case jpegInScanMarker:
			err, p = s.scanMarker(p[0]), p[1:]
		case jpegAtEnd:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *jpegScanner) start([]byte) error {
	s.marker, s.state = markerSOI, jpegAtMarker
	return nil
}

// startMarker takes the code of a marker outside scans.
func (s *jpegScanner) startMarker(code byte) error {
	switch {
	case code == 0xff: // fill bytes may precede any marker
		return nil
	case code == markerTEM:
		s.state = jpegAtMarker
		return nil
	case code == markerEOI:
		if s.scans == 0 {
			return damaged("it has no image data")
		}
		s.state = jpegAtEnd
		s.id.write([]byte{0xff, code})
		return nil
	case code < markerSOF, code >= markerRST && code <= markerSOI:
		return damaged("there is no valid marker after %s", s.where())
	}
	s.marker, s.state = code, jpegInLength
	return nil
}

// identify adds data of a segment to the content identity, where it belongs there.
func (s *jpegScanner) identify(p []byte) {
	switch {
	case s.marker == markerAPP1:
		s.id.writeEXIF(p)
	case isPicture(s.marker):
		s.id.write(p)
	}
}

func (s *jpegScanner) startSegment(b []byte) error {
	if isPicture(s.marker) {
		s.id.write([]byte{0xff, s.marker, b[0], b[1]})
	}
	s.left = int(binary.BigEndian.Uint16(b)) - 2
	if s.left < 0 {
		return damaged("%s has no valid length", s.where())
	}
	switch {
	case isFrame(s.marker):
		if s.framed {
			return damaged("it has two frames")
		}
		if s.left < 6 {
			return damaged("%s has no valid length", s.where())
		}
		s.state = jpegInFrame
		return nil
	case s.marker == markerSOS && !s.framed:
		return damaged("its image data comes before its frame")
	case s.marker == markerSOS && (s.left < 6 || s.left > 12 || s.left%2 != 0):
		return damaged("%s has no valid length", s.where())
	case s.marker >= markerSOF && s.marker <= markerDAC && s.marker != markerDHT && s.marker != markerDAC:
		return damaged("its frame is of a kind that no program reads")
	}
	s.state = jpegInSegment
	if s.left == 0 {
		s.endSegment()
	}
	return nil
}

// isFrame reports whether a marker starts a frame: sequential, progressive and lossless, Huffman or
// arithmetic. Differential frames only occur in hierarchies, which nothing writes.
func isFrame(marker byte) bool {
	return marker >= markerSOF && marker <= markerSOF+3 || marker > markerJPG && marker < markerDAC
}

// readFrame takes the head of a start of frame: precision, height, width, and the number of
// components.
func (s *jpegScanner) readFrame(b []byte) error {
	height, width := binary.BigEndian.Uint16(b[1:]), binary.BigEndian.Uint16(b[3:])
	components := int(b[5])
	if b[0] < 2 || b[0] > 16 || components == 0 || s.left != 6+3*components {
		return damaged("its frame is not valid")
	}
	if err := checkDimensions(uint64(width), uint64(height)); err != nil {
		return err
	}
	s.identify(b)
	s.width, s.height, s.framed = int(width), int(height), true
	s.left -= len(b)
	s.state = jpegInSegment
	return nil
}

func (s *jpegScanner) endSegment() {
	s.state = jpegAtMarker
	switch s.marker {
	case markerSOS:
		s.scans++
		s.state, s.scanned = jpegInScan, false
	case markerAPP1:
		s.id.endEXIF(true)
	}
}

// skipScan goes on to what follows the next 0xFF that may be more than data. The search is
// vectorised, and nearly all of a file passes through it, in pieces as long as possible, for the
// sake of the hash.
func (s *jpegScanner) skipScan(p []byte) []byte {
	end := 0
	for {
		i := bytes.IndexByte(p[end:], 0xff)
		if i != 0 {
			s.scanned = true
		}
		if i < 0 {
			s.id.write(p)
			return nil
		}
		end += i
		if end+1 == len(p) || !isScanData(p[end+1]) {
			break
		}
		s.scanned = s.scanned || p[end+1] == 0
		end += 2
	}
	s.id.write(p[:end])
	s.state = jpegInScanMarker
	return p[end+1:]
}

// isScanData reports whether the byte after a 0xFF leaves it in the scan: a stuffed byte, or a
// restart marker.
func isScanData(code byte) bool { return code == 0 || code >= markerRST && code < markerRST+8 }

// scanMarker takes the byte after a 0xFF in a scan.
func (s *jpegScanner) scanMarker(code byte) error {
	switch {
	case isScanData(code):
		s.id.write([]byte{0xff, code})
		s.state, s.scanned = jpegInScan, s.scanned || code == 0
		return nil
	case code == 0xff:
		return nil
	case !s.scanned:
		return damaged("%s is empty", ordinal(s.scans, "scan"))
	default:
		return s.startMarker(code)
	}
}

func (s *jpegScanner) end() error {
	switch s.state {
	case jpegAtEnd:
		return nil
	case jpegInScan, jpegInScanMarker:
		return truncated("inside %s, before its end marker", ordinal(s.scans, "scan"))
	case jpegInSegment, jpegInFrame, jpegInLength:
		return truncated("inside %s", s.where())
	default:
		return truncated("after %s, before its end marker", s.where())
	}
}

// where names the segment that is being read, or was read last.
func (s *jpegScanner) where() string {
	switch {
	case s.marker == markerSOI || s.marker == 0:
		return "its start"
	case isFrame(s.marker):
		return "its frame header"
	case s.marker == markerSOS:
		return "the head of " + ordinal(max(s.scans, 1), "scan")
	case s.marker == markerDHT:
		return "its Huffman tables"
	case s.marker == 0xdb:
		return "its quantisation tables"
	case s.marker >= 0xe0 && s.marker <= 0xef, s.marker == markerCOM:
		return "its metadata"
	default:
		return "one of its segments"
	}
}
