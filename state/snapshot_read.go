package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// readSnapshot reads the content of a state file and returns its SHA-256 too; path is for errors.
func readSnapshot(r io.ReadSeeker, path string) (*State, string, error) {
	sum := newHashingWriter(io.Discard)
	if st, err := parsePieces(io.TeeReader(r, sum), pieceSize); err == nil {
		return st, sum.hex(), nil
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, "", fmt.Errorf("reading the state %s: %w", path, err)
	}
	sum = newHashingWriter(io.Discard)
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
	fileFields  = fieldNames{4, []string{"version", "lineage", "images", "outputs", "renditions"}}
	imageFields = fieldNames{6, []string{
		"provider", "model", "fingerprint", "request", "output", "result", "dependencies", "labels", "candidate", "picked", "more_candidates", "made", "verdicts",
	}}
	outputFields  = fieldNames{6, []string{"path", "sha256", "bytes", "width", "height", "format", "content"}}
	resultFields  = fieldNames{2, []string{"task_id", "cost_credits", "seed", "configured_seed", "prompt", "simulated"}}
	verdictFields = fieldNames{3, []string{"gate", "key", "passed", "reason", "score"}}
	valueFields   = fieldNames{2, []string{"value", "type", "sensitive"}}
)

type fieldNames struct {
	required int
	names    []string
}

// parser reads a snapshot. Everything is read strictly: an unknown field, one that is there twice,
// and a value that cannot be are errors.
type parser struct {
	*scanner
	arena
	st *State
	// images takes the images as long as they are in their order, and late has the others, for which
	// there is no room in it.
	images tableBuilder
	late   map[addrs.Image]*Image
	// shared holds strings that many images have in common, so that each is kept once.
	shared map[string]string
	// made, where not nil, takes the renditions in the place of st, and renditions are for those to
	// come.
	made       *[]madeListing
	renditions []renditionRecord
	// record is the image that was read last.
	record Image
	seed   int64
	// scratch holds the last raw value.
	scratch []byte
	// labelled holds sets of labels by their text: many images have the same.
	labelled map[string]map[string]string
	pairs    []string
}

// maxShared bounds the number of shared strings: labels may be different in every image.
const maxShared = 4096

func parseSnapshot(r io.Reader) (*State, error) {
	st := newState("")
	if err := parseInto(st, newScanner(r)); err != nil {
		return nil, err
	}
	return st, nil
}

// parseInto reads a snapshot into a state that is empty.
func parseInto(st *State, s *scanner) error {
	p := newParser(st, s)
	p.file()
	return p.err
}

func newParser(st *State, s *scanner) *parser {
	return &parser{scanner: s, st: st, shared: map[string]string{}, labelled: map[string]map[string]string{}}
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
		case "renditions":
			p.object(p.rendition)
		case "outputs":
			p.object(p.value)
		}
	})
	p.finish()
	p.st.Images = &Images{table: p.images.done(), over: p.late, more: len(p.late)}
}

// fields reads an object with the given fields, calling read for each to read its value.
func (p *parser) fields(of string, fields *fieldNames, read func(field string)) {
	seen, next := 0, 0
	p.object(func(key []byte) {
		at := fields.find(key, next)
		switch {
		case at < 0:
			p.fail("%s has a field %q, which this version of the format does not have", of, key)
		case seen&(1<<at) != 0:
			p.fail("%s has the field %q twice", of, key)
		default:
			seen |= 1 << at
			next = at + 1
			read(fields.names[at])
		}
	})
	for at, name := range fields.names[:fields.required] {
		if seen&(1<<at) == 0 {
			p.fail("%s lacks the field %q", of, name)
		}
	}
}

// find returns the place of a field, -1 where there is none. Mostly it is the next one.
func (f *fieldNames) find(name []byte, next int) int {
	if next < len(f.names) && f.names[next] == string(name) {
		return next
	}
	return slices.IndexFunc(f.names, func(n string) bool { return n == string(name) })
}

// image reads the image whose address is key.
func (p *parser) image(key []byte) {
	mark := p.mark()
	line, name := p.line, p.keep(key) // The address is made of it.
	address, err := addrs.Parse(name)
	if err != nil {
		p.fail("%v", err)
		return
	}
	isLate := !p.images.isNext(address)
	if p.late[address] != nil || isLate && p.images.has(address) {
		p.fail("%s is there twice, as a merge of two branches can leave it. Keep one of them", name)
		return
	}
	img := &p.record
	*img = Image{}
	p.fields(name, &imageFields, func(field string) { p.imageField(img, name, field) })
	if p.err != nil {
		return
	}
	if reason := img.invalid(); reason != "" {
		p.failAt(line, "%s: %s", name, reason)
		return
	}
	if !isLate {
		p.images.add(address, img)
		p.release(mark)
		return
	}
	late := *img
	if late.Result.Seed != nil {
		late.Result.Seed = new(p.seed)
	}
	if p.late == nil {
		p.late = map[addrs.Image]*Image{}
	}
	p.late[address] = &late
}

// imageField reads a field of an image.
func (p *parser) imageField(img *Image, name, field string) {
	switch field {
	case "provider":
		img.Provider = p.share(p.string())
	case "model":
		img.Model = p.share(p.string())
	case "fingerprint":
		img.Fingerprint = p.keep(p.string())
	case "request":
		img.Request = p.raw()
	case "output":
		p.output(name, &img.Output)
	case "result":
		p.result(name, &img.Result, &p.seed)
	case "dependencies":
		p.array(func() { img.Dependencies = append(img.Dependencies, p.dependency(name)) })
	case "labels":
		img.Labels = p.labels(name)
	case "candidate":
		img.Candidate = int(p.int())
	case "picked":
		img.Picked = p.bool()
	case "more_candidates":
		img.More = int(p.int())
	case "made":
		img.Made = new(File)
		p.output(name, img.Made)
	case "verdicts":
		p.array(func() { img.Verdicts = append(img.Verdicts, p.verdict(name)) })
	}
}

func (p *parser) output(of string, f *File) {
	p.fields(of, &outputFields, func(field string) {
		switch field {
		case "path":
			f.Path = p.keep(p.string())
		case "sha256":
			f.SHA256 = p.keep(p.string())
		case "bytes":
			f.Bytes = p.int()
		case "width":
			f.Width = int(p.int())
		case "height":
			f.Height = int(p.int())
		case "format":
			f.Format = p.share(p.string())
		case "content":
			f.Content = p.keep(p.string())
		}
	})
}

func (p *parser) result(of string, r *Result, seed *int64) {
	p.fields(of, &resultFields, func(field string) {
		switch field {
		case "task_id":
			r.TaskID = p.keep(p.string())
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
			r.Prompt = p.keep(p.string())
		case "simulated":
			r.Simulated = p.bool()
		}
	})
}

func (p *parser) verdict(of string) image.Verdict {
	var v image.Verdict
	p.fields("a verdict of "+of, &verdictFields, func(field string) {
		switch field {
		case "gate":
			v.Gate = p.share(p.string())
		case "key":
			v.Key = p.share(p.string())
		case "passed":
			v.Passed = p.bool()
		case "reason":
			v.Reason = string(p.string())
		case "score":
			score, err := strconv.ParseFloat(string(p.number()), 64)
			if err != nil && p.err == nil {
				p.fail("the score of a verdict of %s: %v", of, err)
			}
			v.Score = &score
		}
	})
	return v
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
	return p.clone(p.scratch)
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
