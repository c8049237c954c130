package rendition

import (
	"bytes"
	"encoding/json"
	"image"
	"path"
	"strings"
)

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

// atlasMeta is what an atlas says of its page. Others are the atlases of the other pages, as PixiJS
// looks for them.
type atlasMeta struct {
	App    string   `json:"app"`
	Image  string   `json:"image"`
	Format string   `json:"format"`
	Size   extent   `json:"size"`
	Scale  string   `json:"scale"`
	Others []string `json:"related_multi_packs,omitempty"`
}

// atlas returns the file that says where each picture of the page stands, in the form that TexturePacker
// calls JSON (Hash) and that Phaser, PixiJS and the importers of Godot read.
func (s *Sheet) atlas() ([]byte, error) {
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
		if err := member(&b, s.Names[s.first+i], entry); err != nil {
			return nil, err
		}
	}
	b.WriteString("\n  },\n  ")
	own := len(s.files) - 1 // of the page, and before its atlas
	meta := atlasMeta{
		App: "fluxbatch", Image: relative(s.paths[own], s.paths[own+1]), Format: "RGBA8888",
		Size: extent{s.page.Rect.Dx(), s.page.Rect.Dy()}, Scale: "1",
	}
	for i := 1; i < len(s.paths); i += 2 {
		if i != own+1 {
			meta.Others = append(meta.Others, path.Base(s.paths[i]))
		}
	}
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
		if rest, isBelow := strings.CutPrefix(file, dir+"/"); isBelow {
			return up + rest
		}
		up += "../"
	}
	return up + file
}
