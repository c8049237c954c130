package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

var sizes = []int{1_000, 10_000, 100_000}

// perItem reports the time an item took.
func perItem(b *testing.B, n int, unit string) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/"+unit)
}

func BenchmarkSnapshotRead(b *testing.B) {
	for _, n := range sizes {
		file := []byte(written(b, testState(n)))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := readSnapshot(bytes.NewReader(file), "fluxbatch.state.json"); err != nil {
					b.Fatal(err)
				}
			}
			perItem(b, n, "image")
		})
	}
	b.Run("10000 with encoding/json", func(b *testing.B) {
		file := []byte(written(b, testState(10_000)))
		b.ReportAllocs()
		for b.Loop() {
			var st struct {
				Version int
				Lineage string
				Images  map[addrs.Image]*Image
				Outputs map[string]OutputValue
			}
			if err := decodeStrict(bytes.TrimRight(file, "\n"), &st); err != nil {
				b.Fatal(err)
			}
		}
		perItem(b, 10_000, "image")
	})
}

func BenchmarkSnapshotWrite(b *testing.B) {
	for _, n := range sizes {
		st := testState(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := st.Write(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
			perItem(b, n, "image")
		})
	}
	b.Run("10000 with encoding/json", func(b *testing.B) {
		st := testState(10_000)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.MarshalIndent(maps.Collect(st.Images.All()), "", "  "); err != nil {
				b.Fatal(err)
			}
		}
		perItem(b, 10_000, "image")
	})
}

// BenchmarkJournal is what one apply of so many images costs its journal: 24 writers, five records
// an image. Its cost an image must not grow with their number.
func BenchmarkJournal(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var syncs atomic.Int64
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				path := filepath.Join(b.TempDir(), "fluxbatch.state.json")
				s := open(b, path, Options{Faults: func(op safefile.Op, _ string) error {
					if op == safefile.OpSync {
						syncs.Add(1)
					}
					return nil
				}})
				b.StartTimer()
				applyAll(b, s, n, 24)
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
			perItem(b, n, "image")
			b.ReportMetric(float64(syncs.Load())/float64(b.N*n*5), "syncs/record")
		})
	}
}

// applyAll records what an apply of n images records, with so many of them in flight.
func applyAll(b *testing.B, s *Session, n, writers int) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				a, img := nth(i), testImage(i)
				for _, rec := range []Record{
					Intent{testTask(a, i)},
					Submitted{key(i), img.Result.TaskID, "https://api.eu2.bfl.ai/v1/get_result?id=" + img.Result.TaskID, 3000, false, time.Now()},
					Ready{key(i)},
					Fetched{key(i), img.Output, img.Result, "images/.fluxbatch-tmp-product.png-0123456789abcdef"},
					Stored{a, img, key(i)},
				} {
					if err := s.Append(rec); err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkReplay is the start of the run that follows an interrupted one.
func BenchmarkReplay(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		path := filepath.Join(b.TempDir(), "fluxbatch.state.json")
		s := open(b, path, Options{})
		applyAll(b, s, n, 24)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(path); err != nil {
					b.Fatal(err)
				}
			}
			perItem(b, n, "image")
		})
	}
}

// BenchmarkInspectAll is the drift check of a run in which nothing changed.
func BenchmarkInspectAll(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		p := newProject(b)
		images := map[addrs.Image]*Image{}
		then := time.Now().Add(-time.Hour)
		for i := range n {
			img := p.image(b, i, "content")
			images[nth(i)] = img
			if err := os.Chtimes(filepath.Join(p.dir.Path(), img.Output.Path), then, then); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := p.local.Index().InspectAll(b.Context(), p.dir, ImagesOf(images)); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				drifted, err := p.local.Index().InspectAll(b.Context(), p.dir, ImagesOf(images))
				if err != nil || len(drifted) > 0 {
					b.Fatal(err, len(drifted))
				}
			}
			perItem(b, n, "file")
		})
		b.Run(fmt.Sprintf("%d with os.Lstat in a loop", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, img := range images {
					if _, err := os.Lstat(filepath.Join(p.dir.Path(), img.Output.Path)); err != nil {
						b.Fatal(err)
					}
				}
			}
			perItem(b, n, "file")
		})
	}
}

func BenchmarkIndexFile(b *testing.B) {
	const n = 100_000
	p := newProject(b)
	for i := range n {
		p.local.index.learn(testImage(i).Output.Path, indexEntry{
			size: 1_200_000, modTime: 1_770_000_000_000_000_000, sum: testHash(i),
		})
	}
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			p.local.index.changed = true
			if err := p.local.Index().Save(nil); err != nil {
				b.Fatal(err)
			}
		}
		perItem(b, n, "file")
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			x, err := openIndex(p.dir)
			if err != nil {
				b.Fatal(err)
			}
			x.known("", 0, 0, new(int)) // It waits until all is there.
		}
		perItem(b, n, "file")
	})
}

func BenchmarkStore(b *testing.B) {
	const n = 100_000
	p := newProject(b)
	var lines []byte
	for i := range n {
		img := testImage(i)
		rec, err := encode(recipeOf(nth(i), img, img.Output.SHA256, img.Output.Bytes))
		if err != nil {
			b.Fatal(err)
		}
		lines = appendLine(lines, rec)
	}
	p.write(b, recipesFile, string(lines))
	b.Run("open with 100000 recipes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.reopen(b)
		}
		perItem(b, n, "recipe")
	})
	b.Run("find nothing among 100000", func(b *testing.B) {
		for b.Loop() {
			if len(p.local.Store().Candidates(nth(0), testHash(n+7), false)) > 0 {
				b.Fatal("found")
			}
		}
	})
	b.Run("history among 100000", func(b *testing.B) {
		for b.Loop() {
			if history, err := p.local.Store().History(nth(5)); len(history) != 1 || err != nil {
				b.Fatal(history, err)
			}
		}
	})
	b.Run("put", func(b *testing.B) {
		i := 0
		for b.Loop() {
			img := p.image(b, i, fmt.Sprint(i))
			if err := p.local.Store().Put(p.dir, nth(i), img); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
}
