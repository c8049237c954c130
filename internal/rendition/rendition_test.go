package rendition

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	fluximage "github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/picture"
)

// bands is a picture of vertical bands: red, green, blue and white from left to right.
func bands(width, height int) *picture.Source {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	colours := []color.NRGBA{red, green, blue, white}
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, colours[4*x/width])
		}
	}
	return picture.NewSource(img)
}

var (
	red   = color.NRGBA{255, 0, 0, 255}
	green = color.NRGBA{0, 255, 0, 255}
	blue  = color.NRGBA{0, 0, 255, 255}
	white = color.NRGBA{255, 255, 255, 255}
)

var mark = fluximage.Mark{Models: []string{"flux-2-pro"}}

func TestFits(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		recipe fluximage.Recipe
		size   image.Point
		at     map[image.Point]color.NRGBA
	}{
		{
			"cover",
			fluximage.Recipe{Width: 100, Height: 100, Fit: fluximage.Cover, Focus: fluximage.Focus{X: 5000, Y: 5000}},
			image.Pt(100, 100),
			map[image.Point]color.NRGBA{{10, 50}: green, {90, 50}: blue},
		},
		{
			"cover west",
			fluximage.Recipe{Width: 100, Height: 100, Fit: fluximage.Cover, Focus: fluximage.Focus{X: 0, Y: 5000}},
			image.Pt(100, 100),
			map[image.Point]color.NRGBA{{10, 50}: red, {90, 50}: green},
		},
		{
			"cover east",
			fluximage.Recipe{Width: 100, Height: 100, Fit: fluximage.Cover, Focus: fluximage.Focus{X: 10000, Y: 0}},
			image.Pt(100, 100),
			map[image.Point]color.NRGBA{{10, 50}: blue, {90, 50}: white},
		},
		{
			"contain",
			fluximage.Recipe{Width: 100, Height: 100, Fit: fluximage.Contain, Background: "#ff00ff"},
			image.Pt(100, 100),
			map[image.Point]color.NRGBA{{50, 5}: {255, 0, 255, 255}, {50, 95}: {255, 0, 255, 255}, {10, 50}: red, {90, 50}: white},
		},
		{
			"contain clear",
			fluximage.Recipe{Width: 100, Height: 100, Fit: fluximage.Contain},
			image.Pt(100, 100),
			map[image.Point]color.NRGBA{{50, 5}: {}, {10, 50}: red},
		},
		{
			"inside",
			fluximage.Recipe{Width: 100, Height: 100, Fit: fluximage.Inside},
			image.Pt(100, 50),
			map[image.Point]color.NRGBA{{10, 25}: red, {90, 25}: white},
		},
		{"inside does not enlarge", fluximage.Recipe{Width: 1000, Height: 1000, Fit: fluximage.Inside}, image.Pt(200, 100), nil},
		{
			"fill",
			fluximage.Recipe{Width: 40, Height: 100, Fit: fluximage.Fill},
			image.Pt(40, 100),
			map[image.Point]color.NRGBA{{4, 50}: red, {36, 50}: white},
		},
		{"by width", fluximage.Recipe{Width: 50, Fit: fluximage.Cover}, image.Pt(50, 25), nil},
		{"by height", fluximage.Recipe{Height: 50, Fit: fluximage.Cover}, image.Pt(100, 50), nil},
	} {
		tc.recipe.Format = imagefile.PNG
		file, err := Make(&tc.recipe, bands(200, 100), mark, "content")
		if err != nil {
			t.Fatal(err)
		}
		img, err := picture.Decode(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := img.Bounds().Size(); got != tc.size {
			t.Errorf("%s: the size is %v, want %v", tc.name, got, tc.size)
			continue
		}
		for at, want := range tc.at {
			if got := color.NRGBAModel.Convert(img.At(at.X, at.Y)); got != want {
				t.Errorf("%s: %v is %v, want %v", tc.name, at, got, want)
			}
		}
	}
}

// Each format keeps the mark, and no mark changes the picture.
func TestMarks(t *testing.T) {
	t.Parallel()
	want := Marked{Source: "compositeWithTrainedAlgorithmicMedia", Contents: []string{"abc"}, Models: []string{"flux-2-pro", "flux-2-max"}, Prompt: `A <sun> & "moon"`}
	full := fluximage.Mark{Models: want.Models, Composite: true, Prompt: want.Prompt}
	for _, format := range []string{imagefile.PNG, imagefile.JPEG, imagefile.WebP} {
		for _, quality := range []int{0, 80} {
			recipe := &fluximage.Recipe{Width: 20, Height: 20, Fit: fluximage.Contain, Format: format, Quality: quality}
			file, err := Make(recipe, bands(40, 20), full, "abc")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, ReadMark(imagefile.ReadMetadata(file).XMP)); diff != "" {
				t.Errorf("%s, quality %d (-want +got):\n%s", format, quality, diff)
			}
			bare, err := Make(recipe, bands(40, 20), fluximage.Mark{}, "abc")
			if err != nil {
				t.Fatal(err)
			}
			if a, b := check(t, file), check(t, bare); a.Content != b.Content || a.Width != 20 {
				t.Errorf("%s, quality %d: the mark changed the picture from %v to %v", format, quality, b, a)
			}
		}
	}
}

func check(t *testing.T, file []byte) imagefile.Info {
	t.Helper()
	info, err := imagefile.Check(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// A JPEG has room for 64 KiB; that it was generated stays, whatever the prompt.
func TestLongPrompts(t *testing.T) {
	t.Parallel()
	long := fluximage.Mark{Models: []string{"flux-2-pro"}, Prompt: strings.Repeat("&", 30000)}
	file, err := Make(&fluximage.Recipe{Width: 8, Height: 8, Format: imagefile.JPEG, Quality: 80}, bands(8, 8), long, "abc")
	if err != nil {
		t.Fatal(err)
	}
	if m := ReadMark(imagefile.ReadMetadata(file).XMP); !m.IsGenerated() || m.Prompt != "" {
		t.Errorf("got %+v", m)
	}
}

// A long picture does not become one that fills the memory.
func TestTooManyPixels(t *testing.T) {
	t.Parallel()
	_, err := Make(&fluximage.Recipe{Width: 16383, Format: imagefile.PNG}, bands(4, 400), mark, "abc")
	if err == nil || !strings.Contains(err.Error(), "16383 x 1638300 pixels") {
		t.Errorf("got %v", err)
	}
}

type atlasFile struct {
	Frames map[string]atlasFrame `json:"frames"`
	Meta   atlasMeta             `json:"meta"`
}

func sheet(t *testing.T, recipe *fluximage.Recipe, n int) (pages [][]byte, atlases []atlasFile) {
	t.Helper()
	plan := Plan{Recipe: recipe, Mark: mark, Output: "images/ui/icons.png", Atlas: "images/icons.json"}
	for i := range n {
		plan.Names, plan.Contents = append(plan.Names, fmt.Sprintf("image.icon[%d]", i)), append(plan.Contents, fmt.Sprint(i))
	}
	s := NewSheet(plan)
	for range n {
		if err := s.Add(bands(200, 100)); err != nil {
			t.Fatal(err)
		}
	}
	for i, file := range s.Files() {
		if i%2 == 0 {
			pages = append(pages, file)
			continue
		}
		var atlas atlasFile
		if err := json.Unmarshal(file, &atlas); err != nil {
			t.Fatal(err)
		}
		atlases = append(atlases, atlas)
	}
	return pages, atlases
}

func TestSheet(t *testing.T) {
	t.Parallel()
	recipe := &fluximage.Recipe{Width: 64, Height: 64, Fit: fluximage.Contain, Format: imagefile.PNG, Columns: 2, Padding: 2}
	pages, atlases := sheet(t, recipe, 3)
	img, err := picture.Decode(pages[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) != 1 || img.Bounds().Size() != image.Pt(136, 136) {
		t.Fatalf("%d pages, the first of %v", len(pages), img.Bounds())
	}
	want := atlasFrame{Frame: box{70, 18, 64, 32}, Trimmed: true, SpriteSourceSize: box{0, 16, 64, 32}, SourceSize: extent{64, 64}}
	if diff := cmp.Diff(want, atlases[0].Frames["image.icon[1]"]); diff != "" {
		t.Errorf("the second frame (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(atlasMeta{App: "fluxbatch", Image: "ui/icons.png", Format: "RGBA8888", Size: extent{136, 136}, Scale: "1"}, atlases[0].Meta); diff != "" {
		t.Errorf("the atlas (-want +got):\n%s", diff)
	}
	for at, want := range map[image.Point]color.NRGBA{{75, 34}: red, {130, 34}: white, {75, 10}: {}, {75, 100}: {}} {
		if got := color.NRGBAModel.Convert(img.At(at.X, at.Y)); got != want {
			t.Errorf("%v is %v, want %v", at, got, want)
		}
	}
}

// A page is at most 8192 pixels high; what is more goes on to others, each with its own atlas.
func TestPages(t *testing.T) {
	t.Parallel()
	recipe := &fluximage.Recipe{Width: 4, Height: 2000, Fit: fluximage.Fill, Format: imagefile.PNG, Columns: 1}
	pages, atlases := sheet(t, recipe, 9)
	if len(pages) != 3 || len(atlases) != 3 {
		t.Fatalf("%d pages and %d atlases", len(pages), len(atlases))
	}
	if info := check(t, pages[2]); info.Height != 2000 {
		t.Errorf("the last page is %d high, want 2000", info.Height)
	}
	if _, found := atlases[1].Frames["image.icon[4]"]; len(atlases[1].Frames) != 4 || !found {
		t.Errorf("the second page has %v", atlases[1].Frames)
	}
	if m := atlases[1].Meta; m.Image != "ui/icons-2.png" || cmp.Diff(m.Others, []string{"icons.json", "icons-3.json"}) != "" {
		t.Errorf("got %+v", m)
	}
	if m := ReadMark(imagefile.ReadMetadata(pages[1]).XMP); cmp.Diff(m.Contents, []string{"4", "5", "6", "7"}) != "" {
		t.Errorf("the second page tells of %v", m.Contents)
	}
}
