package image

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Fit says how a picture is brought to the size of its rendition.
type Fit string

// The fits.
const (
	// Cover fills the size and cuts off what sticks out.
	Cover Fit = "cover"
	// Contain shows the whole picture, with a background around it.
	Contain Fit = "contain"
	// Inside makes it as large as fits, and never larger than it is: the file may be smaller than the
	// size.
	Inside Fit = "inside"
	// Fill stretches it.
	Fill Fit = "fill"
)

// Fits are all of them.
var Fits = []string{string(Cover), string(Contain), string(Inside), string(Fill)}

// Focus is the point of a picture that stays in sight, in ten thousandths of its width and height.
type Focus struct{ X, Y int }

// Recipe says how something is made from pictures here. It is shared by all instances of a block,
// and must not be changed.
type Recipe struct {
	// Width and Height are in pixels. For a rendition one of them may be 0, and follows from the
	// picture's shape; for a sheet they are those of a cell.
	Width  int   `json:"width"`
	Height int   `json:"height"`
	Fit    Fit   `json:"fit"`
	Focus  Focus `json:"focus,omitzero"`
	// Format is "png", "jpeg" or "webp". Quality is from 1 to 100, and 0 for what loses nothing.
	Format  string `json:"format"`
	Quality int    `json:"quality,omitempty"`
	// Background is "#rrggbb" or "#rrggbbaa", "" for none.
	Background string `json:"background,omitempty"`
	// Columns and Padding are a sheet's.
	Columns int `json:"columns,omitempty"`
	Padding int `json:"padding,omitempty"`
	// Prompt says that the file tells what was asked for.
	Prompt bool `json:"prompt,omitempty"`
}

// Maker is the version of the program that makes renditions and sheets. Where what is made from the
// same pictures by the same arguments comes out with other pixels than before, it goes up, and all
// are made again.
const Maker = 1

// Mark is what a file that is made here tells of its origin, besides the content of its pictures.
type Mark struct {
	// Models made the pictures, each named once, in the order in which they come. There is none for
	// a file that nobody bought.
	Models []string `json:"models,omitempty"`
	// Composite says that somebody's own work is in it.
	Composite bool `json:"composite,omitempty"`
	// Prompt is what was asked for, "" where it is not told.
	Prompt string `json:"prompt,omitempty"`
}

// WithOwn returns the mark of what also has pictures in it that nobody bought.
func (m Mark) WithOwn() Mark {
	m.Composite = m.Composite || len(m.Models) > 0
	return m
}

// Key identifies all that decides on a file made here, but for the pictures, the names of its cells
// and the version of the maker.
func (r *Recipe) Key(m Mark, cells []string) string {
	text, _ := json.Marshal(struct {
		*Recipe
		Mark  Mark     `json:"mark"`
		Cells []string `json:"cells,omitempty"`
	}{r, m, cells}) // it has strings, numbers and booleans only
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Rendition is a file that is made here from an image, for nothing.
type Rendition struct {
	Name string
	*Recipe
	// Output is its file, as that of an image.
	Output string
}

// Derived is a rendition that goes into a request, with what it takes to make it.
type Derived struct {
	Address addrs.Rendition
	*Rendition
	// Asset is the picture that it is made of, where nobody bought that.
	Asset *Asset
}

// Asset is a picture that nobody bought, for what is made of it.
type Asset struct {
	Address addrs.Image
	// Path is usable with package os, and File what people call it.
	Path, File string
	// SHA256 is of its bytes, and Content of its picture.
	SHA256, Content string
	Width, Height   int
	Renditions      []Rendition
}

// Rendition returns the rendition of a name, nil where there is none.
func (a *Asset) Rendition(name string) *Rendition {
	i := slices.IndexFunc(a.Renditions, func(r Rendition) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return &a.Renditions[i]
}

// Sheet is a file that is made here from many pictures.
type Sheet struct {
	Address addrs.Rendition
	*Recipe
	// Cells are its pictures in the order in which they stand.
	Cells []Cell
	// Output is its file, and Atlas the one that says where each picture stands, "" for none.
	Output, Atlas string
}

// Cell is a picture of a sheet: an image, or one of its renditions where that is named, or a
// rendition of an asset, whose address Image then is.
type Cell struct {
	Image     addrs.Image
	Rendition string
	Asset     *Asset
}

// At is the address of the rendition that the picture is, and says whether it is one.
func (c Cell) At() (at addrs.Rendition, isRendition bool) {
	at = addrs.Rendition{Of: c.Image, Name: c.Rendition}
	if c.Asset != nil {
		at.Kind = addrs.OfAsset
	}
	return at, c.Rendition != ""
}

// String is the address of the picture.
func (c Cell) String() string {
	if at, isRendition := c.At(); isRendition {
		return at.String()
	}
	return c.Image.String()
}

// IsExact reports whether the arguments alone decide on the extent of what is made, whatever the
// picture's is.
func (r *Recipe) IsExact() bool { return r.Width > 0 && r.Height > 0 && r.Fit != Inside }

// Size returns the extent of what is made of a picture of an extent.
func (r *Recipe) Size(width, height int) (int, int) {
	w, h := r.Width, r.Height
	switch {
	case w == 0:
		w = max(scaled(width, h, height), 1)
	case h == 0:
		h = max(scaled(height, w, width), 1)
	}
	if r.Fit != Inside {
		return w, h
	}
	switch {
	case width <= w && height <= h:
		return width, height
	case width*h >= height*w:
		return w, max(scaled(height, w, width), 1)
	default:
		return max(scaled(width, h, height), 1), h
	}
}

// scaled returns n times by/of, rounded.
func scaled(n, by, of int) int { return (2*n*by + of) / (2 * of) }
