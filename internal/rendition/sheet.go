package rendition

import (
	"bytes"
	"encoding/json"
	"image"
	"path"

	fluximage "github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/picture"
)

// Sheet is a sheet in the making. Its pictures are added one by one, so that no more than one of
// them is in memory.
type Sheet struct {
	recipe *fluximage.Recipe
	pixels *picture.Pixels
	frames []frame
}

type frame struct {
	name string
	// cell is where the picture's cell is, and shown the part of it that the picture fills.
	cell, shown image.Rectangle
}

// NewSheet begins a sheet of n pictures.
func NewSheet(r *fluximage.Recipe, n int) *Sheet {
	size := SheetSize(r, n)
	return &Sheet{recipe: r, pixels: picture.Canvas(size.X, size.Y, picture.ParseColour(r.Background))}
}

// SheetSize is the extent of a sheet of n pictures. The padding is around each cell.
func SheetSize(r *fluximage.Recipe, n int) image.Point {
	columns := max(r.Columns, 1)
	rows := (n + columns - 1) / columns
	return image.Pt(columns*(r.Width+2*r.Padding), rows*(r.Height+2*r.Padding))
}

// Add adds the next picture under a name.
func (s *Sheet) Add(name string, src *picture.Source) {
	r := s.recipe
	column, row := len(s.frames)%max(r.Columns, 1), len(s.frames)/max(r.Columns, 1)
	corner := image.Pt(column*(r.Width+2*r.Padding)+r.Padding, row*(r.Height+2*r.Padding)+r.Padding)
	f := frame{name: name, cell: image.Rectangle{Min: corner, Max: corner.Add(image.Pt(r.Width, r.Height))}}
	pixels, shown := fitted(r, src)
	f.shown = image.Rectangle{Max: image.Pt(pixels.Width, pixels.Height)}.Add(corner).Add(shown)
	s.pixels.Draw(pixels, f.shown.Min.X, f.shown.Min.Y)
	s.frames = append(s.frames, f)
}

// fitted brings a picture into a cell, without anything around it, and says where it stands there.
func fitted(r *fluximage.Recipe, src *picture.Source) (*picture.Pixels, image.Point) {
	w, h := r.Width, r.Height
	switch r.Fit {
	case fluximage.Contain:
		w, h = contained(src.Size, w, h)
		return src.Scale(picture.Whole(src.Size), w, h), image.Pt((r.Width-w)/2, (r.Height-h)/2)
	case fluximage.Inside:
		w, h = r.Size(src.Size.X, src.Size.Y)
		return src.Scale(picture.Whole(src.Size), w, h), image.Pt((r.Width-w)/2, (r.Height-h)/2)
	default:
		return bring(r, src, w, h), image.Point{}
	}
}

// File returns the sheet's file. from are the contents of its pictures.
func (s *Sheet) File(mark fluximage.Mark, from []string) ([]byte, error) {
	return finish(s.recipe, s.pixels, mark, from)
}

// box is a rectangle of an atlas, and extent a size.
type box struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

type extent struct {
	W int `json:"w"`
	H int `json:"h"`
}

// atlasFrame is a picture as engines read it: frame is where its pixels are, and spriteSourceSize where
// these stand in the cell, of which the clear edges are trimmed.
type atlasFrame struct {
	Frame            box    `json:"frame"`
	Rotated          bool   `json:"rotated"`
	Trimmed          bool   `json:"trimmed"`
	SpriteSourceSize box    `json:"spriteSourceSize"`
	SourceSize       extent `json:"sourceSize"`
}

// Atlas returns the file that says where each picture stands, in the form that TexturePacker calls JSON
// (Hash) and that Phaser, PixiJS and the importers of Godot read. output is the path of the sheet's
// file, and atlas its own.
func (s *Sheet) Atlas(output, atlas string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{\n  \"frames\": {")
	for i, f := range s.frames {
		inside := f.shown.Sub(f.cell.Min)
		entry := atlasFrame{
			Frame: boxOf(f.shown), Trimmed: f.shown != f.cell, SpriteSourceSize: boxOf(inside), SourceSize: extent{f.cell.Dx(), f.cell.Dy()},
		}
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n    ")
		if err := member(&b, f.name, entry); err != nil {
			return nil, err
		}
	}
	b.WriteString("\n  },\n  ")
	meta := struct {
		App    string `json:"app"`
		Image  string `json:"image"`
		Format string `json:"format"`
		Size   extent `json:"size"`
		Scale  string `json:"scale"`
	}{"fluxbatch", relative(output, atlas), "RGBA8888", extent{s.pixels.Width, s.pixels.Height}, "1"}
	if err := member(&b, "meta", meta); err != nil {
		return nil, err
	}
	b.WriteString("\n}\n")
	return b.Bytes(), nil
}

func member(b *bytes.Buffer, name string, value any) error {
	key, err := json.Marshal(name)
	if err != nil {
		return err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	b.Write(key)
	b.WriteString(": ")
	b.Write(text)
	return nil
}

func boxOf(r image.Rectangle) box { return box{r.Min.X, r.Min.Y, r.Dx(), r.Dy()} }

// relative returns a file's path as seen from another one's folder.
func relative(file, from string) string {
	up := ""
	for dir := path.Dir(from); dir != "."; dir = path.Dir(dir) {
		if rest, isBelow := cutDir(file, dir); isBelow {
			return up + rest
		}
		up += "../"
	}
	return up + file
}

func cutDir(file, dir string) (string, bool) {
	if len(file) > len(dir) && file[:len(dir)] == dir && file[len(dir)] == '/' {
		return file[len(dir)+1:], true
	}
	return file, false
}
