package machine

import (
	"encoding/json"
	"io"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/origin"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/state"
)

// originDocument is where a file comes from, as inspect -json prints it.
type originDocument struct {
	File string `json:"file"`
	// By is "hash", "content", "mark" or "likeness", and left out where nothing was found.
	By        string  `json:"by,omitempty"`
	Error     string  `json:"error,omitempty"`
	Address   string  `json:"address,omitempty"`
	Rendition string  `json:"rendition,omitempty"`
	Candidate int     `json:"candidate,omitempty"`
	Former    bool    `json:"former,omitempty"`
	Edited    bool    `json:"edited,omitempty"`
	Likeness  float64 `json:"likeness,omitempty"`
	MadeAt    string  `json:"made_at,omitempty"`
	// Values are those of the image, as show -json has them.
	Values object      `json:"values,omitempty"`
	Mark   *markObject `json:"mark,omitempty"`
}

// markObject is what the file says itself.
type markObject struct {
	SourceType string   `json:"digital_source_type"`
	Contents   []string `json:"from,omitempty"`
	Models     []string `json:"models,omitempty"`
	Prompt     string   `json:"prompt,omitempty"`
}

// WriteOrigins writes where files come from, as an array.
func WriteOrigins(out io.Writer, s *state.State, origins []origin.Origin) error {
	all := make([]originDocument, len(origins))
	for i := range origins {
		all[i] = originOf(s, &origins[i])
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

func originOf(s *state.State, o *origin.Origin) originDocument {
	d := originDocument{File: o.File, By: string(o.By), Former: o.Former, Edited: o.Edited, Likeness: o.Likeness}
	if o.Err != nil {
		d.Error = layout.OneLine(o.Err)
	}
	if o.Image != nil {
		d.Address, d.Candidate = o.Address.String(), o.Image.Candidate
		d.Values, _ = recordedObject(s, o.Image, nil)
	}
	if o.Rendition != nil {
		d.Rendition = o.Rendition.String()
	}
	if !o.Made.IsZero() {
		d.MadeAt = o.Made.Format(time.RFC3339)
	}
	if m := o.Mark; m.Source != "" {
		d.Mark = &markObject{m.Source, m.Contents, m.Models, m.Prompt}
	}
	return d
}
