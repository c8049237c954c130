package web

import (
	"cmp"
	"encoding/json"

	"github.com/fluxbatch/fluxbatch/state"
)

// Shot is a picture that the page shows.
type Shot struct {
	File state.File
	// Whole says that the page has the picture in full, rather than its thumbnail alone.
	Whole bool
	// Local is the file as package os opens it, "" where Files has it.
	Local string
	// Broken says that it cannot be decoded, so that there is no thumbnail.
	Broken bool
}

// nameDigits is how much of a hash names a file of the page: enough that no two meet.
const nameDigits = 32

// Thumb is the thumbnail's file, as the page finds it. What shows the same picture shares it.
func (s *Shot) Thumb() string { return "thumbs/" + s.File.Identity()[:nameDigits] + ".jpg" }

// Picture is the file of the picture in full, as the page finds it.
func (s *Shot) Picture() string {
	return "pictures/" + s.File.SHA256[:nameDigits] + "." + extension(s.File.Format)
}

// extension is the usual one for a format.
func extension(format string) string {
	if format == "jpeg" {
		return "jpg"
	}
	return cmp.Or(format, "bin")
}

// MarshalJSON writes what the page needs of it.
func (s *Shot) MarshalJSON() ([]byte, error) {
	shown := struct {
		Thumb   string `json:"thumb,omitempty"`
		Picture string `json:"picture,omitempty"`
		Width   int    `json:"width"`
		Height  int    `json:"height"`
		Bytes   int64  `json:"bytes,omitempty"`
		Format  string `json:"format,omitempty"`
	}{Thumb: s.Thumb(), Width: s.File.Width, Height: s.File.Height, Bytes: s.File.Bytes, Format: s.File.Format}
	if s.Broken {
		shown.Thumb = ""
	}
	if s.Whole {
		shown.Picture = s.Picture()
	}
	return json.Marshal(shown)
}
