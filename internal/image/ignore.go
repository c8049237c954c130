package image

import (
	"maps"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Ignores reports whether changes of an argument do not count.
func (l Lifecycle) Ignores(argument string) bool {
	return l.IgnoreAll || slices.Contains(l.IgnoreChanges, argument)
}

// SaysAny reports whether it says anything.
func (l Lifecycle) SaysAny() bool {
	return l.Undecided || l.PreventDestroy || l.Frozen || l.RequirePick || l.IgnoresAny() || len(l.ReplaceTriggeredBy) > 0
}

// IgnoresAny reports whether there are changes that do not count.
func (l Lifecycle) IgnoresAny() bool { return l.IgnoreAll || len(l.IgnoreChanges) > 0 }

// Ignore makes a desired image what lifecycle.ignore_changes wants it seen as: with the recorded
// values of the arguments whose changes do not count. before is the image on record, or nil: then
// there is nothing to ignore.
//
// What is not on record stays as it is desired, should the image have to be made for another
// reason: sensitive values, and the content of references, whose bytes may be nowhere any more. See
// SameButIgnored.
func (img *Image) Ignore(before *Image) {
	l := img.Lifecycle()
	if before == nil || !l.IgnoresAny() {
		return
	}
	if l.Ignores("output") {
		img.Output = before.Output
	}
	if l.Ignores("labels") {
		img.Labels = before.Labels
	} else {
		img.Labels = l.keptLabels(img.Labels, before.Labels)
	}
	if l.Ignores("provider") {
		img.Provider = before.Provider
	}
	if l.Ignores("model") && before.Model.Name != img.Model.Name && !img.asModel(before.Model.Name) {
		return
	}
	recorded, desired := bfl.Request{Arguments: before.Arguments}, img.Request()
	arguments := slices.DeleteFunc(slices.Clone(img.Arguments), func(a bfl.Argument) bool {
		return l.Ignores(a.Name) && !isRedacted(recorded.Value(a.Name))
	})
	for _, a := range before.Arguments {
		if l.Ignores(a.Name) && !isRedacted(a.Value) && (img.Model.Param(a.Name) != nil || desired.Has(a.Name)) {
			arguments = append(arguments, a)
		}
	}
	bfl.SortArguments(arguments)
	img.Arguments = arguments
}

// keptLabels returns desired labels with the recorded values of those whose changes do not count.
// The desired ones are shared by many images, so that others come in a map of their own.
func (l Lifecycle) keptLabels(desired, recorded map[string]string) map[string]string {
	kept, isOwn := desired, false
	for _, labels := range []map[string]string{desired, recorded} {
		for key := range labels {
			was, before := recorded[key]
			is, now := kept[key]
			if before == now && was == is || !slices.Contains(l.IgnoreChanges, LabelName(key)) {
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

// asModel gives an image another model, with its references in the fields that this one has for
// them. It reports false, and changes nothing, where the model is not known any more or does not
// take all that is asked for.
func (img *Image) asModel(name string) bool {
	model := bfl.Lookup(name)
	if model == nil || slices.ContainsFunc(img.Arguments, func(a bfl.Argument) bool { return model.Param(a.Name) == nil }) {
		return false
	}
	references := slices.Clone(img.References)
	for i := range references {
		field := references[i].Field
		at := slices.Index(img.Model.Inputs.References, field)
		switch {
		case at >= len(model.Inputs.References):
			return false
		case at >= 0:
			field = model.Inputs.References[at]
		case field == img.Model.Inputs.Mask:
			field = model.Inputs.Mask
		}
		if !model.IsInput(field) {
			return false
		}
		references[i].Field = field
	}
	img.Model, img.References = model, references
	return true
}

// SameButIgnored reports whether an image that Ignore has seen differs from the one on record,
// which was made with that fingerprint, in nothing but what lifecycle.ignore_changes names.
func (img *Image) SameButIgnored(before *Image, fingerprint string) bool {
	l := img.Lifecycle()
	switch {
	case l.IgnoreAll:
		return true
	case !l.IgnoresAny():
		return false
	case before.Model.Name != img.Model.Name && !l.Ignores("model"):
		return false
	}
	ignored := func(r Reference) bool { return l.Ignores(argumentOf(img.Model, r.Field)) }
	hidden := map[string]bool{} // arguments that do not count and whose values are nowhere any more
	for _, a := range before.Arguments {
		if l.Ignores(a.Name) && isRedacted(a.Value) {
			hidden[a.Name] = true
		}
	}
	isHidden := len(hidden) > 0
	seen, recorded := *img, *before
	seen.References = slices.DeleteFunc(slices.Clone(img.References), ignored)
	recorded.References = nil
	for _, r := range before.References {
		switch {
		case ignored(r) && isRedacted(r):
			isHidden = true
			continue
		case ignored(r):
			seen.References = append(seen.References, r)
		}
		recorded.References = append(recorded.References, r)
	}
	if !isHidden && before.Model.Name == img.Model.Name {
		request := seen.Request()
		return request.Known() && request.Fingerprint() == fingerprint
	}
	// The fingerprint covers a value that is nowhere any more, or a model that does not count, so
	// all others are compared one by one.
	isGone := func(a bfl.Argument) bool { return hidden[a.Name] }
	seen.Arguments = slices.DeleteFunc(slices.Clone(img.Arguments), isGone)
	recorded.Arguments = slices.DeleteFunc(slices.Clone(before.Arguments), isGone)
	return sameFields(&seen, &recorded, func(*Reference) bool { return false })
}
