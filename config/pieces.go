package config

import (
	"bytes"
	"errors"
	"runtime"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sync/errgroup"
)

// pieceSize is how much of a file a worker parses at a time.
const pieceSize = 64 << 10

// parseNative parses a file in HCL's native syntax. A large file is cut between its blocks into pieces, which are
// parsed side by side, and those blocks in them that are plain by a plainParser; the result is that of HCL's parser for
// the whole. A cut in a wrong place, such as inside a heredoc, leaves a piece that is wrong, and so does every mistake
// in the file: then HCL's parser gets the file as a whole, and diagnostics are its own.
func parseNative(src []byte, filename string, size int) (*hcl.File, hcl.Diagnostics) {
	if pieces := cut(src, size); len(pieces) > 1 {
		if file := parsePieces(src, filename, pieces); file != nil {
			return file, nil
		}
	}
	return hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
}

// piece is a part of a file, from the start of a line on.
type piece struct {
	start hcl.Pos
	src   []byte
	// body has the piece's blocks and arguments. Its range is right where it starts in the first piece, and where it
	// ends in the last.
	body *hclsyntax.Body
}

// blockEnd is where a block at the top level ends, as it is written by everybody and by fmt.
var blockEnd = []byte("\n}\n")

var byteOrderMark = []byte("\xef\xbb\xbf")

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

// nextCut returns the first place at least size bytes into a text where a block has ended, else the text's end.
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

// parsePieces parses the pieces of a file and puts them together. It answers nil where anything is wrong.
func parsePieces(src []byte, filename string, pieces []piece) *hcl.File {
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for i := range pieces {
		workers.Go(func() error { return pieces[i].parse(filename) })
	}
	if err := workers.Wait(); err != nil {
		return nil
	}
	return join(src, filename, pieces)
}

// parse parses the piece, block by block.
func (p *piece) parse(filename string) error {
	plain := plainParser{filename: filename, numbers: map[string]cty.Value{}}
	p.body = &hclsyntax.Body{Attributes: hclsyntax.Attributes{}}
	at := p.start
	for rest := p.src; len(rest) > 0; {
		end := nextCut(rest, 0)
		// The file's first block is left to HCL, since where a body begins depends on the comments in it.
		if at.Byte == 0 || !plain.blocks(p.body, string(rest[:end]), at) {
			body, err := parseText(rest[:end], filename, at)
			if err != nil {
				// What looked like the end of a block was none.
				end = len(rest)
				body, err = parseText(rest, filename, at)
			}
			if err != nil || !p.add(body) {
				return errNotInPieces
			}
		}
		at = after(at, rest[:end])
		rest = rest[end:]
	}
	return nil
}

// parseText has HCL parse some blocks of a file.
func parseText(src []byte, filename string, at hcl.Pos) (*hclsyntax.Body, error) {
	if at.Byte > 0 && bytes.HasPrefix(src, byteOrderMark) {
		return nil, errNotInPieces // It is passed over at the start of a text, and an error elsewhere.
	}
	file, diags := hclsyntax.ParseConfig(src, filename, at)
	if len(diags) > 0 {
		return nil, errNotInPieces
	}
	return file.Body.(*hclsyntax.Body), nil
}

// add takes over what the next text of the piece has. It reports false for an argument that is there already.
func (p *piece) add(body *hclsyntax.Body) bool {
	if len(p.body.Blocks) == 0 {
		p.body.SrcRange.Start = body.SrcRange.Start
	}
	p.body.SrcRange.End, p.body.EndRange = body.SrcRange.End, body.EndRange
	p.body.Blocks = append(p.body.Blocks, body.Blocks...)
	return merge(p.body.Attributes, body.Attributes)
}

func merge(all, more hclsyntax.Attributes) bool {
	for name, attr := range more {
		if all[name] != nil {
			return false
		}
		all[name] = attr
	}
	return true
}

// join puts the bodies of pieces together. It answers nil where two of them have the same argument.
func join(src []byte, filename string, pieces []piece) *hcl.File {
	whole := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, Blocks: hclsyntax.Blocks{}}
	for _, p := range pieces {
		whole.Blocks = append(whole.Blocks, p.body.Blocks...)
		if !merge(whole.Attributes, p.body.Attributes) {
			return nil
		}
	}
	first, last := pieces[0].body, pieces[len(pieces)-1].body
	whole.SrcRange = hcl.Range{Filename: filename, Start: first.SrcRange.Start, End: last.SrcRange.End}
	whole.EndRange = last.EndRange
	for i := range pieces {
		pieces[i].body = nil
	}
	return &hcl.File{Body: whole, Bytes: src, Nav: navigation{filename: filename, pieces: pieces}}
}

// navigation tells diagnostics which block a place is in, as HCL's own does for a file that was parsed as a whole. It
// parses the piece again, which few diagnostics need, rather than keep the trees of all.
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
