package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/sourcefile"
)

// readInput hashes and measures a file that is to be sent with a request, and finds out whether the
// API would take it.
func readInput(path string) *inputFile {
	path = sourcefile.Named(path)
	f := &inputFile{path: path}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.problem, f.missing = "There is no such file.", true
	case err != nil:
		f.problem = fmt.Sprintf("The file cannot be read: %s.", sourcefile.Reason(err))
	case info.IsDir():
		f.problem = "This is a directory. Name the files in it, " +
			`as in [for f in sort(fileset("refs", "*.png")) : "refs/${f}"].`
	case !info.Mode().IsRegular():
		f.problem = "This is not a regular file."
	case info.Size() > bfl.MaxInputBytes:
		f.problem = fmt.Sprintf("The file has %.1f MB, but the API takes at most %d MB. Make it smaller.",
			float64(info.Size())/(1<<20), bfl.MaxInputBytes>>20)
	default:
		f.measure()
	}
	return f
}

func (f *inputFile) measure() {
	file, err := os.Open(f.path)
	if err != nil {
		f.problem = fmt.Sprintf("The file cannot be read: %s.", sourcefile.Reason(err))
		return
	}
	defer file.Close() //nolint:errcheck // It is only read from, so closing cannot lose anything.
	info, err := imagefile.Check(file, bfl.MaxInputBytes)
	if bad := (*imagefile.Error)(nil); errors.As(err, &bad) {
		f.problem = fmt.Sprintf("This cannot be sent as an image: %s. The API takes whole PNG, JPEG and WebP files.",
			bad.Reason)
		return
	}
	if err != nil {
		f.problem = fmt.Sprintf("The file cannot be read: %s.", sourcefile.Reason(err))
		return
	}
	f.size = bfl.Size{Width: info.Width, Height: info.Height}
	if pixels := info.Width * info.Height; pixels > bfl.MaxInputPixels {
		f.problem = fmt.Sprintf("The image has %d x %d pixels, which is %.1f megapixels, but the API takes at most %d. Scale it down.",
			info.Width, info.Height, float64(pixels)/1e6, bfl.MaxInputPixels/1_000_000)
		return
	}
	f.sha256, f.content, f.format = info.SHA256, info.Content, info.Format
}
