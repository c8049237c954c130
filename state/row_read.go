package state

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"unsafe"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// rowReader reads a row. The texts that it returns are in the memory of the segment, which nobody
// writes to, and those of hashes in room, as far as that goes.
type rowReader struct {
	*segment
	rest []byte
	room []byte
}

func (s *segment) reader(at int) rowReader { return rowReader{segment: s, rest: s.data[s.starts[at]:]} }

func (r *rowReader) uint() uint64 {
	if c := r.rest[0]; c < 0x80 { // So are most.
		r.rest = r.rest[1:]
		return uint64(c)
	}
	n, size := binary.Uvarint(r.rest)
	r.rest = r.rest[size:]
	return n
}

func (r *rowReader) int() int64 {
	n := r.uint()
	return int64(n>>1) ^ -int64(n&1) // the zigzag encoding of varints
}

func (r *rowReader) bytes() []byte {
	n := r.uint()
	text := r.rest[:n:n]
	r.rest = r.rest[n:]
	return text
}

func (r *rowReader) string() string { return textOf(r.bytes()) }

// textOf returns the text in memory that is not written to as long as somebody has the text.
func textOf(text []byte) string {
	return unsafe.String(unsafe.SliceData(text), len(text)) //nolint:gosec // So the caller says.
}

// hash returns the text of a hash.
func (r *rowReader) hash() string {
	h := r.rowHash()
	if h.sum == nil {
		return h.text
	}
	if len(r.room) < hashText {
		r.room = make([]byte, hashText)
	}
	text := r.room[:hashText:hashText]
	r.room = r.room[hashText:]
	hex.Encode(text, h.sum)
	return textOf(text)
}

func (r *rowReader) rowHash() rowHash {
	if n := r.uint(); n > 0 {
		text := r.rest[:n-1]
		r.rest = r.rest[n-1:]
		return rowHash{text: textOf(text)}
	}
	sum := r.rest[:sha256.Size]
	r.rest = r.rest[sha256.Size:]
	return rowHash{sum: sum}
}

// hashText is the length of a hash as text.
const hashText = 2 * sha256.Size

// rowHash is a hash as a row has it: its bytes, or the text of what is none.
type rowHash struct {
	sum  []byte
	text string
}

// is reports whether it is the hash that has a text.
func (h rowHash) is(text string) bool {
	if h.sum == nil {
		return h.text == text
	}
	var own [hashText]byte
	hex.Encode(own[:], h.sum)
	return string(own[:]) == text
}

func (r *rowReader) word() string { return r.words[r.uint()] }

func (r *rowReader) address() addrs.Image {
	a := addrs.Image{Module: addrs.Module(r.word()), Name: r.word()}
	switch r.uint() {
	case rowIntKey:
		a.Key = addrs.IntKey(int(r.int()))
	case rowStringKey:
		a.Key = addrs.StringKey(r.string())
	}
	a.Candidate = int(r.int())
	return a
}

func (r *rowReader) file(f *File) {
	f.Path = r.string()
	f.SHA256 = r.hash()
	f.Bytes = r.int()
	f.Width = int(r.int())
	f.Height = int(r.int())
	f.Format = r.word()
	f.Content = r.hash()
}

func (r *rowReader) image(img *Image) {
	*img = Image{}
	r.file(&img.Output)
	flags := r.uint()
	img.Fingerprint = r.hash()
	img.Provider = r.word()
	img.Model = r.word()
	img.Request = r.bytes()
	r.result(flags, &img.Result)
	if flags&rowDependencies != 0 {
		img.Dependencies = make([]addrs.Image, r.uint())
		for i := range img.Dependencies {
			img.Dependencies[i] = r.address()
		}
	}
	if flags&rowLabels != 0 {
		img.Labels = r.labels[r.uint()]
	}
	if flags&rowCandidate != 0 {
		img.Candidate = int(r.int())
	}
	img.Picked = flags&rowPicked != 0
	if flags&rowMore != 0 {
		img.More = int(r.int())
	}
	if flags&rowMade != 0 {
		img.Made = new(File)
		r.file(img.Made)
	}
	if flags&rowVerdicts != 0 {
		img.Verdicts = make([]image.Verdict, r.uint())
		for i := range img.Verdicts {
			img.Verdicts[i] = r.verdict()
		}
	}
}

func (r *rowReader) result(flags uint64, result *Result) {
	result.TaskID = r.string()
	result.Cost = bfl.Credits(r.int())
	if flags&rowSeed != 0 {
		result.Seed = new(r.int())
	}
	if flags&rowConfiguredSeed != 0 {
		result.ConfiguredSeed = new(r.int())
	}
	if flags&rowPrompt != 0 {
		result.Prompt = r.string()
	}
	result.Simulated = flags&rowSimulated != 0
}

func (r *rowReader) verdict() image.Verdict {
	v := image.Verdict{Gate: r.word(), Key: r.word()}
	flags := r.uint()
	v.Passed = flags&1 != 0
	v.Reason = r.string()
	if flags&2 != 0 {
		v.Score = new(math.Float64frombits(binary.LittleEndian.Uint64(r.rest)))
		r.rest = r.rest[8:]
	}
	return v
}
