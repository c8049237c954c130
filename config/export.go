package config

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// ctyTypes are the types of request arguments in expressions.
var ctyTypes = map[bfl.Kind]cty.Type{
	bfl.String: cty.String, bfl.Integer: cty.Number, bfl.Number: cty.Number, bfl.Boolean: cty.Bool,
}

// ctyType is the type of a request's argument in expressions.
func ctyType(name string) cty.Type {
	kind, _ := image.Parameter(name)
	return ctyTypes[kind]
}

// unknown values of results, which are never null unless the API leaves them out.
var (
	unknownText   = cty.UnknownVal(cty.String).RefineNotNull()
	unknownNumber = cty.UnknownVal(cty.Number).RefineNotNull()
)

// export builds what expressions see of an image: of its arguments and its results, where they are
// known, those that something reads. The image is nil where it is wrong; then nothing but its
// address is known.
func (e *evaluator) export(b *imageBlock, img *image.Image, addr addrs.Image, result *image.Result) cty.Value {
	attrs := make(map[string]cty.Value, 1+b.demand.size())
	x := e.exporter(b, img, addr, result)
	if b.demand.all {
		for _, name := range image.Exported {
			attrs[name] = x.attribute(name)
		}
	} else {
		for name := range b.demand.attrs {
			if slices.Contains(image.Exported, name) {
				attrs[name] = x.attribute(name)
			}
		}
	}
	attrs["address"] = x.attribute("address")
	return cty.ObjectVal(attrs)
}

// isWholeImage reports whether a type is that of an image, as expressions see it as a whole.
func isWholeImage(ty cty.Type) bool {
	return ty.IsObjectType() && !slices.ContainsFunc(image.Exported, func(name string) bool { return !ty.HasAttribute(name) })
}

// exporter gives the attributes of one image. Where it is wrong, and img nil, nothing but its
// address is known.
type exporter struct {
	e      *evaluator
	addr   addrs.Image
	img    *image.Image
	result *image.Result // nil where it is not known
	// named says that the block names the files of its images.
	named bool
	// number is the last whole number that was asked for, and counted its value: instances have mostly
	// the same ones, and a value is 100 bytes.
	number  int64
	counted cty.Value
}

func (e *evaluator) exporter(b *imageBlock, img *image.Image, addr addrs.Image, result *image.Result) exporter {
	x := exporter{e: e, addr: addr, img: img, result: result}
	x.named = slices.ContainsFunc(b.args, func(a argument) bool { return a.Name == "output" })
	return x
}

// look returns what expressions see of an instance, which is built when one looks. It carries a
// mark for the image, by which whatever is made from it is found to depend on it.
func (e *evaluator) look(b *imageBlock, s *scope, o *object) cty.Value {
	return e.lookOnly(b, s, o).Mark(dependency{addr: addrs.Image{Module: s.addr, Name: b.key, Key: o.key}})
}

// lookOnly is like look for what nothing depends on: there is no mark.
func (e *evaluator) lookOnly(b *imageBlock, s *scope, o *object) cty.Value {
	if o.value == cty.NilVal {
		o.value = e.export(b, o.img, addrs.Image{Module: s.addr, Name: b.key, Key: o.key}, o.result)
	}
	return o.value
}

func (x *exporter) attribute(name string) cty.Value {
	img := x.img
	switch {
	case name == "address":
		return cty.StringVal(x.addr.String())
	case img == nil:
		return cty.DynamicVal
	}
	switch name {
	case "model":
		return cty.StringVal(img.Model.Name)
	case "provider":
		return cty.StringVal(img.Provider)
	case "output", "path":
		return cty.StringVal(img.Output)
	case "labels":
		return exportLabels(img.Labels)
	case "candidates":
		return x.candidates()
	case "pick":
		return exportPick(img.Pick())
	case "picked":
		return x.picked()
	case "rendition":
		return x.renditions()
	case "references":
		return x.references()
	case "inputs":
		return x.inputs()
	case "mask":
		return x.mask()
	case "parameters":
		return x.parameters()
	case "width", "height", "seed", "format", "sha256", "id", "cost":
		if x.result != nil {
			return x.fromResult(name)
		}
		return x.beforeResult(name)
	default:
		return x.argument(name)
	}
}

// argument returns an argument of the request.
func (x *exporter) argument(name string) cty.Value {
	i, given := slices.BinarySearchFunc(x.img.Arguments, name, func(a bfl.Argument, name string) int {
		return strings.Compare(a.Name, name)
	})
	if !given {
		return cty.NullVal(ctyType(name))
	}
	v := x.exportArgument(x.img.Arguments[i])
	if slices.Contains(x.img.Sensitive(), name) {
		v = v.Mark(lang.Sensitive)
	}
	return v
}

// parameters returns the arguments of the request that have no name of their own, as text: objects
// of all images have one type, so that they can be put into one list.
func (x *exporter) parameters() cty.Value {
	fields := map[string]cty.Value{}
	for _, arg := range x.img.Arguments {
		if _, hasName := image.Parameter(arg.Name); hasName {
			continue
		}
		v := exportParameter(arg)
		if slices.Contains(x.img.Sensitive(), arg.Name) {
			v = v.Mark(lang.Sensitive)
		}
		fields[arg.Name] = v
	}
	if len(fields) == 0 {
		return cty.NullVal(cty.Map(cty.String))
	}
	return cty.MapVal(fields)
}

// whole returns a whole number.
func (x *exporter) whole(n int64) cty.Value {
	if x.counted == cty.NilVal || x.number != n {
		x.number, x.counted = n, cty.NumberIntVal(n)
	}
	return x.counted
}

func (x *exporter) exportArgument(arg bfl.Argument) cty.Value {
	switch v := arg.Value.(type) {
	case string:
		return cty.StringVal(v)
	case bool:
		return cty.BoolVal(v)
	case int64:
		return x.whole(v)
	case float64:
		return cty.NumberFloatVal(v)
	}
	return cty.UnknownVal(ctyType(arg.Name)).RefineNotNull()
}

// exportParameter returns a parameter as text: a string as it is, anything else as JSON.
func exportParameter(arg bfl.Argument) cty.Value {
	raw, isJSON := arg.Value.(json.RawMessage)
	var text string
	switch {
	case arg.Value == nil:
		return unknownText
	case isJSON && json.Unmarshal(raw, &text) != nil:
		text = string(raw)
	case !isJSON:
		text = fmt.Sprint(arg.Value)
	}
	return cty.StringVal(text)
}

func exportLabels(labels map[string]string) cty.Value {
	if labels == nil {
		return cty.NullVal(cty.Map(cty.String))
	}
	if len(labels) == 0 {
		return cty.MapValEmpty(cty.String)
	}
	values := make(map[string]cty.Value, len(labels))
	for k, v := range labels {
		values[k] = cty.StringVal(v)
	}
	return cty.MapVal(values)
}

// references lists the references as text: addresses, URLs, and paths from the root module.
func (x *exporter) references() cty.Value {
	var list []cty.Value
	for i := range x.img.References {
		if r := &x.img.References[i]; x.img.Model.IsReference(r.Field) {
			list = append(list, x.reference(r))
		}
	}
	if len(list) == 0 {
		return cty.NullVal(cty.List(cty.String))
	}
	return cty.ListVal(list)
}

// inputs returns the images of roles as text, as references does.
func (x *exporter) inputs() cty.Value {
	fields := map[string]cty.Value{}
	for i := range x.img.References {
		if r := &x.img.References[i]; slices.Contains(x.img.Model.Inputs.Roles, r.Field) {
			fields[r.Field] = x.reference(r)
		}
	}
	if len(fields) == 0 {
		return cty.NullVal(cty.Map(cty.String))
	}
	return cty.MapVal(fields)
}

func (x *exporter) mask() cty.Value {
	for i := range x.img.References {
		if r := &x.img.References[i]; r.Field == x.img.Model.Inputs.Mask {
			return x.reference(r)
		}
	}
	return cty.NullVal(cty.String)
}

func (x *exporter) reference(r *image.Reference) cty.Value {
	v := unknownText
	switch {
	case r.Unknown:
	case r.IsMade(), r.URL != "":
		v = cty.StringVal(r.Name())
	default:
		v = cty.StringVal(x.e.fromRoot(r.Path))
	}
	if slices.Contains(x.img.Sensitive(), r.Field) {
		v = v.Mark(lang.Sensitive)
	}
	return v
}

// fromRoot writes a path relative to the root module, with slashes, whether or not the root
// module's own is absolute. An absolute path that does not lead into the root module stays as it
// is.
func (e *evaluator) fromRoot(file string) string {
	root := e.root.mod.dir
	if filepath.IsAbs(file) {
		abs, err := filepath.Abs(root)
		if err != nil {
			return filepath.ToSlash(file)
		}
		root = abs
	}
	rel, err := filepath.Rel(root, file)
	if err != nil || filepath.IsAbs(file) && !filepath.IsLocal(rel) {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(rel)
}

// beforeResult returns what is known of a result that is not there yet. What was asked for is what
// comes, but for sizes that the API may round.
func (x *exporter) beforeResult(name string) cty.Value {
	switch name {
	case "width", "height":
		v := x.argument(name)
		if v.IsNull() || slices.Contains(x.img.Model.Sizes, x.img.Request().Size()) {
			return unknownNumber
		}
		return v
	case "seed":
		if v := x.argument(name); !v.IsNull() {
			return v
		}
		return cty.UnknownVal(cty.Number)
	case "format":
		if format, ok := x.img.Request().Value("output_format").(string); ok {
			return cty.StringVal(format)
		}
		if x.named && !x.img.Model.Custom {
			// The extension agrees with it; see builder.output.
			return cty.StringVal(x.img.Model.DefaultFormat())
		}
		return unknownText
	case "cost":
		return unknownNumber
	default:
		return unknownText
	}
}

func (x *exporter) fromResult(name string) cty.Value {
	switch name {
	case "width":
		return x.whole(int64(x.result.Width))
	case "height":
		return x.whole(int64(x.result.Height))
	case "seed":
		if v := x.argument(name); !v.IsNull() || x.result.Seed == nil {
			return v
		}
		return cty.NumberIntVal(*x.result.Seed)
	case "format":
		return cty.StringVal(x.result.Format)
	case "cost":
		return cty.MustParseNumberVal(x.result.Cost.Decimal())
	case "sha256":
		return cty.StringVal(x.result.SHA256)
	default:
		return cty.StringVal(x.result.TaskID)
	}
}

// imageValue builds what expressions see of an image block: its only instance, or an object or list
// of its instances.
func (e *evaluator) imageValue(b *imageBlock, s *scope) cty.Value {
	list := s.images[b]
	if list == nil || list.expansion == nil {
		return cty.DynamicVal
	}
	if list.value != cty.NilVal && !list.stale {
		return list.value
	}
	list.stale = false
	list.value = e.blockValue(b, s, e.look)
	return list.value
}

// bareValue is like imageValue without marks for the images.
func (e *evaluator) bareValue(b *imageBlock, s *scope) cty.Value {
	list := s.images[b]
	if list == nil || list.expansion == nil {
		return cty.DynamicVal
	}
	if list.bare == cty.NilVal {
		list.bare = e.blockValue(b, s, e.lookOnly)
	}
	return list.bare
}

// blockValue puts together what one sees of the instances.
func (e *evaluator) blockValue(b *imageBlock, s *scope, see func(*imageBlock, *scope, *object) cty.Value) cty.Value {
	objects := s.images[b].objects
	switch {
	case b.forEach != nil:
		values := make(map[string]cty.Value, len(objects))
		for i := range objects {
			key, _ := objects[i].key.Text()
			values[key] = see(b, s, &objects[i])
		}
		return cty.ObjectVal(values)
	case b.count != nil:
		values := make([]cty.Value, len(objects))
		for i := range objects {
			values[i] = see(b, s, &objects[i])
		}
		return cty.TupleVal(values)
	default:
		return see(b, s, &objects[0])
	}
}
