package config

import (
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/hclfast"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// argumentValue is the value of an argument without marks, and where it comes from.
type argumentValue struct {
	arg *argument // nil while it was not evaluated
	unmarked
	// names says that the names of what is in the value are sensitive too, and not only some of
	// what they name.
	names  bool
	failed bool
	// converted is the value as the request has it, for the parameter that it was converted for.
	converted any
	param     *bfl.Param
}

// evaluateArguments finds the values of all arguments. Those that are wrong are reported, and
// unknown.
func (d *builder) evaluateArguments() bool {
	if d.b.sized {
		defer d.sizeForModel()()
	}
	ok := true
	for i := range d.b.args {
		d.evaluateArgument(i)
		ok = ok && !d.values[i].failed
	}
	return ok
}

func (d *builder) evaluateArgument(i int) {
	arg, v := &d.b.args[i], &d.values[i]
	if v.arg == nil || arg.perInstance && (!d.ready || !arg.woven) {
		*v = d.argument(i)
	}
}

// argument evaluates one of b.args.
func (d *builder) argument(i int) argumentValue {
	arg := &d.b.args[i]
	if d.columns != nil && d.columns[i] != nil {
		if v, ok := d.columns[i].value(d.current); ok {
			return argumentValue{arg: arg, unmarked: unmarked{value: v}}
		}
	}
	if d.isHelper {
		d.unsure = true
		return argumentValue{arg: arg, unmarked: unmarked{value: cty.DynamicVal}, failed: true}
	}
	v := d.expression(arg)
	if !v.failed && arg.fallback != nil && v.value.IsNull() {
		return d.expression(arg.fallback)
	}
	return v
}

func (d *builder) expression(arg *argument) argumentValue {
	if v, ok := hclfast.Scalar(arg.Expr); ok {
		return argumentValue{arg: arg, unmarked: unmarked{value: v}}
	}
	if arg.woven {
		if u, ok := d.quickly(arg.Expr); ok {
			return argumentValue{arg: arg, unmarked: u}
		}
	}
	ctx := d.ctx
	if arg.perInstance {
		ctx = d.instanceContext()
	}
	raw, diags := d.hoist(arg).Value(ctx)
	if d.b.weave.waiting() {
		return argumentValue{arg: arg, unmarked: unmarked{value: cty.DynamicVal}} // It is evaluated again.
	}
	d.report(diags...)
	if d.tooLate(arg.Expr) {
		return argumentValue{arg: arg, unmarked: unmarked{value: cty.DynamicVal}, failed: true}
	}
	v := argumentValue{arg: arg, unmarked: unmark(raw), failed: diags.HasErrors()}
	v.names = raw.HasMark(lang.Sensitive)
	if v.sensitive && takesImages(arg.Name) {
		v.sensitive = namesSecret(raw)
	}
	if v.failed {
		v.value = cty.DynamicVal
	}
	return v
}

// given returns the value of an argument, nil where it is absent or null.
func (d *builder) given(name string) *argumentValue {
	for i := range d.b.args { // They are few, and are asked for often.
		if d.b.args[i].Name == name {
			if d.values[i].value.IsNull() {
				return nil
			}
			return &d.values[i]
		}
	}
	return nil
}

// context returns the context that an argument was evaluated in.
func (d *builder) context(v *argumentValue) *hcl.EvalContext {
	if v.arg.perInstance {
		return d.instanceContext()
	}
	return d.ctx
}

// wrong reports a problem with the value of an argument.
func (d *builder) wrong(v *argumentValue, summary, format string, args ...any) {
	if v.sensitive && summary != sensitiveShown {
		// The words may quote the value.
		format, args = "The value of %s is wrong. It is sensitive, so it is not shown.", []any{v.arg.Name}
	}
	d.report(diag.About(diag.Problem(v.arg.valueAt(), summary, format, args...), v.arg.Expr, d.context(v)))
}

// misspelt reports whether an argument that is absent stands in the image or in the defaults under
// a wrong name, which was reported.
func (d *builder) misspelt(name string) bool {
	defaults := d.s.mod.defaults
	found := slices.Contains(d.b.misspelt, name) || defaults != nil && slices.Contains(defaults.misspelt, name)
	if found {
		d.e.taint(&d.b.node)
	}
	return found
}

// text converts an argument that must be a string known before apply.
func (d *builder) text(v *argumentValue) (string, bool) {
	if !v.value.IsKnown() {
		d.unknown(v)
		return "", false
	}
	s, err := convert.Convert(v.value, cty.String)
	if err != nil {
		d.wrong(v, "Invalid argument type",
			"%s must be a string, but this is %s.", v.arg.Name, withArticle(v.value.Type().FriendlyName()))
		return "", false
	}
	return s.AsString(), true
}

// unknown reports a value that is not known before apply but must be, unless that follows from an
// error reported already.
func (d *builder) unknown(v *argumentValue) {
	if d.b.tainted {
		return
	}
	d.wrong(v, "Value not known in time",
		"The plan needs %s, but it depends on an image that does not exist yet. Use a value that does not come from another image's result.", v.arg.Name)
}

// model finds the model of the instance.
func (d *builder) model() *bfl.Model {
	v := d.given("model")
	if v == nil && d.misspelt("model") {
		return nil
	}
	if v == nil {
		d.report(diag.Problem(d.b.at, "Missing model",
			`image.%s has no model. Write model = "flux-2-pro" in the image, or in a defaults block for all images.`,
			d.b.key))
		return nil
	}
	name, ok := d.text(v)
	if !ok {
		return nil
	}
	if v.sensitive {
		d.wrong(v, sensitiveShown, "The model's name comes from a sensitive value, but every plan shows it. Use nonsensitive(...) if everybody may see it.")
		return nil
	}
	model := d.s.mod.model(name)
	if model == nil {
		known := d.s.mod.modelNames()
		hint := diag.DidYouMean(name, known)
		if hint == "" {
			hint = " fluxbatch models lists those that there are. Declare a newer one with a model block."
		}
		d.wrong(v, "Unknown model", "There is no model %q.%s", name, hint)
	}
	return model
}

// model finds a model by name among those declared in the module and in those around it, and in the
// catalogue.
func (m *module) model(name string) *bfl.Model {
	for at := m; at != nil; at = at.parent {
		if model, ok := at.models[name]; ok {
			return model
		}
	}
	return bfl.Lookup(name)
}

func (m *module) modelNames() []string {
	var names []string
	for _, model := range bfl.Models() {
		names = append(names, model.Name)
	}
	for at := m; at != nil; at = at.parent {
		names = append(names, sortedKeys(at.models)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// labels converts the labels.
func (d *builder) labels(img *image.Image) bool {
	v := d.given("labels")
	if v == nil {
		return true
	}
	if img.Labels = d.sameLabels; img.Labels != nil {
		return true
	}
	if !v.value.IsWhollyKnown() {
		d.unknown(v)
		return false
	}
	labels, err := textMap(v.value)
	if err != nil {
		d.wrong(v, "Invalid argument type", `labels must be a map of strings, as in { season = "summer" }: %s.`, lang.Describe(err))
		return false
	}
	if v.sensitive {
		d.wrong(v, sensitiveShown, "labels comes from a sensitive value, but every plan shows labels. Use nonsensitive(...) if everybody may see them.")
		return false
	}
	img.Labels = d.e.sharedLabels(labels)
	if !v.arg.perInstance {
		d.sameLabels = img.Labels
	}
	return true
}

// sharedLabels returns one map for all images with the same labels. Of ten thousand images, most
// have one of a few sets.
func (e *evaluator) sharedLabels(labels map[string]string) map[string]string {
	var text []byte
	for _, key := range sortedKeys(labels) {
		text = strconv.AppendQuote(strconv.AppendQuote(text, key), labels[key])
	}
	if shared, ok := e.labelSets[string(text)]; ok {
		return shared
	}
	if len(e.labelSets) < maxLabelSets {
		e.labelSets[string(text)] = labels
	}
	return labels
}

// textMap returns the strings of a map or an object without those that are null.
func textMap(v cty.Value) (map[string]string, error) {
	if !v.Type().IsObjectType() {
		var err error
		if v, err = convert.Convert(v, cty.Map(cty.String)); err != nil {
			return nil, err
		}
	}
	texts := make(map[string]string, v.LengthInt())
	for key, value := range v.Elements() {
		text, err := convert.Convert(value, cty.String)
		if err != nil {
			_, err = convert.Convert(v, cty.Map(cty.String)) // It says which one is wrong.
			return nil, err
		}
		if !text.IsNull() {
			texts[key.AsString()] = text.AsString()
		}
	}
	return texts, nil
}
