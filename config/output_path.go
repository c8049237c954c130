package config

import (
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/filename"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// formatOf tells the format of a file by its extension, extensionOf the reverse.
var (
	formatOf    = map[string]string{".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
	extensionOf = map[string]string{"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
)

// output settles the file that the image is written to and its format, which must agree.
func (d *builder) output(img *image.Image) bool {
	model := img.Model
	format, formatValue, ok := d.format(img)
	if !ok {
		return false
	}
	v := d.given("output")
	if v == nil {
		if format == "" {
			format = model.DefaultFormat()
		}
		img.Output = d.e.paths.byDefault(img.Address, extensionOf[format])
		return d.claim(img)
	}
	file, ok := d.outputFile(v)
	if !ok {
		return false
	}
	byName, known := formatOf[strings.ToLower(path.Ext(file))]
	if !known {
		d.wrong(v, "Unsupported file type", "%q has another extension than a picture's. Use .png, .jpg, .jpeg or .webp.", file)
		return false
	}
	if formatValue != nil && formatValue.arg.inherited && !v.arg.inherited && format != byName {
		format = "" // The image's own file name says otherwise than the defaults.
		isFormat := func(a bfl.Argument) bool { return a.Name == "output_format" }
		img.Arguments = slices.DeleteFunc(img.Arguments, isFormat)
	}
	switch {
	case format == "" && model.Custom:
		// Whether the endpoint has such a field is not known, so none is sent.
	case format == "" && byName == model.DefaultFormat():
		// This is what comes anyway. To ask for it would make another request of it, and naming a
		// file that has its own name already would be paid for.
	case format == "" && model.Param("output_format") == nil:
		d.wrong(v, "Output does not match its format", "The file's extension says %s, but %s makes %s files only. Give the file that extension.",
			byName, model.Name, model.DefaultFormat())
		return false
	case format == "":
		insertArgument(img, bfl.Argument{Name: "output_format", Value: byName})
	case format != byName:
		d.wrong(v, "Output does not match its format", "The file's extension says %s, but output_format is %q. Make them agree, or leave output_format out.",
			byName, format)
		return false
	}
	img.Output = d.e.paths.place(file)
	if d.outputRange == nil {
		d.outputRange = new(v.arg.valueAt())
	}
	return d.claim(img)
}

// format returns the output_format of the request, "" where it has none.
func (d *builder) format(img *image.Image) (string, *argumentValue, bool) {
	v := d.given("output_format")
	if v == nil {
		return "", nil, true
	}
	i := slices.IndexFunc(img.Arguments, func(a bfl.Argument) bool { return a.Name == "output_format" })
	if i < 0 {
		return "", v, true // A default that the model does not have.
	}
	format, ok := img.Arguments[i].Value.(string)
	if !ok {
		d.unknown(v)
		return "", v, false
	}
	if _, ok := extensionOf[format]; !ok {
		if img.Model.Custom { // The check of the request tells it of the others.
			d.wrong(v, "Invalid argument value", "output_format cannot be %q. Use %s.%s",
				format, diag.QuotedList(formats, "or"), diag.DidYouMean(format, formats))
		}
		return "", v, false
	}
	return format, v, true
}

var formats = []string{"jpeg", "png", "webp"}

func insertArgument(img *image.Image, a bfl.Argument) {
	i, _ := slices.BinarySearchFunc(img.Arguments, a.Name, func(x bfl.Argument, name string) int {
		return strings.Compare(x.Name, name)
	})
	img.Arguments = slices.Insert(img.Arguments, i, a)
}

// outputFile checks the output argument.
func (d *builder) outputFile(v *argumentValue) (string, bool) {
	text, ok := d.text(v)
	if !ok {
		return "", false
	}
	if v.sensitive {
		d.wrong(v, sensitiveShown, "The file's name comes from a sensitive value, but file names are visible. Use nonsensitive(...) if everybody may see it.")
		return "", false
	}
	if reason := filename.Refused(text); reason != "" {
		d.wrong(v, "Invalid output path",
			"%s A path is relative to the output folder, as in \"heroes/summer.png\".", reason)
		return "", false
	}
	return path.Clean(text), true
}

// byDefault returns the path for an image that names none.
func (p *outputPaths) byDefault(addr addrs.Image, extension string) string {
	if key, ok := addr.Key.Text(); ok && addr.Module == "" && p.outputDir != "." {
		// Nearly all names fit as they are, and then the path is made in one piece.
		output := p.outputDir + "/" + addr.Name + "-" + key + extension
		if name := output[len(p.outputDir)+1 : len(output)-len(extension)]; filename.Fit(name) == name {
			return output
		}
	}
	return p.place(defaultOutput(addr) + extension)
}

// defaultOutput returns the path for an image that names none, without extension: a folder for each
// module around it, then the image's name and key.
func defaultOutput(addr addrs.Image) string {
	name := filename.Fit(withKey(addr.Name, addr.Key))
	if addr.Module == "" {
		return name
	}
	var parts []string
	for name, key := range addr.Module.Steps() {
		parts = append(parts, filename.Fit(withKey(name, key)))
	}
	return strings.Join(append(parts, name), "/")
}

func withKey(name string, key addrs.Key) string {
	if n, ok := key.Int(); ok {
		return name + "-" + strconv.Itoa(n)
	}
	if text, ok := key.Text(); ok {
		return name + "-" + text
	}
	return name
}

// checkInputs reports files that are named as references and cannot be used, and those that are
// made by images of this configuration.
func (e *evaluator) checkInputs() {
	rootDir := e.root.mod.dir
	for _, use := range e.inputs.used {
		e.instance = use.by
		made, isOutput := claim{}, false
		if rel, err := filepath.Rel(rootDir, use.file.path); err == nil {
			made, isOutput = e.paths.claimed(strings.ToLower(norm.NFC.String(filepath.ToSlash(rel))), nil)
		}
		isOwn := false
		if isOutput {
			addr, isImage := made.image()
			isOwn = isImage && addr == use.by
		}
		switch {
		case isOwn:
			e.add(diag.Problem(use.at, "Image made from itself",
				"%s is the file of %s itself, so each run would change it and pay for it again. Copy the file to another name to start from it.", use.text, use.by))
		case isOutput:
			e.add(diag.Problem(use.at, "File is made by another image",
				"%s is the file of %s. Write %s without quotes, so that this image waits for the other, and follows its changes.",
				use.text, made.address(), made.address()))
		case use.file.missing:
			e.add(diag.Problem(use.at, "Reference file not found",
				"%s: %s Its path starts at %s.%s", use.text, use.file.problem, e.moduleOf(use.by), pathHint(use.text)))
		case use.file.problem != "":
			e.add(diag.Problem(use.at, "Unusable reference file", "%s: %s", use.text, use.file.problem))
		}
	}
}

// pathHint says what is odd about a path that leads to no file, "" where nothing is.
func pathHint(text string) string {
	switch {
	case strings.HasPrefix(text, "~"):
		return " A path that begins with ~ is not expanded. Write it relative to the module, and keep the file in the project."
	case strings.Contains(text, `\`):
		return " The path has a backslash. Use / between folders."
	}
	return ""
}

func (e *evaluator) moduleOf(addr addrs.Image) string {
	if addr.Module == "" {
		return "the root module"
	}
	return "the module " + e.byAddr[addr.Module].mod.rel + ", or else at the root module"
}
