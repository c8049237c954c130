package imagefile

import (
	"bytes"
	"encoding/binary"
	"iter"
	"slices"
)

// Metadata is what a file says of its picture beside the pixels.
type Metadata struct {
	// Orientation says how the pixels are turned, from 1, which is not at all, to 8, as EXIF counts.
	// It is 0 where the file does not say.
	Orientation int
	// ICC is the colour profile. In a PNG it is still the whole data of the iCCP chunk: its name and
	// its packed bytes. It is nil where there is none.
	ICC []byte
	// XMP is the packet of XMP, nil where there is none.
	XMP []byte
}

// ReadMetadata returns what a file says beside its pixels. The file must have passed Check: of one that is
// damaged, what stands before the damage is read. The slices are parts of data, but for a profile of
// several parts.
func ReadMetadata(data []byte) Metadata {
	var m Metadata
	switch {
	case bytes.HasPrefix(data, pngSignature):
		m.readPNG(data)
	case bytes.HasPrefix(data, jpegSignature):
		m.readJPEG(data)
	case len(data) >= signatureSize && isWebP(data):
		m.readWebP(data)
	}
	return m
}

func (m *Metadata) turn(exif []byte) {
	if m.Orientation == 0 {
		m.Orientation = orientation(exif)
	}
}

// xmpKeyword is that of the text chunk of a PNG that holds XMP, with the five bytes after it that say that
// the text is not packed and of no language.
const xmpKeyword = "XML:com.adobe.xmp\x00\x00\x00\x00\x00"

func (m *Metadata) readPNG(data []byte) {
	for kind, body := range pngChunks(data) {
		switch kind {
		case "eXIf":
			block, _ := cutEXIFMark(body)
			m.turn(block)
		case "iCCP":
			m.ICC = body
		case "iTXt":
			if text, found := bytes.CutPrefix(body, []byte(xmpKeyword)); found && m.XMP == nil {
				m.XMP = text
			}
		}
	}
}

// pngChunks goes through the chunks of a PNG, each with its data, as far as they are whole.
func pngChunks(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		const frame = 12 // length, type and checksum
		for rest := data[len(pngSignature):]; len(rest) >= frame; {
			size := uint64(binary.BigEndian.Uint32(rest))
			if size > uint64(len(rest))-frame || !yield(string(rest[4:8]), rest[8:8+size]) {
				return
			}
			rest = rest[size+frame:]
		}
	}
}

// The heads of what JPEG keeps in its application segments.
const (
	xmpHead = "http://ns.adobe.com/xap/1.0/\x00"
	iccHead = "ICC_PROFILE\x00"
)

func (m *Metadata) readJPEG(data []byte) {
	for marker, body := range jpegSegments(data) {
		switch marker {
		case markerAPP1:
			if packet, found := bytes.CutPrefix(body, []byte(xmpHead)); found && m.XMP == nil {
				m.XMP = packet
			} else if block, found := cutEXIFMark(body); found {
				m.turn(block)
			}
		case markerAPP2:
			// The parts have a number and a count of one byte each, and stand in order.
			if part, found := bytes.CutPrefix(body, []byte(iccHead)); found && len(part) > 2 {
				m.ICC = append(slices.Clip(m.ICC), part[2:]...)
			}
		}
	}
}

// jpegSegments goes through the segments of a JPEG before its first scan, each with its data.
func jpegSegments(data []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for rest := data[2:]; len(rest) >= 4; {
			if rest[0] != 0xff {
				return
			}
			marker := rest[1]
			if marker == 0xff {
				rest = rest[1:]
				continue
			}
			size := int(binary.BigEndian.Uint16(rest[2:]))
			if marker == markerSOS || size < 2 || size > len(rest)-2 || !yield(marker, rest[4:2+size]) {
				return
			}
			rest = rest[2+size:]
		}
	}
}

func (m *Metadata) readWebP(data []byte) {
	for kind, body := range webpChunks(data) {
		switch kind {
		case "EXIF":
			block, _ := cutEXIFMark(body)
			m.turn(block)
		case "ICCP":
			m.ICC = body
		case "XMP ":
			m.XMP = body
		}
	}
}

// webpChunks goes through the chunks of a WebP file, each with its data.
func webpChunks(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for rest := data[signatureSize:]; len(rest) >= webpHead; {
			size := uint64(binary.LittleEndian.Uint32(rest[4:]))
			if size > uint64(len(rest))-webpHead || !yield(string(rest[:4]), rest[webpHead:webpHead+size]) {
				return
			}
			rest = rest[min(webpHead+size+size%2, uint64(len(rest))):]
		}
	}
}
