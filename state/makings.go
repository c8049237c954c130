package state

import (
	"encoding/json"
	"io"
	"slices"
)

// makingsFile remembers renditions that went into requests.
const makingsFile = localDir + "/makings.json"

// Bounds of what is remembered.
const (
	maxMakings     = 1000
	maxMakingsFile = 1 << 20
)

// Making says what came out when a rendition was made. The same comes out each time, so that who goes
// back to a former one is told what it will be before it is made.
type Making struct {
	// From, Arguments and Maker are as in Rendition, Content is the identity of the picture.
	From      string `json:"from"`
	Arguments string `json:"arguments"`
	Maker     int    `json:"maker"`
	Content   string `json:"content"`
}

// MakingOf returns what is to be remembered of a rendition, and whether that is one of one picture.
func MakingOf(r *Rendition) (Making, bool) {
	if r == nil || len(r.From) != 1 || len(r.Files) != 1 {
		return Making{}, false
	}
	return Making{r.From[0], r.Arguments, r.Maker, r.Picture().Identity()}, true
}

// Makings returns what this machine remembers, the latest last. What is lost with the file is that a
// plan can tell before what a former rendition would be.
func (l *Local) Makings() (all []Making) {
	data, err := l.root.ReadFile(makingsFile, maxMakingsFile)
	if err != nil || json.Unmarshal(data, &all) != nil {
		return nil
	}
	return all
}

// Remember adds to what Makings returns.
func (l *Local) Remember(made []Making) error {
	all := l.Makings()
	before := len(all)
	for _, m := range made {
		if !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	if len(all) == before {
		return nil
	}
	if err := ensureLocal(l.root); err != nil {
		return err
	}
	return l.root.WriteFile(makingsFile, 0o644, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(all[max(0, len(all)-maxMakings):])
	})
}
