package planner

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/image"
)

// Digest identifies what the plan would do, and why, and at what price: two plans with one digest
// are the same to whoever approves them.
func (p *Plan) Digest() string {
	h := sha256.New()
	for c := range p.All() {
		c.describe(h)
	}
	for _, c := range p.Renditions {
		c.describe(h)
	}
	for _, a := range p.Abandoned {
		_, _ = fmt.Fprintf(h, "abandoned %s %q %v\n", a.Address, a.Task.Key, a.GivenUp)
	}
	for i := range p.Outputs {
		o := &p.Outputs[i]
		_, _ = fmt.Fprintf(h, "output %q %v", o.Name, o.Changed)
		if o.After != nil {
			if encoded, known := EncodeOutput(*o.After); known {
				var value bytes.Buffer
				if json.Compact(&value, encoded.Value) == nil {
					_, _ = h.Write(value.Bytes())
				}
			}
		}
		_, _ = h.Write([]byte("\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// describe writes all of a change that Digest depends on.
func (c *Change) describe(h io.Writer) {
	// Writing to a hash never fails.
	_, _ = fmt.Fprintf(h, "%s %s %s %s %d %v", c.Address, c.Action, c.Origin, c.Fingerprint, c.Cost, c.Reasons)
	if c.From() != nil {
		_, _ = fmt.Fprintf(h, " from %s", c.From())
	}
	if c.Prior != nil {
		_, _ = fmt.Fprintf(h, " prior %s %s", c.Prior.Fingerprint, c.Prior.Output.SHA256)
	}
	if c.Found() != nil {
		_, _ = fmt.Fprintf(h, " found %s", c.Found().SHA256)
	}
	if c.Task() != nil {
		_, _ = fmt.Fprintf(h, " task %q", c.Task().Key)
	}
	for _, task := range c.Unanswered() {
		_, _ = fmt.Fprintf(h, " unanswered %q", task.Key)
	}
	if c.Kept() != nil {
		_, _ = fmt.Fprintf(h, " kept %s", c.Kept().Output.SHA256)
	}
	if c.Twin() != nil {
		_, _ = fmt.Fprintf(h, " twin %s", c.Twin())
	}
	d := c.Desired
	if d == nil && c.Action == NoOp {
		// It stays as it is, and so what is on record is what is configured.
		d = &image.Image{Output: c.Prior.Output.Path, Provider: c.Prior.Provider, Labels: c.Prior.Labels}
	}
	if d != nil {
		_, _ = fmt.Fprintf(h, " output %q provider %q candidate %d %v judges %v %d", d.Output, d.Provider, d.Candidate, d.Picked, c.Judges, c.More())
		for _, key := range slices.Sorted(maps.Keys(d.Labels)) {
			_, _ = fmt.Fprintf(h, " label %q=%q", key, d.Labels[key])
		}
	}
	_, _ = h.Write([]byte("\n"))
}

// mostMarks bounds how many changes Marks tells apart.
const mostMarks = 10_000

// Marks returns a short digest of each change, by address, so that a plan that is stale can say
// which changes are others now. Of a very large plan there are none.
func (p *Plan) Marks() map[string]string {
	if len(p.Changes)+p.Unchanged.Len() > mostMarks {
		return nil
	}
	marks := map[string]string{}
	mark := func(address string, describe func(io.Writer)) {
		h := sha256.New()
		describe(h)
		marks[address] = hex.EncodeToString(h.Sum(nil)[:6])
	}
	for c := range p.All() {
		mark(c.Address.String(), c.describe)
	}
	for _, c := range p.Renditions {
		mark(c.Address.String(), c.describe)
	}
	return marks
}

// describe writes all that a change of a rendition says.
func (c *RenditionChange) describe(h io.Writer) {
	_, _ = fmt.Fprintf(h, "made %s %s %s %q %q\n", c.Address, c.Action, c.Reason, c.Output, c.Atlas)
	if c.Recipe != nil {
		_, _ = fmt.Fprintf(h, "%+v %v\n", *c.Recipe, c.Cells)
	}
}
