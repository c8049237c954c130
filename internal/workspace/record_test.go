package workspace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/state"
)

// instances records images of a block, with keys from a number on, and the one without a key for -1.
func instances(s *state.State, block string, from, to int) {
	for i := from; i < to; i++ {
		addr := addrs.Image{Name: block}
		if i >= 0 {
			addr.Key = addrs.IntKey(i)
		}
		s.Images.Set(addr, &state.Image{})
	}
}

func block(name string) addrs.Endpoint { return addrs.Endpoint{Name: name} }

func TestPlanMove(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		state func(s *state.State)
		move  addrs.Move
		steps int
		taken []string
	}{
		{"a block", func(s *state.State) { instances(s, "a", 0, 3) }, addrs.Move{From: block("a"), To: block("b")}, 3, nil},
		{"beside others of the block", func(s *state.State) {
			instances(s, "a", 0, 3)
			instances(s, "b", 3, 6)
		}, addrs.Move{From: block("a"), To: block("b")}, 3, nil},
		{"where some are", func(s *state.State) {
			instances(s, "a", 0, 3)
			instances(s, "b", 2, 4)
		}, addrs.Move{From: block("a"), To: block("b")}, 0, []string{"image.b[2]"}},
		{"where a task is under way", func(s *state.State) {
			instances(s, "a", 0, 3)
			s.Tasks["k"] = &state.Task{Key: "k", Address: addrs.Image{Name: "b", Key: addrs.IntKey(1)}}
		}, addrs.Move{From: block("a"), To: block("b")}, 0, []string{"image.b[1]"}},
		{"instances beside an image without a key", func(s *state.State) {
			instances(s, "a", 0, 3)
			instances(s, "b", -1, 0)
		}, addrs.Move{From: block("a"), To: block("b")}, 0, []string{"image.b"}},
		{"an image without a key beside instances", func(s *state.State) {
			instances(s, "a", -1, 0)
			instances(s, "b", 0, 2)
		}, addrs.Move{From: block("a"), To: block("b")}, 0, []string{"image.b[0]", "image.b[1]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &state.State{Images: new(state.Images), Tasks: map[string]*state.Task{}}
			tt.state(s)
			steps, err := PlanMove(s, tt.move)
			var taken []string
			if inUse, ok := errors.AsType[*InUseError](err); ok {
				taken = inUse.By
			}
			if diff := cmp.Diff(tt.taken, taken); diff != "" || len(steps) != tt.steps {
				t.Errorf("%d steps, want %d; in use (-want +got):\n%s", len(steps), tt.steps, diff)
			}
			if !slices.IsSortedFunc(steps, func(a, b state.Moved) int { return a.From.Compare(b.From) }) {
				t.Errorf("not sorted: %v", steps)
			}
		})
	}
}

// However far a move came, the same move does the rest: also of what was made from the images, and of
// the images that are made from them.
func TestMoveIsGoneOnWith(t *testing.T) {
	t.Parallel()
	begun := t.TempDir()
	manifest := `
defaults {
  model  = "flux-2-klein-4b"
  width  = 64
  height = 64
}

image "logo" {
  count  = 2
  prompt = "A heron ${count.index}"
  rendition "small" { width = 32 }
}

image "poster" {
  prompt     = "Image 1 on a poster"
  references = [image.logo[0]]
}
`
	if err := os.WriteFile(filepath.Join(begun, "main.flux.hcl"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	apply(t, begun, Options{})
	move := addrs.Move{From: block("logo"), To: block("sign")}
	for failing, failed := 1, true; failed; failing++ {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(begun)); err != nil {
			t.Fatal(err)
		}
		syncs := 0
		w, err := open(t, dir, Options{}, func(op safefile.Op, name string) error {
			if op == safefile.OpSync && strings.Contains(name, ".journal") {
				if syncs++; syncs == failing {
					return syscall.EIO
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		failed = moves(t, w, move) != nil
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		within(t, dir, Options{}, func(w *Workspace) {
			if failed {
				if err := moves(t, w, move); err != nil {
					t.Error(err)
				}
			}
			for r := range w.State().Renditions {
				if r.Of.Name != "sign" {
					t.Errorf("fsync %d failed: %s was not moved", failing, r)
				}
			}
			poster := w.State().Images.Get(addrs.Image{Name: "poster"})
			if len(poster.Dependencies) != 1 || poster.Dependencies[0].Name != "sign" || w.State().Images.Len() != 3 {
				t.Errorf("fsync %d failed: the poster is made from %v, and there are %d images", failing, poster.Dependencies, w.State().Images.Len())
			}
		})
		if !failed && failing < 4 {
			t.Errorf("a move waits for the disk %d times, want each of its kinds of records to fail once", failing-1)
		}
	}
}

func moves(t *testing.T, w *Workspace, move addrs.Move) error {
	t.Helper()
	steps, err := PlanMove(w.State(), move)
	if err != nil {
		t.Fatal(err)
	}
	return w.Move(steps)
}

// BenchmarkPlanMove moves a block to one that has as many images already, beside as many tasks. An image
// costs the same whatever their number.
func BenchmarkPlanMove(b *testing.B) {
	for _, images := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(images), func(b *testing.B) {
			s := &state.State{Images: new(state.Images), Tasks: map[string]*state.Task{}}
			instances(s, "a", 0, images)
			instances(s, "b", images, 2*images)
			for i := range images / 10 {
				key := fmt.Sprint(i)
				s.Tasks[key] = &state.Task{Key: key, Address: addrs.Image{Name: "c", Key: addrs.IntKey(i)}}
			}
			b.ReportAllocs()
			for b.Loop() {
				if steps, err := PlanMove(s, addrs.Move{From: block("a"), To: block("b")}); err != nil || len(steps) != images {
					b.Fatal(len(steps), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*images), "ns/image")
		})
	}
}
