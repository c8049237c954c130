package picture

import "strings"

// scene paints an arrangement of shapes over all of a canvas.
type scene func(*canvas, palette, *chance)

// themes are looked for in the prompt; the first whose words are there gives the scenes to choose from.
var themes = []struct {
	words  []string
	scenes []scene
}{
	{[]string{"logo", "icon", "emblem", "badge", "symbol", "mark", "brand", "favicon"}, []scene{emblem}},
	{[]string{"portrait", "headshot", "person", "face", "woman", "man", "character", "people", "executive", "hero", "knight"}, []scene{portrait}},
	{[]string{"bottle", "product", "mug", "cup", "vase", "packaging", "studio", "perfume", "jar", "shoe", "watch"}, []scene{stillLife}},
	{[]string{"city", "street", "skyline", "building", "house", "tower", "office", "village", "castle"}, []scene{skyline}},
	{[]string{"flower", "leaf", "leaves", "garden", "plant", "botanical", "jungle", "bouquet"}, []scene{botanic}},
	{[]string{"forest", "tree", "wood", "park"}, []scene{forest}},
	{[]string{"space", "planet", "galaxy", "orbit", "star", "cosmos", "moon"}, []scene{orbits}},
	{[]string{"sea", "ocean", "beach", "wave", "water", "lake", "river", "coast", "harbour", "boat", "island"}, []scene{waves}},
	{[]string{"mountain", "alps", "peak", "canyon", "cliff", "summit", "glacier", "snow"}, []scene{mountains}},
	{[]string{"hill", "valley", "landscape", "meadow", "field", "desert", "dune", "countryside", "sunset", "sunrise", "horizon"}, []scene{hills, mountains}},
	{[]string{"sale", "typography", "banner", "announcement", "poster"}, []scene{rays, tiles}},
}

// abstract scenes suit any prompt.
var abstract = []scene{tiles, arches, cutouts, hills, waves, rays, orbits, mountains}

// chooseScene returns a scene that suits the prompt.
func chooseScene(prompt string, r *chance) scene {
	text := strings.ToLower(prompt)
	for _, theme := range themes {
		if hasWord(text, theme.words) {
			return theme.scenes[r.intn(len(theme.scenes))]
		}
	}
	return abstract[r.intn(len(abstract))]
}
