package state

import (
	"fmt"
	"maps"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// Rendition is the record of what was made here from pictures: a rendition of an image, or a sheet.
// It is never changed once recorded.
type Rendition struct {
	// From are the contents of the pictures that it was made from, in their order.
	From []string `json:"from"`
	// Arguments identifies what else decided on it; see image.Recipe.Key. Maker is the version of the
	// program that made it.
	Arguments string `json:"arguments"`
	Maker     int    `json:"maker"`
	// Files are the picture; of a sheet its pages, and behind each its atlas where there is one.
	Files []File `json:"files"`
}

// FormatAtlas is the format of the file that says where the pictures of a sheet stand.
const FormatAtlas = "json"

// Picture is the file that is one; of a sheet, its first page.
func (r *Rendition) Picture() *File { return &r.Files[0] }

// Pages are the files of a sheet that are pictures, and Atlases those that say where these stand.
func (r *Rendition) Pages() []string { return r.paths(false) }

// Atlases are as Pages says.
func (r *Rendition) Atlases() []string { return r.paths(true) }

func (r *Rendition) paths(atlases bool) []string {
	var paths []string
	for i := range r.Files {
		if (r.Files[i].Format == FormatAtlas) == atlases {
			paths = append(paths, r.Files[i].Path)
		}
	}
	return paths
}

func (r *Rendition) invalid() string {
	switch {
	case len(r.From) == 0:
		return "what it was made from is missing"
	case !isHash(r.Arguments):
		return fmt.Sprintf("the hash of its arguments %.80q is not a SHA-256 in lower-case hexadecimal", r.Arguments)
	case len(r.Files) == 0:
		return "its file is missing"
	}
	for _, content := range r.From {
		if !isHash(content) {
			return fmt.Sprintf("the content %.80q that it was made from is not a SHA-256 in lower-case hexadecimal", content)
		}
	}
	for i := range r.Files {
		if reason := r.Files[i].invalid(); reason != "" {
			return reason
		}
	}
	return ""
}

// setRendition records a rendition, or none.
func (s *State) setRendition(a addrs.Rendition, r *Rendition) {
	if r == nil {
		delete(s.Renditions, a)
	} else {
		s.Renditions[a] = r
	}
}

// SortedRenditions returns the addresses of all that was made here, in their order.
func (s *State) SortedRenditions() []addrs.Rendition {
	return slices.SortedFunc(maps.Keys(s.Renditions), addrs.Rendition.Compare)
}

// RenditionsOf returns the addresses of what was made from an image alone.
func (s *State) RenditionsOf(a addrs.Image) []addrs.Rendition {
	var found []addrs.Rendition
	for r := range s.Renditions {
		if r.Kind == addrs.OfImage && r.Of == a {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, addrs.Rendition.Compare)
	return found
}

func checkMade(r Made) error {
	if reason := r.Rendition.invalid(); reason != "" {
		return &RecordError{r.Address.Of, reason}
	}
	return nil
}

func (e *entry) applyToRendition(st *State) (reason string) {
	switch {
	case e.Made == nil:
		return "an entry lacks its address"
	case e.Type == entryMade && e.Rendition == nil:
		return "what was made lacks its record"
	}
	st.setRendition(*e.Made, e.Rendition)
	return ""
}

// renditionFields are those of the snapshot.
var renditionFields = fieldNames{4, []string{"from", "arguments", "maker", "files"}}

// renditionsPiece is how many renditions take one allocation.
const renditionsPiece = 64

// renditionRecord is a rendition with its picture's content and its file beside it. Many take one
// allocation.
type renditionRecord struct {
	Rendition
	from [1]string
	file [1]File
}

// madeListing is a rendition of a piece, with its address.
type madeListing struct {
	address   addrs.Rendition
	rendition *Rendition
}

// rendition reads the rendition whose address is key.
func (p *parser) rendition(key []byte) {
	line, name := p.line, string(key)
	address, err := addrs.ParseRendition(name)
	if err != nil {
		p.fail("%v", err)
		return
	}
	if p.st.Renditions[address] != nil {
		p.fail("%s is there twice, as a merge of two branches can leave it. Keep one of them", name)
		return
	}
	if len(p.renditions) == 0 {
		p.renditions = make([]renditionRecord, renditionsPiece)
	}
	both := &p.renditions[0]
	r := &both.Rendition
	r.From, r.Files = both.from[:0], both.file[:0]
	p.fields(name, &renditionFields, func(field string) {
		switch field {
		case "from":
			p.array(func() { r.From = append(r.From, p.keep(p.string())) })
		case "arguments":
			r.Arguments = p.share(p.string())
		case "maker":
			r.Maker = int(p.int())
		case "files":
			p.array(func() {
				var f File
				p.output(name, &f)
				r.Files = append(r.Files, f)
			})
		}
	})
	if p.err != nil {
		return
	}
	if reason := r.invalid(); reason != "" {
		p.failAt(line, "%s: %s", name, reason)
		return
	}
	p.renditions = p.renditions[1:]
	if p.made != nil {
		*p.made = append(*p.made, madeListing{address, r})
		return
	}
	p.st.Renditions[address] = r
}

func (p *printer) rendition(r *Rendition) {
	p.open('{')
	p.key("from")
	p.open('[')
	for _, content := range r.From {
		p.item()
		p.string(content)
	}
	p.close(']')
	p.key("arguments")
	p.string(r.Arguments)
	p.key("maker")
	p.int(int64(r.Maker))
	p.key("files")
	p.open('[')
	for i := range r.Files {
		p.item()
		p.file(&r.Files[i])
	}
	p.close(']')
	p.close('}')
}

// MarkOf returns what a file made from an image by a recipe tells of its origin.
func MarkOf(recipe *image.Recipe, img *Image) image.Mark {
	mark := AddMark(image.Mark{}, img)
	if recipe.Prompt {
		asked, err := img.Asked(nil)
		if prompt, _ := asked.Request().Value("prompt").(string); err == nil && prompt != image.Redacted {
			mark.Prompt = prompt
		}
	}
	return mark
}

// AddMark adds to what a file tells of its origin that an image is in it.
func AddMark(mark image.Mark, img *Image) image.Mark {
	mark.Composite = mark.Composite || img.Made != nil
	if !slices.Contains(mark.Models, img.Model) {
		mark.Models = append(mark.Models, img.Model)
	}
	return mark
}
