package state

import (
	"encoding/binary"
	"encoding/hex"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// A row is the record of an image in a segment: its fields one after the other, numbers as varints,
// texts behind their lengths, and those that many images have in common as their places among the
// segment's words. A hash is its 32 bytes, half of what it is as text. What few images have is there
// where its flag is.
//
// The address and the file come first, since of most images nothing else is asked for.

// The kinds of keys in a row.
const (
	rowNoKey = iota
	rowIntKey
	rowStringKey
)

// The flags of a row.
const (
	rowSeed = 1 << iota
	rowConfiguredSeed
	rowPrompt
	rowSimulated
	rowDependencies
	rowLabels
	rowCandidate
	rowPicked
	rowMore
	rowMade
	rowVerdicts
)

// rowWriter writes rows.
type rowWriter struct {
	segment segment
	data    []byte
	words   map[string]uint64
	// sets are the places of labels among the segment's, by their text.
	sets map[string]uint64
	text []byte
}

func newRowWriter(memory []byte) *rowWriter {
	return &rowWriter{data: memory[:0], words: map[string]uint64{}, sets: map[string]uint64{}}
}

// written returns the segment with the rows that were written, as long as no more are.
func (w *rowWriter) written() *segment {
	w.segment.data = w.data
	return &w.segment
}

func (w *rowWriter) uint(n uint64) { w.data = binary.AppendUvarint(w.data, n) }
func (w *rowWriter) int(n int64)   { w.data = binary.AppendVarint(w.data, n) }

func (w *rowWriter) string(s string) {
	w.uint(uint64(len(s)))
	w.data = append(w.data, s...)
}

// hash writes a hash: a zero and its bytes, or what is none as a text behind its length and one.
func (w *rowWriter) hash(s string) {
	if isHash(s) {
		w.data, _ = hex.AppendDecode(append(w.data, 0), []byte(s)) // isHash has looked at the digits.
		return
	}
	w.uint(uint64(len(s)) + 1)
	w.data = append(w.data, s...)
}

// word writes a text that other images have too.
func (w *rowWriter) word(s string) {
	n, ok := w.words[s]
	if !ok {
		n = uint64(len(w.segment.words))
		s = strings.Clone(s)
		w.words[s] = n
		w.segment.words = append(w.segment.words, s)
	}
	w.uint(n)
}

func (w *rowWriter) row(a addrs.Image, img *Image) {
	w.segment.starts = append(w.segment.starts, uint32(len(w.data))) //nolint:gosec // far below 4 GB
	w.address(a)
	w.file(&img.Output)
	flags := flagsOf(img)
	w.uint(flags)
	w.hash(img.Fingerprint)
	w.word(img.Provider)
	w.word(img.Model)
	w.string(string(img.Request))
	w.result(&img.Result)
	if flags&rowDependencies != 0 {
		w.uint(uint64(len(img.Dependencies)))
		for _, d := range img.Dependencies {
			w.address(d)
		}
	}
	if flags&rowLabels != 0 {
		w.labels(img.Labels)
	}
	if flags&rowCandidate != 0 {
		w.int(int64(img.Candidate))
	}
	if flags&rowMore != 0 {
		w.int(int64(img.More))
	}
	if flags&rowMade != 0 {
		w.file(img.Made)
	}
	if flags&rowVerdicts != 0 {
		w.uint(uint64(len(img.Verdicts)))
		for i := range img.Verdicts {
			w.verdict(&img.Verdicts[i])
		}
	}
}

func flagsOf(img *Image) uint64 {
	var flags uint64
	for i, is := range [...]bool{
		img.Result.Seed != nil, img.Result.ConfiguredSeed != nil, img.Result.Prompt != "", img.Result.Simulated,
		len(img.Dependencies) > 0, len(img.Labels) > 0, img.Candidate != 0, img.Picked, img.More != 0, img.Made != nil, len(img.Verdicts) > 0,
	} {
		if is {
			flags |= 1 << i
		}
	}
	return flags
}

func (w *rowWriter) address(a addrs.Image) {
	w.word(string(a.Module))
	w.word(a.Name)
	if n, ok := a.Key.Int(); ok {
		w.uint(rowIntKey)
		w.int(int64(n))
	} else if s, ok := a.Key.Text(); ok {
		w.uint(rowStringKey)
		w.string(s)
	} else {
		w.uint(rowNoKey)
	}
	w.int(int64(a.Candidate))
}

func (w *rowWriter) file(f *File) {
	w.string(f.Path)
	w.hash(f.SHA256)
	w.int(f.Bytes)
	w.int(int64(f.Width))
	w.int(int64(f.Height))
	w.word(f.Format)
	w.hash(f.Content)
}

func (w *rowWriter) result(r *Result) {
	w.string(r.TaskID)
	w.int(int64(r.Cost))
	if r.Seed != nil {
		w.int(*r.Seed)
	}
	if r.ConfiguredSeed != nil {
		w.int(*r.ConfiguredSeed)
	}
	if r.Prompt != "" {
		w.string(r.Prompt)
	}
}

// labels writes a set of labels. Images with the same labels share one.
func (w *rowWriter) labels(labels map[string]string) {
	w.text = w.text[:0]
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		for _, text := range [...]string{name, labels[name]} {
			w.text = append(binary.AppendUvarint(w.text, uint64(len(text))), text...)
		}
	}
	n, ok := w.sets[string(w.text)]
	if !ok {
		n = uint64(len(w.segment.labels))
		w.sets[string(w.text)] = n
		w.segment.labels = append(w.segment.labels, labels)
	}
	w.uint(n)
}

func (w *rowWriter) verdict(v *image.Verdict) {
	w.word(v.Gate)
	w.word(v.Key)
	flags := uint64(0)
	if v.Passed {
		flags |= 1
	}
	if v.Score != nil {
		flags |= 2
	}
	w.uint(flags)
	w.string(v.Reason)
	if v.Score != nil {
		w.data = binary.LittleEndian.AppendUint64(w.data, math.Float64bits(*v.Score))
	}
}
