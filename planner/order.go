package planner

import (
	"cmp"
	"slices"
	"strings"
)

// readingOrder is the order in which people read what an image is, related attributes together: what is asked, from what, how large, how it is
// made. What is not in it comes before the format, by name.
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

// CompareNames compares the names of two attributes, such as "references[0]", by the order in which people read them.
func CompareNames(a, b string) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
}

// sortForReading sorts attributes as CompareNames does their names, each of which is looked up once.
func sortForReading(all []Attribute) {
	type place struct{ rank, index int }
	places := make([]place, len(all))
	for i := range all {
		places[i] = place{rank(all[i].Name), i}
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
	base, _, _ := strings.Cut(name, "[")
	if place, ok := ranks[base]; ok {
		return place
	}
	return ranks[others]
}
