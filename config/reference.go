package config

import (
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// isImage reports whether values of a type are taken for images of the configuration.
func isImage(ty cty.Type) bool {
	return ty.IsObjectType() && ty.HasAttribute("address") && ty.AttributeType("address") == cty.String
}

// namesSecret reports whether it is sensitive which images a value names. Of an image of the
// configuration only the address is looked at: that it was made from a sensitive prompt does not
// make its name a secret.
func namesSecret(v cty.Value) bool {
	if v.HasMark(lang.Sensitive) {
		return true
	}
	v, _ = v.Unmark()
	switch {
	case v.IsNull() || !v.CanIterateElements():
		return false
	case isImage(v.Type()):
		return namesSecret(v.GetAttr("address"))
	}
	for _, element := range v.Elements() {
		if namesSecret(element) {
			return true
		}
	}
	return false
}

// inputs finds the images that go into the request: references, those of roles, then the mask.
func (d *builder) inputs(img *image.Image) bool {
	model := img.Model
	ok := true
	if v := d.given("references"); v != nil && (!v.arg.inherited || len(model.Inputs.References) > 0) {
		ok = d.references(img, v)
	}
	if v := d.given("inputs"); v != nil && (!v.arg.inherited || len(model.Inputs.Roles) > 0) {
		ok = d.roles(img, v) && ok
	}
	v := d.given("mask")
	if v == nil || model.Inputs.Mask == "" && v.arg.inherited {
		return ok
	}
	if model.Inputs.Mask == "" {
		d.report(diag.Problem(v.arg.at(), "Model takes no mask",
			"%s does not support a mask. Use %s.", model.Name, diag.QuotedList(maskModels(), "or")))
		return false
	}
	mask, found := d.reference(v, v.value, v.arg.valueAt())
	if !found {
		return false
	}
	d.addReference(img, v, model.Inputs.Mask, mask)
	return ok
}

func maskModels() []string {
	var names []string
	for _, m := range bfl.Models() {
		if m.Inputs.Mask != "" {
			names = append(names, m.Name)
		}
	}
	return names
}

func (d *builder) references(img *image.Image, v *argumentValue) bool {
	model := img.Model
	fields := model.Inputs.References
	if !v.value.IsKnown() {
		// How many there will be is not known either; one stands for them.
		img.References = append(img.References, image.Reference{Input: bfl.Input{Field: referenceField(fields, 0)}, Unknown: true})
		return true
	}
	switch ty := v.value.Type(); {
	case ty.IsTupleType() || ty.IsListType():
	case ty.IsSetType():
		d.wrong(v, "Invalid argument type",
			`references is a list, because a prompt counts them as "image 1", "image 2". A set has no order. Write a list, or sort(...) the set.`)
		return false
	case ty == cty.String || isImage(ty):
		d.wrong(v, "Invalid argument type", "references is a list. Put brackets around the one image, as in "+
			"references = [image.logo].")
		return false
	default:
		d.wrong(v, "Invalid argument type",
			"references must be a list of images, files and URLs, but this is %s.", describeValue(v.value))
		return false
	}
	ok := true
	ranges := elementRanges(v.arg.Expr)
	count, i := 0, 0
	for _, element := range v.value.Elements() {
		at := v.arg.valueAt()
		if i < len(ranges) && len(ranges) == v.value.LengthInt() {
			at = ranges[i]
		}
		i++
		if element.IsNull() {
			continue
		}
		r, found := d.reference(v, element, at)
		if !found {
			// It is counted nonetheless, so that there do not seem to be too few.
			r, ok = image.Reference{Unknown: true}, false
		}
		d.addReference(img, v, referenceField(fields, count), r)
		count++
	}
	return ok
}

// referenceField returns the field of the nth reference. There may be more references than fields,
// which the check of the request finds; those get a name that is no mask's.
func referenceField(fields []string, n int) string {
	switch {
	case n < len(fields):
		return fields[n]
	case len(fields) > 0:
		return fields[len(fields)-1]
	default:
		return "references"
	}
}

// elementRanges returns where the elements of a list stand that is written out.
func elementRanges(expr hcl.Expression) []hcl.Range {
	tuple, ok := expr.(*hclsyntax.TupleConsExpr)
	if !ok {
		return nil
	}
	ranges := make([]hcl.Range, len(tuple.Exprs))
	for i, e := range tuple.Exprs {
		ranges[i] = e.Range()
	}
	return ranges
}

// reference interprets one value as an image: another image of the configuration or a rendition, a
// URL, or a file.
// The caller knows the field.
func (d *builder) reference(v *argumentValue, value cty.Value, at hcl.Range) (image.Reference, bool) {
	wrong := func(summary, format string, args ...any) (image.Reference, bool) {
		if v.sensitive {
			format, args = "The reference is wrong. It is sensitive, so it is not shown.", nil
		}
		d.report(diag.About(diag.Problem(at, summary, format, args...), v.arg.Expr, d.context(v)))
		return image.Reference{}, false
	}
	ty := value.Type()
	switch {
	case !value.IsKnown():
		return image.Reference{Unknown: true}, true
	case isImage(ty):
		address := value.GetAttr("address")
		if !address.IsKnown() || address.IsNull() {
			return image.Reference{Unknown: true}, true
		}
		if made, err := addrs.ParseRendition(address.AsString()); err == nil {
			ref, found := d.e.derived(made)
			switch {
			case made.Kind == addrs.Sheet:
				return wrong("Invalid reference", "%s is a sheet, and only images, renditions, files and URLs can be references. Use what it is made from.", made)
			case !found:
				return wrong("Invalid reference", "The object's address is %q, which is not a rendition of this configuration.", made)
			}
			return ref, true
		}
		addr, err := addrs.Parse(address.AsString())
		if err != nil || !d.e.exists(addr) {
			return wrong("Invalid reference",
				"The object's address is %q, which is not an image of this configuration.", address.AsString())
		}
		return image.Reference{Image: addr}, true
	case isAsset(ty):
		return wrong("Invalid reference",
			"A reference must be an image, a file or a URL, but this is an asset. Name its file, as in asset.logo.file, or one of its renditions, as in asset.logo.rendition.icon.")
	case ty.IsObjectType() || ty.IsTupleType() || ty.IsMapType() || ty.IsListType():
		return wrong("Invalid reference",
			"A reference must be an image, a file or a URL, but this is %s. Write values(image.NAME) for all instances of an image with for_each. Use concat or flatten to join lists.",
			withArticle(ty.FriendlyName()))
	case ty != cty.String:
		return wrong("Invalid reference",
			`A reference must be an image such as image.logo, a path or a URL, but this is %s.`, describeValue(value))
	}
	text := value.AsString()
	if scheme, _, ok := strings.Cut(text, "://"); ok {
		if reason := refusedURL(text, strings.ToLower(scheme)); reason != "" {
			return wrong("Unsupported URL", "%s", reason)
		}
		return image.Reference{Input: bfl.Input{URL: text}}, true
	}
	return d.fileInput(v, text, at)
}

// refusedURL says why a URL cannot be a reference, "" where it can.
func refusedURL(text, scheme string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return "This is not a valid URL. A reference is a URL such as https://example.com/light.jpg, an image, or a path."
	case scheme == "http":
		return "A URL must start with https://, because the API fetches it over the open network. Download a picture that only http serves, and name the file."
	case scheme != "https":
		return "A URL must start with https://, because the API fetches it itself. Download the picture and name " +
			"the file instead."
	case u.User != nil:
		return "The URL has a user name or password in it, which would go to the API and into the state. Download the picture and name the file instead."
	}
	return ""
}

// derived returns the reference to a rendition, and whether there is one of that address. Of one
// whose image is wrong, which was reported, nothing is known.
func (e *evaluator) derived(addr addrs.Rendition) (ref image.Reference, found bool) {
	made := image.Derived{Address: addr}
	var all []image.Rendition
	if addr.Kind == addrs.OfAsset {
		if made.Asset = e.asset(addr.Of); made.Asset == nil {
			return ref, false
		}
		all = made.Asset.Renditions
	} else {
		if !e.exists(addr.Of) {
			return ref, false
		}
		img := e.instanceOf(addr.Of)
		if img == nil {
			return image.Reference{Unknown: true}, true
		}
		ref.Image, all = addr.Of, img.Renditions()
	}
	i := slices.IndexFunc(all, func(r image.Rendition) bool { return r.Name == addr.Name })
	if i < 0 {
		return ref, false
	}
	made.Rendition, ref.Derived = &all[i], &made
	return ref, true
}

// instanceOf returns the image that was built for an address that exists, nil where it is wrong.
func (e *evaluator) instanceOf(addr addrs.Image) *image.Image {
	s := e.byAddr[addr.Module]
	if o := s.images[s.mod.images[addr.Name]].object(addr.Key); o != nil {
		return o.img
	}
	return nil
}

// exists reports whether an address is that of an instance that was expanded.
func (e *evaluator) exists(addr addrs.Image) bool {
	s := e.byAddr[addr.Module]
	if s == nil {
		return false
	}
	b := s.mod.images[addr.Name]
	if b == nil || s.images[b] == nil || s.images[b].expansion == nil {
		return false
	}
	_, ok := s.images[b].get(addr.Key)
	return ok
}

// fileInput interprets a path. It is relative to the module that the image stands in; a path that
// is not found there is tried from the root module, since that is what path.module and values from
// outside are relative to.
func (d *builder) fileInput(v *argumentValue, text string, at hcl.Range) (image.Reference, bool) {
	if text == "" {
		d.report(diag.About(diag.Problem(at, "Invalid reference", "The path is empty. Write null for a reference that may be absent."), v.arg.Expr, d.context(v)))
		return image.Reference{}, false
	}
	file, dir := d.e.inputs.find(d.s.mod, text)
	use := inputUse{file: file, text: text, at: at, by: d.addr(d.current)}
	if v.sensitive {
		use.text = "(sensitive path)"
	}
	d.e.inputs.note(use)
	if file.problem != "" {
		// Reported at the end, when it is known whether another image makes this file.
		d.e.taint(&d.b.node)
		return image.Reference{}, false
	}
	return image.Reference{
		Input: bfl.Input{SHA256: file.content, Size: file.size},
		Path:  file.path, File: d.e.nameOf(dir, text), FileSHA256: file.sha256,
	}, true
}

// inputFiles remembers what was found out about files that are sent with requests.
type inputFiles struct {
	files map[string]*inputFile // by path
	used  []inputUse
	noted map[notedUse]bool
}

// notedUse tells the uses of files apart: one place may name many, and each of them for many
// images.
type notedUse struct {
	file *inputFile
	at   hcl.Range
}

// note records a use for checkInputs.
func (f *inputFiles) note(use inputUse) {
	key := notedUse{file: use.file, at: use.at}
	if f.noted[key] {
		return
	}
	if f.noted == nil {
		f.noted = map[notedUse]bool{}
	}
	f.noted[key] = true
	f.used = append(f.used, use)
}

type inputFile struct {
	path    string // usable with package os
	sha256  string
	content string // the identity of its picture
	format  string // "png", "jpeg" or "webp"
	size    bfl.Size
	problem string // why the file cannot be used, "" where it can
	missing bool
}

// inputUse is one place where a file is named.
type inputUse struct {
	file *inputFile
	text string
	at   hcl.Range
	by   addrs.Image
}

// find finds the file that a module calls by a path. dir is the directory, as seen from the root
// module, from which the path led to it.
func (f *inputFiles) find(m *module, path string) (file *inputFile, dir string) {
	name := filepath.FromSlash(path)
	if filepath.IsAbs(name) {
		return f.read(filepath.Clean(name)), ""
	}
	file = f.read(filepath.Join(m.dir, name))
	if file.missing && m.parent != nil {
		root := m
		for root.parent != nil {
			root = root.parent
		}
		if other := f.read(filepath.Join(root.dir, name)); !other.missing {
			return other, ""
		}
	}
	return file, m.rel
}

// nameOf returns a path for people that leads from dir to a file; see image.Reference.
func (e *evaluator) nameOf(dir, name string) string {
	if filepath.IsAbs(filepath.FromSlash(name)) {
		return e.fromRoot(filepath.Clean(filepath.FromSlash(name)))
	}
	return path.Join(dir, filepath.ToSlash(name))
}

func (f *inputFiles) read(path string) *inputFile {
	if file, ok := f.files[path]; ok {
		return file
	}
	file := readInput(path)
	if f.files == nil {
		f.files = map[string]*inputFile{}
	}
	f.files[path] = file
	return file
}
