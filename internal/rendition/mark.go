package rendition

import (
	"bytes"
	"encoding/xml"
	"strings"

	fluximage "github.com/fluxbatch/fluxbatch/internal/image"
)

// The terms of IPTC that say where a picture comes from (cv.iptc.org/newscodes/digitalsourcetype).
const (
	sourceTypes = "http://cv.iptc.org/newscodes/digitalsourcetype/"
	generated   = sourceTypes + "trainedAlgorithmicMedia"
	composite   = sourceTypes + "compositeWithTrainedAlgorithmicMedia"
)

// namespace is that of what only this program says.
const namespace = "https://github.com/fluxbatch/fluxbatch/ns/1.0/"

// maxContents bounds the pictures that a mark lists, so that there is room for it in a JPEG. The record
// has all of them.
const maxContents = 256

const (
	packetBegin = "<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
	packetEnd   = "\n<?xpacket end=\"w\"?>"
)

// packet writes a mark as XMP. from are the contents of the pictures.
func packet(mark fluximage.Mark, from []string) []byte {
	var b strings.Builder
	b.WriteString(packetBegin + `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"` +
		` xmlns:stRef="http://ns.adobe.com/xap/1.0/sType/ResourceRef#" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"` +
		` xmlns:fluxbatch="` + namespace + `">`)
	kind := generated
	if mark.Composite {
		kind = composite
	}
	element(&b, "Iptc4xmpExt:DigitalSourceType", kind)
	element(&b, "Iptc4xmpExt:AISystemUsed", strings.Join(mark.Models, ", "))
	if mark.Prompt != "" {
		element(&b, "Iptc4xmpExt:AIPromptInformation", mark.Prompt)
	}
	element(&b, "xmp:CreatorTool", "fluxbatch")
	if len(from) == 1 {
		b.WriteString(`<xmpMM:DerivedFrom rdf:parseType="Resource">`)
		element(&b, "stRef:documentID", from[0])
		b.WriteString(`</xmpMM:DerivedFrom>`)
	}
	if len(from) <= maxContents {
		list(&b, "fluxbatch:content", from)
	}
	list(&b, "fluxbatch:model", mark.Models)
	b.WriteString(`</rdf:Description></rdf:RDF></x:xmpmeta>` + packetEnd)
	return []byte(b.String())
}

func element(b *strings.Builder, name, text string) {
	b.WriteString("<" + name + ">")
	_ = xml.EscapeText(b, []byte(text)) // a builder never fails
	b.WriteString("</" + name + ">")
}

func list(b *strings.Builder, name string, texts []string) {
	b.WriteString("<" + name + "><rdf:Seq>")
	for _, text := range texts {
		element(b, "rdf:li", text)
	}
	b.WriteString("</rdf:Seq></" + name + ">")
}

// Marked is what a file says of its origin.
type Marked struct {
	// Source is the last part of DigitalSourceType, such as "trainedAlgorithmicMedia", "" where the
	// file says nothing of that kind.
	Source string
	// Contents are the pictures that it was made from, and Models what made these.
	Contents, Models []string
	Prompt           string
}

// IsGenerated reports whether a file says that it was generated, wholly or in part.
func (m *Marked) IsGenerated() bool {
	return sourceTypes+m.Source == generated || sourceTypes+m.Source == composite
}

// ReadMark reads a packet of XMP, which another program may have written anew. Of one that cannot be
// read, nothing is returned.
func ReadMark(packet []byte) Marked {
	var m Marked
	d := xml.NewDecoder(bytes.NewReader(packet))
	var path []xml.Name
	for {
		token, err := d.Token()
		if err != nil {
			return m
		}
		switch t := token.(type) {
		case xml.StartElement:
			path = append(path, t.Name)
			for _, a := range t.Attr {
				m.take(a.Name, a.Value) // Properties may stand as attributes as well.
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			text := strings.TrimSpace(string(t))
			for i := len(path) - 1; text != "" && i >= 0 && i >= len(path)-3; i-- {
				m.take(path[i], text)
			}
		}
	}
}

func (m *Marked) take(name xml.Name, text string) {
	switch {
	case name.Local == "DigitalSourceType":
		m.Source = text[strings.LastIndexByte(text, '/')+1:]
	case name.Local == "AIPromptInformation":
		m.Prompt = text
	case name.Space == namespace && name.Local == "content":
		m.Contents = append(m.Contents, text)
	case name.Space == namespace && name.Local == "model":
		m.Models = append(m.Models, text)
	}
}
