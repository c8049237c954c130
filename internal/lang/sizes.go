package lang

import (
	"errors"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// sizeFor makes size_for(width, height, model...): the smallest size that a model makes and that covers
// width x height. find gets "" where no model is named, for that of the image at hand.
func sizeFor(find func(model string, width, height int) (int, int, error)) function.Function {
	size := cty.Object(map[string]cty.Type{"width": cty.Number, "height": cty.Number})
	return function.New(&function.Spec{
		Params:   []function.Parameter{{Name: "width", Type: cty.Number}, {Name: "height", Type: cty.Number}},
		VarParam: &function.Parameter{Name: "model", Type: cty.String},
		Type:     function.StaticReturnType(size),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if len(args) > 3 {
				return cty.NilVal, errors.New("it takes a width, a height and, outside of an image, a model")
			}
			var sides [2]int
			for i := range sides {
				side, accuracy := args[i].AsBigFloat().Int64()
				if accuracy != 0 || side < 1 || side > 1<<20 {
					return cty.NilVal, function.NewArgErrorf(i, "a side is a whole number of pixels")
				}
				sides[i] = int(side)
			}
			model := ""
			if len(args) == 3 {
				model = args[2].AsString()
			}
			if find == nil {
				return cty.NilVal, errors.New("there are no models here")
			}
			width, height, err := find(model, sides[0], sides[1])
			if err != nil {
				return cty.NilVal, err
			}
			return cty.ObjectVal(map[string]cty.Value{"width": cty.NumberIntVal(int64(width)), "height": cty.NumberIntVal(int64(height))}), nil
		},
	})
}
