package planner

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/state"
)

// ignoring returns the desired image as lifecycle.ignore_changes wants it seen: with the recorded values of the arguments whose changes do
// not count. Without a prior image there is nothing to ignore.
//
// The content of references is not among what is taken over: should the image have to be made for another reason, the recorded
// bytes may be nowhere any more. See sameButIgnored.
func ignoring(img *config.Image, prior *state.Image) *config.Image {
	l := img.Lifecycle
	if prior == nil || !l.IgnoreAll && len(l.IgnoreChanges) == 0 {
		return img
	}
	ignored := func(name string) bool { return l.IgnoreAll || slices.Contains(l.IgnoreChanges, name) }
	kept := *img
	if ignored("output") {
		kept.Output = prior.Output.Path
	}
	if ignored("labels") {
		kept.Labels = prior.Labels
	}
	if ignored("provider") {
		kept.Provider = prior.Provider
	}
	body, err := recordedBody(prior, img.Request.Model)
	if err != nil || ignored("model") && prior.Model != img.Request.Model.Name {
		// A recorded request that cannot be read was found when the state was; and of a model that is ignored the arguments are too.
		return &kept
	}
	kept.Request.Arguments = slices.DeleteFunc(slices.Clone(img.Request.Arguments), func(a bfl.Argument) bool { return ignored(a.Name) })
	for field, raw := range body {
		if ignored(field) && !isRedacted(value(raw)) && !isInput(img.Request.Model, field, raw) && (img.Request.Model.Param(field) != nil || img.Request.Has(field)) {
			kept.Request.Arguments = append(kept.Request.Arguments, bfl.Argument{Name: field, Value: value(raw)})
		}
	}
	bfl.SortArguments(kept.Request.Arguments)
	return &kept
}

// sameButIgnored reports whether the request differs from the recorded one in nothing but what lifecycle.ignore_changes names.
func sameButIgnored(img *config.Image, request *bfl.Request, prior *state.Image) bool {
	l := img.Lifecycle
	if l.IgnoreAll {
		return true
	}
	if prior.Model != request.Model.Name && !slices.Contains(l.IgnoreChanges, "model") {
		return false
	}
	if slices.Contains(l.IgnoreChanges, "model") && prior.Model != request.Model.Name {
		return true
	}
	references := slices.Contains(l.IgnoreChanges, "references")
	mask := slices.Contains(l.IgnoreChanges, "mask")
	if !references && !mask {
		return false
	}
	body, err := recordedBody(prior, request.Model)
	if err != nil {
		return false
	}
	seen := *request
	seen.Inputs = slices.DeleteFunc(slices.Clone(request.Inputs), func(in bfl.Input) bool {
		isMask := in.Field == request.Model.Inputs.Mask
		return isMask && mask || !isMask && references
	})
	for field, raw := range body {
		isMask := field == request.Model.Inputs.Mask
		if isInput(request.Model, field, raw) && (isMask && mask || !isMask && references) {
			recorded := recordedInput(raw)
			seen.Inputs = append(seen.Inputs, bfl.Input{Field: field, URL: recorded.Name, SHA256: recorded.SHA256})
		}
	}
	return seen.Known() && seen.Fingerprint() == prior.Fingerprint
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
