package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/imagefile"
)

// corners are the colours of a picture of 16 x 8, whose four quarters differ.
var corners = [4]color.RGBA{{200, 0, 0, 255}, {0, 200, 0, 255}, {0, 0, 200, 255}, {200, 200, 0, 255}}

func quarters() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 16, 8))
	for y := range 8 {
		for x := range 16 {
			img.SetRGBA(x, y, corners[x/8+y/4*2])
		}
	}
	return img
}

// exif is the segment of a JPEG that says how its picture is turned.
func exif(orientation byte) []byte {
	tiff := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) + "\x00\x00\x00\x00\x00\x00")
	return append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(tiff)+2)), tiff...)
}

func turned(t *testing.T, orientation byte) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := jpeg.Encode(&file, quarters(), &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	data := file.Bytes()
	return append(append(data[:2:2], exif(orientation)...), data[2:]...)
}

func TestDecodeTurnsUpright(t *testing.T) {
	t.Parallel()
	// Which quarter comes to stand upper left, upper right, lower left and lower right.
	for orientation, want := range map[byte][4]int{
		1: {0, 1, 2, 3}, 2: {1, 0, 3, 2}, 3: {3, 2, 1, 0}, 4: {2, 3, 0, 1},
		5: {0, 2, 1, 3}, 6: {2, 0, 3, 1}, 7: {3, 1, 2, 0}, 8: {1, 3, 0, 2},
	} {
		img, err := Decode(turned(t, orientation))
		if err != nil {
			t.Fatal(err)
		}
		size := image.Pt(16, 8)
		if orientation >= 5 {
			size = image.Pt(8, 16)
		}
		if img.Bounds().Size() != size {
			t.Errorf("orientation %d: the size is %v, want %v", orientation, img.Bounds().Size(), size)
		}
		for i, quarter := range want {
			at := image.Pt(size.X/4+i%2*size.X/2, size.Y/4+i/2*size.Y/2)
			r, g, b, _ := img.At(at.X, at.Y).RGBA()
			w := corners[quarter]
			if far(r>>8, w.R) || far(g>>8, w.G) || far(b>>8, w.B) {
				t.Errorf("orientation %d: at %v is %d, %d, %d, want %v", orientation, at, r>>8, g>>8, b>>8, w)
			}
		}
	}
}

func far(got uint32, want uint8) bool { return max(got, uint32(want))-min(got, uint32(want)) > 12 }

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var file bytes.Buffer
	if err := png.Encode(&file, quarters()); err != nil {
		t.Fatal(err)
	}
	huge := bytes.Clone(file.Bytes())
	binary.BigEndian.PutUint32(huge[16:], 1<<20)
	binary.BigEndian.PutUint32(huge[20:], 1<<20)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	for _, tt := range []struct {
		name string
		data []byte
		want error
	}{
		{"text.png", []byte("a text that is long enough"), imagefile.ErrFormat},
		{"cut.png", file.Bytes()[:60], imagefile.ErrDamaged},
		{"huge.png", huge, imagefile.ErrDimensions},
	} {
		if _, err := Open(write(tt.name, tt.data)); !errors.Is(err, tt.want) {
			t.Errorf("%s: the error is %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := Open(filepath.Join(dir, "none.png")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error is %v, want one of a missing file", err)
	}
}

func TestInside(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ size, box, want image.Point }{
		{image.Pt(1024, 768), image.Pt(320, 320), image.Pt(320, 240)},
		{image.Pt(768, 1024), image.Pt(320, 320), image.Pt(240, 320)},
		{image.Pt(100, 50), image.Pt(320, 320), image.Pt(100, 50)},
		{image.Pt(4096, 1), image.Pt(100, 100), image.Pt(100, 1)},
	} {
		if got := Inside(tt.size, tt.box); got != tt.want {
			t.Errorf("%v in %v is %v, want %v", tt.size, tt.box, got, tt.want)
		}
	}
}

func TestLikeness(t *testing.T) {
	t.Parallel()
	img := quarters()
	other := image.NewRGBA(img.Rect)
	for i := range other.Pix {
		other.Pix[i] = uint8(i * i * 31)
	}
	if alike := Likeness(Hash(img), Hash(Fit(img, 8, 8))); alike < 0.9 {
		t.Errorf("a picture and its half are alike by %v", alike)
	}
	if alike := Likeness(Hash(img), Hash(other)); alike > 0.8 {
		t.Errorf("two pictures that have nothing in common are alike by %v", alike)
	}
}
