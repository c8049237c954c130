package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// Graph says what is made from what. It is drawn in the order of its nodes and edges.
type Graph struct {
	Nodes []GraphNode
	Edges []GraphEdge
}

// GraphNode is an image, a block of images, or something that images are made from.
type GraphNode struct {
	// ID tells nodes apart.
	ID string
	// Module is where the node is drawn.
	Module addrs.Module
	Label  string
	// Input says that it is no image of the configuration, but a file or a URL.
	Input bool
	// Made says that it is made here from images: a rendition, or a sheet.
	Made bool
}

// GraphEdge leads from what is needed to what needs it.
type GraphEdge struct {
	From, To string
	// Value says that no picture travels along the edge: only a value is used, or the order is
	// given.
	Value bool
}

// GraphDOT writes a graph in the language of Graphviz.
func (v *View) GraphDOT(g Graph) {
	var b strings.Builder
	b.WriteString("digraph {\n  rankdir = \"LR\"\n  node [shape = \"box\", style = \"rounded\", fontname = \"sans-serif\"]\n")
	b.WriteString("  graph [fontname = \"sans-serif\"]\n")
	newGraphTree(g).write(dotWriter{&b}, 1)
	for _, e := range g.Edges {
		style := ""
		if e.Value {
			style = ` [style = "dashed"]`
		}
		fmt.Fprintf(&b, "  %s -> %s%s\n", dotString(e.From), dotString(e.To), style)
	}
	b.WriteString("}\n")
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}

// GraphMermaid writes a graph as a Mermaid flowchart, which code hosts draw in Markdown.
func (v *View) GraphMermaid(g Graph) {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	w := mermaidWriter{&b, map[string]string{}}
	for i, n := range g.Nodes {
		w.names[n.ID] = fmt.Sprintf("n%d", i+1)
	}
	newGraphTree(g).write(w, 1)
	for _, e := range g.Edges {
		arrow := "-->"
		if e.Value {
			arrow = "-.->"
		}
		fmt.Fprintf(&b, "  %s %s %s\n", w.names[e.From], arrow, w.names[e.To])
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}

// graphTree is a module with its nodes and the modules in it.
type graphTree struct {
	path     addrs.Module
	label    string
	nodes    []GraphNode
	children []*graphTree
}

// newGraphTree sorts nodes into their modules, in the order in which the nodes come.
func newGraphTree(g Graph) *graphTree {
	root := &graphTree{}
	for _, n := range g.Nodes {
		at := root
		for name, key := range n.Module.Steps() {
			path := at.path.Child(name, key)
			i := slices.IndexFunc(at.children, func(t *graphTree) bool { return t.path == path })
			if i < 0 {
				i = len(at.children)
				at.children = append(at.children, &graphTree{path: path, label: string(addrs.Module("").Child(name, key))})
			}
			at = at.children[i]
		}
		at.nodes = append(at.nodes, n)
	}
	return root
}

// graphWriter is a graph language.
type graphWriter interface {
	node(pad string, n GraphNode)
	begin(pad string, t *graphTree)
	end(pad string)
}

func (t *graphTree) write(w graphWriter, depth int) {
	pad := strings.Repeat("  ", depth)
	for _, n := range t.nodes {
		w.node(pad, n)
	}
	for _, child := range t.children {
		w.begin(pad, child)
		child.write(w, depth+1)
		w.end(pad)
	}
}

type dotWriter struct{ out *strings.Builder }

func (w dotWriter) node(pad string, n GraphNode) {
	shape := ""
	switch {
	case n.Input:
		shape = `, shape = "note", style = "solid"`
	case n.Made:
		shape = `, shape = "ellipse", style = "solid"`
	}
	fmt.Fprintf(w.out, "%s%s [label = %s%s]\n", pad, dotString(n.ID), dotLabel(n.Label), shape)
}

func (w dotWriter) begin(pad string, t *graphTree) {
	// Graphviz draws a box around a subgraph whose name begins with "cluster".
	fmt.Fprintf(w.out, "%ssubgraph %s {\n%s  label = %s\n", pad, dotString("cluster "+string(t.path)), pad, dotLabel(t.label))
}

func (w dotWriter) end(pad string) { w.out.WriteString(pad + "}\n") }

// dotString quotes a name. Graphviz takes a backslash for itself except before a quote; doubled it
// cannot swallow the closing one.
func dotString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(layout.Harmless(s)) + `"`
}

// dotLabel quotes a label, in which Graphviz replaces HTML entities.
func dotLabel(s string) string { return dotString(strings.ReplaceAll(s, "&", "&amp;")) }

type mermaidWriter struct {
	out *strings.Builder
	// names are those of nodes by ID.
	names map[string]string
}

func (w mermaidWriter) node(pad string, n GraphNode) {
	left, right := "(", ")"
	switch {
	case n.Input:
		left, right = "[/", "/]"
	case n.Made:
		left, right = "([", "])"
	}
	fmt.Fprintf(w.out, "%s%s%s%s%s\n", pad, w.names[n.ID], left, mermaidString(n.Label), right)
}

func (w mermaidWriter) begin(pad string, t *graphTree) {
	// The name of a subgraph is shown to nobody, but has to differ from those of nodes.
	fmt.Fprintf(w.out, "%ssubgraph m_%s[%s]\n", pad, mermaidName(string(t.path)), mermaidString(t.label))
}

func (w mermaidWriter) end(pad string) { w.out.WriteString(pad + "end\n") }

// mermaidName makes a name of letters, digits and underscores from a path; different paths have
// different names.
func mermaidName(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

// mermaidString quotes a label. Mermaid knows HTML and Markdown in labels, and writes characters as #name; or #number;.
func mermaidString(s string) string {
	escape := strings.NewReplacer(`"`, "#quot;", "#", "#35;", "&", "#amp;", "<", "#lt;", ">", "#gt;", "`", "#96;", `\`, "#92;", "\n", " ")
	return `"` + escape.Replace(layout.Harmless(s)) + `"`
}
