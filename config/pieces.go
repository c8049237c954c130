package config

import (
	"bytes"
	"runtime"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"golang.org/x/sync/errgroup"
)

// pieceSize is how much of a file is parsed at a time. HCL's scanner takes time and memory for all tokens of its
// input at once, so that small pieces are cheaper than a large file even one after the other.
const pieceSize = 16 << 10

// parseNative parses a file in HCL's native syntax. A large file is cut between its blocks into pieces, which are
// parsed side by side; the result is that of parsing it as a whole. A cut in a wrong place, such as inside a heredoc,
// leaves a piece that is wrong, and so does every mistake in the file: then the file is parsed as a whole, and
// diagnostics are those of HCL.
func parseNative(src []byte, filename string, size int) (*hcl.File, hcl.Diagnostics) {
	if pieces := cut(src, size); len(pieces) > 1 {
		if file := parsePieces(src, filename, pieces); file != nil {
			return file, nil
		}
	}
	return hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
}

// piece is a part of a file.
type piece struct {
	start hcl.Pos
	src   []byte
	file  *hcl.File
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
			if i := bytes.Index(rest[size:], blockEnd); i >= 0 {
				end = size + i + len(blockEnd)
			}
		}
		pieces = append(pieces, piece{start: start, src: rest[:end:end]})
		start.Byte += end
		start.Line += bytes.Count(rest[:end], []byte{'\n'})
		rest = rest[end:]
	}
	return pieces
}

// parsePieces parses the pieces of a file and puts them together. It answers nil where anything is wrong.
func parsePieces(src []byte, filename string, pieces []piece) *hcl.File {
	for _, p := range pieces[1:] {
		if bytes.HasPrefix(p.src, byteOrderMark) {
			return nil // It is passed over at the start of a text, and an error elsewhere.
		}
	}
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for i := range pieces {
		workers.Go(func() error {
			p := &pieces[i]
			file, diags := hclsyntax.ParseConfig(p.src, filename, p.start)
			p.file = file
			if len(diags) > 0 {
				return diags
			}
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return nil
	}
	return join(src, pieces)
}

// join puts the bodies of pieces together. It answers nil where two of them have the same argument.
func join(src []byte, pieces []piece) *hcl.File {
	whole := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, Blocks: hclsyntax.Blocks{}}
	blocks := 0
	for _, p := range pieces {
		blocks += len(p.file.Body.(*hclsyntax.Body).Blocks)
	}
	whole.Blocks = make(hclsyntax.Blocks, 0, blocks)
	for _, p := range pieces {
		body := p.file.Body.(*hclsyntax.Body)
		whole.Blocks = append(whole.Blocks, body.Blocks...)
		for name, attr := range body.Attributes {
			if _, exists := whole.Attributes[name]; exists {
				return nil
			}
			whole.Attributes[name] = attr
		}
	}
	first, last := pieces[0].file.Body.(*hclsyntax.Body), pieces[len(pieces)-1].file.Body.(*hclsyntax.Body)
	whole.SrcRange = hcl.RangeBetween(first.SrcRange, last.SrcRange)
	whole.EndRange = last.EndRange
	return &hcl.File{Body: whole, Bytes: src, Nav: navigation{pieces: pieces}}
}

// navigation tells diagnostics which block a place is in, as HCL's own does for a file that was parsed as a whole.
type navigation struct {
	pieces []piece
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
			return p.file.Nav
		}
	}
	return nil
}
