package state

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
)

// State is what is known of the images that exist.
type State struct {
	// Lineage is a random name given to a state when it is first written. Two states of different
	// lineage have nothing to do with each other, whatever their paths.
	Lineage string
	Images  *Images
	// Renditions are the files that were made here from the images, and the sheets.
	Renditions map[addrs.Rendition]*Rendition
	// Outputs are the root module's output values after the last apply, as JSON.
	Outputs map[string]OutputValue
	// Tasks are the submissions that no run has finished yet, by their Key. An address can have
	// several.
	Tasks map[string]*Task
	// Moderated are the requests that the API refused for their content, by fingerprint.
	Moderated map[string]Moderation
	// keys are those of the tasks by their addresses, nil until one moves.
	keys map[addrs.Image][]string
}

// Moderation is what is remembered of a request that was moderated.
type Moderation struct {
	Reasons []string `json:"reasons,omitempty"`
	// Simulated says that it was a simulator that refused, which says nothing about the API.
	Simulated bool `json:"simulated,omitempty"`
}

// Image is the record of one image that was made. It is never changed once recorded: a new record
// replaces it.
type Image struct {
	// Provider is the provider's address, such as "bfl" or "bfl.eu".
	Provider string `json:"provider"`
	// Model is the name of the model in the configuration.
	Model string `json:"model"`
	// Fingerprint identifies the request that made the image; see bfl.Request.Fingerprint.
	Fingerprint string `json:"fingerprint"`
	// Request is the canonical form of that request, with references as hashes; see
	// image.Image.Record.
	Request json.RawMessage `json:"request"`
	Output  File            `json:"output"`
	Result  Result          `json:"result"`
	// Dependencies are the images whose files or values went into the request, sorted.
	Dependencies []addrs.Image `json:"dependencies,omitempty"`
	// Labels are the user's, for targeting and reports.
	Labels map[string]string `json:"labels,omitempty"`
	// Candidate is the number of the candidate whose picture it is, 0 for an image without a
	// choice. Picked says that somebody chose it.
	Candidate int  `json:"candidate,omitempty"`
	Picked    bool `json:"picked,omitempty"`
	// More is how many candidates somebody wants beyond those that the configuration names.
	More int `json:"more_candidates,omitempty"`
	// Made is the file that was made, where Output is one that somebody edited and accepted.
	Made *File `json:"made,omitempty"`
	// Verdicts are what gates said of a candidate's picture.
	Verdicts []image.Verdict `json:"verdicts,omitempty"`
}

// File describes an image's file.
type File struct {
	// Path is relative to the root module (to .fluxbatch/simulation/ in a simulation), with
	// slashes.
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	// Format is "png", "jpeg" or "webp", as found in the file rather than as asked for.
	Format string `json:"format"`
	// Content is the identity of the picture, whatever else is in the file; see imagefile.Info. It
	// is "" where it is not known, and the file's own hash then stands for it: see Identity.
	Content string `json:"content,omitempty"`
}

// FileOf returns the record of a file that was looked at.
func FileOf(path string, info imagefile.Info) File {
	return File{
		Path: path, SHA256: info.SHA256, Bytes: info.Bytes, Width: info.Width, Height: info.Height, Format: info.Format, Content: info.Content,
	}
}

// Identity returns what is the same of two files exactly when they show the same picture: the API
// signs each file anew, so that bytes never repeat.
func (f *File) Identity() string { return cmp.Or(f.Content, f.SHA256) }

// Result is what the API said of the image.
type Result struct {
	TaskID string `json:"task_id"`
	// Seed is the seed used, nil where the API named none.
	Seed *int64 `json:"seed,omitempty"`
	// ConfiguredSeed is the seed that the configuration named, where Seed was drawn in its place;
	// nil otherwise.
	ConfiguredSeed *int64 `json:"configured_seed,omitempty"`
	// Cost is what the API charged, or its estimate where the API named no cost.
	Cost bfl.Credits `json:"cost_credits"`
	// Prompt is set where the API elaborated the prompt.
	Prompt string `json:"prompt,omitempty"`
	// Simulated marks an image that a simulator made.
	Simulated bool `json:"simulated,omitempty"`
}

// OutputValue is one output of the root module.
type OutputValue struct {
	Value json.RawMessage `json:"value"`
	// Type is the value's type in cty's JSON form.
	Type      json.RawMessage `json:"type"`
	Sensitive bool            `json:"sensitive,omitempty"`
}

// Task is a submission under way: it may have been paid for, and its image has not arrived. It is
// never changed once recorded: a further record of it replaces it.
type Task struct {
	// Key names the task in the journal, from before the API gave it an id; see NewKey.
	Key string `json:"key"`
	// Address is the image that it was submitted for. Whoever asks for the same request can have
	// its image.
	Address     addrs.Image     `json:"address"`
	Provider    string          `json:"provider"`
	Model       string          `json:"model"`
	Fingerprint string          `json:"fingerprint"`
	Request     json.RawMessage `json:"request"`
	// Path is where the image was to go, relative like File.Path.
	Path string `json:"path"`
	// ID is "" while no answer to the POST has been recorded: such a task may or may not exist.
	// PollingURL is "" then, and where the answer named none.
	ID         string `json:"task_id,omitempty"`
	PollingURL string `json:"polling_url,omitempty"`
	// Cost is what the API says it charges, or its estimate before the API answered.
	Cost      bfl.Credits `json:"cost_credits"`
	Simulated bool        `json:"simulated,omitempty"`
	// Dependencies and Labels are those of the image that the task makes.
	Dependencies []addrs.Image     `json:"dependencies,omitempty"`
	Labels       map[string]string `json:"labels,omitempty"`
	// Accepted is when the API took the task, zero while it has not answered.
	Accepted time.Time `json:"accepted,omitzero"`
	// Ready is set once the API has finished the image.
	Ready bool `json:"ready,omitempty"`
	// Fetched is set once the image's bytes are on this disk.
	Fetched *Fetch `json:"fetched,omitempty"`
	// Lost says why nothing will come of a task that was paid for, "" for all others. Such a task
	// is over; it stays on record until somebody was told, with the sum.
	Lost string `json:"lost,omitempty"`
}

// NewKey returns a key for a new task: a random name.
func NewKey() string {
	var b [8]byte
	// crypto/rand.Read never returns an error; it ends the program where there is no randomness.
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Fetch is where a task's image is when it has arrived and may not have its name yet.
type Fetch struct {
	Output    File   `json:"output"`
	Result    Result `json:"result"`
	Temporary string `json:"temporary"`
}

// Answered reports whether the API is known to have accepted the task.
func (t *Task) Answered() bool { return t.ID != "" }

// Open reports whether the task's image may still be had: the API accepted it, and nothing ended
// it.
func (t *Task) Open() bool { return t.Answered() && t.Lost == "" }

// Image returns the record of the image that the task made, with the given file and result.
func (t *Task) Image(output File, result Result) *Image {
	return &Image{
		Provider: t.Provider, Model: t.Model, Fingerprint: t.Fingerprint, Request: t.Request,
		Output: output, Result: result, Dependencies: t.Dependencies, Labels: t.Labels,
	}
}
