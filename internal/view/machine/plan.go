package machine

import (
	"encoding/json"
	"io"
	"iter"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// PlanDocument is what WritePlan writes.
type PlanDocument struct {
	Plan *planner.Plan
	// Prior is the state that the plan was made for, nil for none.
	Prior *state.State
	// Settings are those of the root module, nil where they are not at hand.
	Settings *config.Settings
	// Variables are the root module's, by name. Values that are marked are left out.
	Variables map[string]cty.Value
	// Version is the program's own.
	Version string
	// Limited says that -target or -exclude left images out.
	Limited bool
}

// WritePlan writes a plan in the format of Terraform's "show -json".
func WritePlan(out io.Writer, d PlanDocument) { pieces(out, d.write) }

// write writes the plan as tfjson.Plan describes it.
func (d *PlanDocument) write(w *documentWriter) {
	w.object(func() {
		w.member("format_version", planFormat)
		w.member("terraform_version", d.Version)
		if variables := d.variables(); len(variables) > 0 {
			w.member("variables", variables)
		}
		w.key("planned_values")
		d.planned(w)
		listMember(w, "resource_drift", d.resources(driftOf))
		repetition := newRepetition(d.Plan)
		listMember(w, "resource_changes", func(yield func(*tfjson.ResourceChange) bool) {
			for _, c := range d.Plan.Changes {
				if !yield(resourceChange(c, actionReason(c, repetition))) {
					return
				}
			}
			for _, c := range d.Plan.Renditions {
				if !yield(renditionChange(c)) {
					return
				}
			}
		})
		w.member("complete", !d.Limited)
		outputs := map[string]*tfjson.Change{}
		for _, o := range d.Plan.Outputs {
			outputs[o.Name] = outputChange(o)
		}
		if len(outputs) > 0 {
			w.member("output_changes", outputs)
		}
		w.key("prior_state")
		writeState(w, d.Prior, d.Version, d.hidden())
		w.member("configuration", d.config())
		if relevant := d.relevant(); len(relevant) > 0 {
			w.member("relevant_attributes", relevant)
		}
	})
}

// hidden names the arguments that must not be shown, of the images that have any.
func (d *PlanDocument) hidden() map[addrs.Image][]string {
	hidden := map[addrs.Image][]string{}
	for _, c := range d.Plan.Changes {
		all := c.Attributes()
		for i := range all {
			if a := &all[i]; a.Sensitive {
				hidden[c.Address] = append(hidden[c.Address], a.Name)
			}
		}
	}
	return hidden
}

// planned writes what there will be.
func (d *PlanDocument) planned(w *documentWriter) {
	outputs := map[string]*tfjson.StateOutput{}
	for _, o := range d.Plan.Outputs {
		if o.After != nil {
			outputs[o.Name] = plannedOutput(o.After)
		}
	}
	tree := newModuleTree[*planner.Change]()
	for _, c := range d.Plan.Changes {
		if c.Desired != nil && (!c.Withheld() || c.Prior != nil) {
			tree.add(c.Address.Module, c)
		}
	}
	writeValues(w, outputs, tree, func(c *planner.Change) *tfjson.StateResource {
		o := objectsOf(c)
		return stateResource(c.Address, o.after, o.afterSensitive, c.Desired.Dependencies)
	})
}

// resources returns what the plan's changes are in Terraform's format, leaving out those that are
// nothing there.
func (d *PlanDocument) resources(of func(*planner.Change) *tfjson.ResourceChange) iter.Seq[*tfjson.ResourceChange] {
	return func(yield func(*tfjson.ResourceChange) bool) {
		for _, c := range d.Plan.Changes {
			if r := of(c); r != nil && !yield(r) {
				return
			}
		}
	}
}

func resourceChange(c *planner.Change, reason tfjson.ActionReason) *tfjson.ResourceChange {
	o := objectsOf(c)
	change := &tfjson.Change{
		Actions: actionsOf(c), AfterUnknown: o.afterUnknown,
		BeforeSensitive: object{}, AfterSensitive: o.afterSensitive, ReplacePaths: o.replacePaths,
	}
	// A nil map in an interface would be written as {}. An image whose file is gone is created, and
	// what it was is its drift.
	if o.before != nil && c.Action != planner.Create {
		change.Before, change.BeforeSensitive = o.before, o.beforeSensitive
	}
	if o.after != nil {
		change.After = o.after
	}
	if c.Import() != nil {
		change.Importing = &tfjson.Importing{ID: c.Import().Name}
	}
	resource := resourceOfChange(c.Address, change, reason)
	if c.From() != nil {
		resource.PreviousAddress = c.From().String()
	}
	return resource
}

func resourceOfChange(a addrs.Image, change *tfjson.Change, reason tfjson.ActionReason) *tfjson.ResourceChange {
	return &tfjson.ResourceChange{
		Address: a.String(), ModuleAddress: string(a.Module), Mode: tfjson.ManagedResourceMode, Type: resourceType, Name: a.Name,
		Index: keyValue(a.Key), ProviderName: providerName, Change: change, ActionReason: reason,
	}
}

// driftOf returns how an image's file differs from the record, nil where it does not.
func driftOf(c *planner.Change) *tfjson.ResourceChange {
	has := func(kind planner.ReasonKind) bool {
		return slices.ContainsFunc(c.Reasons, func(r planner.Reason) bool { return r.Kind == kind })
	}
	if c.Prior == nil || !has(planner.FileMissing) && !has(planner.FileChanged) && !has(planner.FileOutdated) {
		return nil
	}
	o := objectsOf(c)
	change := &tfjson.Change{Before: o.before, BeforeSensitive: o.beforeSensitive, AfterUnknown: object{}, AfterSensitive: object{}}
	if has(planner.FileMissing) {
		change.Actions = tfjson.Actions{tfjson.ActionDelete}
	} else {
		after := object{}
		for name, value := range o.before {
			if name != "sha256" {
				after[name] = value
			}
		}
		change.Actions, change.After = tfjson.Actions{tfjson.ActionUpdate}, after
		change.AfterUnknown, change.AfterSensitive = object{"sha256": true}, o.beforeSensitive
	}
	return resourceOfChange(c.Address, change, tfjson.ActionReasonNone)
}

func actionsOf(c *planner.Change) tfjson.Actions {
	if c.Withheld() {
		return tfjson.Actions{tfjson.ActionNoop}
	}
	switch c.Action {
	case planner.Create:
		return tfjson.Actions{tfjson.ActionCreate}
	case planner.Replace:
		return tfjson.Actions{tfjson.ActionDelete, tfjson.ActionCreate}
	case planner.Update:
		return tfjson.Actions{tfjson.ActionUpdate}
	case planner.Destroy:
		return tfjson.Actions{tfjson.ActionDelete}
	case planner.Forget:
		return tfjson.Actions{tfjson.ActionForget}
	case planner.NoOp, planner.Move, planner.Import:
		// That it moves or is imported stands beside the actions.
		return tfjson.Actions{tfjson.ActionNoop}
	default:
		return tfjson.Actions{tfjson.Action(c.Action.String())}
	}
}

func outputChange(o planner.OutputChange) *tfjson.Change {
	change := &tfjson.Change{AfterUnknown: false, BeforeSensitive: false, AfterSensitive: false}
	if o.Before != nil {
		change.BeforeSensitive = o.Before.Sensitive
		if !o.Before.Sensitive {
			change.Before = o.Before.Value
		}
	}
	if o.After != nil {
		value, unknown := jsonOutput(o.After.Whole())
		change.AfterUnknown, change.AfterSensitive = unknown, o.After.Sensitive
		if !o.After.Sensitive && unknown != true {
			change.After = value
		}
	}
	action := tfjson.ActionUpdate
	switch {
	case o.After == nil:
		action = tfjson.ActionDelete
	case o.Before == nil:
		action = tfjson.ActionCreate
	case !o.Changed:
		action = tfjson.ActionNoop
	}
	change.Actions = tfjson.Actions{action}
	return change
}

func plannedOutput(o *config.Output) *tfjson.StateOutput {
	out := &tfjson.StateOutput{Sensitive: o.Sensitive}
	whole := o.Whole()
	value, unknown := jsonOutput(whole)
	if t := whole.Type(); unknown == false && !t.HasDynamicTypes() {
		out.Type = t
	}
	if !o.Sensitive && unknown == false {
		out.Value = value
	}
	return out
}

func (d *PlanDocument) variables() map[string]*tfjson.PlanVariable {
	all := map[string]*tfjson.PlanVariable{}
	for name, v := range d.Variables {
		variable := &tfjson.PlanVariable{}
		if !v.ContainsMarked() {
			value, _ := jsonOutput(v)
			variable.Value = value
		}
		all[name] = variable
	}
	return all
}

// relevant lists the images and renditions whose content made others change.
func (d *PlanDocument) relevant() []tfjson.ResourceAttribute {
	seen := map[string]bool{}
	var all []tfjson.ResourceAttribute
	add := func(address string) {
		if !seen[address] {
			seen[address] = true
			all = append(all, tfjson.ResourceAttribute{Resource: address, Attribute: []json.RawMessage{json.RawMessage(`"sha256"`)}})
		}
	}
	for _, c := range d.Plan.Changes {
		for _, r := range c.Reasons {
			switch {
			case r.Upstream != (addrs.Image{}):
				add(r.Upstream.String())
			case r.Kind == planner.RenditionChanges:
				add(r.Rendition.String())
			}
		}
	}
	slices.SortFunc(all, func(a, b tfjson.ResourceAttribute) int { return strings.Compare(a.Resource, b.Resource) })
	return all
}
