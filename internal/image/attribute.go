package image

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Attribute is one thing that people know of an image, before and after a change.
type Attribute struct {
	// Name is that of the language: "prompt", "references[0]", "output".
	Name string
	// Before and After are nil where the attribute is absent; else a string, bool, int64, float64,
	// json.RawMessage or Reference.
	Before, After any
	// Unknown says that After is known only after apply.
	Unknown bool
	// Sensitive says that neither value may be shown.
	Sensitive bool
	// MayDiffer says that nothing tells whether it differs: Before is sensitive, and not on record,
	// and so is that of another attribute.
	MayDiffer bool
	// Forces says that the difference makes a new image necessary.
	Forces bool
}

// Changed reports whether the attribute differs, or may.
func (a *Attribute) Changed() bool { return a.Unknown || !equal(a.Before, a.After) }

// Compare returns what an image was and is to be, sorted for reading. before is nil for an image
// that is new, after for one that goes; before is as Reveal leaves it.
func Compare(before, after *Image) []Attribute {
	var all []Attribute
	if after != nil {
		all = after.attributes()
	}
	if before != nil {
		all = withBefore(all, before.attributes())
	}
	sortForReading(all)
	if before != nil && after != nil {
		doubt(all, before.Model.Name == after.Model.Name)
	}
	for i := range all {
		a := &all[i]
		if before != nil {
			a.Before = named(a.Before, a.After)
		}
		a.Sensitive = after != nil && after.isSensitive(a.Name) || isRedacted(a.Before)
		a.Forces = before != nil && after != nil && a.Changed() && !a.MayDiffer && !IsFree(a.Name) && !after.Lifecycle().Ignores(base(a.Name))
	}
	return all
}

// Attributes returns what an image is, as the After of attributes that are sorted for reading.
func (img *Image) Attributes() []Attribute { return Compare(nil, img) }

// attributes returns them in no order.
func (img *Image) attributes() []Attribute {
	all := make([]Attribute, 0, 3+len(img.Arguments)+len(img.References)+len(img.Labels))
	all = append(all, Attribute{Name: "model", After: img.Model.Name}, Attribute{Name: "output", After: img.Output},
		Attribute{Name: "provider", After: img.Provider})
	for _, a := range img.Arguments {
		all = append(all, Attribute{Name: a.Name, After: plain(a.Value), Unknown: a.Value == nil})
	}
	for _, r := range img.References {
		all = append(all, Attribute{
			Name: fieldName(img.Model, r.Field), After: r, Unknown: r.Unknown || r.IsMade() && r.SHA256 == "",
		})
	}
	for key, text := range img.Labels {
		all = append(all, Attribute{Name: LabelName(key), After: text})
	}
	return all
}

// withBefore adds what an image was to what it is to be.
func withBefore(all, before []Attribute) []Attribute {
	places := make(map[string]int, len(all))
	for i := range all {
		places[all[i].Name] = i
	}
	for _, b := range before {
		if i, ok := places[b.Name]; ok {
			all[i].Before = b.After
			continue
		}
		all = append(all, Attribute{Name: b.Name, Before: b.After})
	}
	return all
}

// isSensitive reports whether an attribute comes from a sensitive value. Which image or rendition a
// reference is to is no secret: the state names it.
func (img *Image) isSensitive(name string) bool {
	if len(img.Sensitive()) == 0 {
		return false
	}
	for i := range img.References {
		if r := &img.References[i]; r.IsMade() && fieldName(img.Model, r.Field) == name {
			return false
		}
	}
	return slices.ContainsFunc(img.Sensitive(), func(argument string) bool {
		return argument == name || fieldName(img.Model, argument) == name
	})
}

// doubt marks the attributes of which nothing tells whether they differ, because there are several
// that are not on record.
func doubt(all []Attribute, sameModel bool) {
	hidden := 0
	for i := range all {
		if isRedacted(all[i].Before) {
			hidden++
		}
	}
	for i := range all {
		a := &all[i]
		// The only one differs: Reveal would have found it to be the same.
		a.MayDiffer = isRedacted(a.Before) && a.After != nil && !a.Unknown && (hidden > 1 || !sameModel)
	}
}

// named gives a reference of the past the name of the present one where both have the same content.
func named(before, after any) any {
	old, ok1 := before.(Reference)
	now, ok2 := after.(Reference)
	if ok1 && ok2 && old.Name() == "" && old.SHA256 != "" && old.SHA256 == now.SHA256 {
		return now
	}
	return before
}

// equal compares two values of attributes.
func equal(a, b any) bool {
	switch a := a.(type) {
	case json.RawMessage:
		b, ok := b.(json.RawMessage)
		return ok && bytes.Equal(compact(a), compact(b))
	case Reference:
		b, ok := b.(Reference)
		return ok && a.Same(&b)
	case int64:
		if b, ok := b.(float64); ok {
			return float64(a) == b
		}
	case float64:
		if b, ok := b.(int64); ok {
			return a == float64(b)
		}
	}
	if _, ok := b.(json.RawMessage); ok {
		return false
	}
	return a == b
}

func compact(raw json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// readingOrder is the order in which people read what an image is, related attributes together:
// what is asked, from what, how large, how it is made. What is not in it comes before the format,
// by name.
var readingOrder = []string{
	"model", "finetune_id", "finetune_strength",
	"prompt", "negative_prompt", "prompt_upsampling", "disable_pup",
	"references", "input_image_blob_path", "image_prompt_strength", "inputs", "mask", "dilate_pixels",
	"width", "height", "aspect_ratio", "resolution",
	"top", "bottom", "left", "right", "reference_offset_x", "reference_offset_y", "auto_crop",
	"seed", "steps", "guidance", "raw", "mode", "safety_tolerance", "grounding", "version",
	others,
	"output_format", "output", "labels", "provider",
}

// others stands in readingOrder for what is not in it.
const others = ""

// CompareNames compares the names of two attributes, such as "references[0]", by the order in which
// people read them.
func CompareNames(a, b string) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
}

// sortForReading sorts attributes as CompareNames does their names, each of which is looked up
// once.
func sortForReading(all []Attribute) {
	type place struct{ rank, index int }
	var buffer [24]place // Most images have no more of them.
	places := buffer[:0]
	for i := range all {
		places = append(places, place{rank(all[i].Name), i})
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(all[a.index].Name, all[b.index].Name))
	})
	sorted := make([]Attribute, len(all))
	for i, p := range places {
		sorted[i] = all[p.index]
	}
	copy(all, sorted)
}

// ranks are the places of names in readingOrder.
var ranks = func() map[string]int {
	places := make(map[string]int, len(readingOrder))
	for i, name := range readingOrder {
		places[name] = i
	}
	return places
}()

func rank(name string) int {
	if place, ok := ranks[base(name)]; ok {
		return place
	}
	return ranks[others]
}
