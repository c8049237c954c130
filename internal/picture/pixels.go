package picture

import (
	"image"
	"image/color"
)

// Pixels are a picture in linear light, premultiplied: the result of scaling.
type Pixels struct {
	Width, Height int
	// Channels is 1 for a grey picture, 3 for one in colours, 4 for one with alpha.
	Channels int
	// Deep says that more than 8 bits are worth keeping.
	Deep bool
	// Light has the channels of each pixel, row by row.
	Light []uint16
}

// Colour is a colour in linear light, premultiplied.
type Colour [4]uint16

// ParseColour reads "#rrggbb" or "#rrggbbaa"; anything else is clear.
func ParseColour(text string) Colour {
	var n [4]uint8
	n[3] = 255
	for i := 0; 2*i+2 < len(text) && i < 4; i++ {
		n[i] = digit(text[2*i+1])<<4 | digit(text[2*i+2])
	}
	if text == "" {
		return Colour{}
	}
	var c Colour
	for i := range 3 {
		c[i] = uint16((uint32(toLinear()[n[i]])*uint32(n[3]) + 127) / 255) //nolint:gosec // at most 65535
	}
	c[3] = uint16(n[3]) * 257
	return c
}

func digit(c byte) uint8 {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	default:
		return c - '0'
	}
}

// Canvas returns pixels of one colour.
func Canvas(width, height int, c Colour) *Pixels {
	p := &Pixels{Width: width, Height: height, Channels: 4, Light: make([]uint16, width*height*4)}
	for i := 0; i < len(p.Light); i += 4 {
		copy(p.Light[i:i+4], c[:])
	}
	return p
}

// at returns a pixel with all four channels.
func (p *Pixels) at(i int) Colour {
	switch l := p.Light[i*p.Channels:]; p.Channels {
	case 1:
		return Colour{l[0], l[0], l[0], 65535}
	case 3:
		return Colour{l[0], l[1], l[2], 65535}
	default:
		return Colour{l[0], l[1], l[2], l[3]}
	}
}

// Draw lays another picture over this one, which has alpha, with its upper left corner at a point.
// It must fit.
func (p *Pixels) Draw(src *Pixels, left, top int) {
	p.Deep = p.Deep || src.Deep
	for y := range src.Height {
		for x := range src.Width {
			over := src.at(y*src.Width + x)
			under := p.Light[((top+y)*p.Width+left+x)*4:][:4]
			rest := 65535 - uint32(over[3])
			for i := range 4 {
				under[i] = over[i] + uint16((uint32(under[i])*rest+32767)/65535) //nolint:gosec // premultiplied, so at most 65535
			}
		}
	}
}

// On lays the picture on a colour. One without alpha stays as it is.
func (p *Pixels) On(c Colour) *Pixels {
	if p.Channels != 4 {
		return p
	}
	under := Canvas(p.Width, p.Height, c)
	under.Draw(p, 0, 0)
	return under
}

// Opaque reports whether nothing can be seen through.
func (p *Pixels) Opaque() bool {
	if p.Channels != 4 {
		return true
	}
	for i := 3; i < len(p.Light); i += 4 {
		if p.Light[i] != 65535 {
			return false
		}
	}
	return true
}

// Image returns the picture in sRGB: grey where it is, with 16 bits a channel where deep is set and
// it has more than 8.
func (p *Pixels) Image(deep bool) image.Image {
	size := image.Rect(0, 0, p.Width, p.Height)
	deep = deep && p.Deep
	switch {
	case p.Channels == 1 && deep:
		img := image.NewGray16(size)
		for i, light := range p.Light {
			v := fromLinear16(light)
			img.Pix[2*i], img.Pix[2*i+1] = uint8(v>>8), uint8(v&255)
		}
		return img
	case p.Channels == 1:
		img, values := image.NewGray(size), fromLinear()
		for i, light := range p.Light {
			img.Pix[i] = values[light]
		}
		return img
	case deep:
		img := image.NewNRGBA64(size)
		for i := range p.Width * p.Height {
			c := p.at(i).plain()
			img.SetNRGBA64(i%p.Width, i/p.Width, color.NRGBA64{R: fromLinear16(c[0]), G: fromLinear16(c[1]), B: fromLinear16(c[2]), A: c[3]})
		}
		return img
	}
	return p.eight(size)
}

// eight is Image with 8 bits a channel.
func (p *Pixels) eight(size image.Rectangle) *image.NRGBA {
	img, values := image.NewNRGBA(size), fromLinear()
	if p.Channels == 3 {
		for i, j := 0, 0; i < len(p.Light); i, j = i+3, j+4 {
			l, d := p.Light[i:i+3:i+3], img.Pix[j:j+4:j+4]
			d[0], d[1], d[2], d[3] = values[l[0]], values[l[1]], values[l[2]], 255
		}
		return img
	}
	for i := 0; i < len(p.Light); i += 4 {
		c := Colour(p.Light[i : i+4]).plain()
		d := img.Pix[i : i+4 : i+4]
		d[0], d[1], d[2], d[3] = values[c[0]], values[c[1]], values[c[2]], uint8((uint32(c[3])+128)/257) //nolint:gosec // at most 255
	}
	return img
}

// plain takes the alpha out of the colours.
func (c Colour) plain() Colour {
	switch c[3] {
	case 65535:
		return c
	case 0:
		return Colour{}
	}
	for i := range 3 {
		c[i] = uint16(min((uint32(c[i])*65535+uint32(c[3])/2)/uint32(c[3]), 65535))
	}
	return c
}
