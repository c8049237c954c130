package planner

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/state"
)

// Ignore makes a desired image what lifecycle.ignore_changes wants it seen as: with the recorded values of the arguments whose changes do
// not count. Without a prior image there is nothing to ignore.
//
// What is not on record stays as it is desired, should the image have to be made for another reason: sensitive values, and the content of
// references, whose bytes may be nowhere any more. See SameButIgnored.
func Ignore(img *config.Image, prior *state.Image) {
	l := img.Lifecycle
	if prior == nil || !l.IgnoreAll && len(l.IgnoreChanges) == 0 {
		return
	}
	if ignores(l, "output") {
		img.Output = prior.Output.Path
	}
	if ignores(l, "labels") {
		img.Labels = prior.Labels
	} else {
		img.Labels = keptLabels(l, img.Labels, prior.Labels)
	}
	if ignores(l, "provider") {
		img.Provider = prior.Provider
	}
	if ignores(l, "model") && prior.Model != img.Request.Model.Name && !asModel(img, prior.Model) {
		return
	}
	body, err := recordedBody(prior, img.Request.Model)
	if err != nil {
		return // It was found when the state was read.
	}
	arguments := slices.DeleteFunc(slices.Clone(img.Request.Arguments), func(a bfl.Argument) bool {
		return ignores(l, a.Name) && !isRedacted(value(body[a.Name]))
	})
	for field, raw := range body {
		if ignores(l, field) && !isRedacted(value(raw)) && !isInput(img.Request.Model, field, raw) && (img.Request.Model.Param(field) != nil || img.Request.Has(field)) {
			arguments = append(arguments, bfl.Argument{Name: field, Value: value(raw)})
		}
	}
	bfl.SortArguments(arguments)
	img.Request.Arguments = arguments
}

// keptLabels returns desired labels with the recorded values of those whose changes do not count. The desired ones are shared by many images, so that others
// come in a map of their own.
func keptLabels(l config.Lifecycle, desired, recorded map[string]string) map[string]string {
	kept, isOwn := desired, false
	for _, labels := range []map[string]string{desired, recorded} {
		for key := range labels {
			was, before := recorded[key]
			is, now := kept[key]
			if before == now && was == is || !slices.Contains(l.IgnoreChanges, config.LabelName(key)) {
				continue
			}
			if !isOwn {
				kept, isOwn = maps.Clone(kept), true
				if kept == nil {
					kept = map[string]string{}
				}
			}
			if before {
				kept[key] = was
			} else {
				delete(kept, key)
			}
		}
	}
	return kept
}

// asModel gives a request another model, with its images in the fields that this one has for them. It reports false, and changes nothing, where the
// model is not known any more or does not take all that is asked for.
func asModel(img *config.Image, name string) bool {
	model := bfl.Lookup(name)
	if model == nil || slices.ContainsFunc(img.Request.Arguments, func(a bfl.Argument) bool { return model.Param(a.Name) == nil }) {
		return false
	}
	inputs := slices.Clone(img.Request.Inputs)
	for i := range inputs {
		field := inputs[i].Field
		at := slices.Index(img.Request.Model.Inputs.References, field)
		switch {
		case at >= len(model.Inputs.References):
			return false
		case at >= 0:
			field = model.Inputs.References[at]
		case field == img.Request.Model.Inputs.Mask:
			field = model.Inputs.Mask
		}
		if !model.IsInput(field) {
			return false
		}
		inputs[i].Field = field
	}
	img.Request.Model, img.Request.Inputs = model, inputs
	return true
}

// See returns what makes an image that is evaluated again, now that more is known, what it was in the plan: with recorded values where
// lifecycle.ignore_changes or frozen want it seen so.
func (p *Plan) See() func(*config.Image) {
	kept := map[addrs.Image]*Change{}
	for _, c := range p.Changes {
		if c.Prior != nil && c.Desired != nil && (c.Desired.Lifecycle.Frozen || c.Desired.Lifecycle.IgnoreAll || len(c.Desired.Lifecycle.IgnoreChanges) > 0) {
			kept[c.Address] = c
		}
	}
	return func(img *config.Image) {
		if c := kept[img.Address]; c != nil {
			img.Lifecycle.IgnoreAll = c.Frozen || c.Desired.Lifecycle.IgnoreAll
			Ignore(img, c.Prior)
		}
	}
}

// ignores reports whether changes of an argument do not count.
func ignores(l config.Lifecycle, name string) bool {
	return l.IgnoreAll || slices.Contains(l.IgnoreChanges, name)
}

// SameButIgnored reports whether the request, of an image that Ignore has seen, differs from the recorded one in nothing but what
// lifecycle.ignore_changes names.
func SameButIgnored(img *config.Image, request *bfl.Request, prior *state.Image) bool {
	l := img.Lifecycle
	switch {
	case l.IgnoreAll:
		return true
	case len(l.IgnoreChanges) == 0:
		return false
	case prior.Model != request.Model.Name && !ignores(l, "model"):
		return false
	}
	body, err := recordedBody(prior, request.Model)
	if err != nil {
		return false
	}
	ignored := func(field string) bool {
		switch {
		case !request.Model.IsInput(field):
			return ignores(l, field)
		case field == request.Model.Inputs.Mask:
			return ignores(l, "mask")
		case slices.Contains(request.Model.Inputs.Roles, field):
			return ignores(l, "inputs")
		default:
			return ignores(l, "references")
		}
	}
	hidden := func(field string) bool { return ignored(field) && isRedacted(value(body[field])) }
	seen := *request
	seen.Inputs = slices.DeleteFunc(slices.Clone(request.Inputs), func(in bfl.Input) bool { return ignored(in.Field) })
	isHidden := false
	for field, raw := range body {
		switch {
		case hidden(field):
			isHidden = true
		case ignored(field) && request.Model.IsInput(field):
			recorded := recordedInput(raw)
			seen.Inputs = append(seen.Inputs, bfl.Input{Field: field, URL: recorded.Name, SHA256: recorded.SHA256})
		}
	}
	if !isHidden && prior.Model == request.Model.Name {
		return seen.Known() && seen.Fingerprint() == prior.Fingerprint
	}
	// The fingerprint covers a value that is nowhere any more, or a model that does not count, so all others are compared one by one.
	seen.Arguments = slices.DeleteFunc(slices.Clone(request.Arguments), func(a bfl.Argument) bool { return hidden(a.Name) })
	maps.DeleteFunc(body, func(field string, _ json.RawMessage) bool { return hidden(field) })
	return sameFields(&seen, body, func(int) bool { return false })
}

// triggered returns the reasons that replace_triggered_by gives.
func (p *Planner) triggered(img *config.Image) []Reason {
	var reasons []Reason
	for _, trigger := range img.Lifecycle.ReplaceTriggeredBy {
		c := p.change(trigger.Image)
		if c == nil || c.Action == NoOp {
			continue
		}
		changed := c.Makes()
		if trigger.Attribute != "" {
			all := c.Attributes()
			i := slices.IndexFunc(all, func(a Attribute) bool { return a.Name == trigger.Attribute })
			// What is no argument is a result, which is another one when the image is made anew.
			changed = i >= 0 && all[i].Changed() || i < 0 && c.Makes()
		}
		if changed {
			reasons = append(reasons, Reason{Kind: Triggered, Upstream: trigger.Image})
		}
	}
	return reasons
}
