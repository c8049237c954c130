package executor

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
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
	// own says that nobody bought it, and asset is the file in its place, where it is no rendition.
	own   bool
	asset *image.Asset
}

// identity is that of the picture.
func (p *rendered) identity() string {
	if p.asset != nil {
		return p.asset.Content
	}
	return p.file.Identity()
}

// mark is what a file made from the picture tells of its origin.
func (p *rendered) mark(recipe *image.Recipe) image.Mark {
	if p.asset != nil {
		return image.Mark{}
	}
	return state.MarkOf(recipe, p.image)
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
		if len(done) == 0 && o.err == nil {
			o.told = both(w.pictures[0].colours(src), o.told)
		}
		o.elapsed = time.Since(began)
		done = append(done, o)
		began = time.Now()
	}
	return done
}

// read decodes a picture, which must be the one on record.
func (w *rendering) read(p *rendered) (*picture.Source, error) {
	if p.asset != nil {
		return p.readAsset()
	}
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

// readAsset decodes a file that nobody bought, which must be the one that was planned with.
func (p *rendered) readAsset() (*picture.Source, error) {
	data, err := os.ReadFile(p.asset.Path)
	if err != nil {
		return nil, err
	}
	if hashOf(data) != p.asset.SHA256 {
		return nil, fmt.Errorf("%s was changed while this ran, so that nothing is made from it. Apply again", p.asset.File)
	}
	return picture.Read(data)
}

func (w *rendering) rendition(ctx context.Context, c *planner.RenditionChange, src *picture.Source) (*state.Rendition, string, error) {
	if ctx.Err() != nil {
		return nil, "", context.Cause(ctx)
	}
	p := &w.pictures[0]
	from, mark := p.identity(), p.mark(c.Recipe)
	content, err := rendition.Make(c.Recipe, src, mark, from)
	if err != nil {
		return nil, "", err
	}
	return w.put(c, []string{from}, c.Recipe.Key(mark, nil), [][]byte{content})
}

func (w *rendering) sheet(ctx context.Context, c *planner.RenditionChange) (*state.Rendition, string, error) {
	plan := rendition.Plan{Recipe: c.Recipe, Output: c.Output, Atlas: c.Atlas}
	for i := range w.pictures {
		p := &w.pictures[i]
		if !p.own {
			plan.Mark = state.AddMark(plan.Mark, p.image)
		}
		plan.Contents, plan.Names = append(plan.Contents, p.file.Identity()), append(plan.Names, p.name)
	}
	if slices.ContainsFunc(w.pictures, func(p rendered) bool { return p.own }) {
		plan.Mark = plan.Mark.WithOwn()
	}
	s := rendition.NewSheet(plan)
	colours := ""
	for i := range w.pictures {
		if ctx.Err() != nil {
			return nil, "", context.Cause(ctx)
		}
		src, err := w.read(&w.pictures[i])
		if err != nil {
			return nil, "", err
		}
		if err := s.Add(src); err != nil {
			return nil, "", err
		}
		colours = cmp.Or(colours, w.pictures[i].colours(src))
	}
	made, told, err := w.put(c, plan.Contents, c.Recipe.Key(plan.Mark, plan.Names), s.Files())
	return made, both(colours, told), err
}

// colours says what became of the colours of a picture that are not those of sRGB, "" where they
// are.
func (p *rendered) colours(src *picture.Source) string {
	file := p.file.Path
	if p.asset != nil {
		file = p.asset.File
	}
	switch {
	case src.Converted:
		return fmt.Sprintf("%s has the colours of another profile than sRGB. They were converted to sRGB.", file)
	case src.Unconverted:
		return fmt.Sprintf("%s has the colours of a profile that is none of curves and a matrix. They were taken for sRGB, and may look otherwise. Give it a picture in sRGB.", file)
	default:
		return ""
	}
}

// both puts two messages into one.
func both(one, other string) string { return strings.TrimSpace(one + " " + other) }

// put puts what was made in place.
func (w *rendering) put(c *planner.RenditionChange, from []string, key string, contents [][]byte) (*state.Rendition, string, error) {
	r := &state.Rendition{From: from, Arguments: key, Maker: image.Maker}
	for i, path := range c.Files() {
		content := contents[i] //nolint:gosec // one for each path
		if c.Atlas != "" && i%2 == 1 {
			r.Files = append(r.Files, state.File{Path: path, SHA256: hashOf(content), Bytes: int64(len(content)), Format: state.FormatAtlas})
			continue
		}
		info, err := imagefile.Check(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return nil, "", fmt.Errorf("what was made cannot be read as a picture: %w", err)
		}
		r.Files = append(r.Files, state.FileOf(path, info))
	}
	told, err := w.files.rendition(c, &w.pictures[0], r, contents)
	return r, told, err
}
