package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// lifecycle evaluates the lifecycle block for an instance.
func (d *builder) lifecycle(img *image.Image) bool {
	c := d.b.lifecycle
	l := image.Lifecycle{IgnoreChanges: c.ignoreChanges, IgnoreAll: c.ignoreAll}
	var ok1, ok2, ok3, ok4 bool
	l.PreventDestroy, ok1 = d.flag("prevent_destroy", c.preventDestroy)
	l.Frozen, ok2 = d.flag("frozen", c.frozen)
	l.ReplaceTriggeredBy, ok3 = d.triggers()
	l.RequirePick, ok4 = d.flag("require_pick", c.requirePick)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return false
	}
	if l.RequirePick && !img.HasChoice() {
		d.report(diag.Problem(c.requirePick.Range(), "Nothing to pick from",
			"With require_pick, somebody has to choose among candidates, but this image has only one. Set candidates as well, as in candidates = 4."))
		return false
	}
	ok := d.preconditions(&l)
	if l.SaysAny() {
		img.Rare().Lifecycle = l
	}
	return ok
}

// preconditions checks them for an instance.
func (d *builder) preconditions(l *image.Lifecycle) bool {
	ok := true
	d.conditions = d.conditions[:0]
	for _, r := range d.b.lifecycle.preconditions {
		condition, failed := d.e.test(&d.b.node, r, d.instanceContext(), "Image precondition failed")
		if failed != nil {
			d.report(failed)
			ok = false
		}
		d.conditions = append(d.conditions, condition.from...)
		if !condition.value.IsKnown() {
			l.Undecided = true
		}
	}
	return ok
}

// flag evaluates a boolean of the lifecycle block.
func (d *builder) flag(name string, expr hcl.Expression) (value, ok bool) {
	if expr == nil {
		return false, true
	}
	ctx := d.instanceContext()
	raw, diags := expr.Value(ctx)
	d.report(diags...)
	if diags.HasErrors() {
		return false, false
	}
	given := unmark(raw)
	v, err := convert.Convert(given.value, cty.Bool)
	switch {
	case err != nil:
		what := "a sensitive value of another type"
		if !given.sensitive {
			what = describeValue(given.value)
		}
		d.report(diag.About(diag.Problem(expr.Range(), "Invalid argument type", "%s must be true or false, but this is %s.", name, what), expr, ctx))
		return false, false
	case !v.IsKnown():
		if !d.b.tainted {
			d.report(diag.About(diag.Problem(expr.Range(), "Value not known in time",
				"The plan needs %s, but its value is known only after apply.", name), expr, ctx))
		}
		return false, false
	case v.IsNull():
		return false, true
	}
	return v.True(), true
}

// triggers resolves replace_triggered_by.
func (d *builder) triggers() ([]image.Trigger, bool) {
	var list []image.Trigger
	for _, expr := range d.b.lifecycle.triggers {
		found, ok := d.trigger(expr)
		if !ok {
			return nil, false
		}
		list = append(list, found...)
	}
	return list, true
}

// trigger resolves one entry: an image, an instance of one, or an attribute of either. The key may
// name each or count.
func (d *builder) trigger(expr hcl.Expression) ([]image.Trigger, bool) {
	wrong := func() ([]image.Trigger, bool) {
		d.report(diag.Problem(expr.Range(), "Invalid trigger",
			`replace_triggered_by lists images of this module or their arguments, as in [image.logo], `+
				`[image.card["winter"]] or [image.logo.prompt].`))
		return nil, false
	}
	steps, ok := d.path(expr)
	if !ok || len(steps) < 2 || steps[0].name != "image" {
		return wrong()
	}
	b := d.s.mod.images[steps[1].name]
	if b == nil {
		return nil, false // Reported as an undeclared image.
	}
	made := d.s.images[b]
	if made == nil || made.expansion == nil {
		return nil, false // Reported with that block.
	}
	steps = steps[2:]
	trigger := image.Trigger{Image: addrs.Image{Module: d.s.addr, Name: b.key}}
	if len(steps) > 0 && steps[0].isKey {
		trigger.Image.Key = steps[0].key
		if _, exists := made.get(trigger.Image.Key); !exists {
			d.report(diag.Problem(expr.Range(), "Invalid trigger", "There is no %s.", trigger.Image))
			return nil, false
		}
		steps = steps[1:]
	}
	switch {
	case len(steps) == 1 && !steps[0].isKey:
		trigger.Attribute = steps[0].name
	case len(steps) > 0:
		return wrong()
	}
	if !trigger.Image.Key.IsNone() || !b.isSet() {
		return []image.Trigger{trigger}, true
	}
	var list []image.Trigger
	for each := range made.all() {
		one := trigger
		one.Image.Key = each.key
		list = append(list, one)
	}
	return list, true
}
