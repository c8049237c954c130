package workspace

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
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
