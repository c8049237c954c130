package lang

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func param(name string, ty cty.Type) function.Parameter {
	return function.Parameter{Name: name, Type: ty}
}

// simple makes a function of a fixed result type.
func simple(
	result cty.Type, impl func(args []cty.Value) (cty.Value, error), params ...function.Parameter,
) function.Function {
	return function.New(&function.Spec{
		Params: params,
		Type:   function.StaticReturnType(result),
		Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return impl(args) },
	})
}

// lengthFunc counts elements, attributes or characters.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{
		Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowUnknown: true, AllowMarked: true,
	}},
	Type: func(args []cty.Value) (cty.Type, error) {
		ty := args[0].Type()
		if ty == cty.String || ty == cty.DynamicPseudoType || IsStructure(ty) {
			return cty.Number, nil
		}
		return cty.NilType, function.NewArgErrorf(0, "it must be a list, a map, an object or a string")
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v, marks := args[0].Unmark()
		switch {
		case v.Type() == cty.DynamicPseudoType:
			return cty.UnknownVal(cty.Number).WithMarks(marks), nil
		case v.Type() == cty.String:
			n, err := stdlib.Strlen(v)
			return n.WithMarks(marks), err
		case v.Type().IsObjectType():
			return cty.NumberIntVal(int64(len(v.Type().AttributeTypes()))).WithMarks(marks), nil
		default:
			return v.Length().WithMarks(marks), nil
		}
	},
})

// lookup gets an element of a map or object, with a default where there is none.
var lookup = function.New(&function.Spec{
	Params: []function.Parameter{param("map", cty.DynamicPseudoType), param("key", cty.String)},
	VarParam: &function.Parameter{
		Name: "default", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true,
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		if len(args) > 3 {
			return cty.NilType, fmt.Errorf("lookup takes two or three arguments, and there are %d", len(args))
		}
		ty := args[0].Type()
		switch {
		case ty.IsMapType():
			return ty.ElementType(), nil
		case !ty.IsObjectType():
			return cty.NilType, function.NewArgErrorf(0, "it must be a map")
		case !args[1].IsKnown():
			return cty.DynamicPseudoType, nil
		case ty.HasAttribute(args[1].AsString()):
			return ty.AttributeType(args[1].AsString()), nil
		case len(args) == 3:
			return args[2].Type(), nil
		}
		return cty.NilType, noElement(args[1])
	},
	Impl: func(args []cty.Value, ret cty.Type) (cty.Value, error) {
		m, key := args[0], args[1]
		switch {
		case m.Type().IsObjectType() && m.Type().HasAttribute(key.AsString()):
			return m.GetAttr(key.AsString()), nil
		case m.Type().IsMapType() && m.HasIndex(key).True():
			return m.Index(key), nil
		case len(args) == 3:
			return convert.Convert(args[2], ret)
		}
		return cty.NilVal, noElement(key)
	},
})

func noElement(key cty.Value) error {
	return function.NewArgErrorf(1, "there is no element %q, and no default is given", key.AsString())
}

// indexFunc finds the place of a value in a list.
var indexFunc = simple(cty.Number, func(args []cty.Value) (cty.Value, error) {
	if ty := args[0].Type(); !ty.IsListType() && !ty.IsTupleType() {
		return cty.NilVal, function.NewArgErrorf(0, "it must be a list")
	}
	for it := args[0].ElementIterator(); it.Next(); {
		i, element := it.Element()
		equal, err := stdlib.Equal(element, args[1])
		switch {
		case err != nil:
			continue // Values of different types are not equal.
		case !equal.IsKnown():
			return cty.UnknownVal(cty.Number), nil
		case equal.True():
			return i, nil
		}
	}
	return cty.NilVal, errors.New("the list has no such element")
}, param("list", cty.DynamicPseudoType), param("value", cty.DynamicPseudoType))

// one takes the only element of a list, or null where it is empty.
var one = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		switch ty := args[0].Type(); {
		case ty.IsListType() || ty.IsSetType():
			return ty.ElementType(), nil
		case ty.IsTupleType() && ty.Length() == 0:
			return cty.DynamicPseudoType, nil
		case ty.IsTupleType() && ty.Length() == 1:
			return ty.TupleElementType(0), nil
		case ty.IsTupleType():
			return cty.NilType, function.NewArgErrorf(0, "it must have one element or none, and it has %d", ty.Length())
		}
		return cty.NilType, function.NewArgErrorf(0, "it must be a list, a set or a tuple")
	},
	Impl: func(args []cty.Value, ret cty.Type) (cty.Value, error) {
		switch n := args[0].LengthInt(); n {
		case 0:
			return cty.NullVal(ret), nil
		case 1:
			it := args[0].ElementIterator()
			it.Next()
			_, element := it.Element()
			return element, nil
		default:
			return cty.NilVal, function.NewArgErrorf(0, "it must have one element or none, and it has %d", n)
		}
	},
})

var sum = simple(cty.Number, func(args []cty.Value) (cty.Value, error) {
	if ty := args[0].Type(); !ty.IsListType() && !ty.IsSetType() && !ty.IsTupleType() {
		return cty.NilVal, function.NewArgErrorf(0, "it must be a list, a set or a tuple of numbers")
	}
	if args[0].LengthInt() == 0 {
		return cty.NilVal, function.NewArgErrorf(0, "an empty list has no sum")
	}
	var total decimalSum
	for it := args[0].ElementIterator(); it.Next(); {
		_, element := it.Element()
		n, err := convert.Convert(element, cty.Number)
		if err != nil || n.IsNull() {
			return cty.NilVal, function.NewArgErrorf(0, "it must be a list, a set or a tuple of numbers")
		}
		total.add(n)
	}
	return total.value(), nil
}, param("list", cty.DynamicPseudoType))

var (
	allTrue = quantifier(true)
	anyTrue = quantifier(false)
)

// quantifier makes alltrue, whose result is true unless an element is false, and anytrue, for which
// it is the reverse.
func quantifier(otherwise bool) function.Function {
	return simple(cty.Bool, func(args []cty.Value) (cty.Value, error) {
		result := cty.BoolVal(otherwise)
		for it := args[0].ElementIterator(); it.Next(); {
			_, element := it.Element()
			switch {
			case !element.IsKnown():
				result = cty.UnknownVal(cty.Bool)
			case element.IsNull():
				if otherwise {
					return cty.False, nil
				}
			case element.True() != otherwise:
				return cty.BoolVal(!otherwise), nil
			}
		}
		return result, nil
	}, param("list", cty.List(cty.Bool)))
}

// matchKeys takes the elements of a list whose keys, at the same places of a second list, are in a
// third.
var matchKeys = function.New(&function.Spec{
	Params: []function.Parameter{
		param("values", cty.List(cty.DynamicPseudoType)), param("keys", cty.List(cty.DynamicPseudoType)),
		param("searchset", cty.List(cty.DynamicPseudoType)),
	},
	Type: sameType,
	Impl: func(args []cty.Value, ret cty.Type) (cty.Value, error) {
		values, keys, wanted := args[0].AsValueSlice(), args[1].AsValueSlice(), args[2].AsValueSlice()
		if len(values) != len(keys) {
			return cty.NilVal, errors.New("the list of keys must be as long as that of values")
		}
		var out []cty.Value
		for i, key := range keys {
			for _, w := range wanted {
				equal, err := stdlib.Equal(key, w)
				if err != nil {
					return cty.NilVal, err
				}
				if !equal.IsKnown() {
					return cty.UnknownVal(ret), nil
				}
				if equal.True() {
					out = append(out, values[i])
					break
				}
			}
		}
		if len(out) == 0 {
			return cty.ListValEmpty(ret.ElementType()), nil
		}
		return cty.ListVal(out), nil
	},
})

// transpose swaps the keys and values of a map of lists of strings.
var transpose = simple(cty.Map(cty.List(cty.String)), func(args []cty.Value) (cty.Value, error) {
	if !args[0].IsWhollyKnown() {
		return cty.UnknownVal(cty.Map(cty.List(cty.String))), nil
	}
	lists := map[string][]cty.Value{}
	for key, list := range args[0].Elements() {
		for _, v := range list.Elements() {
			if v.IsNull() {
				return cty.NilVal, errors.New("a list has a null in it")
			}
			lists[v.AsString()] = append(lists[v.AsString()], key)
		}
	}
	if len(lists) == 0 {
		return cty.MapValEmpty(cty.List(cty.String)), nil
	}
	out := make(map[string]cty.Value, len(lists))
	for key, list := range lists {
		out[key] = cty.ListVal(list)
	}
	return cty.MapVal(out), nil
}, param("map", cty.Map(cty.List(cty.String))))

// TextTests are the functions that say something of two texts, for those who have two and need not
// go through a function's checks of its arguments.
var TextTests = map[string]func(text, part string) bool{
	"startswith": strings.HasPrefix, "endswith": strings.HasSuffix, "strcontains": strings.Contains,
}

// KeepsNothing are functions that keep nothing of their calls, so that they may be called at the same
// time: those that are commonly called for each of many images.
var KeepsNothing = map[string]bool{
	"abs": true, "basename": true, "ceil": true, "coalesce": true, "contains": true, "dirname": true, "endswith": true, "floor": true, "format": true,
	"join": true, "jsonencode": true, "keys": true, "length": true, "lookup": true, "lower": true, "max": true, "merge": true, "min": true, "replace": true,
	"split": true, "startswith": true, "strcontains": true, "strlen": true, "substr": true, "title": true, "tostring": true, "trim": true,
	"trimprefix": true, "trimspace": true, "trimsuffix": true, "upper": true,
}

func textTest(test func(s, part string) bool) function.Function {
	return simple(cty.Bool, func(args []cty.Value) (cty.Value, error) {
		return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
	}, param("text", cty.String), param("part", cty.String))
}

// replaceFunc replaces text, or with slashes around the second argument what a regular expression
// matches.
var replaceFunc = simple(cty.String, func(args []cty.Value) (cty.Value, error) {
	text, old, replacement := args[0].AsString(), args[1].AsString(), args[2].AsString()
	if isExpression(old) {
		re, err := regexp.Compile(old[1 : len(old)-1])
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(1, "it is not a regular expression: %s", err)
		}
		return cty.StringVal(re.ReplaceAllString(text, replacement)), nil
	}
	return cty.StringVal(strings.ReplaceAll(text, old, replacement)), nil
}, param("text", cty.String), param("old", cty.String), param("new", cty.String))

var base64Decode = simple(cty.String, func(args []cty.Value) (cty.Value, error) {
	raw, err := base64.StdEncoding.DecodeString(args[0].AsString())
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(0, "it is not Base64")
	}
	if !utf8.Valid(raw) {
		return cty.NilVal, function.NewArgErrorf(0, "what it encodes is not UTF-8 text")
	}
	return cty.StringVal(string(raw)), nil
}, param("text", cty.String))

var urlDecode = simple(cty.String, func(args []cty.Value) (cty.Value, error) {
	text, err := url.QueryUnescape(args[0].AsString())
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(0, "%s", err)
	}
	return cty.StringVal(text), nil
}, param("text", cty.String))

// timeCompare answers -1, 0 or 1 as the first time is before, at or after the second.
var timeCompare = simple(cty.Number, func(args []cty.Value) (cty.Value, error) {
	var times [2]time.Time
	for i, arg := range args {
		t, err := time.Parse(time.RFC3339, arg.AsString())
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(i, `%q is not a time such as "2026-01-31T12:00:00Z"`, arg.AsString())
		}
		times[i] = t
	}
	return cty.NumberIntVal(int64(times[0].Compare(times[1]))), nil
}, param("first", cty.String), param("second", cty.String))
