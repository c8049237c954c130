package image

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Gate is a judge of pictures: a program, or conditions that are checked without one. A candidate
// that does not pass all of its image's gates is not taken unless somebody picks it.
type Gate struct {
	Name string `json:"name"`
	// Command is the program and its arguments, run without a shell in Dir, for at most Timeout. It
	// is empty where the conditions below judge.
	Command []string      `json:"command,omitempty"`
	Dir     string        `json:"-"`
	Timeout time.Duration `json:"-"`
	// Retries is how many candidates more are bought while none passes.
	Retries int `json:"-"`
	// NotBlank refuses a picture of one colour.
	NotBlank bool `json:"not_blank,omitempty"`
	// MinContrast is the least standard deviation of the luminance, from 0 to 1 (0.5 is black
	// beside white); 0 asks for none.
	MinContrast float64 `json:"min_contrast,omitempty"`
	// MaxSimilarity is how alike the picture may be to those of other instances of the block, from
	// 0 to 1; 0 asks for none.
	MaxSimilarity float64 `json:"max_similarity,omitempty"`
	// Palette are colours, as "#0b3d91", that must be in the picture.
	Palette []string `json:"palette,omitempty"`
}

// Compares reports whether the gate's verdict depends on other images.
func (g *Gate) Compares() bool { return g.MaxSimilarity > 0 }

// Compares reports whether any gate of the image depends on other images.
func (img *Image) Compares() bool {
	for i := range img.Gates() {
		if img.Gates()[i].Compares() {
			return true
		}
	}
	return false
}

// Key identifies what the gate judges by: a verdict under another one says nothing.
func (g *Gate) Key() string {
	text, _ := json.Marshal(g) // it has strings, numbers and booleans only
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Retries is how many candidates more are bought while none passes the gates of the image.
func (img *Image) Retries() int {
	most := 0
	for i := range img.Gates() {
		most = max(most, img.Gates()[i].Retries)
	}
	return most
}

// Verdict is what a gate said of a picture.
type Verdict struct {
	Gate string `json:"gate"`
	// Key is that of the gate when it said so.
	Key    string `json:"key"`
	Passed bool   `json:"passed"`
	// Reason is a line for people, and Score what the judge counted, nil where it named none.
	Reason string   `json:"reason,omitempty"`
	Score  *float64 `json:"score,omitempty"`
}

// Judged says what the gates of the image have said of a picture with these verdicts: whether all
// of them are known, and whether it passed all.
func (img *Image) Judged(verdicts []Verdict) (known, passed bool) {
	known, passed = true, true
	for i := range img.Gates() {
		v := FindVerdict(verdicts, &img.Gates()[i])
		known = known && v != nil
		passed = passed && v != nil && v.Passed
	}
	return known, passed
}

// FindVerdict returns what a gate said, nil where it has said nothing yet.
func FindVerdict(verdicts []Verdict, g *Gate) *Verdict {
	for i := range verdicts {
		if verdicts[i].Gate == g.Name && verdicts[i].Key == g.Key() {
			return &verdicts[i]
		}
	}
	return nil
}
