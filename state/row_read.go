package state

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// rowReader reads a row. The texts that it returns are in the memory of the segment, which nobody
// writes to.
type rowReader struct {
	*segment
	rest []byte
}

func (s *segment) reader(at int) rowReader { return rowReader{s, s.data[s.starts[at]:]} }

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

func (r *rowReader) string() string {
	text := r.bytes()
	return unsafe.String(unsafe.SliceData(text), len(text)) //nolint:gosec // Nobody writes to a segment.
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
	f.SHA256 = r.string()
	f.Bytes = r.int()
	f.Width = int(r.int())
	f.Height = int(r.int())
	f.Format = r.word()
	f.Content = r.string()
}

func (r *rowReader) image(img *Image) {
	*img = Image{}
	r.file(&img.Output)
	flags := r.uint()
	img.Fingerprint = r.string()
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
