package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view"
)

// madeEntry is a rendition, those of all instances of a block, or a sheet.
type madeEntry struct {
	address addrs.Rendition
	count   int
	// needs are the pictures that it is made from.
	needs []string
}

// rendition returns the address under which a rendition is drawn.
func (g *imageGraph) rendition(of addrs.Image, name string) addrs.Rendition {
	return addrs.Rendition{Of: g.node(of), Name: name}
}

func (g *imageGraph) addRenditions(img *image.Image) {
	for i := range img.Renditions() {
		g.made(g.rendition(img.Address, img.Renditions()[i].Name), g.node(img.Address).String())
	}
}

func (g *imageGraph) addAsset(a *image.Asset) {
	for i := range a.Renditions {
		g.made(addrs.Rendition{Kind: addrs.OfAsset, Of: g.node(a.Address), Name: a.Renditions[i].Name})
	}
}

func (g *imageGraph) addSheet(s *image.Sheet) {
	at := s.Address
	at.Of = g.node(at.Of)
	var needs []string
	for _, cell := range s.Cells {
		need := g.node(cell.Image).String()
		if at, isRendition := cell.At(); isRendition {
			at.Of = g.node(at.Of)
			need = at.String()
		}
		needs = append(needs, need)
	}
	g.made(at, needs...)
}

func (g *imageGraph) made(at addrs.Rendition, needs ...string) {
	e := g.renditions[at]
	if e == nil {
		e = &madeEntry{address: at}
		g.renditions[at] = e
	}
	e.count++
	e.needs = append(e.needs, needs...)
}

// drawMade adds what is made here to a graph.
func (g *imageGraph) drawMade(out *view.Graph) {
	entries := make([]*madeEntry, 0, len(g.renditions))
	for _, e := range g.renditions {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b *madeEntry) int { return a.address.Compare(b.address) })
	for _, e := range entries {
		label := strings.TrimPrefix(strings.TrimPrefix(e.address.String(), string(e.address.Of.Module)), ".")
		if e.count > 1 {
			label += fmt.Sprintf(" (%d renditions)", e.count)
		}
		id := e.address.String()
		out.Nodes = append(out.Nodes, view.GraphNode{ID: id, Module: e.address.Of.Module, Label: label, Made: true})
		slices.Sort(e.needs)
		for _, up := range slices.Compact(e.needs) {
			out.Edges = append(out.Edges, view.GraphEdge{From: up, To: id})
		}
	}
}
