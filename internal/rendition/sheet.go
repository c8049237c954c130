package rendition

import (
	"image"
	"image/draw"

	fluximage "github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/picture"
)

// Plan says what a sheet is made of.
type Plan struct {
	Recipe *fluximage.Recipe
	// Names are those of the frames, and Contents the pictures, one for each cell.
	Names, Contents []string
	Mark            fluximage.Mark
	// Output and Atlas are the paths of the first page and its atlas, which is "" for none.
	Output, Atlas string
}

// Sheet is a sheet in the making. Its pictures are added one by one, and a page is encoded when it is
// full, so that no more than one picture and one page are in memory. It is owned by its worker.
type Sheet struct {
	Plan
	paths  []string
	page   *image.NRGBA
	frames []frame // of the page at work
	first  int     // the number of its first cell
	files  [][]byte
}

// frame says where a picture is: its cell, and the part of it that the picture fills.
type frame struct{ cell, shown image.Rectangle }

// NewSheet begins a sheet.
func NewSheet(p Plan) *Sheet {
	return &Sheet{Plan: p, paths: p.Recipe.SheetFiles(len(p.Names), p.Output, p.Atlas)}
}

// Add adds the next picture.
func (s *Sheet) Add(src *picture.Source) error {
	r := s.Recipe
	if s.page == nil {
		s.begin()
	}
	column, row := len(s.frames)%max(r.Columns, 1), len(s.frames)/max(r.Columns, 1)
	corner := image.Pt(column*r.CellWidth()+r.Padding, row*r.CellHeight()+r.Padding)
	pixels, at := fitted(r, src)
	f := frame{cell: image.Rectangle{Min: corner, Max: corner.Add(image.Pt(r.Width, r.Height))}}
	f.shown = image.Rectangle{Max: image.Pt(pixels.Width, pixels.Height)}.Add(corner).Add(at)
	if r.Background != "" {
		pixels = pixels.On(picture.ParseColour(r.Background))
	}
	draw.Draw(s.page, f.shown, pixels.Image(false), image.Point{}, draw.Src)
	s.frames = append(s.frames, f)
	if len(s.frames) == r.PageCells() || s.first+len(s.frames) == len(s.Names) {
		return s.finish()
	}
	return nil
}

// Files returns what is in the files of a sheet whose pictures were all added, in the order of their
// paths.
func (s *Sheet) Files() [][]byte { return s.files }

// begin begins a page, which is as high as its rows.
func (s *Sheet) begin() {
	r := s.Recipe
	width, height := r.PageSize(len(s.Names) - s.first)
	s.page = image.NewNRGBA(image.Rect(0, 0, width, height))
	if r.Background != "" {
		colour := picture.Canvas(1, 1, picture.ParseColour(r.Background)).Image(false).At(0, 0)
		draw.Draw(s.page, s.page.Rect, image.NewUniform(colour), image.Point{}, draw.Src)
	}
}

// finish encodes a page, and writes its atlas.
func (s *Sheet) finish() error {
	file, err := picture.Encode(s.page, s.Recipe.Format, s.Recipe.Quality)
	if err != nil {
		return err
	}
	last := s.first + len(s.frames)
	if file, err = marked(file, s.Mark, s.Contents[s.first:last]); err != nil {
		return err
	}
	s.files = append(s.files, file)
	if s.Atlas != "" {
		atlas, err := s.atlas()
		if err != nil {
			return err
		}
		s.files = append(s.files, atlas)
	}
	s.page, s.frames, s.first = nil, nil, last
	return nil
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

// marked marks a file that was made from pictures of some contents.
func marked(file []byte, mark fluximage.Mark, from []string) ([]byte, error) {
	if len(mark.Models) == 0 {
		return file, nil
	}
	text := packet(mark, from)
	if mark.Prompt != "" && len(text) > imagefile.MaxXMP {
		// A JPEG holds no more. That it was generated is more important than by which words.
		mark.Prompt = ""
		text = packet(mark, from)
	}
	return imagefile.SetXMP(file, text)
}
