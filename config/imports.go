package config

import (
	"path"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

// Import is an import block: the image is not made, but taken from a file that exists.
type Import struct {
	To addrs.Image
	// File is usable with package os. Without a Problem it is a whole image of the format that To's
	// output has.
	File string
	// Name is the file's path for people; see image.Reference.
	Name string
	// SHA256 is the hash of its bytes, Content that of its picture.
	SHA256, Content string
	Size            bfl.Size
	Range           hcl.Range
	// Problem says why the file cannot be taken, nil where it can. It matters only while there is
	// no image at To: once the import is done, the file is of no use any more.
	Problem *hcl.Diagnostic

	format       string
	toAt, fileAt hcl.Range
}

// importBlock is an import block of the root module.
type importBlock struct {
	node
	to, file hcl.Expression
	repeat   repeat
}

var importSchema = schema.Body{In: "an import block", Args: []string{"to", "file", "for_each"}}

func (d *decoder) imported(m *module, block *hcl.Block) {
	if m.parent != nil {
		d.add(diag.Problem(block.DefRange, "Block not allowed in a module",
			"Only the root module can have import blocks. Move it there. Its address can lead into modules, as in "+
				"to = module.brand.image.logo."))
		return
	}
	content, diags := importSchema.Read(block.Body)
	d.add(diags...)
	to, file := content.Args["to"], content.Args["file"]
	if to == nil || file == nil {
		if !diags.HasErrors() {
			d.add(diag.Problem(block.DefRange, "Missing required argument",
				`An import block needs to and file, as in to = image.logo and file = "old/logo.png".`))
		}
		return
	}
	b := &importBlock{
		node: node{name: "import", at: block.DefRange}, to: to.Expr, file: file.Expr, repeat: d.repeat(content.Args),
	}
	m.imports = append(m.imports, b)
	m.add(&b.node, b)
}

// imported links an import block: only the keys in its address are expressions.
func (l *linker) imported(b *importBlock) {
	m, n := b.mod, &b.node
	inside := symbols{repeat: b.repeat, block: "an import block"}
	l.use(n, m, b.repeat.forEach, symbols{block: "for_each"})
	l.use(n, m, b.file, inside)
	l.keys(n, m, b.to, inside)
}

// keys links the keys of a reference.
func (l *linker) keys(n *node, m *module, expr hcl.Expression, allowed symbols) {
	switch e := expr.(type) {
	case *hclsyntax.IndexExpr:
		l.keys(n, m, e.Collection, allowed)
		l.use(n, m, e.Key, allowed)
	case *hclsyntax.RelativeTraversalExpr:
		l.keys(n, m, e.Source, allowed)
	}
}

// Imports returns the import blocks, sorted by address. They do not depend on images, so they are
// known after Load; whether they fit the images is checked by Evaluate.
func (c *Config) Imports() []Import {
	if c.evaluator == nil {
		return nil
	}
	return c.evaluator.imports
}

func (b *importBlock) evaluate(e *evaluator, s *scope) {
	ctx := e.context(&b.node, s)
	x, ok := e.expand(&b.node, b.repeat, ctx)
	if !ok {
		return
	}
	for each := range x.all() {
		inner := ctx
		if each.isSet() {
			inner = each.context(ctx)
		}
		if imp, ok := e.importOne(b, inner); ok {
			e.imports = append(e.imports, imp)
		}
	}
	slices.SortFunc(e.imports, func(a, b Import) int { return a.To.Compare(b.To) })
}

func (e *evaluator) importOne(b *importBlock, ctx *hcl.EvalContext) (Import, bool) {
	wrong := func(at hcl.Range, summary, format string, args ...any) (Import, bool) {
		e.fail(&b.node, diag.About(diag.Problem(at, summary, format, args...), b.file, ctx))
		return Import{}, false
	}
	hidden := false
	steps, ok := referencePath(b.to, func(key hcl.Expression) (cty.Value, bool) {
		v, ok := e.value(&b.node, key, ctx)
		hidden = hidden || lang.IsSensitive(v)
		return v, ok
	})
	end, isEnd := endpointOf(steps)
	if hidden {
		return wrong(b.to.Range(), sensitiveShown, "A key in the address comes from a sensitive value, but every plan shows addresses. Use nonsensitive(...) if everybody may see it.")
	}
	if !ok || !isEnd || end.IsModule {
		return wrong(b.to.Range(), "Invalid address",
			`to must be the address of an image, such as image.logo, image.card["winter"] or module.brand.image.logo.`)
	}
	to := addrs.Image{Module: end.Parent, Name: end.Name, Key: end.Key}
	if i := slices.IndexFunc(e.imports, func(other Import) bool { return other.To == to }); i >= 0 {
		return wrong(b.to.Range(), "Duplicate import", "%s is imported at %s already.", to, diag.Place(e.imports[i].Range))
	}
	raw, ok := e.value(&b.node, b.file, ctx)
	if !ok {
		return Import{}, false
	}
	given := unmark(raw)
	if given.sensitive {
		return wrong(b.file.Range(), sensitiveShown, "The file's name comes from a sensitive value, but every plan shows it. Use nonsensitive(...) if everybody may see it.")
	}
	v, err := convert.Convert(given.value, cty.String)
	if err != nil || v.IsNull() || !v.IsKnown() || v.AsString() == "" {
		return wrong(b.file.Range(), "Invalid argument type", "file is a path, relative to the root module.")
	}
	name := filepath.FromSlash(v.AsString())
	if !filepath.IsAbs(name) {
		name = filepath.Join(e.root.mod.dir, name)
	}
	file := e.inputs.read(filepath.Clean(name))
	imp := Import{
		To: to, File: file.path, Name: e.nameOf(".", v.AsString()), SHA256: file.sha256, Content: file.content, Size: file.size, Range: b.at,
		format: file.format, toAt: b.to.Range(), fileAt: b.file.Range(),
	}
	if file.problem != "" {
		imp.Problem = diag.About(diag.Problem(b.file.Range(), "Unusable import file", "%s: %s To generate %s instead, remove the import block.",
			v.AsString(), file.problem, to), b.file, ctx)
	}
	return imp, true
}

// checkImports holds import blocks against the images that they are for.
func (e *evaluator) checkImports() {
	if len(e.imports) == 0 {
		return
	}
	outputs := map[addrs.Image]string{}
	for path, claim := range e.paths.all() {
		if addr, isImage := claim.image(); isImage && claim.by.rendition == "" {
			outputs[addr] = path
		}
	}
	for _, imp := range e.imports {
		output, made := outputs[imp.To]
		switch {
		case !e.exists(imp.To):
			e.add(diag.Problem(imp.toAt, "Import of an undeclared image",
				"%s is not in the configuration. Declare the image as it is to be from now on.", imp.To))
		case made && imp.Problem == nil && formatOf[path.Ext(output)] != imp.format:
			e.add(diag.Problem(imp.fileAt, "Import does not match its output",
				"The file's format is %s, but the file of %s is %s. Set output or output_format so that they agree. If the image exists already, remove the import block.", imp.format, imp.To, output))
		}
	}
}
