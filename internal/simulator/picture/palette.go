package picture

import (
	"image/color"
	"slices"
	"strconv"

	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// palette is the colours of a picture.
type palette struct {
	// paper is the border, ink the words on it.
	paper, ink color.RGBA
	// sky runs from the top to the horizon.
	sky [2]color.RGBA
	// sun is the colour that stands out.
	sun color.RGBA
	// layers run from the far to the near.
	layers [4]color.RGBA
}

// soft is the ink for small print.
func (p palette) soft() color.RGBA { return mix(p.ink, p.paper, 0.32) }

// between returns a colour on the way from the far layer at 0 to the near one at 1, past those
// between them.
func (p palette) between(t float32) color.RGBA {
	at := t * float32(len(p.layers)-1)
	i := min(int(at), len(p.layers)-2)
	return mix(p.layers[i], p.layers[i+1], at-float32(i))
}

func newPalette(paper, ink, skyTop, skyLow, sun, l1, l2, l3, l4 uint32) palette {
	return palette{
		opaque(paper), opaque(ink),
		[2]color.RGBA{opaque(skyTop), opaque(skyLow)},
		opaque(sun),
		[4]color.RGBA{opaque(l1), opaque(l2), opaque(l3), opaque(l4)},
	}
}

// palettes of prints from the middle of the last century, by their mood.
var (
	warm = []palette{
		newPalette(0xfaf3e7, 0x3a2230, 0xf7c59f, 0xfde8cf, 0xef5b45, 0xf29e6d, 0xd9604c, 0x8f3b49, 0x472438),
		newPalette(0xfbf4e4, 0x2f2a3a, 0xf6b87a, 0xfce3b8, 0xd8412f, 0xe9955b, 0xc8644a, 0x7a4252, 0x33304a),
		newPalette(0xfdf6ec, 0x402a22, 0xf3d3a9, 0xfbeed8, 0xd9772b, 0xdba26b, 0xb87047, 0x7f4a35, 0x4a2c27),
		newPalette(0xfff5ee, 0x432338, 0xffc9b5, 0xffe9dc, 0xf0416c, 0xf59a9a, 0xc96480, 0x7d3f6b, 0x40264f),
	}
	cool = []palette{
		newPalette(0xf4f6f1, 0x16323f, 0xa9d6e5, 0xe6f3f0, 0xf4a259, 0x84b8c4, 0x468faf, 0x23668a, 0x123b54),
		newPalette(0xf3f5f7, 0x1b2a41, 0xc3d9ec, 0xeff5f8, 0xf06543, 0x9cb9d3, 0x5f86ad, 0x34577f, 0x1c2f50),
		newPalette(0xf5f7f2, 0x143c3c, 0xbfe3d6, 0xeef7ee, 0xf2b134, 0x86c6b4, 0x3f9c8f, 0x1f6f6d, 0x124547),
		newPalette(0xf6f4f8, 0x2a2352, 0xcfc6ee, 0xf3eefa, 0xff8a5b, 0xa99cdb, 0x7267bb, 0x453f8c, 0x27235a),
	}
	green = []palette{
		newPalette(0xf7f5e9, 0x24382a, 0xdfe6c4, 0xf6f3dc, 0xe8743b, 0xafc68c, 0x6d9a62, 0x3c6e51, 0x1f4536),
		newPalette(0xf8f6ee, 0x2a3323, 0xe9e3c8, 0xf8f4e4, 0xd85c3a, 0xc2bd7e, 0x8a9a4f, 0x566f3d, 0x2f4630),
	}
	night = []palette{
		newPalette(0xf1eee6, 0x191c3a, 0x12183a, 0x3b3f7a, 0xf8d97c, 0x5a5c9e, 0x3c3f7d, 0x272b5e, 0x141836),
		newPalette(0xf2efea, 0x1d2436, 0x0f1f33, 0x2e5666, 0xffcf8b, 0x3f7480, 0x2b5566, 0x1c3a4c, 0x0e2233),
		newPalette(0xf5eeee, 0x2b1734, 0x231038, 0x7a3a6d, 0xffb45e, 0x96508a, 0x6b3672, 0x452457, 0x26133a),
	}
	bold = []palette{
		newPalette(0xf7f2e8, 0x1d2b3a, 0xf2e6cf, 0xf8f1e1, 0xe4412b, 0xf2b632, 0x2a7f86, 0x1f5673, 0x1d2b3a),
		newPalette(0xf8f5ef, 0x22223b, 0xefe4e0, 0xf8f2ee, 0xf25f5c, 0xffe066, 0x70c1b3, 0x247ba0, 0x3d405b),
		newPalette(0xf6f3ec, 0x2c2a4a, 0xe3e8ef, 0xf4f6f8, 0xff6b4a, 0xf7c548, 0x4fb0ae, 0x6a5acd, 0x2c2a4a),
		newPalette(0xf9f4ea, 0x27302f, 0xf5ddc8, 0xfaeee2, 0xd1495b, 0xedae49, 0x66a182, 0x2e6f7e, 0x1f3a44),
	}
)

// moods are looked for in the prompt.
var moods = []topic[palette]{
	{"night moon midnight star space galaxy neon dark", night},
	{"sunset golden autumn desert warm dusk sunrise fire red orange", warm},
	{"winter snow ice ocean sea water cold blue rain beach lake river harbour coast boat wave storm", cool},
	{"forest garden leaf leaves green plant jungle spring botanical tree", green},
}

// anyMood suits prompts without a mood.
var anyMood = slices.Concat(bold, bold, warm, cool, green)

var hexColour = lazyregexp.New(`#([0-9a-fA-F]{6})\b`)

// choosePalette returns colours that suit the prompt: those that it names in hexadecimal, or else
// of its mood.
func choosePalette(prompt string, r *chance) palette {
	if named := hexColour().FindAllStringSubmatch(prompt, 4); named != nil {
		var colours []color.RGBA
		for _, m := range named {
			rgb, _ := strconv.ParseUint(m[1], 16, 32) // six digits fit
			colours = append(colours, opaque(uint32(rgb)))
		}
		return paletteOf(colours, r)
	}
	return choose(prompt, moods, anyMood, r)
}

// paletteOf builds a palette around one to four colours.
func paletteOf(colours []color.RGBA, r *chance) palette {
	white, black := opaque(0xffffff), opaque(0x14141c)
	first := colours[0]
	last := colours[len(colours)-1]
	if len(colours) == 1 {
		// The opposite hue, softened.
		last = mix(color.RGBA{255 - first.R, 255 - first.G, 255 - first.B, 0xff}, first, 0.15)
	}
	second := colours[min(1, len(colours)-1)]
	return palette{
		paper:  mix(first, white, 0.94),
		ink:    mix(first, black, 0.78),
		sky:    [2]color.RGBA{mix(first, white, r.between(0.68, 0.8)), mix(second, white, 0.9)},
		sun:    last,
		layers: [4]color.RGBA{mix(first, white, 0.45), second, first, mix(first, black, 0.6)},
	}
}

// mix returns a colour between two: a at 0, b at 1.
func mix(a, b color.RGBA, t float32) color.RGBA {
	part := func(x, y uint8) uint8 { return uint8(float32(x) + (float32(y)-float32(x))*t + 0.5) }
	return color.RGBA{part(a.R, b.R), part(a.G, b.G), part(a.B, b.B), part(a.A, b.A)}
}

// veil returns a colour with an alpha from 0 to 1.
func veil(c color.RGBA, alpha float32) color.RGBA {
	part := func(x uint8) uint8 { return uint8(float32(x)*alpha + 0.5) }
	return color.RGBA{part(c.R), part(c.G), part(c.B), part(0xff)}
}

// opaque returns a colour with full alpha.
func opaque(rgb uint32) color.RGBA {
	return color.RGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 0xff} //nolint:gosec // bytes of the number
}
