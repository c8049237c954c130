package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/image/draw"
	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/internal/picture"
)

// Darkroom makes thumbnails and differences, and keeps them in a directory of the machine's, by the
// identity of what they are made from: each is made once. All in it can be made again. It is safe
// for concurrent use, also by several processes.
type Darkroom struct {
	dir string
	// free has a place for each picture that may be worked on at a time.
	free chan struct{}
}

// NewDarkroom returns a darkroom that keeps what it makes in dir, which is there.
func NewDarkroom(dir string) *Darkroom {
	return &Darkroom{dir: dir, free: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

const (
	// thumbSide is the longer side of a thumbnail in pixels: one and a half times what a card of the page
	// has. Browsers keep what they have decoded, and with twice as much a long scroll takes 200 MB.
	thumbSide = 256
	// thumbQuality is where fine lines still show no blocks.
	thumbQuality = 82
	// maxShot bounds the file of a picture in bytes.
	maxShot = 256 << 20
)

// Develop makes all thumbnails of an album, and measures how its pictures differ. Afterwards the
// album is in its final order.
func (d *Darkroom) Develop(ctx context.Context, a *Album) error {
	jobs, within := errgroup.WithContext(ctx)
	jobs.SetLimit(cap(d.free))
	for _, same := range a.byThumb() {
		jobs.Go(func() error {
			file, err := d.Thumb(within, a, same[0])
			for _, s := range same {
				s.Broken = file == ""
			}
			return err
		})
	}
	if err := jobs.Wait(); err != nil {
		return err
	}
	return d.Measure(ctx, a)
}

// byThumb returns the shots of the album, those together that have one thumbnail.
func (a *Album) byThumb() map[string][]*Shot {
	all := map[string][]*Shot{}
	for _, s := range a.Shots() {
		all[s.Thumb()] = append(all[s.Thumb()], s)
	}
	return all
}

// Measure compares the pictures of the entries that have two, and puts the album into its final
// order.
func (d *Darkroom) Measure(ctx context.Context, a *Album) error {
	jobs, within := errgroup.WithContext(ctx)
	jobs.SetLimit(cap(d.free))
	for _, e := range a.Entries {
		if e.Before == nil || e.After == nil || e.Before.File.Identity() == e.After.File.Identity() {
			continue
		}
		jobs.Go(func() (err error) {
			e.Difference, err = d.difference(within, a, e.Before, e.After)
			return err
		})
	}
	if err := jobs.Wait(); err != nil {
		return err
	}
	a.sort()
	return nil
}

// Thumb returns the path of a picture's thumbnail, and makes it where there is none. It is "" for a
// picture that cannot be decoded.
func (d *Darkroom) Thumb(ctx context.Context, a *Album, s *Shot) (string, error) {
	file := d.place(s.Thumb())
	if isThere(file) {
		return file, nil
	}
	full, err := d.decode(ctx, a, s)
	if full == nil || err != nil {
		return "", err
	}
	defer d.done()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, onPaper(shrink(full)), &jpeg.Options{Quality: thumbQuality}); err != nil {
		return "", fmt.Errorf("making a thumbnail of %s: %w", s.File.Path, err)
	}
	return file, d.keep(file, out.Bytes())
}

// shrink makes a picture as small as a thumbnail. A much larger one is halved in quick steps first.
func shrink(full image.Image) image.Image {
	size := picture.Inside(full.Bounds().Size(), image.Pt(thumbSide, thumbSide))
	for w := full.Bounds().Dx(); w >= 4*size.X; w = full.Bounds().Dx() {
		full = picture.Shrink(full, w/2, max(full.Bounds().Dy()/2, 1))
	}
	return picture.Shrink(full, size.X, size.Y)
}

// decode returns the pixels of a shot, nil where they cannot be read as a picture. Unless it
// returns nil, the caller calls done when it no longer needs them.
func (d *Darkroom) decode(ctx context.Context, a *Album, s *Shot) (image.Image, error) {
	select {
	case d.free <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	img, err := decodeShot(a, s)
	if img == nil {
		d.done()
	}
	return img, err
}

func (d *Darkroom) done() { <-d.free }

func decodeShot(a *Album, s *Shot) (image.Image, error) {
	in, err := a.open(s)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	defer func() { _ = in.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(in, maxShot))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", s.File.Path, err)
	}
	img, err := picture.Decode(data)
	if err != nil {
		return nil, nil //nolint:nilerr // a file that is no picture is shown as one that is damaged
	}
	return img, nil
}

// onPaper lays a picture that may be transparent onto a chequered ground, as picture editors do: a
// thumbnail has no transparency.
func onPaper(img image.Image) image.Image {
	if o, ok := img.(interface{ Opaque() bool }); ok && o.Opaque() {
		return img
	}
	dst := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	const square = 12
	for y := range dst.Rect.Dy() {
		for x := range dst.Rect.Dx() {
			c := color.RGBA{255, 255, 255, 255}
			if (x/square+y/square)%2 == 1 {
				c = color.RGBA{222, 222, 222, 255}
			}
			dst.SetRGBA(x, y, c)
		}
	}
	draw.Draw(dst, dst.Rect, img, img.Bounds().Min, draw.Over)
	return dst
}

// difference returns how two pictures differ, nil where one of them cannot be read.
func (d *Darkroom) difference(ctx context.Context, a *Album, before, after *Shot) (*Difference, error) {
	const digits = 20
	name := before.File.Identity()[:digits] + "-" + after.File.Identity()[:digits]
	overlay, figures := d.place("differences/"+name+".png"), d.place("differences/"+name+".json")
	found := &Difference{Overlay: "differences/" + name + ".png"}
	if data, err := os.ReadFile(figures); err == nil && json.Unmarshal(data, found) == nil && isThere(overlay) {
		return found, nil
	}
	was, err := d.decode(ctx, a, before)
	if was == nil {
		return nil, err
	}
	defer d.done()
	// Its own place is enough for both: two that each hold one and want another would wait for ever.
	is, err := decodeShot(a, after)
	if is == nil {
		return nil, err
	}
	diff := picture.Compare(was, is)
	found.Amount, found.Pixels, found.Similarity, found.Reshaped = diff.Amount(), diff.Pixels, diff.Similarity, diff.Reshaped
	var out bytes.Buffer
	if err := png.Encode(&out, diff.Overlay); err != nil {
		return nil, fmt.Errorf("drawing a difference: %w", err)
	}
	data, err := json.Marshal(found)
	if err != nil {
		return nil, fmt.Errorf("keeping a difference: %w", err)
	}
	return found, errors.Join(d.keep(overlay, out.Bytes()), d.keep(figures, data))
}

// place is where a file of the page is kept.
func (d *Darkroom) place(name string) string {
	base := path.Base(name)
	return filepath.Join(d.dir, base[:2], base)
}

// Overlay is where the overlay of a difference is.
func (d *Darkroom) Overlay(name string) string { return d.place(strings.TrimPrefix(name, "/")) }

func isThere(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0
}

// keep writes a file that appears under its name when it is whole. Nothing waits for the disk: what
// a crash takes is made again.
func (d *Darkroom) keep(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil { //nolint:gosec // thumbnails are no secrets
		return err
	}
	return writeWhole(file, func(out io.Writer) error {
		_, err := out.Write(data)
		return err
	})
}

// writeWhole writes a file beside its place and renames it.
func writeWhole(file string, write func(io.Writer) error) (err error) {
	out, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(out.Name()) // a leftover is in nobody's way
		}
	}()
	if err := errors.Join(write(out), out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), file)
}
