package config

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// roles adds the images of inputs, in the order of the model's fields: each goes into the field
// that it is named after.
func (d *builder) roles(img *image.Image, v *argumentValue) bool {
	model := img.Model
	ty := v.value.Type()
	switch {
	case !v.value.IsKnown():
		// Which images there will be is not known either; the model says how many.
		for _, role := range model.Inputs.Roles {
			d.addReference(img, v, role, image.Reference{Unknown: true})
		}
		return true
	case !ty.IsObjectType() && !ty.IsMapType() || isImage(ty):
		d.wrong(v, "Invalid argument type", "inputs must be a map from the request's fields to images, but this is %s. Write it as in { person = image.model, garment = \"coat.png\" }.", describeValue(v.value))
		return false
	}
	ok := true
	given := map[string]cty.Value{}
	for key, value := range v.value.Elements() {
		switch reason := notARole(key.AsString(), model); {
		case value.IsNull():
		case reason != "":
			d.wrong(v, "Invalid input", "%s", reason)
			ok = false
		default:
			given[key.AsString()] = value
		}
	}
	for _, role := range model.Inputs.Roles {
		value, isGiven := given[role]
		if !isGiven {
			continue
		}
		r, found := d.reference(v, value, roleRange(v.arg, role))
		if !found {
			// It stays nonetheless, so that it does not seem to be missing.
			r, ok = image.Reference{Unknown: true}, false
		}
		d.addReference(img, v, role, r)
	}
	return ok
}

// addReference adds an image that goes into a field.
func (d *builder) addReference(img *image.Image, v *argumentValue, field string, r image.Reference) {
	r.Field = field
	img.References = append(img.References, r)
	if v.sensitive {
		addSensitive(img, field)
	}
}

// addSensitive notes that an argument, or the content of a field, comes from a sensitive value.
func addSensitive(img *image.Image, name string) {
	img.Rare().Sensitive = append(img.Sensitive(), name)
}

// notARole says why inputs cannot have a field, "" where it can.
func notARole(field string, model *bfl.Model) string {
	roles := model.Inputs.Roles
	switch {
	case slices.Contains(roles, field):
		return ""
	case field != "" && field == model.Inputs.Mask:
		return fmt.Sprintf("%s is an argument of its own. Write %s = ... beside inputs.", field, field)
	case model.IsInput(field):
		return fmt.Sprintf("References fill the field %s of %s. Use references = [...].", field, model.Name)
	case len(roles) == 0 && len(model.Inputs.References) == 0:
		return fmt.Sprintf("%s takes no images.", model.Name)
	case len(roles) == 0:
		return fmt.Sprintf("%s has no inputs with roles. Use references for its images.", model.Name)
	default:
		return fmt.Sprintf("%s has no input %q. It has %s.%s", model.Name, field, diag.QuotedList(roles, "and"), diag.DidYouMean(field, roles))
	}
}

// roleRange returns where the image of a role stands, where inputs is written out, or else where
// the argument does.
func roleRange(arg *argument, role string) hcl.Range {
	if object, ok := arg.Expr.(*hclsyntax.ObjectConsExpr); ok {
		for _, item := range object.Items {
			if hcl.ExprAsKeyword(item.KeyExpr) == role {
				return item.ValueExpr.Range()
			}
		}
	}
	return arg.valueAt()
}
