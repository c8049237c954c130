package workspace

import (
	"errors"
	"fmt"
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

var (
	imageA, imageB, imageMark = addrs.Image{Name: "a"}, addrs.Image{Name: "b"}, addrs.Image{Name: "mark"}
	thumbOfA, thumbOfB        = addrs.Rendition{Kind: addrs.OfImage, Of: imageA, Name: "thumb"}, addrs.Rendition{Kind: addrs.OfImage, Of: imageB, Name: "thumb"}
)

// A move that is cut off between any two records is done by the same move: images, what was made of
// them here, and who is made from them.
func TestMoveIsCutOff(t *testing.T) {
	t.Parallel()
	for at := 1; ; at++ {
		dir := t.TempDir()
		recordMarkOfA(t, dir)
		writes := 0
		err := moveAToB(t, dir, func(op safefile.Op, name string) error {
			if op == safefile.OpWrite && strings.HasSuffix(name, ".journal") {
				if writes++; writes == at {
					return syscall.EIO
				}
			}
			return nil
		})
		if err == nil {
			if at < 4 {
				t.Fatal("the move has less than three batches of records")
			}
			return
		}
		if err := moveAToB(t, dir, nil); err != nil {
			t.Fatal(err)
		}
		within(t, dir, Options{}, func(w *Workspace) {
			now := w.State()
			images, renditions, of := slices.Collect(now.Images.Addresses()), now.SortedRenditions(), now.Images.Get(imageMark).Dependencies
			if !slices.Equal(images, []addrs.Image{imageB, logo, imageMark}) || !slices.Equal(renditions, []addrs.Rendition{thumbOfB}) || !slices.Equal(of, []addrs.Image{imageB}) {
				t.Errorf("cut off at batch %d, and moved again: %v, %v, image.mark is made from %v", at, images, renditions, of)
			}
		})
	}
}

// recordMarkOfA records image.a with a rendition, and image.mark, which is made from it.
func recordMarkOfA(t *testing.T, dir string) {
	t.Helper()
	module(t, dir, "a heron")
	apply(t, dir, Options{})
	within(t, dir, Options{}, func(w *Workspace) {
		made := w.State().Images.Get(logo)
		copied := func(path string, from ...addrs.Image) *state.Image {
			img := *made
			img.Output.Path, img.Dependencies = path, from
			return &img
		}
		thumb := made.Output
		thumb.Path = "images/thumb.png"
		err := w.session.AppendAll([]state.Record{
			state.Stored{Address: imageA, Image: copied("images/a.png")},
			state.Stored{Address: imageMark, Image: copied("images/mark.png", imageA)},
			state.Made{Address: thumbOfA, Rendition: &state.Rendition{
				From: []string{thumb.Content}, Arguments: thumb.SHA256, Maker: 1, Files: []state.File{thumb},
			}},
		})
		if err := errors.Join(err, w.commit(nil)); err != nil {
			t.Fatal(err)
		}
	})
}

func moveAToB(t *testing.T, dir string, faults func(safefile.Op, string) error) error {
	t.Helper()
	w, err := open(t, dir, Options{}, faults)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }() // What is in the journal stays there.
	steps, err := PlanMove(w.State(), addrs.Move{From: block("a"), To: block("b")})
	if err != nil || len(steps) == 0 {
		t.Fatalf("there is nothing to move any more: %v", err)
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
