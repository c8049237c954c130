package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"

	"github.com/fluxbatch/fluxbatch/state"
)

// LargeReport writes a report of n images that are nowhere else, whose thumbnails are as large as
// thumbnails are. The first fiftieth of them changed.
func LargeReport(ctx context.Context, dir, thumbs string, n int) error {
	a, room := newAlbum(nil, Options{Title: "Large"}), NewDarkroom(thumbs)
	a.Head.Images = n
	var thumb [20][]byte
	for i := range thumb {
		thumb[i] = noise(i)
	}
	for i := range n {
		sum := sha256.Sum256(fmt.Append(nil, i))
		f := state.File{Path: fmt.Sprintf("images/product-%05d.jpg", i), SHA256: hex.EncodeToString(sum[:]), Width: 1024, Height: 1024, Bytes: 150_000, Format: "jpeg"}
		shot := &Shot{File: f}
		a.shots[shot.Picture()] = shot
		if err := room.keep(room.place(shot.Thumb()), thumb[i%len(thumb)]); err != nil {
			return err
		}
		e := &Entry{
			Address: fmt.Sprintf(`image.product["%05d"]`, i), Block: "image.product", Change: Same, After: shot, Model: "flux-2-pro", Price: "$0.03", Dollars: 0.03,
			Prompt: fmt.Sprintf("Studio photo of product %05d on a walnut table, soft morning light, shallow depth of field", i), Grade: "seeded", File: f.Path,
			Labels: map[string]string{"line": fmt.Sprint(i % 7), "kind": "product"},
		}
		for _, name := range []string{"model", "prompt", "width", "height", "seed", "output", "provider"} {
			e.Attributes = append(e.Attributes, Attribute{Name: name, After: e.Prompt[:20]})
		}
		if i < n/50 {
			e.Change, e.Told, e.Why = Replaces, "Plan to replace", []string{"Its prompt changed"}
			e.Before, e.After = shot, nil
		}
		a.Entries = append(a.Entries, e)
	}
	return WriteReport(ctx, a, room, dir, ReportOptions{})
}

// noise is a thumbnail that compresses no better than a photograph.
func noise(seed int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(seed)))
	img := image.NewRGBA(image.Rect(0, 0, thumbSide, thumbSide))
	for y := range thumbSide {
		for x := range thumbSide {
			img.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y + random.IntN(10)), uint8(x ^ y), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: thumbQuality}); err != nil {
		panic(err)
	}
	return out.Bytes()
}
