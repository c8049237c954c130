package preview

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/png"
	"strings"

	"golang.org/x/image/draw"

	"github.com/fluxbatch/fluxbatch/internal/picture"
)

// usualCell is the extent of a character where the terminal does not tell: about twice as high as
// it is wide.
var usualCell = image.Pt(9, 18)

// Draw returns a picture as text for a terminal, at most columns wide and rows high, with a line
// break at its end.
func (t Terminal) Draw(img image.Image, columns, rows int) string {
	if t.Columns > 0 {
		columns = max(min(columns, t.Columns-1), 1)
	}
	cell := t.Cell
	if cell == (image.Point{}) {
		cell = usualCell
	}
	if t.Way == Blocks {
		half := picture.Inside(img.Bounds().Size(), image.Pt(columns, 2*rows))
		return t.blocks(picture.Shrink(img, half.X, max(half.Y+half.Y%2, 2)))
	}
	pixels := picture.Inside(img.Bounds().Size(), image.Pt(columns*cell.X, rows*cell.Y))
	cells := image.Pt(max((pixels.X+cell.X/2)/cell.X, 1), max((pixels.Y+cell.Y/2)/cell.Y, 1))
	switch t.Way {
	case Kitty:
		return kitty(picture.Fit(img, pixels.X, pixels.Y), cells)
	case ITerm:
		return iterm(picture.Fit(img, pixels.X, pixels.Y), cells)
	default:
		return sixel(picture.Fit(img, pixels.X, pixels.Y)) + "\n"
	}
}

// encoded returns a picture as a PNG file in base64.
func encoded(img image.Image) string {
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		panic(fmt.Sprintf("preview: %v", err)) // memory takes all
	}
	return base64.StdEncoding.EncodeToString(file.Bytes())
}

// kittyChunk is how long a piece of the data is at most.
const kittyChunk = 4096

// kitty draws by the graphics protocol of kitty, which others have too. The terminal is told to
// answer nothing (q=2).
func kitty(img image.Image, cells image.Point) string {
	data := encoded(img)
	var b strings.Builder
	for first := true; first || data != ""; first = false {
		n := min(len(data), kittyChunk)
		more := 0
		if n < len(data) {
			more = 1
		}
		if first {
			fmt.Fprintf(&b, "\x1b_Ga=T,f=100,q=2,c=%d,r=%d,m=%d;%s\x1b\\", cells.X, cells.Y, more, data[:n])
		} else {
			fmt.Fprintf(&b, "\x1b_Gm=%d;%s\x1b\\", more, data[:n])
		}
		data = data[n:]
	}
	return b.String() + "\n"
}

func iterm(img image.Image, cells image.Point) string {
	data := encoded(img)
	return fmt.Sprintf("\x1b]1337;File=inline=1;size=%d;width=%d;height=%d;preserveAspectRatio=1:%s\a\n",
		base64.StdEncoding.DecodedLen(len(data)), cells.X, cells.Y, data)
}

// sixel draws in bands of six lines. Its colours are those of the web, dithered, since a terminal
// has at least as many.
func sixel(img image.Image) string {
	size := img.Bounds().Size()
	dst := image.NewPaletted(image.Rectangle{Max: size}, palette.WebSafe)
	draw.FloydSteinberg.Draw(dst, dst.Rect, img, img.Bounds().Min)
	var b strings.Builder
	fmt.Fprintf(&b, "\x1bP0;1;0q\"1;1;%d;%d", size.X, size.Y)
	for i, c := range dst.Palette {
		r, g, bl, _ := c.RGBA()
		fmt.Fprintf(&b, "#%d;2;%d;%d;%d", i, r*100/0xffff, g*100/0xffff, bl*100/0xffff)
	}
	for y := 0; y < size.Y; y += 6 {
		band(&b, dst, y)
		b.WriteByte('-')
	}
	b.WriteString("\x1b\\")
	return b.String()
}

// band writes six lines, colour by colour.
func band(b *strings.Builder, img *image.Paletted, y int) {
	var used [256]bool
	for line := y; line < min(y+6, img.Rect.Max.Y); line++ {
		for _, index := range img.Pix[line*img.Stride : line*img.Stride+img.Rect.Max.X] {
			used[index] = true
		}
	}
	for index := range used {
		if !used[index] {
			continue
		}
		fmt.Fprintf(b, "#%d", index)
		run, last := 0, byte(0)
		flush := func() {
			switch {
			case run > 3:
				fmt.Fprintf(b, "!%d%c", run, last)
			default:
				b.WriteString(strings.Repeat(string(last), run))
			}
			run = 0
		}
		for x := range img.Rect.Max.X {
			bits := byte(0)
			for i := range min(6, img.Rect.Max.Y-y) {
				if int(img.Pix[(y+i)*img.Stride+x]) == index {
					bits |= 1 << i
				}
			}
			if char := '?' + bits; char != last {
				flush()
				last = char
			}
			run++
		}
		flush()
		b.WriteByte('$')
	}
}

// shades are from dark to light, for terminals without colours.
var shades = []rune(" ░▒▓█")

// blocks draws two pixels a character.
func (t Terminal) blocks(img *image.RGBA) string {
	var b strings.Builder
	for y := 0; y < img.Rect.Dy(); y += 2 {
		for x := range img.Rect.Dx() {
			upper, lower := opaque(img.RGBAAt(x, y)), opaque(img.RGBAAt(x, y+1))
			switch {
			case t.NoColor:
				light := (int(upper.R) + int(upper.G) + int(upper.B) + int(lower.R) + int(lower.G) + int(lower.B)) / 6
				b.WriteRune(shades[light*len(shades)/256])
			case t.TrueColor:
				fmt.Fprintf(&b, "\x1b[38;2;%d;%d;%d;48;2;%d;%d;%dm▀", upper.R, upper.G, upper.B, lower.R, lower.G, lower.B)
			default:
				fmt.Fprintf(&b, "\x1b[38;5;%d;48;5;%dm▀", cube(upper), cube(lower))
			}
		}
		if !t.NoColor {
			b.WriteString("\x1b[0m")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// opaque lays a colour on white.
func opaque(c color.RGBA) color.RGBA {
	rest := 255 - c.A
	return color.RGBA{c.R + rest, c.G + rest, c.B + rest, 255}
}

// cube returns the nearest of the 216 colours that every terminal with 256 has.
func cube(c color.RGBA) int {
	level := func(v uint8) int {
		switch {
		case v < 48:
			return 0
		case v < 115:
			return 1
		default:
			return (int(v) - 35) / 40
		}
	}
	return 16 + 36*level(c.R) + 6*level(c.G) + level(c.B)
}
