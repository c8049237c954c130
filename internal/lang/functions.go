// Package lang is what the expressions of a configuration are made of beside their syntax: the
// functions that they call, and what is known of their values.
//
// The functions are Terraform's, by the same names. None gives another value with each run. What
// one call makes is bounded, far above what people write, and what is wrong with an argument is
// said without the argument where that is sensitive.
//
// A value is sensitive where it carries the mark Sensitive, at any depth; such a value, and what is
// made from it, is not to be shown. It may carry other marks, which say where it comes from;
// functions pass them on. A value is plain where it is known, not null, and has no mark.
package lang

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/go-cty-funcs/collection"
	"github.com/hashicorp/go-cty-funcs/encoding"
	"github.com/hashicorp/go-cty-funcs/filesystem"
	"github.com/hashicorp/go-cty-funcs/uuid"
	"github.com/hashicorp/hcl/v2"
	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// refusedFunctions are left out on purpose. Each would give another value with each run, so that
// every image that uses it would be made, and paid for, again.
var refusedFunctions = func() map[string]string {
	const why = " gives another value each time, so each run would generate and pay for every image that uses it. "
	return map[string]string{
		"timestamp":     "timestamp" + why + `Write the date itself, as in "2026-01-31T12:00:00Z", or pass it in as a variable.`,
		"plantimestamp": "plantimestamp" + why + "Write the date itself, or pass it in as a variable.",
		"uuid":          "uuid" + why + "Use uuidv5, or a hash such as sha256, for a name that stays the same.",
		"bcrypt":        "bcrypt" + why + "Use sha256 for a hash that stays the same.",
	}
}()

// Options say where functions work, and what they cannot know of values. The functions in it are
// called by the goroutine that evaluates.
type Options struct {
	// Dir is the folder, usable with package os, that paths of files are relative to.
	Dir string
	// Opaque reports whether a type is that of objects whose attributes are not to be listed where
	// one is missed.
	Opaque func(cty.Type) bool
	// Settled reports whether a value that is known in part cannot turn out wrong any more.
	Settled func(cty.Value) bool
	// Sizes finds the smallest size that a model makes and that covers a width and a height. The model
	// is "" for that of the image whose arguments are evaluated.
	Sizes func(model string, width, height int) (int, int, error)
}

// Functions are what the expressions of one configuration can call. They belong to one goroutine at
// a time. A file is read once, so that everything sees it as it was at one time.
type Functions struct {
	// Table has the functions by their names. It is not to be changed.
	Table map[string]function.Function
	// Read has a hash of each thing that was read, listed or looked for so far.
	Read map[FileUse]string
	yaml yamlNotes
}

// Warnings are about what is legal and strange in the arguments that functions were given since
// they were made.
func (f *Functions) Warnings() hcl.Diagnostics { return f.yaml.warnings.Warnings() }

// New makes the functions of a configuration.
func New(o Options) *Functions {
	read := map[FileUse]string{}
	files := &fileFunctions{dir: o.Dir, contents: map[string][]byte{}, hashes: read}
	table := map[string]function.Function{
		"abs":              stdlib.AbsoluteFunc,
		"abspath":          files.abspath(),
		"alltrue":          allTrue,
		"anytrue":          anyTrue,
		"base64decode":     base64Decode,
		"base64encode":     encoding.Base64EncodeFunc,
		"base64sha256":     hashFunction(sha256Base64),
		"base64sha512":     hashFunction(sha512Base64),
		"basename":         filesystem.BasenameFunc,
		"can":              canFunc(o.Settled),
		"ceil":             stdlib.CeilFunc,
		"chomp":            stdlib.ChompFunc,
		"chunklist":        stdlib.ChunklistFunc,
		"coalesce":         collection.CoalesceFunc,
		"coalescelist":     stdlib.CoalesceListFunc,
		"compact":          stdlib.CompactFunc,
		"concat":           stdlib.ConcatFunc,
		"contains":         stdlib.ContainsFunc,
		"csvdecode":        stdlib.CSVDecodeFunc,
		"dirname":          filesystem.DirnameFunc,
		"distinct":         stdlib.DistinctFunc,
		"element":          stdlib.ElementFunc,
		"endswith":         textTest(strings.HasSuffix),
		"file":             files.text(),
		"filebase64":       files.hash(plainBase64),
		"filebase64sha256": files.hash(sha256Base64),
		"filebase64sha512": files.hash(sha512Base64),
		"fileexists":       files.exists(),
		"filemd5":          files.hash(md5Hex),
		"fileset":          files.set(),
		"filesha1":         files.hash(sha1Hex),
		"filesha256":       files.hash(sha256Hex),
		"filesha512":       files.hash(sha512Hex),
		"flatten":          stdlib.FlattenFunc,
		"floor":            stdlib.FloorFunc,
		"format":           stdlib.FormatFunc,
		"formatdate":       stdlib.FormatDateFunc,
		"formatlist":       stdlib.FormatListFunc,
		"indent":           stdlib.IndentFunc,
		"index":            indexFunc,
		"issensitive":      isSensitive,
		"join":             stdlib.JoinFunc,
		"jsondecode":       stdlib.JSONDecodeFunc,
		"jsonencode":       stdlib.JSONEncodeFunc,
		"keys":             stdlib.KeysFunc,
		"length":           lengthFunc,
		"log":              stdlib.LogFunc,
		"lookup":           lookup,
		"lower":            stdlib.LowerFunc,
		"matchkeys":        matchKeys,
		"max":              stdlib.MaxFunc,
		"md5":              hashFunction(md5Hex),
		"merge":            stdlib.MergeFunc,
		"min":              stdlib.MinFunc,
		"nonsensitive":     nonsensitive,
		"one":              one,
		"parseint":         stdlib.ParseIntFunc,
		"pathexpand":       filesystem.PathExpandFunc,
		"pow":              stdlib.PowFunc,
		"range":            stdlib.RangeFunc,
		"regex":            stdlib.RegexFunc,
		"regexall":         stdlib.RegexAllFunc,
		"replace":          replaceFunc,
		"reverse":          stdlib.ReverseListFunc,
		"sensitive":        sensitiveFunc,
		"setintersection":  stdlib.SetIntersectionFunc,
		"setproduct":       stdlib.SetProductFunc,
		"setsubtract":      stdlib.SetSubtractFunc,
		"setunion":         stdlib.SetUnionFunc,
		"sha1":             hashFunction(sha1Hex),
		"sha256":           hashFunction(sha256Hex),
		"sha512":           hashFunction(sha512Hex),
		"signum":           stdlib.SignumFunc,
		"size_for":         sizeFor(o.Sizes),
		"slice":            stdlib.SliceFunc,
		"sort":             stdlib.SortFunc,
		"split":            stdlib.SplitFunc,
		"startswith":       textTest(strings.HasPrefix),
		"strcontains":      textTest(strings.Contains),
		"strlen":           stdlib.StrlenFunc,
		"strrev":           stdlib.ReverseFunc,
		"substr":           stdlib.SubstrFunc,
		"sum":              sum,
		"timeadd":          stdlib.TimeAddFunc,
		"timecmp":          timeCompare,
		"title":            stdlib.TitleFunc,
		"tobool":           makeTo(cty.Bool),
		"tolist":           makeTo(cty.List(cty.DynamicPseudoType)),
		"tomap":            makeTo(cty.Map(cty.DynamicPseudoType)),
		"tonumber":         makeTo(cty.Number),
		"toset":            makeTo(cty.Set(cty.DynamicPseudoType)),
		"tostring":         makeTo(cty.String),
		"transpose":        transpose,
		"trim":             stdlib.TrimFunc,
		"trimprefix":       stdlib.TrimPrefixFunc,
		"trimspace":        stdlib.TrimSpaceFunc,
		"trimsuffix":       stdlib.TrimSuffixFunc,
		"try":              tryFunc(o.Settled),
		"type":             typeFunc,
		"upper":            stdlib.UpperFunc,
		"urldecode":        urlDecode,
		"urlencode":        encoding.URLEncodeFunc,
		"uuidv5":           uuid.V5Func,
		"values":           stdlib.ValuesFunc,
		"yamldecode":       ctyyaml.YAMLDecodeFunc,
		"yamlencode":       ctyyaml.YAMLEncodeFunc,
		"zipmap":           stdlib.ZipmapFunc,
	}
	// Templates see the functions too.
	templates := &templateFunctions{files: files, table: table, opaque: o.Opaque}
	table["templatefile"] = templates.file()
	table["templatestring"] = templates.text()
	made := &Functions{Table: table, Read: read, yaml: yamlNotes{warnings: diag.NewTally(yamlKinds)}}
	looks := map[string]look{"csvdecode": lookAtCSV, "yamldecode": made.yaml.look}
	for name, f := range table {
		table[name] = discreet(name, f, looks[name])
	}
	return made
}

// look sees what a function made of its arguments, none of which is sensitive, and may say more
// about what is wrong with them.
type look func(args []cty.Value, result cty.Value, err error) error

// discreet makes a function say nothing of what is wrong where an argument is sensitive: most
// errors quote an argument, or a part of it. It also bounds what a call makes.
func discreet(name string, f function.Function, look look) function.Function {
	call := bounded(name, len(f.Params()), convertFirst(f))
	open := func(p function.Parameter) function.Parameter {
		p.Type = openType(p)
		p.AllowNull, p.AllowUnknown, p.AllowDynamicType, p.AllowMarked = true, true, true, true
		return p
	}
	spec := &function.Spec{
		// The type of the result is that of the value: to tell it before would be to call the
		// function twice.
		Type: function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := call(args)
			if _, isPanic := errors.AsType[function.PanicError](err); isPanic {
				// What it says is for those who maintain the function.
				err = errors.New("it cannot be called with these arguments")
			}
			switch {
			case err == nil && look == nil:
			case slices.ContainsFunc(args, IsSensitive):
				if err != nil {
					err = hideArguments(err)
				}
			case look != nil:
				err = look(args, v, err)
			}
			return v, err
		},
	}
	for _, p := range f.Params() {
		spec.Params = append(spec.Params, open(p))
	}
	if p := f.VarParam(); p != nil {
		spec.VarParam = new(open(*p))
	}
	return function.New(spec)
}

// openType is the type that a parameter is declared with. HCL converts arguments before a call, and
// takes the square of the time for a long list: those are left to convertFirst.
func openType(p function.Parameter) cty.Type {
	if p.Type.IsCollectionType() {
		return cty.DynamicPseudoType
	}
	return p.Type
}

// caller calls a function.
type caller func(args []cty.Value) (cty.Value, error)

// convertFirst converts the arguments whose type openType left open, and calls a function.
func convertFirst(f function.Function) caller {
	fixed, rest := f.Params(), f.VarParam()
	return func(args []cty.Value) (cty.Value, error) {
		converted := slices.Clone(args)
		for i := range converted {
			p := rest
			if i < len(fixed) {
				p = &fixed[i]
			}
			if p == nil || openType(*p).Equals(p.Type) {
				continue
			}
			var err error
			if converted[i], err = Convert(converted[i], p.Type); err != nil {
				return cty.DynamicVal, function.NewArgError(i, err)
			}
		}
		return f.Call(converted)
	}
}

func hideArguments(err error) error {
	const hidden = "an argument is sensitive, so it is not shown"
	if arg, ok := errors.AsType[function.ArgError](err); ok {
		return function.NewArgErrorf(arg.Index, hidden)
	}
	return errors.New(hidden)
}

// Names lists the functions, sorted.
func Names() []string { return slices.Sorted(maps.Keys(New(Options{}).Table)) }
