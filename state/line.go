package state

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"sync"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// The journal and the recipes are lines of the form
//
//	{"crc":"1c291ca3","rec":{...}}
//
// where crc is the CRC-32C, in hexadecimal, of the bytes of rec as they stand there. A line is thus
// JSON to every tool, and its checksum can be tested without parsing it.
const (
	lineHead = `{"crc":"`
	lineMid  = `","rec":`
	lineTail = "}"
	// crcDigits is the length of a CRC-32C in hexadecimal.
	crcDigits = 8
	recStart  = len(lineHead) + crcDigits + len(lineMid)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// cutLine returns the rec of a line, and whether the line is whole. Its line break may be missing: a
// crash in the midst of a write may have left all but that, and the checksum vouches for the rest.
func cutLine(line []byte) (rec []byte, ok bool) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if len(line) < recStart+len(lineTail) || string(line[:len(lineHead)]) != lineHead ||
		string(line[len(lineHead)+crcDigits:recStart]) != lineMid || !bytes.HasSuffix(line, []byte(lineTail)) {
		return nil, false
	}
	rec = line[recStart : len(line)-len(lineTail)]
	var want [crcDigits]byte
	return rec, bytes.Equal(appendChecksum(want[:0], rec), line[len(lineHead):len(lineHead)+crcDigits])
}

// endOf returns the size of a file of lines, and what has to be written before the next one: a line
// break, where a crash left the last line without. Another process may be appending too, so a torn
// line is not cut off but ended.
func endOf(f *safefile.File) (size int64, head []byte, err error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, nil, err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil {
		return 0, nil, err
	}
	if last[0] != '\n' {
		head = []byte("\n")
	}
	return info.Size(), head, nil
}

func appendChecksum(b, data []byte) []byte {
	var sum [crc32.Size]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(data, castagnoli))
	return hex.AppendEncode(b, sum[:])
}

// lineBuffers spares every record an allocation of its own.
var lineBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// withLine calls use with v as a line. The line is good until use returns.
func withLine(v any, use func(line []byte) error) error {
	b, _ := lineBuffers.Get().(*bytes.Buffer)
	defer lineBuffers.Put(b)
	b.Reset()
	b.WriteString(lineHead)
	b.Write(make([]byte, crcDigits)) // filled in below
	b.WriteString(lineMid)
	if err := encodeTo(b, v); err != nil {
		return err
	}
	line := b.Bytes()
	appendChecksum(line[len(lineHead):len(lineHead)], line[recStart:])
	b.WriteString(lineTail + "\n")
	return use(b.Bytes())
}

// encode returns v as JSON on one line. Unlike json.Marshal it leaves <, > and & as they are:
// requests must come back byte for byte, since fingerprints are hashes of them.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	err := encodeTo(&b, v)
	return b.Bytes(), err
}

func encodeTo(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the line break that Encode adds
	return nil
}

// decodeStrict reads one JSON value that has no unknown fields and nothing after it.
func decodeStrict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if dec.InputOffset() != int64(len(data)) {
		return errTrailing
	}
	return nil
}

// compact returns JSON without white space, or data itself where it is none.
func compact(data []byte) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		return data
	}
	return b.Bytes()
}
