package state

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// pieceSize is how much of a long state file one parser reads.
const pieceSize = 1 << 20

// The lines of a snapshot as Write lays it out, of which each piece of one is made a snapshot of
// its own.
const (
	lineageLine = "{\n  \"version\": 1,\n  \"lineage\": \""
	imagesLine  = "\",\n  \"images\": {\n"
	// renditionsLine stands between the images and the renditions, and noImages before those of a
	// piece that has no images.
	renditionsLine = "\n  },\n  \"renditions\": {\n"
	noImages       = "\",\n  \"images\": {},\n  \"renditions\": {\n"
	betweenTwo     = "\n    },\n"
	pieceEnd       = "\n    }\n  },\n  \"outputs\": {}\n}\n"
)

var (
	errLayout = errors.New("the snapshot is short, or not laid out as Write does")
	errOrder  = errors.New("the images are not in the order of their addresses, or one is there twice")
	errTwice  = errors.New("a rendition is there twice")
)

// parsePieces reads a long snapshot that is laid out as Write does, many pieces of about size bytes
// at once: it cuts where images end, and has each piece read as a snapshot of the images in it.
// Where it returns an error, the file has to be read as a whole, which says what is wrong, if
// anything is.
//
// No other state can come of it than of reading the whole. The pieces with the commas between them
// are the file, and each is found to be a list of whole members of an object, so these are the
// members of the whole. Of a cut in a wrong place, as in the middle of a request that was indented
// by hand, neither side is such a list; and no cut is in a string, where no line can end.
func parsePieces(r io.Reader, size int) (*State, error) {
	cut := cutter{in: r, size: size}
	var pieces []*piece
	group, ctx := errgroup.WithContext(context.Background())
	group.SetLimit(runtime.GOMAXPROCS(0))
	for !cut.ended && ctx.Err() == nil {
		text, err := cut.next()
		if err != nil {
			return nil, errors.Join(err, group.Wait())
		}
		p := &piece{State: newState("")}
		pieces = append(pieces, p)
		group.Go(func() error {
			defer cut.release(text)
			return p.parse(text)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return merge(pieces)
}

// piece is what a piece of a snapshot says.
type piece struct {
	*State
	made []madeListing
}

func (p *piece) parse(text []byte) error {
	parser := newParser(p.State, scannerOf(text))
	parser.made = &p.made
	parser.file()
	return parser.err
}

// merge puts the images of all pieces into one state. The first piece has the state's lineage, the
// last its outputs.
func merge(pieces []*piece) (*State, error) {
	var all tableBuilder
	made := 0
	for _, p := range pieces {
		made += len(p.made)
		if len(p.Images.over) > 0 {
			return nil, errOrder
		}
		for _, s := range p.Images.table.segments {
			if !all.isNext(s.first) {
				return nil, errOrder
			}
			all.take(s)
		}
	}
	whole := pieces[len(pieces)-1].State
	whole.Lineage, whole.Images = pieces[0].Lineage, &Images{table: all.done()}
	whole.Renditions = make(map[addrs.Rendition]*Rendition, made)
	for _, p := range pieces {
		for _, l := range p.made {
			whole.Renditions[l.address] = l.rendition
		}
	}
	if len(whole.Renditions) != made {
		return nil, errTwice
	}
	return whole, nil
}

// cutter cuts a snapshot into pieces.
type cutter struct {
	in   io.Reader
	size int
	// head stands before the images of each piece but the first, which has its own, and lineage is
	// what it begins with.
	head, lineage []byte
	// rest was read already and belongs to the next piece.
	rest  []byte
	ended bool
	// free has the memory of pieces that were read.
	free sync.Pool
}

// next returns another piece. After the last one, ended is set.
func (c *cutter) next() ([]byte, error) {
	piece, _ := c.free.Get().([]byte)
	if piece == nil {
		piece = make([]byte, 0, c.size+len(pieceEnd))
	}
	piece = append(append(piece[:0], c.head...), c.rest...)
	if len(piece) >= c.size {
		return nil, errLayout
	}
	n, err := io.ReadFull(c.in, piece[len(piece):c.size])
	piece = piece[:len(piece)+n]
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		if c.ended = true; c.head == nil {
			return nil, errLayout
		}
		return piece, nil
	case err != nil:
		return nil, err
	}
	if c.head == nil {
		c.head, c.lineage = headOf(piece)
	}
	at := bytes.LastIndex(piece, []byte(betweenTwo))
	if c.head == nil || at < 0 {
		return nil, errLayout
	}
	c.rest = append(c.rest[:0], piece[at+len(betweenTwo):]...)
	if bytes.Contains(piece[:at], []byte(renditionsLine)) {
		c.head = append(bytes.Clone(c.lineage), noImages...)
	}
	return append(piece[:at], pieceEnd...), nil
}

// release takes the memory of a piece back.
func (c *cutter) release(piece []byte) { c.free.Put(piece) } //nolint:staticcheck // A megabyte is worth a slice header.

// headOf returns what stands before the first image, nil where that is not what Write writes.
func headOf(snapshot []byte) (head, start []byte) {
	after, isLaidOut := bytes.CutPrefix(snapshot, []byte(lineageLine))
	lineage, _, hasImages := bytes.Cut(after, []byte(imagesLine))
	if !isLaidOut || !hasImages || slices.ContainsFunc(lineage, func(c byte) bool { return !plain[c] }) {
		return nil, nil
	}
	n := len(lineageLine) + len(lineage)
	return bytes.Clone(snapshot[:n+len(imagesLine)]), bytes.Clone(snapshot[:n])
}
