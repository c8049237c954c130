package web

import (
	"bytes"
	"context"
	_ "embed" // the page
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/internal/web/parts"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var ownCSS string

var pageCSS = sync.OnceValue(func() []byte { return []byte(parts.CSS + ownCSS) })

//go:embed page.js
var pageJS []byte

var pageTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageHTML)) })

// pieceSize is how many entries a piece has: few enough that the first one is there at once.
const pieceSize = 400

// folders are what a report's folder has besides its files, and all that is ever removed from it.
var folders = []string{"thumbs", "pictures", "differences", "data"}

// NotReportError says that a folder has files that no report wrote.
type NotReportError struct{ Dir string }

func (e *NotReportError) Error() string {
	return fmt.Sprintf("%s has files in it that are no report's", e.Dir)
}

// ReportOptions say what is written besides the page.
type ReportOptions struct {
	// Markdown writes report.md, for a comment of a pull request.
	Markdown bool
}

// WriteReport writes an album whose pictures d has developed as a folder that opens from disk. What
// a former report left in the folder and this one does not have is removed; a folder with anything
// else in it is a NotReportError.
func WriteReport(ctx context.Context, a *Album, d *Darkroom, dir string, o ReportOptions) error {
	if err := prepare(dir); err != nil {
		return err
	}
	pieces := a.pieces()
	a.Head.Pieces = len(pieces)
	w := &writer{album: a, room: d, dir: dir, wanted: map[string]bool{}}
	if o.Markdown {
		if err := w.write("report.md", []byte(a.Markdown())); err != nil {
			return err
		}
	}
	if err := w.pictures(ctx); err != nil {
		return err
	}
	for i, piece := range pieces {
		if err := w.write(pieceName(i), piece); err != nil {
			return err
		}
	}
	page, err := pageOf(a.Head)
	if err != nil {
		return err
	}
	// The page comes last, so that it never names what is not there.
	if err := errors.Join(w.write("page.css", pageCSS()), w.write("page.js", pageJS), w.write("index.html", page)); err != nil {
		return err
	}
	if !o.Markdown {
		if err := os.Remove(filepath.Join(dir, "report.md")); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return w.sweep()
}

// prepare makes the folder, and refuses one that is not a report's.
func prepare(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	own := append([]string{"index.html", "page.css", "page.js", "report.md"}, folders...)
	isReport := slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "page.js" || e.Name() == "report.md" })
	for _, entry := range entries {
		if !isReport || !slices.Contains(own, entry.Name()) {
			return &NotReportError{Dir: dir}
		}
	}
	for _, folder := range folders {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o777); err != nil { //nolint:gosec // a report is for others to read
			return err
		}
	}
	return nil
}

func pieceName(i int) string { return fmt.Sprintf("data/%04d.js", i+1) }

// pieces are the entries as scripts. The JSON is a string within each, which browsers read faster
// than code.
func (a *Album) pieces() [][]byte {
	var all [][]byte
	for part := range slices.Chunk(a.Entries, pieceSize) {
		all = append(all, script("piece", part))
	}
	return all
}

// script returns a call of the page with a value.
func script(name string, value any) []byte {
	data, err := json.Marshal(value)
	if err == nil {
		data, err = json.Marshal(string(data)) // as a literal, with < and line separators escaped
	}
	if err != nil {
		panic(fmt.Sprintf("web: %v", err)) // entries have nothing that JSON does not
	}
	return slices.Concat([]byte("fluxbatch."+name+"("), data, []byte(")\n"))
}

// pageOf returns the page itself.
func pageOf(h Head) ([]byte, error) {
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	var first []string
	if h.Pieces > 0 {
		first = append(first, pieceName(0))
	}
	var out bytes.Buffer
	err = pageTemplate().Execute(&out, struct {
		Title, Head string
		First       []string
	}{h.Title, string(head), first})
	return out.Bytes(), err
}

// writer writes one report.
type writer struct {
	album *Album
	room  *Darkroom
	dir   string

	mu sync.Mutex
	// wanted are the files that this report has, as the page finds them.
	wanted map[string]bool
}

// pictures puts all pictures and thumbnails into the folder that are not there from a former
// report: their names say what they show.
func (w *writer) pictures(ctx context.Context) error {
	jobs, within := errgroup.WithContext(ctx)
	jobs.SetLimit(cap(w.room.free))
	for _, s := range w.album.Shots() {
		jobs.Go(func() error { return errors.Join(context.Cause(within), w.shot(s)) })
	}
	for _, e := range w.album.Entries {
		if e.Difference != nil {
			jobs.Go(func() error { return w.copy(e.Difference.Overlay, w.room.place(e.Difference.Overlay)) })
		}
	}
	return jobs.Wait()
}

func (w *writer) shot(s *Shot) error {
	if !s.Broken {
		if err := w.copy(s.Thumb(), w.room.place(s.Thumb())); err != nil {
			return err
		}
	}
	// What cannot be decoded is not handed on as a picture.
	if s.Whole && !s.Broken {
		return w.put(s.Picture(), func() (io.ReadCloser, error) { return w.album.open(s) })
	}
	return nil
}

// copy copies a file of the darkroom.
func (w *writer) copy(name, from string) error {
	return w.put(name, func() (io.ReadCloser, error) { return os.Open(from) })
}

// put copies what open opens, unless it is there. It is a copy rather than a link: whoever edits
// the report must not edit the image.
func (w *writer) put(name string, open func() (io.ReadCloser, error)) error {
	w.mu.Lock()
	isNew := !w.wanted[name]
	w.wanted[name] = true
	w.mu.Unlock()
	file := filepath.Join(w.dir, filepath.FromSlash(name))
	if !isNew || isThere(file) {
		return nil
	}
	in, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	return writeWhole(file, func(out io.Writer) error {
		_, err := io.Copy(out, in)
		return err
	})
}

func (w *writer) write(name string, data []byte) error {
	w.mu.Lock()
	w.wanted[name] = true
	w.mu.Unlock()
	return writeWhole(filepath.Join(w.dir, filepath.FromSlash(name)), func(out io.Writer) error {
		_, err := out.Write(data)
		return err
	})
}

// sweep removes what a former report left.
func (w *writer) sweep() error {
	for _, folder := range folders {
		entries, err := os.ReadDir(filepath.Join(w.dir, folder))
		if err != nil {
			return err
		}
		for _, entry := range entries {
			name := folder + "/" + entry.Name()
			if w.wanted[name] || !isPageFile(entry.Name()) {
				continue
			}
			if err := os.Remove(filepath.Join(w.dir, folder, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// isPageFile reports whether a file's name is one that a report, or one that was cut off, gave it.
func isPageFile(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	return strings.HasPrefix(name, ".new-") || strings.Trim(stem, "0123456789abcdef-") == ""
}
