package executor

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/picture"
	"github.com/fluxbatch/fluxbatch/internal/rendition"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// rendering is the work of one render, owned by its worker.
type rendering struct {
	files    *files
	changes  []*planner.RenditionChange
	pictures []rendered
}

// rendered is a picture that something is made from: its file, and the image that is in it.
type rendered struct {
	name  string
	addr  addrs.Image
	image *state.Image
	file  state.File
}

// outcome is what became of one change.
type outcome struct {
	change  *planner.RenditionChange
	made    *state.Rendition
	told    string
	err     error
	elapsed time.Duration
}

func (w *rendering) run(ctx context.Context) []outcome {
	if w.changes[0].Address.Kind == addrs.Sheet {
		began := time.Now()
		made, told, err := w.sheet(ctx, w.changes[0])
		return []outcome{{w.changes[0], made, told, err, time.Since(began)}}
	}
	var done []outcome
	began := time.Now()
	src, err := w.read(&w.pictures[0])
	for _, c := range w.changes {
		o := outcome{change: c, err: err}
		if err == nil {
			o.made, o.told, o.err = w.rendition(ctx, c, src)
		}
		o.elapsed = time.Since(began)
		done = append(done, o)
		began = time.Now()
	}
	return done
}

// read decodes a picture, which must be the one on record.
func (w *rendering) read(p *rendered) (*picture.Source, error) {
	data, err := w.files.dir.ReadFile(p.file.Path, maxImageBytes)
	if err != nil {
		return nil, err
	}
	if hashOf(data) != p.file.SHA256 {
		return nil, fmt.Errorf("%s is not the picture on record, so that nothing is made from it", p.file.Path)
	}
	src, err := picture.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", p.file.Path, p.name, err)
	}
	return src, nil
}

func (w *rendering) rendition(ctx context.Context, c *planner.RenditionChange, src *picture.Source) (*state.Rendition, string, error) {
	if ctx.Err() != nil {
		return nil, "", context.Cause(ctx)
	}
	p := &w.pictures[0]
	from, mark := p.file.Identity(), state.MarkOf(c.Recipe, p.image)
	content, err := rendition.Make(c.Recipe, src, mark, from)
	if err != nil {
		return nil, "", err
	}
	return w.put(c, []string{from}, c.Recipe.Key(mark, nil), content, nil)
}

func (w *rendering) sheet(ctx context.Context, c *planner.RenditionChange) (*state.Rendition, string, error) {
	s := rendition.NewSheet(c.Recipe, len(w.pictures))
	var mark image.Mark
	from, names := make([]string, len(w.pictures)), make([]string, len(w.pictures))
	for i := range w.pictures {
		if ctx.Err() != nil {
			return nil, "", context.Cause(ctx)
		}
		p := &w.pictures[i]
		src, err := w.read(p)
		if err != nil {
			return nil, "", err
		}
		s.Add(p.name, src)
		mark = state.AddMark(mark, p.image)
		from[i], names[i] = p.file.Identity(), p.name
	}
	content, err := s.File(mark, from)
	if err != nil {
		return nil, "", err
	}
	var atlas []byte
	if c.Atlas != "" {
		if atlas, err = s.Atlas(c.Output, c.Atlas); err != nil {
			return nil, "", err
		}
	}
	return w.put(c, from, c.Recipe.Key(mark, names), content, atlas)
}

// put puts what was made in place.
func (w *rendering) put(c *planner.RenditionChange, from []string, key string, content, atlas []byte) (*state.Rendition, string, error) {
	info, err := imagefile.Check(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, "", fmt.Errorf("what was made is no picture: %w", err)
	}
	r := &state.Rendition{From: slices.Clone(from), Arguments: key, Maker: image.Maker, Files: []state.File{state.FileOf(c.Output, info)}}
	files := [][]byte{content}
	if atlas != nil {
		r.Files = append(r.Files, state.File{Path: c.Atlas, SHA256: hashOf(atlas), Bytes: int64(len(atlas)), Format: state.FormatAtlas})
		files = append(files, atlas)
	}
	told, err := w.files.rendition(c, &w.pictures[0], r, files)
	return r, told, err
}
