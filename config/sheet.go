package config

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/filename"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

var sheetSchema = schema.Body{
	In:   "a sheet block",
	Args: []string{"images", "columns", "cell", "padding", "fit", "focus", "quality", "background", "output", "atlas"},
}

// sheetTypes say what the arguments are.
var sheetTypes = map[string]string{
	"images": "It is a list of images.", "columns": "It is a whole number.", "padding": "It is a whole number of pixels.",
	"cell": "It is an object, as in { width = 128, height = 128 }.", "fit": renditionTypes["fit"], "focus": renditionTypes["focus"],
	"quality": renditionTypes["quality"], "background": renditionTypes["background"], "output": "It is a string.", "atlas": "It is a string.",
}

const (
	// maxCells bounds the pictures of a sheet.
	maxCells   = 4096
	maxPadding = 256
)

// sheetBlock is a sheet block.
type sheetBlock struct {
	node
	key  string // the block's label
	args map[string]*hcl.Attribute
}

func (d *decoder) sheet(m *module, block *hcl.Block) {
	name := block.Labels[0]
	if first, ok := m.sheets[name]; ok {
		d.duplicate("sheet."+name, block.DefRange, first.at)
		return
	}
	content, diags := sheetSchema.Read(block.Body)
	d.add(diags...)
	b := &sheetBlock{node: node{name: "sheet." + name, at: block.DefRange}, key: name, args: content.Args}
	for _, required := range []string{"images", "cell"} {
		if content.Args[required] == nil && !diags.HasErrors() {
			d.add(diag.Problem(block.DefRange, "Missing required argument",
				"A sheet needs images and a cell, as in images = image.icon and cell = { width = 128, height = 128 }."))
			b.broken = true
			break
		}
	}
	b.broken = b.broken || diags.HasErrors()
	m.sheets[name] = b
	m.add(&b.node, b)
}

// evaluate finds what the sheet is in a scope.
func (b *sheetBlock) evaluate(e *evaluator, s *scope) {
	if b.tainted {
		return
	}
	ctx := e.context(&b.node, s)
	r := &innerReader{
		args: b.args, summary: "Invalid sheet", types: sheetTypes, report: func(diags ...*hcl.Diagnostic) { e.add(diags...) },
		context: func() *hcl.EvalContext { return ctx },
	}
	sheet := &image.Sheet{Address: addrs.Rendition{Kind: addrs.Sheet, Of: addrs.Image{Module: s.addr, Name: b.key}}}
	sheet.Cells = r.cells(e)
	sheet.Recipe = r.sheet(len(sheet.Cells))
	sheet.Output = r.sheetFile("output", defaultOutput(sheet.Address.Of)+".png", sheet.Recipe)
	if b.args["atlas"] != nil {
		sheet.Atlas = r.sheetFile("atlas", "", sheet.Recipe)
	}
	if r.wrong {
		e.taint(&b.node)
		return
	}
	sheet.Prompt = e.settings.Prompt
	sheet.Output = e.paths.place(sheet.Output)
	if sheet.Atlas != "" {
		sheet.Atlas = e.paths.place(sheet.Atlas)
	}
	by := &maker{at: &b.at, name: sheet.Address.String()}
	for _, file := range sheet.SheetFiles(len(sheet.Cells), sheet.Output, sheet.Atlas) {
		e.paths.take(claim{by: by}, file, r.report)
	}
	e.sheets = append(e.sheets, sheet)
	e.set(&b.node, s, sheetValue(sheet))
}

// sheetValue is what expressions see of a sheet. Its extent is that of its first page.
func sheetValue(s *image.Sheet) cty.Value {
	width, height := s.PageSize(len(s.Cells))
	atlas, atlases := cty.NullVal(cty.String), cty.ListValEmpty(cty.String)
	var pages, tables []cty.Value
	for i, file := range s.SheetFiles(len(s.Cells), s.Output, s.Atlas) {
		if s.Atlas != "" && i%2 == 1 {
			tables = append(tables, cty.StringVal(file))
		} else {
			pages = append(pages, cty.StringVal(file))
		}
	}
	if len(tables) > 0 {
		atlas, atlases = tables[0], cty.ListVal(tables)
	}
	return cty.ObjectVal(map[string]cty.Value{
		"address": cty.StringVal(s.Address.String()), "path": pages[0], "pages": cty.ListVal(pages), "atlas": atlas, "atlases": atlases,
		"format": cty.StringVal(s.Format), "width": cty.NumberIntVal(int64(width)), "height": cty.NumberIntVal(int64(height)),
	})
}

// sheet reads what decides on the pixels.
func (r *innerReader) sheet(cells int) *image.Recipe {
	recipe := &image.Recipe{Fit: image.Fit(r.oneOf("fit", image.Fits, string(image.Contain)))}
	recipe.Focus, recipe.Background = r.focus(), r.colour("background")
	recipe.Columns, recipe.Padding = r.whole("columns", 1, maxCells), r.whole("padding", 0, maxPadding)
	if recipe.Format = formatOf[strings.ToLower(path.Ext(r.text("output")))]; recipe.Format == "" {
		recipe.Format = "png"
	}
	recipe.Quality = r.quality(recipe.Format)
	if v, given := r.value("cell", cty.Object(map[string]cty.Type{"width": cty.Number, "height": cty.Number})); given {
		recipe.Width, recipe.Height = r.side(v, "width"), r.side(v, "height")
	}
	if r.wrong || cells == 0 {
		return recipe
	}
	most := image.MaxPage / recipe.CellWidth()
	if recipe.Columns == 0 {
		recipe.Columns = min(int(math.Ceil(math.Sqrt(float64(cells)))), most)
	}
	if recipe.Columns = min(recipe.Columns, cells); recipe.Columns > most {
		r.bad("columns", fmt.Sprintf("%d cells of %d pixels beside each other are more than %d pixels, which many graphics processors do not take. At most %d fit.",
			recipe.Columns, recipe.CellWidth(), image.MaxPage, most))
	}
	if recipe.Format == "jpeg" && recipe.Background == "" {
		recipe.Background = "#ffffff"
	}
	return recipe
}

// side reads a side of a cell.
func (r *innerReader) side(cell cty.Value, name string) int {
	v := cell.GetAttr(name)
	if !v.IsNull() {
		if n, accuracy := v.AsBigFloat().Int64(); accuracy == 0 && n >= 1 && n <= image.MaxPage-2*maxPadding {
			return int(n)
		}
	}
	r.bad("cell", "cell is the size of a picture in the sheet, in whole pixels, as in { width = 128, height = 128 }.")
	return 0
}

// cells reads which pictures are in the sheet.
func (r *innerReader) cells(e *evaluator) []image.Cell {
	attr := r.args["images"]
	raw, diags := attr.Expr.Value(r.context())
	r.report(diags...)
	if diags.HasErrors() {
		r.wrong = true
		return nil
	}
	cells, ok := e.cellsOf(nil, unmark(raw).value)
	switch {
	case !ok:
		r.bad("images", "images lists images or their renditions, as in image.icon for all instances of a block, [image.a, image.b], or [for i in image.icon : i.rendition.small].")
	case len(cells) == 0:
		r.bad("images", "It has no images. Name at least one.")
	case len(cells) > maxCells:
		r.bad("images", "A sheet has at most 4096 pictures. Make several sheets.")
	}
	for i, c := range cells {
		if slices.Contains(cells[:i], c) {
			r.bad("images", "The sheet has "+c.String()+" twice. Each picture of a sheet needs a name of its own.")
			break
		}
	}
	return cells
}

// cellsOf adds the pictures that a value names.
func (e *evaluator) cellsOf(cells []image.Cell, v cty.Value) ([]image.Cell, bool) {
	switch {
	case v.IsNull():
		return cells, true
	case !v.IsKnown():
		return cells, false
	case isImage(v.Type()):
		c, ok := e.cell(v.GetAttr("address"))
		return append(cells, c), ok
	case !v.CanIterateElements():
		return cells, false
	}
	ok := true
	for _, element := range v.Elements() {
		var fine bool
		cells, fine = e.cellsOf(cells, element)
		ok = ok && fine
	}
	return cells, ok
}

// cell finds the picture with an address.
func (e *evaluator) cell(address cty.Value) (image.Cell, bool) {
	if !address.IsKnown() || address.IsNull() {
		return image.Cell{}, false
	}
	r, err := addrs.ParseRendition(address.AsString())
	switch {
	case err == nil && r.Kind == addrs.Sheet:
		return image.Cell{}, false
	case err == nil && r.Kind == addrs.OfAsset:
		asset := e.asset(r.Of)
		return image.Cell{Image: r.Of, Rendition: r.Name, Asset: asset}, asset != nil && asset.Rendition(r.Name) != nil
	case err == nil:
		return image.Cell{Image: r.Of, Rendition: r.Name}, e.exists(r.Of)
	}
	addr, err := addrs.Parse(address.AsString())
	return image.Cell{Image: addr}, err == nil && e.exists(addr)
}

// sheetFile reads the name of a file of a sheet.
func (r *innerReader) sheetFile(name, preset string, recipe *image.Recipe) string {
	if r.args[name] == nil {
		return preset
	}
	text := r.text(name)
	ext := strings.ToLower(path.Ext(text))
	switch {
	case text == "" && !r.wrong && name == "output":
		return preset
	case text == "":
	case filename.Refused(text) != "":
		r.bad(name, filename.Refused(text)+" A path is relative to the output folder.")
	case name == "output" && formatOf[ext] != recipe.Format:
		r.bad(name, `The file has another extension than a picture's. Use .png, .jpg, .jpeg or .webp.`)
	case name == "atlas" && ext != ".json":
		r.bad(name, `An atlas is a JSON file. Give it a name such as "icons.json".`)
	default:
		return path.Clean(text)
	}
	return ""
}

// Sheets returns what the sheet blocks of all modules declare, in the order of their addresses. It is
// for after Evaluate.
func (c *Config) Sheets() []*image.Sheet {
	e := c.evaluator
	if e == nil {
		return nil
	}
	c.ensureEvaluated()
	slices.SortFunc(e.sheets, func(a, b *image.Sheet) int { return a.Address.Compare(b.Address) })
	return e.sheets
}
