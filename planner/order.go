package planner

import (
	"cmp"
	"strings"
)

// readingOrder is the order in which people read what an image is, related attributes together: what is asked, from what, how large, how it is
// made. What is not in it comes before the format, by name.
var readingOrder = []string{
	"model", "finetune_id", "finetune_strength",
	"prompt", "negative_prompt", "prompt_upsampling",
	"references", "input_image_blob_path", "image_prompt_strength", "mask",
	"width", "height", "aspect_ratio", "resolution",
	"top", "bottom", "left", "right",
	"seed", "steps", "guidance", "raw", "safety_tolerance",
	others,
	"output_format", "output", "labels", "provider",
}

// others stands in readingOrder for what is not in it.
const others = ""

// CompareNames compares the names of two attributes, such as "references[0]", by the order in which people read them.
func CompareNames(a, b string) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
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
