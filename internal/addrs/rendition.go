package addrs

import (
	"cmp"
	"fmt"
	"strings"
)

// Kind says what a rendition is made from.
type Kind uint8

// The kinds, in the order of their addresses.
const (
	// OfImage is a rendition of one image.
	OfImage Kind = iota
	// OfAsset is a rendition of a file that nobody bought.
	OfAsset
	// Sheet is made from many pictures.
	Sheet
)

// words begin the addresses of the kinds.
var words = [...]string{OfImage: "image", OfAsset: "asset", Sheet: "sheet"}

// Rendition is the address of what is made here from pictures:
//
//	image.card["winter"].rendition.thumb   a rendition of an image
//	asset.logo.rendition.small             a rendition of a file
//	sheet.icons                            a sheet of many pictures
type Rendition struct {
	Kind Kind
	// Of has the module, and the name and key of the image; of an asset or a sheet, its name.
	Of Image
	// Name is the rendition's own, "" for a sheet.
	Name string
}

// Source is how the image, asset or sheet is written.
func (r Rendition) Source() string {
	s := words[r.Kind] + "." + r.Of.Name + r.Of.Key.String()
	if r.Of.Module == "" {
		return s
	}
	return string(r.Of.Module) + "." + s
}

// String returns the address as users write it.
func (r Rendition) String() string {
	if r.Kind == Sheet {
		return r.Source()
	}
	return r.Source() + renditionStep + r.Name
}

const renditionStep = ".rendition."

// Compare orders addresses: those of images first, each as these are ordered, then assets, then sheets.
func (r Rendition) Compare(other Rendition) int {
	return cmp.Or(cmp.Compare(r.Kind, other.Kind), r.Of.Compare(other.Of), strings.Compare(r.Name, other.Name))
}

// MarshalText implements encoding.TextMarshaler, so that addresses can be keys of JSON objects.
func (r Rendition) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Rendition) UnmarshalText(text []byte) error {
	parsed, err := ParseRendition(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

// ParseRendition reads an address of something that is made here.
func ParseRendition(s string) (Rendition, error) {
	source, name := s, ""
	if at := strings.LastIndex(s, renditionStep); at >= 0 {
		source, name = s[:at], s[at+len(renditionStep):]
	}
	p := parser{text: name}
	isNamed := name != "" && p.name() == name
	for kind, word := range words {
		of, err := parse(source, word)
		if err != nil {
			continue
		}
		r := Rendition{Kind: Kind(kind), Of: of, Name: name}
		switch {
		case of.Candidate > 0:
		case r.Kind == OfImage && isNamed, r.Kind == OfAsset && isNamed && of.Key.IsNone(), r.Kind == Sheet && s == source && of.Key.IsNone():
			return r, nil
		}
	}
	return Rendition{}, fmt.Errorf("%q is not the address of a rendition. One looks like image.logo.rendition.thumb, and that of a sheet like sheet.icons", s)
}
