package lang

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"
	"github.com/zclconf/go-cty/cty/function"
)

// tryFunc and canFunc do what HCL's extension of that name does, and keep the marks of a value that
// is not known yet: without them, what is made from try(image.logo.seed, 0) would not be found to
// depend on the logo.
func tryFunc(settled func(cty.Value) bool) function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "expressions", Type: customdecode.ExpressionClosureType},
		// To tell the type is to evaluate the expressions, and those of a try inside a try would be
		// evaluated four times.
		Type: function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return firstValid(args, settled) },
	})
}

func firstValid(args []cty.Value, settled func(cty.Value) bool) (cty.Value, error) {
	if len(args) == 0 {
		return cty.DynamicVal, errors.New("at least one argument is needed")
	}
	var failed hcl.Diagnostics
	for _, arg := range args {
		v, diags := customdecode.ExpressionClosureFromVal(arg).Value()
		switch {
		case diags.HasErrors():
			failed = append(failed, diags...)
		case !isDecided(v, settled):
			// Once it is known, the expression may turn out wrong, and another argument count.
			_, marks := v.UnmarkDeep()
			return cty.DynamicVal.WithMarks(marks), nil
		default:
			return v, nil
		}
	}
	reasons := make([]string, 0, len(failed))
	for _, d := range failed {
		reasons = append(reasons, fmt.Sprintf("\n  - %s: %s", d.Summary, discreetDetail(d)))
	}
	return cty.DynamicVal, fmt.Errorf("no expression succeeded:%s", strings.Join(reasons, ""))
}

// isDecided reports whether a value cannot turn out wrong any more. That is so for all that is
// known, and for what is settled though parts of it are not.
func isDecided(v cty.Value, settled func(cty.Value) bool) bool {
	if v.IsWhollyKnown() || settled(v) {
		return true
	}
	v, _ = v.Unmark()
	if !v.IsKnown() || !v.CanIterateElements() {
		return false
	}
	for _, element := range v.Elements() {
		if !isDecided(element, settled) {
			return false
		}
	}
	return true
}

func canFunc(settled func(cty.Value) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "expression", Type: customdecode.ExpressionClosureType}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, diags := customdecode.ExpressionClosureFromVal(args[0]).Value()
			switch {
			case diags.HasErrors():
				return cty.False, nil
			case !isDecided(v, settled):
				return cty.UnknownVal(cty.Bool).WithMarks(otherMarks(v)), nil
			default:
				return cty.True.WithMarks(otherMarks(v)), nil
			}
		},
	})
}

// any value, of any type, known or not.
var anyValue = function.Parameter{
	Name: "value", Type: cty.DynamicPseudoType,
	AllowUnknown: true, AllowNull: true, AllowMarked: true, AllowDynamicType: true,
}

func sameType(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil }

// ofAny makes a function of one such value.
func ofAny(result function.TypeFunc, impl func(cty.Value) (cty.Value, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{anyValue},
		Type:   result,
		Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return impl(args[0]) },
	})
}

var sensitiveFunc = ofAny(sameType, func(v cty.Value) (cty.Value, error) { return v.Mark(Sensitive), nil })

var nonsensitive = ofAny(sameType, func(v cty.Value) (cty.Value, error) {
	return v.WrangleMarksDeep(func(mark any, path cty.Path) (ctymarks.WrangleAction, error) {
		if mark == Sensitive && len(path) == 0 {
			return ctymarks.WrangleDrop, nil
		}
		return ctymarks.WrangleKeep, nil
	})
})

var isSensitive = ofAny(function.StaticReturnType(cty.Bool), func(v cty.Value) (cty.Value, error) {
	switch {
	case v.HasMark(Sensitive):
		return cty.True, nil
	case !v.IsKnown():
		return cty.UnknownVal(cty.Bool), nil
	}
	return cty.False, nil
})

// typeFunc names the type of a value, for trying things out in the console.
var typeFunc = ofAny(function.StaticReturnType(cty.String), func(v cty.Value) (cty.Value, error) {
	return cty.StringVal(typeexpr.TypeString(v.Type())), nil
})

// makeTo returns a type conversion function such as tostring.
func makeTo(want cty.Type) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{anyValue},
		Type: func(args []cty.Value) (cty.Type, error) {
			if args[0].Type() == cty.DynamicPseudoType {
				return want, nil
			}
			v, err := Convert(cty.UnknownVal(args[0].Type()), want)
			if err != nil {
				return cty.NilType, function.NewArgErrorf(0, "cannot convert %s to %s",
					args[0].Type().FriendlyName(), want.FriendlyNameForConstraint())
			}
			return v.Type(), nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := Convert(args[0], want)
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(0,
					"cannot convert %s to %s: %s",
					describeArg(args[0]), want.FriendlyNameForConstraint(), Describe(err))
			}
			return v, nil
		},
	})
}

func describeArg(v cty.Value) string {
	v, _ = v.UnmarkDeep()
	if v.IsKnown() && !v.IsNull() && v.Type() == cty.String {
		return fmt.Sprintf("%q", v.AsString())
	}
	return v.Type().FriendlyName()
}
