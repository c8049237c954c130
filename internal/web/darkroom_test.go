package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// drawer has files by their hash.
type drawer map[string][]byte

func (drawer) Stands(img *state.Image) (state.File, bool)    { return img.Output, true }
func (d drawer) HasPicture(f state.File) bool                { return d[f.SHA256] != nil }
func (drawer) Former() (map[addrs.Image]*state.Image, error) { return nil, nil }
func (d drawer) OpenPicture(f state.File) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(d[f.SHA256])), nil
}

func (d drawer) add(data []byte, name string, side int) state.File {
	sum := sha256.Sum256(data)
	f := state.File{Path: name, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(data)), Width: side, Height: side}
	d[f.SHA256] = data
	return f
}

// photograph is a picture with edges and grain.
func photograph(side int, seed uint32) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			seed = seed*1664525 + 1013904223
			grain := uint8(seed >> 29)
			img.SetRGBA(x, y, color.RGBA{uint8(x/4) + grain, uint8(y/4) + grain, uint8((x/64+y/64)%2*90) + grain, 255})
		}
	}
	return img
}

// A thumbnail is made once, by what the picture shows, and what cannot be decoded has none.
func TestThumbnailsAreKept(t *testing.T) {
	t.Parallel()
	files, dir := drawer{}, t.TempDir()
	var data bytes.Buffer
	if err := png.Encode(&data, photograph(700, 1)); err != nil {
		t.Fatal(err)
	}
	a, room := newAlbum(files, Options{}), NewDarkroom(dir)
	good, bad := files.add(data.Bytes(), "a.png", 700), files.add([]byte("<svg/>"), "b.png", 10)
	again := good
	again.Path = "moved.png"
	for _, f := range []state.File{good, bad, again} {
		a.shot(f, true)
	}
	if err := room.Develop(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("got %v, %v; want one thumbnail", kept, err)
	}
	in, err := os.Open(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	if size, err := jpeg.DecodeConfig(in); err != nil || size.Width != thumbSide {
		t.Errorf("the thumbnail is %d wide, %v", size.Width, err)
	}
	// From now on the picture itself is not asked for.
	delete(files, good.SHA256)
	if file, err := room.Thumb(t.Context(), a, &Shot{File: good}); err != nil || file != kept[0] {
		t.Errorf("got %q, %v", file, err)
	}
	if !a.shots[(&Shot{File: bad}).Picture()].Broken {
		t.Error("what is no picture is not known to be broken")
	}
}

// BenchmarkThumbnail makes the thumbnail of a picture of a megapixel: what a report takes for each
// new picture, on one core.
func BenchmarkThumbnail(b *testing.B) {
	img := photograph(1024, 1)
	for _, kind := range []string{"jpeg", "png"} {
		var data bytes.Buffer
		err := jpeg.Encode(&data, img, &jpeg.Options{Quality: 90})
		if kind == "png" {
			data.Reset()
			err = png.Encode(&data, img)
		}
		if err != nil {
			b.Fatal(err)
		}
		b.Run(kind, func(b *testing.B) {
			files, room := drawer{}, NewDarkroom(b.TempDir())
			f := files.add(data.Bytes(), "a", 1024)
			a := newAlbum(files, Options{})
			for i := 0; b.Loop(); i++ {
				f.Content = fmt.Sprintf("%032x", i) + f.SHA256[:32]
				if file, err := room.Thumb(b.Context(), a, &Shot{File: f}); err != nil || file == "" {
					b.Fatal(file, err)
				}
			}
		})
	}
}
