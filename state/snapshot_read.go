package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// readSnapshot reads the content of a state file and returns its SHA-256 too; path is for errors.
func readSnapshot(r io.ReadSeeker, path string) (*State, string, error) {
	sum := newHashingWriter(io.Discard)
	st, err := parseSnapshot(io.TeeReader(r, sum))
	var bad *scanError
	if !errors.As(err, &bad) {
		return st, sum.hex(), err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, "", fmt.Errorf("reading the state %s again: %w", path, err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, "", fmt.Errorf("reading the state %s again: %w", path, err)
	}
	return nil, "", diagnose(data, bad, path)
}

// The fields of the format, and how many of them, from the first on, must be there.
var (
	fileFields  = fieldNames{4, []string{"version", "lineage", "images", "outputs"}}
	imageFields = fieldNames{6, []string{
		"provider", "model", "fingerprint", "request", "output", "result", "dependencies", "labels",
	}}
	outputFields = fieldNames{6, []string{"path", "sha256", "bytes", "width", "height", "format", "content"}}
	resultFields = fieldNames{2, []string{"task_id", "cost_credits", "seed", "configured_seed", "prompt", "simulated"}}
	valueFields  = fieldNames{2, []string{"value", "type", "sensitive"}}
)

type fieldNames struct {
	required int
	names    []string
}

// parser reads a snapshot. Everything is read strictly: an unknown field, one that is there twice,
// and a value that cannot be are errors.
type parser struct {
	*scanner
	st *State
	// shared holds strings that many images have in common, so that each is kept once.
	shared map[string]string
	// arena gathers the other strings of one image, and spans says which of its fields they go to:
	// one allocation for all of them.
	arena []byte
	spans []span
	// scratch holds the last raw value.
	scratch []byte
	// labelled holds sets of labels by their text: many images have the same.
	labelled map[string]map[string]string
	pairs    []string
}

type span struct {
	field      *string
	start, end int
}

// maxShared bounds the number of shared strings: labels may be different in every image.
const maxShared = 4096

func parseSnapshot(r io.Reader) (*State, error) {
	p := &parser{
		scanner: newScanner(r), st: newState(""),
		shared: map[string]string{}, labelled: map[string]map[string]string{},
	}
	p.file()
	if p.err != nil {
		return nil, p.err
	}
	return p.st, nil
}

func (p *parser) file() {
	p.fields("the state", &fileFields, func(field string) {
		switch field {
		case "version":
			if version := p.int(); version != snapshotVersion {
				p.fail("its format version is %d", version)
			}
		case "lineage":
			if p.st.Lineage = string(p.string()); p.st.Lineage == "" {
				p.fail("its lineage is empty")
			}
		case "images":
			p.object(p.image)
		case "outputs":
			p.object(p.value)
		}
	})
	p.finish()
}

// fields reads an object with the given fields, calling read for each to read its value.
func (p *parser) fields(of string, fields *fieldNames, read func(field string)) {
	seen := 0
	p.object(func(key []byte) {
		at := slices.IndexFunc(fields.names, func(name string) bool { return name == string(key) })
		switch {
		case at < 0:
			p.fail("%s has a field %q, which this version of the format does not have", of, key)
		case seen&(1<<at) != 0:
			p.fail("%s has the field %q twice", of, key)
		default:
			seen |= 1 << at
			read(fields.names[at])
		}
	})
	for at, name := range fields.names[:fields.required] {
		if seen&(1<<at) == 0 {
			p.fail("%s lacks the field %q", of, name)
		}
	}
}

// image reads the image whose address is key.
func (p *parser) image(key []byte) {
	line, name := p.line, string(key)
	address, err := addrs.Parse(name)
	if err != nil {
		p.fail("%v", err)
		return
	}
	if p.st.Images[address] != nil {
		p.fail("%s is there twice, as a merge of two branches can leave it. Keep one of them", name)
		return
	}
	// The seed lies beside the image, so that it takes no allocation of its own.
	both := new(struct {
		Image
		seed int64
	})
	img := &both.Image
	p.arena, p.spans = p.arena[:0], p.spans[:0]
	p.fields(name, &imageFields, func(field string) {
		switch field {
		case "provider":
			img.Provider = p.share(p.string())
		case "model":
			img.Model = p.share(p.string())
		case "fingerprint":
			p.later(&img.Fingerprint)
		case "request":
			img.Request = p.raw()
		case "output":
			p.output(name, &img.Output)
		case "result":
			p.result(name, &img.Result, &both.seed)
		case "dependencies":
			p.array(func() { img.Dependencies = append(img.Dependencies, p.dependency(name)) })
		case "labels":
			img.Labels = p.labels(name)
		}
	})
	text := string(p.arena)
	for _, s := range p.spans {
		*s.field = text[s.start:s.end]
	}
	if p.err != nil {
		return
	}
	if reason := img.invalid(); reason != "" {
		p.failAt(line, "%s: %s", name, reason)
		return
	}
	p.st.Images[address] = img
}

func (p *parser) output(of string, f *File) {
	p.fields(of, &outputFields, func(field string) {
		switch field {
		case "path":
			p.later(&f.Path)
		case "sha256":
			p.later(&f.SHA256)
		case "bytes":
			f.Bytes = p.int()
		case "width":
			f.Width = int(p.int())
		case "height":
			f.Height = int(p.int())
		case "format":
			f.Format = p.share(p.string())
		case "content":
			p.later(&f.Content)
		}
	})
}

func (p *parser) result(of string, r *Result, seed *int64) {
	p.fields(of, &resultFields, func(field string) {
		switch field {
		case "task_id":
			p.later(&r.TaskID)
		case "cost_credits":
			if literal := p.number(); p.err == nil {
				if err := r.Cost.UnmarshalJSON(literal); err != nil {
					p.fail("%v", err)
				}
			}
		case "seed":
			*seed = p.int()
			r.Seed = seed
		case "configured_seed":
			r.ConfiguredSeed = new(p.int())
		case "prompt":
			p.later(&r.Prompt)
		case "simulated":
			r.Simulated = p.bool()
		}
	})
}

func (p *parser) dependency(of string) addrs.Image {
	a, err := addrs.Parse(string(p.string()))
	if err != nil && p.err == nil {
		p.fail("a dependency of %s: %v", of, err)
	}
	return a
}

// labels reads a set of labels. Images are never changed, so those with the same labels share one
// map.
func (p *parser) labels(of string) map[string]string {
	p.pairs, p.scratch = p.pairs[:0], p.scratch[:0]
	p.object(func(key []byte) {
		name := p.share(key)
		value := p.share(p.string())
		p.pairs = append(p.pairs, name, value)
		p.scratch = append(append(append(append(p.scratch, name...), 0), value...), 0)
	})
	if labels, ok := p.labelled[string(p.scratch)]; ok {
		return labels
	}
	labels := make(map[string]string, len(p.pairs)/2)
	for pair := range slices.Chunk(p.pairs, 2) {
		if _, twice := labels[pair[0]]; twice {
			p.fail("%s has the label %q twice", of, pair[0])
		}
		labels[pair[0]] = pair[1]
	}
	if len(p.labelled) < maxShared && bytes.Count(p.scratch, []byte{0}) == len(p.pairs) {
		p.labelled[string(p.scratch)] = labels
	}
	return labels
}

// value reads the output value whose name is key.
func (p *parser) value(key []byte) {
	name := string(key)
	if _, twice := p.st.Outputs[name]; twice {
		p.fail("the output %q is there twice, as a merge of two branches can leave it. Keep one of them", name)
		return
	}
	var v OutputValue
	p.fields("the output "+name, &valueFields, func(field string) {
		switch field {
		case "value":
			v.Value = p.raw()
		case "type":
			v.Type = p.raw()
		case "sensitive":
			v.Sensitive = p.bool()
		}
	})
	p.st.Outputs[name] = v
}

// raw reads a value and keeps its text without white space.
func (p *parser) raw() []byte {
	p.scratch = p.appendValue(p.scratch[:0], 1)
	return bytes.Clone(p.scratch)
}

// share returns text as a string that equal ones share.
func (p *parser) share(text []byte) string {
	if s, ok := p.shared[string(text)]; ok {
		return s
	}
	s := string(text)
	if len(p.shared) < maxShared {
		p.shared[s] = s
	}
	return s
}

// later reads a string into the arena, to become the value of field when the image is whole.
func (p *parser) later(field *string) {
	start := len(p.arena)
	p.arena = p.appendString(p.arena, true)
	p.spans = append(p.spans, span{field, start, len(p.arena)})
}
