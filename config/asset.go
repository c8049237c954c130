package config

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

var assetSchema = schema.Body{
	In: "an asset block", Args: []string{"file"}, Blocks: []schema.Block{{Name: "rendition", Labels: []string{"name"}}},
}

// assetBlock is an asset block: a picture that nobody bought.
type assetBlock struct {
	node
	key        string // the block's label
	file       *hcl.Attribute
	renditions []renditionBlock
}

func (d *decoder) asset(m *module, block *hcl.Block) {
	name := block.Labels[0]
	if first, ok := m.assets[name]; ok {
		d.duplicate("asset."+name, block.DefRange, first.at)
		return
	}
	content, diags := assetSchema.Read(block.Body)
	d.add(diags...)
	b := &assetBlock{node: node{name: "asset." + name, at: block.DefRange}, key: name, file: content.Args["file"]}
	switch {
	case diags.HasErrors():
	case b.file == nil:
		d.add(diag.Problem(block.DefRange, "Missing required argument", `An asset needs a file, as in file = "brand/logo.png".`))
	case len(content.Blocks) == 0:
		d.add(diag.Problem(block.DefRange, "Asset without renditions", "An asset exists for its renditions. Add a rendition block to it."))
	}
	for _, inner := range content.Blocks {
		d.rendition(&b.renditions, "asset."+name, inner)
	}
	b.broken = diags.HasErrors() || b.file == nil
	m.assets[name] = b
	m.add(&b.node, b)
}

// evaluate finds what the asset is in a scope.
func (b *assetBlock) evaluate(e *evaluator, s *scope) {
	if b.tainted {
		return
	}
	ctx := e.context(&b.node, s)
	r := &innerReader{
		args: map[string]*hcl.Attribute{"file": b.file}, summary: "Invalid asset", types: map[string]string{"file": "It is a path."},
		report: func(diags ...*hcl.Diagnostic) { e.add(diags...) }, context: func() *hcl.EvalContext { return ctx },
	}
	asset := &image.Asset{Address: addrs.Image{Module: s.addr, Name: b.key}}
	text := r.text("file")
	if text == "" {
		if !r.wrong {
			r.bad("file", "The path is empty.")
		}
		e.taint(&b.node)
		return
	}
	file, dir := e.inputs.find(s.mod, text)
	if file.problem != "" {
		r.bad("file", fmt.Sprintf("%s: %s", text, file.problem))
		e.taint(&b.node)
		return
	}
	asset.Path, asset.File, asset.SHA256, asset.Content = file.path, e.nameOf(dir, text), file.sha256, file.content
	asset.Width, asset.Height = file.size.Width, file.size.Height
	for i := range b.renditions {
		if made, ok := b.rendition(e, asset, &b.renditions[i], ctx); ok {
			asset.Renditions = append(asset.Renditions, made)
		} else {
			e.taint(&b.node)
		}
	}
	e.assets = append(e.assets, asset)
	e.set(&b.node, s, assetValue(asset))
}

func (b *assetBlock) rendition(e *evaluator, asset *image.Asset, block *renditionBlock, ctx *hcl.EvalContext) (image.Rendition, bool) {
	r := &innerReader{
		args: block.args, summary: "Invalid rendition", types: renditionTypes,
		report: func(diags ...*hcl.Diagnostic) { e.add(diags...) }, context: func() *hcl.EvalContext { return ctx },
	}
	made := image.Rendition{Name: block.name, Recipe: r.recipe(block.at)}
	if made.Recipe == nil {
		return made, false
	}
	made.Output = r.file(made.Recipe)
	if made.Output == "" {
		made.Output = defaultOutput(asset.Address) + "-" + block.name + extensionOf[made.Format]
	}
	made.Output = e.paths.place(made.Output)
	address := addrs.Rendition{Kind: addrs.OfAsset, Of: asset.Address, Name: block.name}.String()
	return made, !r.wrong && e.paths.take(claim{by: &maker{at: &block.at, name: address}}, made.Output, r.report)
}

// assetValue is what expressions see of an asset.
func assetValue(a *image.Asset) cty.Value {
	renditions := map[string]cty.Value{}
	for _, r := range a.Renditions {
		w, h := r.Size(a.Width, a.Height)
		renditions[r.Name] = cty.ObjectVal(map[string]cty.Value{
			"address": cty.StringVal(addrs.Rendition{Kind: addrs.OfAsset, Of: a.Address, Name: r.Name}.String()),
			"path":    cty.StringVal(r.Output), "format": cty.StringVal(r.Format), "width": cty.NumberIntVal(int64(w)), "height": cty.NumberIntVal(int64(h)),
		})
	}
	return cty.ObjectVal(map[string]cty.Value{
		"file": cty.StringVal(a.File), "width": cty.NumberIntVal(int64(a.Width)), "height": cty.NumberIntVal(int64(a.Height)),
		"rendition": cty.ObjectVal(renditions),
	})
}

// isAsset reports whether values of a type are taken for assets.
func isAsset(ty cty.Type) bool {
	return ty.IsObjectType() && ty.HasAttribute("file") && ty.HasAttribute("rendition")
}

// asset returns the asset with an address, nil where there is none.
func (e *evaluator) asset(addr addrs.Image) *image.Asset {
	i := slices.IndexFunc(e.assets, func(a *image.Asset) bool { return a.Address == addr })
	if i < 0 {
		return nil
	}
	return e.assets[i]
}

// Assets returns what the asset blocks of all modules declare, in the order of their addresses. It is for
// after Evaluate.
func (c *Config) Assets() []*image.Asset {
	e := c.evaluator
	if e == nil {
		return nil
	}
	c.ensureEvaluated()
	slices.SortFunc(e.assets, func(a, b *image.Asset) int { return a.Address.Compare(b.Address) })
	return e.assets
}
