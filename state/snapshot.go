package state

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/fluxbatch/fluxbatch/internal/image"
)

// snapshotVersion is the format that this program writes, and the newest that it reads. The format
// is closed: a field that version 1 does not have is taken for damage, and a new field means a new
// version. So no program ever drops what a newer one wrote.
const snapshotVersion = 1

// snapshotPiece is how many bytes of a snapshot are gathered for one write.
const snapshotPiece = 256 << 10

// Write writes the snapshot of s: the content of a state file. Equal states have equal snapshots.
// Memory does not grow with the state.
func (s *State) Write(w io.Writer) error {
	p := printer{w: w, b: make([]byte, 0, snapshotPiece+snapshotPiece/4)}
	p.open('{')
	p.key("version")
	p.int(snapshotVersion)
	p.key("lineage")
	p.string(s.Lineage)
	p.key("images")
	p.open('{')
	for a, img := range s.Images.All() {
		p.key(a.String())
		p.image(img)
		p.flush(snapshotPiece)
	}
	p.close('}')
	if len(s.Renditions) > 0 {
		p.key("renditions")
		p.open('{')
		for _, a := range s.SortedRenditions() {
			p.key(a.String())
			p.rendition(s.Renditions[a])
			p.flush(snapshotPiece)
		}
		p.close('}')
	}
	p.key("outputs")
	p.open('{')
	for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
		p.key(name)
		p.output(s.Outputs[name])
		p.flush(snapshotPiece)
	}
	p.close('}')
	p.close('}')
	p.b = append(p.b, '\n')
	p.flush(0)
	return p.err
}

func (p *printer) image(img *Image) {
	p.open('{')
	p.key("provider")
	p.string(img.Provider)
	p.key("model")
	p.string(img.Model)
	p.key("fingerprint")
	p.string(img.Fingerprint)
	p.key("request")
	p.json(img.Request)
	p.key("output")
	p.file(&img.Output)
	p.key("result")
	p.result(&img.Result)
	if len(img.Dependencies) > 0 {
		p.key("dependencies")
		p.open('[')
		for _, a := range img.Dependencies {
			p.item()
			p.string(a.String())
		}
		p.close(']')
	}
	if len(img.Labels) > 0 {
		p.key("labels")
		p.open('{')
		for _, name := range slices.Sorted(maps.Keys(img.Labels)) {
			p.key(name)
			p.string(img.Labels[name])
		}
		p.close('}')
	}
	if img.Candidate > 0 {
		p.key("candidate")
		p.int(int64(img.Candidate))
	}
	if img.Picked {
		p.key("picked")
		p.bool(true)
	}
	if img.More > 0 {
		p.key("more_candidates")
		p.int(int64(img.More))
	}
	if img.Made != nil {
		p.key("made")
		p.file(img.Made)
	}
	if len(img.Verdicts) > 0 {
		p.key("verdicts")
		p.open('[')
		for i := range img.Verdicts {
			p.item()
			p.verdict(&img.Verdicts[i])
		}
		p.close(']')
	}
	p.close('}')
}

func (p *printer) file(f *File) {
	p.open('{')
	p.key("path")
	p.string(f.Path)
	p.key("sha256")
	p.string(f.SHA256)
	p.key("bytes")
	p.int(f.Bytes)
	p.key("width")
	p.int(int64(f.Width))
	p.key("height")
	p.int(int64(f.Height))
	p.key("format")
	p.string(f.Format)
	if f.Content != "" {
		p.key("content")
		p.string(f.Content)
	}
	p.close('}')
}

func (p *printer) result(r *Result) {
	p.open('{')
	p.key("task_id")
	p.string(r.TaskID)
	if r.Seed != nil {
		p.key("seed")
		p.int(*r.Seed)
	}
	if r.ConfiguredSeed != nil {
		p.key("configured_seed")
		p.int(*r.ConfiguredSeed)
	}
	p.key("cost_credits")
	p.b = strconv.AppendFloat(p.b, r.Cost.Float(), 'f', -1, 64)
	if r.Prompt != "" {
		p.key("prompt")
		p.string(r.Prompt)
	}
	if r.Simulated {
		p.key("simulated")
		p.bool(true)
	}
	p.close('}')
}

func (p *printer) output(v OutputValue) {
	p.open('{')
	p.key("value")
	p.json(v.Value)
	p.key("type")
	p.json(v.Type)
	if v.Sensitive {
		p.key("sensitive")
		p.bool(true)
	}
	p.close('}')
}

// hashingWriter hashes what passes through it.
type hashingWriter struct {
	w   io.Writer
	sum hash.Hash
}

func newHashingWriter(w io.Writer) *hashingWriter { return &hashingWriter{w, sha256.New()} }

func (h *hashingWriter) Write(p []byte) (int, error) {
	n, err := h.w.Write(p)
	// A hash never returns an error.
	_, _ = h.sum.Write(p[:n])
	return n, err
}

func (h *hashingWriter) hex() string { return hex.EncodeToString(h.sum.Sum(nil)) }

func (p *printer) verdict(v *image.Verdict) {
	p.open('{')
	p.key("gate")
	p.string(v.Gate)
	p.key("key")
	p.string(v.Key)
	p.key("passed")
	p.bool(v.Passed)
	if v.Reason != "" {
		p.key("reason")
		p.string(v.Reason)
	}
	if v.Score != nil {
		p.key("score")
		p.b = strconv.AppendFloat(p.b, *v.Score, 'f', -1, 64)
	}
	p.close('}')
}
