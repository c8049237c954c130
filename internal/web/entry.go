package web

import (
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// Entry is one image as the page gets it. What is empty is left out, since there are many.
type Entry struct {
	Address string `json:"address"`
	Module  string `json:"module,omitempty"`
	Block   string `json:"block"`
	// Change is one of the changes below, and Told what a plan says of it.
	Change Change `json:"change"`
	Told   string `json:"told,omitempty"`
	// Why are the reasons, as phrases.
	Why    []string `json:"why,omitempty"`
	Before *Shot    `json:"before,omitempty"`
	After  *Shot    `json:"after,omitempty"`
	// Difference is how Before and After differ, nil where one of them is not there.
	Difference *Difference `json:"difference,omitempty"`
	// Prompt is the prompt as it is, and Attributes all that is known of the request.
	Prompt     string      `json:"prompt,omitempty"`
	Attributes []Attribute `json:"attributes,omitempty"`
	Model      string      `json:"model,omitempty"`
	Seed       *int64      `json:"seed,omitempty"`
	// Price is what it costs or did cost, for people, and Dollars the same to filter by.
	Price   string            `json:"price,omitempty"`
	Dollars float64           `json:"dollars,omitempty"`
	Grade   string            `json:"grade,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	// From are the images, files and addresses of the web that it is made from.
	From []Source `json:"from,omitempty"`
	// Made says that it is no image but was made here from others: a sheet, or a rendition of a file.
	Made bool `json:"made,omitempty"`
	// Renditions are what was made from it here, by their names; of a sheet its further pages.
	Renditions []Source `json:"renditions,omitempty"`
	// File is where its file is, relative to the root module.
	File       string      `json:"file,omitempty"`
	Candidates []Candidate `json:"candidates,omitempty"`
	// Wanted is how many further candidates somebody asked for that are not made yet.
	Wanted int `json:"wanted,omitempty"`
	// Picked says that somebody picked the candidate that it has, and Pinned that the configuration
	// did, so that nobody else can.
	Picked    bool `json:"picked,omitempty"`
	Pinned    bool `json:"pinned,omitempty"`
	Edited    bool `json:"edited,omitempty"`
	Accepted  bool `json:"accepted,omitempty"`
	Simulated bool `json:"simulated,omitempty"`
	// Restorable says that a former picture is in the store.
	Restorable bool `json:"restorable,omitempty"`
	// Missing says why Before is not there although it was, for people.
	Missing string `json:"missing,omitempty"`
	// Marked and Note are what somebody left on the page.
	Marked bool   `json:"marked,omitempty"`
	Note   string `json:"note,omitempty"`
}

// Change says what becomes, or became, of an image.
type Change string

// The changes, in the order in which the page has them.
const (
	Creates  Change = "create"
	Replaces Change = "replace"
	Updates  Change = "update"
	Waits    Change = "wait"
	Destroys Change = "destroy"
	// Was is an image that stays, and had another picture before.
	Was  Change = "earlier"
	Same Change = "same"
)

// Attribute is an attribute of a request, as the language names it. Before is "" where nothing
// changes.
type Attribute struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// Words are both as one text, where it is long and the two have much in common.
	Words   []Words `json:"words,omitempty"`
	Changed bool    `json:"changed,omitempty"`
	Forces  bool    `json:"forces,omitempty"`
}

// Words is a run of text that both versions have, or only one.
type Words struct {
	// Kind is "" for both, "del" and "ins" for one.
	Kind string `json:"k,omitempty"`
	Text string `json:"t"`
}

func wordsOf(before, after string) []Words {
	var all []Words
	for _, e := range layout.DiffWords(before, after) {
		kind := ""
		switch e.Kind {
		case layout.Removed:
			kind = "del"
		case layout.Added:
			kind = "ins"
		case layout.Kept:
		}
		all = append(all, Words{kind, e.Text})
	}
	return all
}

// Source is what an image is made from: another image by its address, or a file or URL by its name,
// with the picture of the file where that is there.
type Source struct {
	Address string `json:"address,omitempty"`
	Name    string `json:"name,omitempty"`
	Shot    *Shot  `json:"shot,omitempty"`
}

// Candidate is a picture to choose from.
type Candidate struct {
	Number   int       `json:"number"`
	Shot     *Shot     `json:"shot,omitempty"`
	Seed     *int64    `json:"seed,omitempty"`
	Price    string    `json:"price,omitempty"`
	Used     bool      `json:"used,omitempty"`
	Verdicts []Verdict `json:"verdicts,omitempty"`
}

// Verdict is what a gate said of a candidate.
type Verdict struct {
	Gate   string   `json:"gate"`
	Passed bool     `json:"passed"`
	Reason string   `json:"reason,omitempty"`
	Score  *float64 `json:"score,omitempty"`
}

// Difference is how two pictures differ; see picture.Difference.
type Difference struct {
	Amount     float64 `json:"amount"`
	Pixels     float64 `json:"pixels"`
	Similarity float64 `json:"similarity"`
	Reshaped   bool    `json:"reshaped,omitempty"`
	// Overlay is the file that shows it, as the page finds it.
	Overlay string `json:"overlay,omitempty"`
}
