package config

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/filename"
	"github.com/fluxbatch/fluxbatch/internal/hclfast"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

var renditionSchema = schema.Body{
	In:   "a rendition block",
	Args: []string{"width", "height", "fit", "focus", "format", "quality", "background", "output"},
}

// renditionTypes say what the arguments are.
var renditionTypes = map[string]string{
	"width": "It is a whole number of pixels.", "height": "It is a whole number of pixels.",
	"fit": "It is a string.", "focus": `It is a string such as "north" or "0.5,0.25".`, "format": "It is a string.",
	"quality": "It is a whole number from 1 to 100.", "background": `It is a colour such as "#0b3d91".`, "output": "It is a string.",
}

// renditionBlock is a rendition block of an image.
type renditionBlock struct {
	name string
	at   hcl.Range
	args map[string]*hcl.Attribute
	// perInstance says that the recipe names each or count, and outputPerInstance that the file does.
	perInstance, outputPerInstance bool
}

// rendition decodes a block of the image or asset that is called owner.
func (d *decoder) rendition(all *[]renditionBlock, owner string, block *hcl.Block) {
	content, diags := renditionSchema.Read(block.Body)
	d.add(diags...)
	r := renditionBlock{name: block.Labels[0], at: block.DefRange, args: content.Args}
	switch {
	case !hclfast.IsIdentifier(r.name):
		d.add(diag.Problem(block.LabelRanges[0], "Invalid name",
			"%q cannot be a name. A name starts with a letter and has only letters, digits, underscores and dashes.", r.name))
		return
	case slices.ContainsFunc(*all, func(other renditionBlock) bool { return other.name == r.name }):
		d.add(diag.Problem(block.DefRange, "Duplicate rendition", "%s has a rendition %q already. Give each its own name.", owner, r.name))
		return
	case !diags.HasErrors() && content.Args["width"] == nil && content.Args["height"] == nil:
		d.add(diag.Problem(block.DefRange, "Missing required argument", "A rendition needs a width, a height or both, in pixels, as in width = 320."))
	}
	*all = append(*all, r)
	slices.SortFunc(*all, func(x, y renditionBlock) int { return strings.Compare(x.name, y.name) })
}

// renditions evaluates the renditions for an instance.
func (d *builder) renditions(img *image.Image) bool {
	if len(d.b.renditions) == 0 {
		return true
	}
	if d.recipes == nil {
		d.recipes, d.cuts = make([]*image.Recipe, len(d.b.renditions)), make([]*maker, len(d.b.renditions))
	}
	ok := true
	all := make([]image.Rendition, 0, len(d.b.renditions))
	for i := range d.b.renditions {
		block := &d.b.renditions[i]
		recipe := d.recipes[i]
		r := d.inner(block.args, "Invalid rendition", renditionTypes)
		if recipe == nil || block.perInstance || block.outputPerInstance && block.args["format"] == nil {
			own := r.recipe(block.at)
			if own == nil {
				return false
			}
			if own.Prompt = d.e.settings.Prompt; recipe == nil || *recipe != *own {
				recipe, d.recipes[i] = own, own
			}
		}
		made := image.Rendition{Name: block.name, Recipe: recipe}
		at := &block.at
		if file := r.file(recipe); file != "" {
			made.Output, at = d.e.paths.place(file), new(block.args["output"].Expr.Range())
		} else {
			made.Output = strings.TrimSuffix(img.Output, path.Ext(img.Output)) + "-" + block.name + extensionOf[recipe.Format]
		}
		all = append(all, made)
		if d.cuts[i] == nil || *d.cuts[i].at != *at {
			d.cuts[i] = d.maker(at)
			d.cuts[i].rendition = block.name
		}
		ok = ok && !r.wrong && d.e.paths.take(claim{d.cuts[i], d.n}, made.Output, d.report)
	}
	img.Rare().Renditions = all
	return ok
}

const (
	// maxSide bounds the sides of what is made here: more, no WebP can have.
	maxSide = 16383
	// defaultQuality is that of JPEG and WebP files that name none.
	defaultQuality = 80
)

// recipe reads what decides on the pixels, nil where something is wrong.
func (r *innerReader) recipe(at hcl.Range) *image.Recipe {
	recipe := &image.Recipe{
		Width: r.whole("width", 1, maxSide), Height: r.whole("height", 1, maxSide),
		Fit: image.Fit(r.oneOf("fit", image.Fits, string(image.Cover))), Format: r.format(),
	}
	recipe.Focus = r.focus()
	recipe.Background = r.colour("background")
	recipe.Quality = r.quality(recipe.Format)
	switch {
	case r.wrong:
		return nil
	case recipe.Width == 0 && recipe.Height == 0 && r.args["width"] == nil && r.args["height"] == nil:
		return nil // That was reported.
	case recipe.Width == 0 && recipe.Height == 0:
		r.report(diag.Problem(at, r.summary, "A rendition needs a width, a height or both, in pixels, and both are null."))
		return nil
	case recipe.Width*recipe.Height > imagefile.MaxPixels:
		r.report(diag.Problem(at, r.summary, "%d x %d are more than the %d pixels that are made at most. Make it smaller.", recipe.Width, recipe.Height, imagefile.MaxPixels))
		return nil
	case recipe.Fit == image.Contain && recipe.Background == "" && recipe.Format == "jpeg":
		recipe.Background = "#ffffff"
	}
	return recipe
}

// oneOf reads one of a few words.
func (r *innerReader) oneOf(name string, words []string, preset string) string {
	text := r.text(name)
	switch {
	case text == "":
		return preset
	case !slices.Contains(words, text):
		r.bad(name, fmt.Sprintf("%s is %s.%s", name, diag.QuotedList(words, "or"), diag.DidYouMean(text, words)))
	}
	return text
}

// format reads the format, which the name of the file can tell as well.
func (r *innerReader) format() string {
	byName := formatOf[strings.ToLower(path.Ext(r.text("output")))]
	format := r.oneOf("format", formats, byName)
	switch {
	case r.wrong || format == byName && format != "":
	case byName != "":
		r.bad("output", fmt.Sprintf("The file's extension says %s, but format is %q. Make them agree, or leave format out.", byName, format))
	case format == "":
		format = "webp"
	}
	return format
}

func (r *innerReader) quality(format string) int {
	quality := r.whole("quality", 1, 100)
	switch {
	case quality != 0 && format == "png":
		r.bad("quality", "A PNG file loses nothing, so that it has no quality. Use jpeg or webp for a smaller file.")
	case quality == 0 && format != "png":
		return defaultQuality
	case quality == 100 && format == "webp":
		return 0
	}
	return quality
}

// compass has the points of the compass, in ten thousandths.
var compass = map[string]image.Focus{
	"northwest": {X: 0, Y: 0}, "north": {X: 5000, Y: 0}, "northeast": {X: 10000, Y: 0},
	"west": {X: 0, Y: 5000}, "center": {X: 5000, Y: 5000}, "east": {X: 10000, Y: 5000},
	"southwest": {X: 0, Y: 10000}, "south": {X: 5000, Y: 10000}, "southeast": {X: 10000, Y: 10000},
}

func (r *innerReader) focus() image.Focus {
	text := r.text("focus")
	if text == "" {
		text = "center"
	}
	if focus, isPoint := compass[text]; isPoint {
		return focus
	}
	x, y, _ := strings.Cut(text, ",")
	fx, err1 := strconv.ParseFloat(strings.TrimSpace(x), 64)
	fy, err2 := strconv.ParseFloat(strings.TrimSpace(y), 64)
	if err1 != nil || err2 != nil || !(fx >= 0 && fx <= 1) || !(fy >= 0 && fy <= 1) {
		r.bad("focus", `focus is the point that stays in sight: "center", "north", "northeast" and so on, or "x,y" with numbers from 0 to 1.`+
			diag.DidYouMean(text, sortedKeys(compass)))
		return image.Focus{}
	}
	return image.Focus{X: int(math.Round(fx * 10000)), Y: int(math.Round(fy * 10000))}
}

var anyColour = lazyregexp.New(`^#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})$`)

func (r *innerReader) colour(name string) string {
	text := r.text(name)
	if text != "" && !anyColour().MatchString(text) {
		r.bad(name, name+` is a colour such as "#0b3d91", or "#0b3d9180" for one that can be seen through.`)
	}
	return strings.ToLower(text)
}

// file reads the output argument, "" where none is given or it is wrong.
func (r *innerReader) file(recipe *image.Recipe) string {
	text := r.text("output")
	switch {
	case text == "":
		return ""
	case filename.Refused(text) != "":
		r.bad("output", filename.Refused(text)+` A path is relative to the output folder, as in "thumbs/summer.webp".`)
		return ""
	case formatOf[strings.ToLower(path.Ext(text))] != recipe.Format:
		r.bad("output", fmt.Sprintf("The file's extension does not say %s, which is the format. Make them agree, or leave format out.", recipe.Format))
		return ""
	}
	return path.Clean(text)
}

// renditions returns what expressions see of an image's renditions. What the size will be is known
// where it does not follow from the picture's.
func (x *exporter) renditions() cty.Value {
	if len(x.img.Renditions()) == 0 {
		return cty.EmptyObjectVal
	}
	all := make(map[string]cty.Value, len(x.img.Renditions()))
	for i := range x.img.Renditions() {
		r := &x.img.Renditions()[i]
		width, height := x.renditionSize(r)
		all[r.Name] = cty.ObjectVal(map[string]cty.Value{
			"address": cty.StringVal(addrs.Rendition{Of: x.addr, Name: r.Name}.String()),
			"path":    cty.StringVal(r.Output), "format": cty.StringVal(r.Format), "width": width, "height": height,
		})
	}
	return cty.ObjectVal(all)
}

func (x *exporter) renditionSize(r *image.Rendition) (width, height cty.Value) {
	w, h := r.Width, r.Height
	if x.result != nil {
		w, h = r.Size(x.result.Width, x.result.Height)
	} else if r.Fit == image.Inside {
		w, h = 0, 0
	}
	number := func(n int) cty.Value {
		if n == 0 {
			return unknownNumber
		}
		return cty.NumberIntVal(int64(n))
	}
	return number(w), number(h)
}
