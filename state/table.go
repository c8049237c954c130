package state

import (
	"bytes"
	"iter"
	"slices"
	"sort"
	"sync"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// table is the records of images in the order of their addresses, in segments of some hundreds each.
// It does not change.
type table struct {
	segments []*segment
	count    int
}

// segment is the records of images that follow each other, one after the other, in rows (see row.go).
// It does not change.
type segment struct {
	data []byte
	// starts are where in data the records begin.
	starts []uint32
	// words are what many records have in common.
	words []string
	// labels are the sets of labels that the records have.
	labels []map[string]string
	// first is the address of the first record.
	first addrs.Image
}

// segmentSize is about how many bytes of records a segment has.
const segmentSize = 1 << 20

// smallSegment is below how many bytes a segment is joined with its neighbours when one of them is
// written anew, or is as small. So two of them are never side by side, however often a table changes.
const smallSegment = segmentSize / 4

// touchSmall adds to the segments that are to be written anew the small ones that are to be joined with
// others.
func (t *table) touchSmall(touched map[*segment]bool) {
	joins := func(i int) bool {
		return i >= 0 && i < len(t.segments) && (touched[t.segments[i]] || len(t.segments[i].data) < smallSegment)
	}
	for i, s := range t.segments {
		if len(s.data) < smallSegment && (joins(i-1) || joins(i+1)) {
			touched[s] = true
		}
	}
}

// Ref refers to an image of a state as it was read.
type Ref struct {
	segment *segment
	at      int
}

// Address returns the image's address.
func (r Ref) Address() addrs.Image {
	reader := r.segment.reader(r.at)
	return reader.address()
}

// Image returns the image's record, which is the caller's alone, but for what it refers to.
func (r Ref) Image() *Image { return r.Read(new(Room)) }

// Room is memory for the record of an image, with the texts of its hashes. The zero value is ready.
type Room struct {
	image  Image
	hashes [3 * hashText]byte // More, as of an edited image, take memory of their own.
}

// Read returns the image's record, which is in room. What that had before, its hashes too, must
// not be used any more.
func (r Ref) Read(room *Room) *Image {
	reader := r.segment.reader(r.at)
	reader.room = room.hashes[:]
	reader.address()
	reader.image(&room.image)
	return &room.image
}

func (r Ref) readFile(f *File) {
	reader := r.segment.reader(r.at)
	reader.address()
	reader.file(f)
}

// onFile returns what is on record of the image's file.
func (r Ref) onFile() onFile {
	reader := r.segment.reader(r.at)
	reader.address()
	return onFile{path: reader.string(), sum: reader.rowHash(), bytes: reader.int()}
}

// path returns the path of the image's file.
func (r Ref) path() string {
	reader := r.segment.reader(r.at)
	reader.address()
	return reader.string()
}

func (t *table) len() int { return t.count }

// all goes through the table.
func (t *table) all() iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for _, s := range t.segments {
			for i := range s.starts {
				if !yield(Ref{s, i}) {
					return
				}
			}
		}
	}
}

// near returns the segment that has an address, or would have it, nil in a table without any.
func (t *table) near(a addrs.Image) *segment {
	if i := t.segmentOf(a); i >= 0 {
		return t.segments[i]
	}
	return nil
}

func (t *table) segmentOf(a addrs.Image) int {
	i, found := slices.BinarySearchFunc(t.segments, a, func(s *segment, a addrs.Image) int { return s.first.Compare(a) })
	if !found {
		i = max(i-1, 0)
	}
	return min(i, len(t.segments)-1)
}

// find returns the place of an address.
func (t *table) find(a addrs.Image) (Ref, bool) {
	s := t.near(a)
	if s == nil {
		return Ref{}, false
	}
	return s.find(a)
}

func (s *segment) last() addrs.Image { return Ref{s, len(s.starts) - 1}.Address() }

func (s *segment) find(a addrs.Image) (Ref, bool) {
	i, found := sort.Find(len(s.starts), func(i int) int { return a.Compare(Ref{s, i}.Address()) })
	return Ref{s, i}, found
}

// rowMemory has memory that was used for rows: of a long file, for those of a hundred pieces in turn.
var rowMemory sync.Pool

// tableBuilder puts images into a table, in the order of their addresses.
type tableBuilder struct {
	table table
	// writer writes what will be the last segment, nil where there is none under way.
	writer *rowWriter
	// memory is for rows that are written, which are copied when their number is known; nil for
	// some that others used before.
	memory []byte
	last   addrs.Image
}

// isNext reports whether an address comes after all others.
func (b *tableBuilder) isNext(a addrs.Image) bool { return b.table.count == 0 || b.last.Compare(a) < 0 }

// has reports whether there is an image.
func (b *tableBuilder) has(a addrs.Image) bool {
	found := false
	if b.writer != nil {
		_, found = b.writer.written().find(a)
	}
	if !found {
		_, found = b.table.find(a)
	}
	return found
}

// add adds an image, which has to come after all others. It keeps nothing of what it is given but
// sets of labels.
func (b *tableBuilder) add(a addrs.Image, img *Image) {
	if b.writer != nil && len(b.writer.data) >= segmentSize {
		b.seal()
	}
	if b.writer == nil {
		if b.memory == nil {
			b.memory, _ = rowMemory.Get().([]byte)
		}
		b.writer = newRowWriter(b.memory)
	}
	b.writer.row(a, img)
	b.table.count++
	b.last = b.writer.written().last()
}

// seal ends a segment.
func (b *tableBuilder) seal() {
	if b.writer == nil {
		return
	}
	b.memory = b.writer.data
	s := new(*b.writer.written()) // Of the writer nothing stays.
	s.data = bytes.Clone(s.data)
	s.first = Ref{s, 0}.Address()
	b.table.segments = append(b.table.segments, s)
	b.last = s.last()
	b.writer = nil
}

// take adds the images of a segment, which have to come after all others.
func (b *tableBuilder) take(s *segment) {
	b.seal()
	b.table.segments = append(b.table.segments, s)
	b.table.count += len(s.starts)
	b.last = s.last()
}

// done returns the table. Nothing may be added any more.
func (b *tableBuilder) done() table {
	b.seal()
	if b.memory != nil {
		rowMemory.Put(b.memory) //nolint:staticcheck // A megabyte is worth a slice header.
		b.memory = nil
	}
	return b.table
}
