// Package hclfast reads files in HCL's native syntax into what package hclsyntax makes of them,
// long files many times as fast.
//
// A long file is cut between its blocks into pieces, which are parsed side by side. A block is
// plain where it is written as nearly all blocks of long files are: over several lines, in ASCII,
// with numbers, strings, names, lists and objects. Those blocks are read by a parser of this
// package; all others, and every file in which anything is wrong, by HCL's own. What comes of it is
// the same to the last position, and so are the diagnostics.
//
// Most expressions of such files are literals: they need no scope, name nothing, and have the value
// that they show.
package hclfast

import (
	"bytes"
	"errors"
	"runtime"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/internal/sourcefile"
)

// PieceSize is how many bytes of a file are best parsed at a time.
const PieceSize = 64 << 10

// Take is given each block at the top level of a long file, and returns what the file's Body has in
// its place. Several goroutines call it at one time. It reports whether nothing keeps the block's
// arguments, nor those of their expressions that are single literals and that Compact did not
// replace: their memory is used again then.
type Take func(*hclsyntax.Block) (ready *hcl.Block, free bool)

// Parse parses a file in HCL's native syntax. One that is longer than size, and right, is parsed in
// pieces of at least that many bytes, and its body is a *Body; else its body is an *hclsyntax.Body,
// and take is not asked. Lines of heredocs end in a line feed alone, whatever they end in there.
// The file refers to src, which must not be changed.
func Parse(src []byte, filename string, size int, take Take) (*hcl.File, hcl.Diagnostics) {
	if pieces := cut(src, size); len(pieces) > 1 {
		if blocks, body := parsePieces(filename, pieces, take); body != nil {
			return &hcl.File{
				Body: &Body{Body: body, Blocks: blocks}, Bytes: src, Nav: navigation{filename, pieces},
			}, nil
		}
	}
	file, diags := hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
	if body, ok := file.Body.(*hclsyntax.Body); ok {
		unifyNewlines(body, src, 0)
	}
	return file, diags
}

// Body is the body of a long file. Its blocks were taken where they were parsed, so that the trees
// of all need not be in memory at one time; the embedded body has its arguments only.
type Body struct {
	*hclsyntax.Body
	Blocks []*hcl.Block
}

// JustAttributes returns the body's arguments, and an error where it has blocks, as those of files
// of values must not.
func (b *Body) JustAttributes() (hcl.Attributes, hcl.Diagnostics) {
	body := *b.Body
	if len(b.Blocks) > 0 {
		first := b.Blocks[0]
		body.Blocks = hclsyntax.Blocks{{Type: first.Type, Labels: first.Labels, TypeRange: first.TypeRange, LabelRanges: first.LabelRanges}}
	}
	return body.JustAttributes()
}

// piece is a part of a file, from the start of a line on.
type piece struct {
	start hcl.Pos
	src   []byte
}

// blockEnd is where a block at the top level ends, as it is written by everybody and by fmt.
var blockEnd = []byte("\n}\n")

// cut divides a file after ends of blocks into pieces of at least the size given.
func cut(src []byte, size int) []piece {
	var pieces []piece
	start := hcl.InitialPos
	for rest := src; len(rest) > 0; {
		end := len(rest)
		if len(rest) > size {
			end = nextCut(rest, size)
		}
		pieces = append(pieces, piece{start: start, src: rest[:end:end]})
		start = after(start, rest[:end])
		rest = rest[end:]
	}
	return pieces
}

// nextCut returns the first place at least size bytes into a text where a block has ended, else the
// text's end.
func nextCut(text []byte, size int) int {
	if i := bytes.Index(text[size:], blockEnd); i >= 0 {
		return size + i + len(blockEnd)
	}
	return len(text)
}

// after returns the position after lines of text.
func after(start hcl.Pos, text []byte) hcl.Pos {
	start.Byte += len(text)
	start.Line += bytes.Count(text, []byte{'\n'})
	return start
}

// errNotInPieces says that a file has to be parsed as a whole.
var errNotInPieces = errors.New("the file cannot be parsed in pieces")

// parsePieces parses the pieces of a file. It returns what take makes of its blocks, in their
// order, and its body without them, which is nil where anything is wrong. take is called by several
// goroutines.
func parsePieces[T any](filename string, pieces []piece, take func(*hclsyntax.Block) (T, bool)) ([]T, *hclsyntax.Body) {
	parsed := make([]parsedPiece[T], len(pieces))
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range pieces {
		workers.Go(func() error { return parsed[i].parse(p, filename, take) })
	}
	if err := workers.Wait(); err != nil {
		return nil, nil
	}
	body := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}}
	var blocks []T
	for i := range parsed {
		p := &parsed[i]
		blocks = append(blocks, p.blocks...)
		for name, attr := range p.body.Attributes {
			if body.Attributes[name] != nil {
				return nil, nil
			}
			body.Attributes[name] = attr
		}
	}
	first, last := parsed[0].body, parsed[len(parsed)-1].body
	body.SrcRange = hcl.Range{Filename: filename, Start: first.SrcRange.Start, End: last.SrcRange.End}
	body.EndRange = last.EndRange
	return blocks, body
}

// parsedPiece is what was made of a piece.
type parsedPiece[T any] struct {
	blocks []T
	// body has the piece's arguments. Its range is right where it starts in the first piece, and
	// where it ends in the last.
	body hclsyntax.Body
}

// parse parses a piece, block by block.
func (r *parsedPiece[T]) parse(p piece, filename string, take func(*hclsyntax.Block) (T, bool)) error {
	plain := newPlainParser(filename)
	at := p.start
	for rest := p.src; len(rest) > 0; {
		end := nextCut(rest, 0)
		body, ok := (*hclsyntax.Body)(nil), false
		if at.Byte > 0 { // The file's first block is left to HCL, since where a body begins depends on comments in it.
			body, ok = plain.parse(string(rest[:end]), at)
		}
		if !ok {
			var err error
			if body, err = parseText(rest[:end], filename, at); err != nil {
				// What looked like the end of a block was none.
				end = len(rest)
				body, err = parseText(rest, filename, at)
			}
			if err != nil {
				return err
			}
		}
		if at == p.start {
			r.body = *body
		} else if !r.add(body) {
			return errNotInPieces
		}
		for _, block := range body.Blocks {
			taken, free := take(block)
			r.blocks = append(r.blocks, taken)
			if free && ok && len(body.Blocks) == 1 {
				plain.reuse(block)
			}
		}
		at = after(at, rest[:end])
		rest = rest[end:]
	}
	r.body.Blocks = nil
	return nil
}

// add takes over the arguments of the next text. It reports false for one that is there already.
func (r *parsedPiece[T]) add(body *hclsyntax.Body) bool {
	for name, attr := range body.Attributes {
		if r.body.Attributes[name] != nil {
			return false
		}
		r.body.Attributes[name] = attr
	}
	r.body.SrcRange.End, r.body.EndRange = body.SrcRange.End, body.EndRange
	return true
}

// parseText has HCL parse some blocks of a file.
func parseText(src []byte, filename string, at hcl.Pos) (*hclsyntax.Body, error) {
	if at.Byte > 0 && bytes.HasPrefix(src, []byte(sourcefile.ByteOrderMark)) {
		return nil, errNotInPieces // It is passed over at the start of a text, and an error elsewhere.
	}
	file, diags := hclsyntax.ParseConfig(src, filename, at)
	if len(diags) > 0 {
		return nil, errNotInPieces
	}
	body := file.Body.(*hclsyntax.Body)
	unifyNewlines(body, src, at.Byte)
	return body, nil
}

// navigation tells diagnostics which block a place is in, as HCL's own does for a file that was
// parsed as a whole. It parses the piece again, which few diagnostics need, rather than keep the
// trees of all.
type navigation struct {
	filename string
	pieces   []piece
}

// ContextString returns the header of the block at an offset, "" where there is none.
func (n navigation) ContextString(offset int) string {
	if nav, ok := n.at(offset).(interface{ ContextString(int) string }); ok {
		return nav.ContextString(offset)
	}
	return ""
}

// ContextDefRange returns where the header of the block at an offset stands.
func (n navigation) ContextDefRange(offset int) hcl.Range {
	if nav, ok := n.at(offset).(interface{ ContextDefRange(int) hcl.Range }); ok {
		return nav.ContextDefRange(offset)
	}
	return hcl.Range{}
}

func (n navigation) at(offset int) any {
	for _, p := range n.pieces {
		if offset >= p.start.Byte && offset < p.start.Byte+len(p.src) {
			file, _ := hclsyntax.ParseConfig(p.src, n.filename, p.start) // It was parsed before, without a diagnostic.
			return file.Nav
		}
	}
	return nil
}
