package imagefile_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"
)

// Files made by hand, where the standard library writes none of the kind.

func pngChunk(kind, data string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(b, kind+data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func pngHeader(width, height uint32, depth, colour byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, width)
	b = binary.BigEndian.AppendUint32(b, height)
	return pngChunk("IHDR", string(append(b, depth, colour, 0, 0, 0)))
}

func pngOf(chunks ...[]byte) []byte {
	return append([]byte("\x89PNG\r\n\x1a\n"), bytes.Join(chunks, nil)...)
}

// pngChunks takes a file apart.
func pngChunks(file []byte) [][]byte {
	var chunks [][]byte
	for rest := file[8:]; len(rest) > 0; {
		n := 12 + int(binary.BigEndian.Uint32(rest))
		chunks = append(chunks, rest[:n])
		rest = rest[n:]
	}
	return chunks
}

// handmadeJPEG has two scans, restart markers, stuffed and fill bytes, a marker without a segment,
// and a segment without data. Its entropy-coded data is nonsense, which nobody looks at here.
var handmadeJPEG = []byte("\xff\xd8" +
	"\xff\xdd\x00\x04\x00\x01" +
	"\xff\xff\xff\xfe\x00\x02" +
	"\xff\x01" +
	"\xff\xc0\x00\x0b\x08\x00\x08\x00\x10\x01\x01\x11\x00" +
	"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + "ab\xff\x00cd\xff\xd0ef\xff\xff\xd1gh" +
	"\xff\xc4\x00\x05abc" +
	"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + "\xff\x00" +
	"\xff\xff\xd9")

// replaceScan puts other data into the first scan of handmadeJPEG.
func replaceScan(tb testing.TB, file []byte, data string) []byte {
	tb.Helper()
	old := []byte("ab\xff\x00cd\xff\xd0ef\xff\xff\xd1gh")
	if !bytes.Contains(file, old) {
		tb.Fatal("the file has no such scan")
	}
	return bytes.Replace(file, old, []byte(data), 1)
}

// withSegments puts metadata that looks like markers behind a JPEG's start.
func withSegments(file []byte) []byte {
	out := append([]byte{}, file[:2]...)
	out = append(out, "\xff\xe1\x00\x0aExif\x00\x00\xff\xd9"...)
	out = append(out, "\xff\xfe\x00\x06\xff\xd8\xff\xda"...)
	return append(out, file[2:]...)
}

func chunk(kind, data string) []byte {
	b := append([]byte(kind), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(data)))
	b = append(b, data...)
	if len(data)%2 != 0 {
		b = append(b, 0)
	}
	return b
}

func vp8(width, height uint16) []byte {
	b := []byte("\x10\x00\x00\x9d\x01\x2a")
	b = binary.LittleEndian.AppendUint16(b, width)
	b = binary.LittleEndian.AppendUint16(b, height)
	return chunk("VP8 ", string(b)+"..")
}

func vp8l(width, height uint32) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{0x2f}, (width-1)|(height-1)<<14|1<<28)
	return chunk("VP8L", string(b)+"..")
}

func vp8x(width, height uint32) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{0, 0, 0, 0}, width-1)[:7]
	b = binary.LittleEndian.AppendUint32(b, height-1)[:10]
	return chunk("VP8X", string(b))
}

func webpFile(chunks ...[]byte) []byte {
	body := bytes.Join(chunks, nil)
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[4:], uint32(4+len(body)))
	return append(append(b, "WEBP"...), body...)
}

// announce makes a WebP file say that it is longer by some bytes than its chunks are.
func announce(file []byte, more uint32) []byte {
	size := binary.LittleEndian.Uint32(file[4:])
	binary.LittleEndian.PutUint32(file[4:], size+more)
	return file
}

// unpadded takes the padding of the last chunk off a WebP file.
func unpadded(file []byte) []byte {
	file = file[:len(file)-1]
	binary.LittleEndian.PutUint32(file[4:], uint32(len(file)-8))
	return file
}
