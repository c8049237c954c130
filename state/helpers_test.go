package state

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// testHash returns a SHA-256-like string made of one number.
func testHash(n int) string { return fmt.Sprintf("%064x", n) }

func addr(tb testing.TB, s string) addrs.Image {
	tb.Helper()
	a, err := addrs.Parse(s)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// testImage returns a record like those of real images, different for each n.
func testImage(n int) *Image {
	request := fmt.Sprintf(`{"endpoint":"/v1/flux-2-pro","body":{"height":1024,"prompt":"Studio photo of product %d & co, <flat> vector, brand colours %s","seed":%d,"width":1024}}`,
		n, strings.Repeat("#0b3d91 ", 8), n)
	return &Image{
		Provider: "bfl", Model: "flux-2-pro", Fingerprint: testHash(n), Request: json.RawMessage(request),
		Output: File{Path: fmt.Sprintf("images/product-%d.png", n), SHA256: testHash(n + 1<<40), Bytes: 1_200_000, Width: 1024, Height: 1024, Format: "png"},
		Result: Result{TaskID: fmt.Sprintf("0f4a9d62-3c1e-4a4b-9d2c-%012d", n), Seed: new(int64(n)), Cost: 3000},
		Labels: map[string]string{"season": "summer"},
	}
}

// testRendition returns the record of something that was made here, different for each n.
func testRendition(n int) *Rendition {
	return &Rendition{
		From: []string{testHash(n)}, Arguments: testHash(n + 1<<20), Maker: 1,
		Files: []File{{Path: fmt.Sprintf("images/product-%d-small.webp", n), SHA256: testHash(n + 1<<41), Bytes: 12_000, Width: 64, Height: 64, Format: "webp"}},
	}
}

// testState returns a state of n images.
func testState(n int) *State {
	st := newState("3f0a7c52-9a7e-4d1c-8b8f-0d6c2a1b5e90")
	for i := range n {
		st.Images.Set(addrs.Image{Name: "product", Key: addrs.StringKey(fmt.Sprintf("sku-%06d", i))}, testImage(i))
	}
	st.Outputs["hero"] = OutputValue{Value: json.RawMessage(`"images/hero.png"`), Type: json.RawMessage(`"string"`)}
	return st
}

// key returns the key of the task whose image is testImage(n).
func key(n int) string { return fmt.Sprintf("%016x", n) }

// testTask returns the task for an address whose image is testImage(n).
func testTask(a addrs.Image, n int) Task {
	img := testImage(n)
	return Task{
		Key: key(n), Address: a, Provider: img.Provider, Model: img.Model, Fingerprint: img.Fingerprint, Request: img.Request, Path: img.Output.Path,
		Cost: 4500, Labels: img.Labels,
	}
}

// snapshotOf returns a copy of a state that later records do not change.
func snapshotOf(st *State) *State {
	return &State{
		Lineage: st.Lineage, Images: st.Images.Clone(), Renditions: maps.Clone(st.Renditions), Outputs: maps.Clone(st.Outputs),
		Tasks: maps.Clone(st.Tasks), Moderated: maps.Clone(st.Moderated),
	}
}

// open opens a session that is closed at the end of the test.
func open(tb testing.TB, path string, o Options) *Session {
	tb.Helper()
	s, err := Open(tb.Context(), path, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func appendAll(tb testing.TB, s *Session, records ...Record) {
	tb.Helper()
	for _, rec := range records {
		if err := s.Append(rec); err != nil {
			tb.Fatal(err)
		}
	}
}

func read(tb testing.TB, path string) *State {
	tb.Helper()
	st, err := Read(path)
	if err != nil {
		tb.Fatal(err)
	}
	return st
}

// lifecycle returns the records of a run in which everything happens that can: images 1 and 2 are
// there before it.
func lifecycle(tb testing.TB) []Record {
	tb.Helper()
	a, b, c, d, e := addr(tb, "image.a"), addr(tb, "image.b"), addr(tb, `image.c["x"]`), addr(tb, "image.d"), addr(tb, "module.m.image.e[0]")
	small, icon := addrs.Rendition{Of: a, Name: "small"}, addrs.Rendition{Kind: addrs.OfAsset, Of: a, Name: "icon"}
	relabelled := *testImage(1)
	relabelled.Labels = map[string]string{"season": "winter"}
	relabelled.Output.Path = "moved/a.png"
	submitted := func(n int) Submitted {
		return Submitted{
			key(n), fmt.Sprintf("task-%d", n), fmt.Sprintf("https://api.eu2.bfl.ai/v1/get_result?id=task-%d&x=<&>", n), 4500, false,
			time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC),
		}
	}
	return []Record{
		Intent{testTask(c, 3)},
		Intent{testTask(d, 4)},
		submitted(3),
		Stored{Address: a, Image: &relabelled},
		submitted(4),
		Ready{key(3)},
		Fetched{key(3), testImage(3).Output, testImage(3).Result, "images/.fluxbatch-tmp-product-3.png-0123456789abcdef"},
		Failed{key(4), "Task not found"},
		Stored{c, testImage(3), key(3)},
		Made{Address: small, Rendition: testRendition(1)},
		Made{Address: icon, Rendition: testRendition(2)},
		Removed{a},
		Unmade{Address: small},
		Intent{testTask(a, 5)},
		submitted(5),
		Moderated{key(5), []string{"Derivative Works Filter"}, 0},
		Moved{b, e},
		Intent{testTask(e, 6)},
		Moved{e, b},
		submitted(6),
		Intent{testTask(d, 7)},
		Intent{testTask(d, 9)},
		submitted(9),
		Lost{key(9), "Task not found", 4500},
		Stored{Address: a, Image: testImage(8)},
		Stored{Address: a, Image: testImage(5)},
		Ready{key(6)},
	}
}

// appendLine appends rec as a line.
func appendLine(b, rec []byte) []byte {
	b = appendChecksum(append(b, lineHead...), rec)
	return append(append(append(b, lineMid...), rec...), lineTail+"\n"...)
}

// first returns the best of the candidates, and whether there is one.
func first(candidates []*Image) (*Image, bool) {
	if len(candidates) == 0 {
		return nil, false
	}
	return candidates[0], true
}
