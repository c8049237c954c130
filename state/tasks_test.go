package state

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// The tasks of an address are the same whether they are found by the index or by looking at all.
func TestTasksOfAddresses(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	place := func() addrs.Image { return addrs.Image{Name: fmt.Sprintf("i%d", random.IntN(5))} }
	st := newState("x")
	for n := range 500 {
		e := &entry{Type: entryIntent, Task: new(testTask(place(), n))}
		switch random.IntN(6) {
		case 0:
			e = &entry{Type: entryMoved, Address: place(), To: new(place())}
		case 1:
			e = &entry{Type: entryFailed, Key: key(random.IntN(n + 1))}
		case 2:
			e = &entry{Type: entryLost, Key: key(random.IntN(n + 1))}
		case 3:
			e = &entry{Type: entryStored, Address: place(), Image: testImage(n), Key: key(random.IntN(n + 1))}
		}
		_ = e.apply(st) // There may be no such task.
		all := snapshotOf(st)
		for i := range 5 {
			a := addrs.Image{Name: fmt.Sprintf("i%d", i)}
			if want, got := all.TasksOf(a), st.TasksOf(a); !slices.Equal(want, got) {
				t.Fatalf("after %d entries, %s has %d tasks, want %d", n+1, a, len(got), len(want))
			}
		}
	}
	if len(st.Tasks) < 50 {
		t.Errorf("there are %d tasks in the end", len(st.Tasks))
	}
}

// BenchmarkMoves moves images beside as many open tasks.
func BenchmarkMoves(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				st := newState("x")
				for i := range n {
					st.setTask(key(i), &Task{Key: key(i), Address: addrs.Image{Name: "from", Key: addrs.IntKey(i)}})
				}
				for i := range n {
					st.moveTasks(addrs.Image{Name: "from", Key: addrs.IntKey(i)}, addrs.Image{Name: "to", Key: addrs.IntKey(i)})
				}
			}
			perItem(b, n, "move")
		})
	}
}
