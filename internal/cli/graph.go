package cli

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/suggest"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

type graphOptions struct {
	inputOptions
	kind      string
	instances bool
}

// graphKinds are the languages that a graph is written in.
var graphKinds = []string{"dot", "mermaid"}

func (a *app) graphCommand() *cobra.Command {
	var o graphOptions
	cmd := directoryCommand("graph", "Draw what is made from what",
		`Prints a graph of the images that the configuration in DIRECTORY (the current one by default) declares, with the files and URLs that they are made from. An arrow
leads from what is needed to what needs it. It is dashed where only a value is used, or depends_on says so. Modules are boxes.

All instances of a block are one node, unless -instances is given. It needs no key, no network and no state.`,
		`  fluxbatch graph | dot -Tsvg > graph.svg
  fluxbatch graph -type mermaid -instances`,
		func(dir string) error { return a.runGraph(dir, &o) })
	o.bind(cmd.Flags())
	cmd.Flags().StringVar(&o.kind, "type", "dot", "`language` of the graph: dot for Graphviz, mermaid for Markdown pages")
	cmd.Flags().BoolVar(&o.instances, "instances", false, "draw each instance of an image block or a module on its own")
	completeFlag(cmd, "type", cobra.FixedCompletions(graphKinds, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) runGraph(dir string, o *graphOptions) error {
	if !slices.Contains(graphKinds, o.kind) {
		hint := ""
		if near := suggest.Nearest(o.kind, graphKinds); near != "" {
			hint = " Did you mean " + near + "?"
		}
		return explain("-type cannot be %q. Use dot or mermaid.%s", o.kind, hint)
	}
	cfg, diags := a.load(dir, &o.inputOptions)
	if cfg == nil || diags.HasErrors() {
		return a.invalid(cfg, diags)
	}
	g := &imageGraph{instances: o.instances, nodes: map[string]*graphEntry{}, renditions: map[addrs.Rendition]*madeEntry{}}
	diags = append(diags, cfg.Evaluate(func(img *image.Image) *image.Result {
		g.add(img)
		g.addRenditions(img)
		return nil
	})...)
	for _, asset := range cfg.Assets() {
		g.addAsset(asset)
	}
	for _, sheet := range cfg.Sheets() {
		g.addSheet(sheet)
	}
	a.showDiagnostics(cfg, diags)
	if diags.HasErrors() {
		return exitError(exitFailure)
	}
	if o.kind == "mermaid" {
		a.viewer().GraphMermaid(g.graph())
	} else {
		a.viewer().GraphDOT(g.graph())
	}
	return nil
}

// imageGraph collects images and what they are made from.
type imageGraph struct {
	instances bool
	nodes     map[string]*graphEntry
	// renditions are what is made here.
	renditions map[addrs.Rendition]*madeEntry
}

// graphEntry is an image, or all instances of a block.
type graphEntry struct {
	address addrs.Image
	count   int
	// candidates is how many pictures an image has to choose from at least, and most how many at
	// most; gates are the judges of its block.
	candidates, most, gates int
	// inputs are files and URLs.
	inputs []string
	// needs are other entries; true for those whose picture is used.
	needs map[string]bool
}

// manyInputs is how many files and URLs of one node are drawn one by one.
const manyInputs = 8

// node returns the address under which an image is drawn.
func (g *imageGraph) node(a addrs.Image) addrs.Image {
	if g.instances {
		return a
	}
	var path addrs.Module
	for name := range a.Module.Steps() {
		path = path.Child(name, addrs.NoKey)
	}
	return addrs.Image{Module: path, Name: a.Name}
}

func (g *imageGraph) add(img *image.Image) {
	address := g.node(img.Address)
	e := g.nodes[address.String()]
	if e == nil {
		e = &graphEntry{address: address, needs: map[string]bool{}}
		g.nodes[address.String()] = e
	}
	n := max(img.Candidates(), 1)
	if e.count++; e.count == 1 {
		e.candidates = n
	}
	e.candidates, e.most, e.gates = min(e.candidates, n), max(e.most, n), max(e.gates, len(img.Gates()))
	for _, upstream := range img.Dependencies {
		if name := g.node(upstream).String(); !onlyDerived(img, upstream) {
			e.needs[name] = e.needs[name] || false
		}
	}
	for i := range img.References {
		switch r := &img.References[i]; {
		case r.Derived != nil:
			at := r.Derived.Address
			at.Of = g.node(at.Of)
			e.needs[at.String()] = true
		case r.IsImage():
			e.needs[g.node(r.Image).String()] = true
		case slices.Contains(img.Sensitive(), r.Field):
			e.inputs = append(e.inputs, "(sensitive value)")
		case r.File != "":
			e.inputs = append(e.inputs, r.File)
		case r.URL != "":
			e.inputs = append(e.inputs, withoutQuery(r.URL))
		}
	}
}

// onlyDerived reports whether an image is made from renditions of another one, and not from that
// itself, so that the way from there leads through them.
func onlyDerived(img *image.Image, upstream addrs.Image) bool {
	uses := func(derived bool) bool {
		return slices.ContainsFunc(img.References, func(r image.Reference) bool { return r.Image == upstream && (r.Derived != nil) == derived })
	}
	return uses(true) && !uses(false)
}

// withoutQuery returns a URL without what may be a signature.
func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

// graph returns what was collected, sorted.
func (g *imageGraph) graph() view.Graph {
	var out view.Graph
	seen := map[string]bool{}
	entries := make([]*graphEntry, 0, len(g.nodes))
	for _, e := range g.nodes {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b *graphEntry) int { return a.address.Compare(b.address) })
	for _, e := range entries {
		for _, input := range e.drawnInputs() {
			if !seen[input.id] {
				seen[input.id] = true
				out.Nodes = append(out.Nodes, view.GraphNode{ID: input.id, Label: input.label, Input: true})
			}
			out.Edges = append(out.Edges, view.GraphEdge{From: input.id, To: e.address.String()})
		}
	}
	for _, e := range entries {
		label := addrs.Image{Name: e.address.Name, Key: e.address.Key}.String()
		if notes := e.notes(); len(notes) > 0 {
			label += " (" + strings.Join(notes, ", ") + ")"
		}
		out.Nodes = append(out.Nodes, view.GraphNode{ID: e.address.String(), Module: e.address.Module, Label: label})
		for _, upstream := range slices.Sorted(maps.Keys(e.needs)) {
			out.Edges = append(out.Edges, view.GraphEdge{From: upstream, To: e.address.String(), Value: !e.needs[upstream]})
		}
	}
	g.drawMade(&out)
	return out
}

// notes say how many pictures a node stands for, and that they are judged.
func (e *graphEntry) notes() []string {
	var notes []string
	if e.count > 1 {
		notes = append(notes, layout.Count(e.count, "image"))
	}
	switch {
	case e.candidates < e.most:
		notes = append(notes, fmt.Sprintf("%d to %d candidates", e.candidates, e.most))
	case e.most > 1:
		notes = append(notes, layout.Count(e.most, "candidate"))
	}
	if e.count > 1 && e.most > 1 {
		notes[len(notes)-1] += " each"
	}
	if e.gates > 0 {
		notes = append(notes, layout.Count(e.gates, "gate"))
	}
	return notes
}

// graphInput is a file, a URL, or many of them.
type graphInput struct{ id, label string }

func (e *graphEntry) drawnInputs() []graphInput {
	slices.Sort(e.inputs)
	names := slices.Compact(e.inputs)
	if len(names) > manyInputs {
		return []graphInput{{"inputs of " + e.address.String(), fmt.Sprintf("%d files and URLs", len(names))}}
	}
	inputs := make([]graphInput, len(names))
	for i, name := range names {
		id := name
		if strings.HasPrefix(id, "image.") || strings.HasPrefix(id, "module.") || strings.HasPrefix(id, "asset.") {
			// A file may be called as an image is.
			id = "./" + id
		}
		inputs[i] = graphInput{id, name}
	}
	return inputs
}
