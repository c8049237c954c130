package planner

import (
	"fmt"
	"path"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/state"
)

// Deviations says in which ways an image is not what was asked for, in whole sentences: its size,
// and its format. It was paid for, and is kept all the same.
func Deviations(img *state.Image) []string {
	if img.Result.TaskID == "" {
		return nil // Nobody asked for it: it was imported.
	}
	asked, err := img.Asked(nil)
	if err != nil {
		return nil // It was found when the state was read.
	}
	return DeviationsFrom(asked.Request(), img)
}

// DeviationsFrom is Deviations for an image of which the request is at hand, which may have nothing
// that is sensitive.
func DeviationsFrom(asked *bfl.Request, img *state.Image) []string {
	var all []string
	size := asked.Size()
	if !sameSide(size.Width, img.Output.Width) || !sameSide(size.Height, img.Output.Height) {
		all = append(all, fmt.Sprintf("The image is %d x %d pixels, but the request was for %s.", img.Output.Width, img.Output.Height, extent(size.Width, size.Height)))
	}
	if asked := formatAsked(img, asked); asked != "" && img.Output.Format != "" && asked != img.Output.Format {
		all = append(all, fmt.Sprintf("The image is in the format %s, but the request was for %s. Its file keeps the name %s.",
			img.Output.Format, asked, path.Base(img.Output.Path)))
	}
	return all
}

// FormatAsked returns the format that an image was to have: the one of its request, or what its
// file's name stands for.
func FormatAsked(img *state.Image) string {
	asked, err := img.Asked(nil)
	if err != nil {
		return formatAsked(img, nil)
	}
	return formatAsked(img, asked.Request())
}

// formatAsked is FormatAsked of an image of which the request is known, nil where it is not.
func formatAsked(img *state.Image, asked *bfl.Request) string {
	if asked != nil {
		if format, _ := asked.Value("output_format").(string); format != "" {
			return format
		}
	}
	return formats[strings.ToLower(path.Ext(img.Output.Path))]
}

// formats are those that the extensions of files stand for.
var formats = map[string]string{".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}

// sizeStep is what the API rounds sides to that are no multiple of it.
const sizeStep = 16

// sameSide reports whether a side is as long as was asked for, or as the API is known to round it.
// Zero is a side that nobody asked for.
func sameSide(asked, got int) bool {
	if asked == 0 || asked == got {
		return true
	}
	return asked%sizeStep != 0 && max(asked-got, got-asked) < sizeStep
}

func extent(width, height int) string {
	switch {
	case height == 0:
		return fmt.Sprintf("a width of %d", width)
	case width == 0:
		return fmt.Sprintf("a height of %d", height)
	default:
		return fmt.Sprintf("%d x %d", width, height)
	}
}
