package config

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
	"github.com/fluxbatch/fluxbatch/internal/sourcefile"
)

// Value is one -var or -var-file of the command line.
type Value struct {
	// Assignment is "name=value", for -var.
	Assignment string
	// File is the path of a file of values, for -var-file.
	File string
}

// EnvPrefix starts the name of an environment variable that gives a variable its value.
const EnvPrefix = "FLUXBATCH_VAR_"

// givenValue is the value that a variable of the root module gets from outside.
type givenValue struct {
	value cty.Value
	at    hcl.Range
}

// valueReader collects the values of the root module's variables. A later source overrules an
// earlier one.
type valueReader struct {
	*decoder
	root *module
	// last reads the value of a variable from the last source that has one. What was overruled is
	// not looked at.
	last  map[*variable]func()
	given map[string]givenValue
	// hashes are those of the files of values, by path.
	hashes map[string]string
	// unread says that a file of values cannot be read. What seems to be missing may stand in it.
	unread bool
}

// read goes through all sources in the order of Terraform's precedence: the environment,
// fluxbatch.fluxvars.*, *.auto.fluxvars.* by name, and the command line as it was typed.
func (r *valueReader) read() {
	r.last, r.given = map[*variable]func(){}, map[string]givenValue{}
	r.environment()
	for _, file := range r.valueFiles() {
		r.file(file, sourcefile.Read)
	}
	for _, v := range r.opts.Values {
		if v.File != "" {
			r.file(v.File, sourcefile.ReadStream)
		} else {
			r.assignment(v.Assignment)
		}
	}
	for _, read := range r.last {
		read()
	}
	r.required()
}

// valueFiles lists the files of values that are read without being named.
func (r *valueReader) valueFiles() []string {
	entries, err := os.ReadDir(r.root.dir)
	if err != nil {
		return nil // The directory was read a moment ago; its files that are gone by now are none of ours.
	}
	var first, auto []string
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case entry.IsDir() || strings.HasPrefix(name, "."):
		case name == "fluxbatch.fluxvars.hcl" || name == "fluxbatch.fluxvars.json":
			first = append(first, filepath.Join(r.root.dir, name))
		case strings.HasSuffix(name, ".auto.fluxvars.hcl") || strings.HasSuffix(name, ".auto.fluxvars.json"):
			auto = append(auto, filepath.Join(r.root.dir, name))
		}
	}
	return append(first, auto...)
}

func (r *valueReader) environment() {
	for _, entry := range r.opts.Environ {
		name, text, ok := strings.Cut(entry, "=")
		if !ok || !strings.HasPrefix(name, EnvPrefix) {
			continue
		}
		// An environment is shared by many programs and projects, so that a name without a variable
		// is no mistake.
		if v := r.root.variables[strings.TrimPrefix(name, EnvPrefix)]; v != nil {
			r.last[v] = func() { r.text(v, text, "the environment variable "+name) }
		}
	}
}

// assignment takes a -var.
func (r *valueReader) assignment(text string) {
	name, value, ok := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	if !ok || name == "" {
		// What was typed may be a secret.
		r.add(diag.Error("Invalid -var option", "-var must have the form name=value, as in -var season=winter."))
		return
	}
	v := r.root.variables[name]
	if v == nil {
		r.add(diag.Error("Value for undeclared variable", "-var sets \"%s\", but the root module has no such variable.%s",
			name, diag.DidYouMean(name, sortedKeys(r.root.variables))))
		return
	}
	r.last[v] = func() { r.text(v, value, "-var "+name) }
}

// text takes a value given as text: as it is for a variable of a simple type, and as an expression
// for others.
func (r *valueReader) text(v *variable, text, source string) {
	at := hcl.Range{
		Filename: "<" + source + ">", Start: hcl.InitialPos,
		End: hcl.Pos{Line: 1, Column: len(text) + 1, Byte: len(text)},
	}
	value := cty.StringVal(text)
	if !v.literal {
		expr, diags := hclsyntax.ParseExpression([]byte(text), at.Filename, hcl.InitialPos)
		diags = append(diags, lang.HugeNumbers([]byte(text), at.Filename)...)
		r.keep(at.Filename, &hcl.File{Bytes: []byte(text)})
		if !diags.HasErrors() {
			var more hcl.Diagnostics
			value, more = expr.Value(nil)
			diags = append(diags, more...)
		}
		if diags.HasErrors() {
			reason := diags[0].Detail
			if v.sensitive {
				reason = noMoreSaid // It may quote a part of the value.
			}
			r.add(diag.Problem(v.shown(*diags[0].Subject), "Invalid value for variable", "The value of %s from %s is not an "+
				"expression. %s Strings inside need quotes, as in '[\"a\", \"b\"]'.", v.name, source, reason))
			r.refuse(v, at)
			return
		}
	}
	r.keep(at.Filename, &hcl.File{Bytes: []byte(text)})
	r.give(v, value, at, source)
}

// shown returns where to point at in diagnostics about a value that stands at a place: for a
// sensitive variable at its declaration, since views print what stands there.
func (v *variable) shown(at hcl.Range) hcl.Range {
	if v.sensitive {
		return v.at
	}
	return at
}

const noMoreSaid = "It is sensitive, so it is not shown."

// refuse records that a value cannot be read, which was reported.
func (r *valueReader) refuse(v *variable, at hcl.Range) {
	r.given[v.key] = givenValue{value: cty.UnknownVal(v.typ), at: v.shown(at)}
	v.tainted = true
}

// give converts a value and records it.
func (r *valueReader) give(v *variable, value cty.Value, at hcl.Range, source string) {
	at = v.shown(at)
	converted, err := v.convert(value)
	if err != nil {
		r.add(diag.Problem(at, "Invalid value for variable", "The value of %s from %s does not fit its type%s",
			v.name, source, v.unfit(err, false)))
		v.tainted = true
	}
	r.given[v.key] = givenValue{value: converted, at: at}
}

// file takes a file of values.
func (r *valueReader) file(path string, read func(string) ([]byte, error)) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		r.add(diag.Error("Cannot read file", "The file of values %s does not exist.", path))
		r.unread = true
		return
	}
	file, src, diags := r.parse(path, read)
	r.add(discreetly(diags, src)...)
	r.unread = r.unread || diags.HasErrors()
	if file == nil {
		return
	}
	attrs, diags := file.Body.JustAttributes()
	r.add(discreetly(diags, src)...)
	r.unread = r.unread || diags.HasErrors()
	byPlace := func(a, b *hcl.Attribute) int { return a.Range.Start.Byte - b.Range.Start.Byte }
	for _, attr := range slices.SortedFunc(maps.Values(attrs), byPlace) {
		v := r.root.variables[attr.Name]
		if v == nil {
			r.add(diag.Warning(attr.NameRange, "Value for undeclared variable", "The root module has no variable %q, so the value is not used.%s",
				attr.Name, diag.DidYouMean(attr.Name, sortedKeys(r.root.variables))))
			continue
		}
		r.last[v] = func() { r.attribute(v, attr) }
	}
}

// parse parses a file of values, and keeps nothing of it that a diagnostic could show: which of its
// lines are secret is not known before it is read, and a shared file has lines for other projects.
func (r *valueReader) parse(path string, read func(string) ([]byte, error)) (*hcl.File, []byte, hcl.Diagnostics) {
	if r.files[path] != nil {
		file, diags := r.parser.file(path, read) // It is a file of the configuration, too, and was shown already.
		return file, r.files[path].Bytes, diags
	}
	file, diags := r.parser.file(path, read)
	kept := r.files[path]
	if kept == nil {
		return file, nil, diags
	}
	delete(r.files, path)
	if r.hashes == nil {
		r.hashes = map[string]string{}
	}
	r.hashes[path] = fileSum(kept.Bytes)
	return file, kept.Bytes, diags
}

// inQuotes finds what a message quotes.
var inQuotes = lazyregexp.New(`"(?:[^"\\]|\\.)*"`)

// discreetly returns diagnostics about a file of values, without details that quote it.
func discreetly(diags hcl.Diagnostics, src []byte) hcl.Diagnostics {
	quiet := make(hcl.Diagnostics, len(diags))
	for i, d := range diags {
		hidden := *d
		for _, quoted := range inQuotes().FindAllString(d.Detail, -1) {
			text, err := strconv.Unquote(quoted)
			if err != nil || bytes.Contains(src, []byte(text)) {
				hidden.Detail = "The text is not shown, since it may be a secret."
			}
		}
		quiet[i] = &hidden
	}
	return quiet
}

// IsValues reports whether a file has values for variables by its name.
func IsValues(name string) bool {
	return strings.HasSuffix(name, ".fluxvars.hcl") || strings.HasSuffix(name, ".fluxvars.json")
}

// attribute takes a value from a file of values.
func (r *valueReader) attribute(v *variable, attr *hcl.Attribute) {
	value, diags := attr.Expr.Value(nil)
	if v.sensitive && diags.HasErrors() {
		diags = hcl.Diagnostics{diag.Problem(v.at, "Invalid value for variable",
			"The value of %s from %s is wrong. %s", v.name, diag.Place(attr.Range), noMoreSaid)}
	}
	r.add(diags...)
	if diags.HasErrors() {
		r.refuse(v, attr.Expr.Range())
		return
	}
	r.give(v, value, attr.Expr.Range(), diag.Place(attr.Range))
}

// required asks for values that are still missing, or reports them.
func (r *valueReader) required() {
	if r.unread {
		return
	}
	var missing []*variable
	for _, v := range r.root.variables {
		if _, ok := r.given[v.key]; !ok && v.preset == cty.NilVal {
			missing = append(missing, v)
		}
	}
	slices.SortFunc(missing, func(a, b *variable) int { return strings.Compare(a.key, b.key) })
	for _, v := range missing {
		if r.opts.Ask != nil {
			text, err := r.opts.Ask(Question{Variable: v.key, Description: v.description, Sensitive: v.sensitive})
			if err == nil {
				r.text(v, text, "your answer for "+v.name)
				continue
			}
		}
		r.add(diag.Problem(v.at, "Missing value of variable",
			"%s has no default%s. Give it a value with -var %s=..., in a file named fluxbatch.fluxvars.hcl, or in "+
				"the environment variable %s%s.",
			v.name, describeVariable(v), v.key, EnvPrefix, v.key))
	}
}
