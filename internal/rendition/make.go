package rendition

import (
	"fmt"
	"image"

	fluximage "github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/picture"
)

// Make makes the file of a rendition. from is the content of the picture.
func Make(r *fluximage.Recipe, src *picture.Source, mark fluximage.Mark, from string) ([]byte, error) {
	width, height := r.Size(src.Size.X, src.Size.Y)
	if width > imagefile.MaxPixels/height {
		return nil, fmt.Errorf("it would have %d x %d pixels, and %d are the most that are made. Give it a smaller width or height", width, height, imagefile.MaxPixels)
	}
	pixels := bring(r, src, width, height)
	if r.Background != "" {
		pixels = pixels.On(picture.ParseColour(r.Background))
	}
	file, err := pixels.Encode(r.Format, r.Quality)
	if err != nil {
		return nil, err
	}
	return marked(file, mark, []string{from})
}

// bring brings a picture to a size as the recipe says.
func bring(r *fluximage.Recipe, src *picture.Source, width, height int) *picture.Pixels {
	switch r.Fit {
	case fluximage.Cover:
		return src.Scale(cover(src.Size, image.Pt(width, height), r.Focus), width, height)
	case fluximage.Contain:
		w, h := contained(src.Size, width, height)
		scaled := src.Scale(picture.Whole(src.Size), w, h)
		if w == width && h == height {
			return scaled
		}
		canvas := picture.Canvas(width, height, picture.ParseColour(r.Background))
		canvas.Draw(scaled, (width-w)/2, (height-h)/2)
		return canvas
	default:
		return src.Scale(picture.Whole(src.Size), width, height)
	}
}

// cover returns the largest window of a shape, with the focus as near to its middle as the edges
// let it.
func cover(size, box image.Point, focus fluximage.Focus) picture.Window {
	w := picture.Whole(size)
	if size.X*box.Y > size.Y*box.X {
		w.Width = w.Height / box.Y * box.X
		w.X = min(max(size.X<<16/10000*focus.X-w.Width/2, 0), size.X<<16-w.Width)
	} else {
		w.Height = w.Width / box.X * box.Y
		w.Y = min(max(size.Y<<16/10000*focus.Y-w.Height/2, 0), size.Y<<16-w.Height)
	}
	return w
}

// contained returns the largest size of the picture's shape that fits into a box.
func contained(size image.Point, width, height int) (w, h int) {
	if size.X*height >= size.Y*width {
		return width, max((2*size.Y*width+size.X)/(2*size.X), 1)
	}
	return max((2*size.X*height+size.Y)/(2*size.Y), 1), height
}
