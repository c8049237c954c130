package state

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// TestHasEnded: after a run that was killed it is known which of its tasks the API is not at work on any
// more, without an image, and which made one. Of one that was given up, and of one that is open, it is not said.
func TestHasEnded(t *testing.T) {
	t.Parallel()
	path, m := filepath.Join(t.TempDir(), "state.json"), newMemory()
	for where, begin := range map[string]func() *Session{
		"local": func() *Session { return open(t, path, Options{}) },
		"remote": func() *Session {
			s, err := openMemory(t, m, nil)
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	} {
		killed := begin()
		tasks := make([]Task, 6)
		for i := range tasks {
			tasks[i] = testTask(addr(t, fmt.Sprintf("image.a%d", i)), i)
			appendAll(t, killed, Intent{Task: tasks[i]}, Submitted{Key: tasks[i].Key, ID: fmt.Sprintf("task-%d", i), Cost: 1000})
		}
		appendAll(
			t, killed, Lost{Key: tasks[0].Key, Reason: "failed at the API", Cost: 1000}, Moderated{Key: tasks[1].Key},
			Failed{Key: tasks[2].Key, Reason: "failed at the API"}, Failed{Key: tasks[3].Key, Reason: GivenUp},
			Stored{Address: tasks[5].Address, Image: testImage(5), Key: tasks[5].Key},
		)
		if err := killed.Close(); err != nil {
			t.Fatal(err)
		}
		next := begin()
		if made := next.Recovered(); len(made) != 1 || made[0].Key != tasks[5].Key {
			t.Errorf("%s: recovered %+v, want the image of the last task", where, made)
		}
		for i, want := range []bool{true, true, true, false, false} {
			if got := next.HasEnded(fmt.Sprintf("task-%d", i)); got != want {
				t.Errorf("%s: task %d has ended: %t", where, i, got)
			}
		}
		appendAll(t, next, Stored{Address: addrs.Image{Name: "other"}, Image: testImage(9)})
		if err := next.Commit(nil); err != nil {
			t.Fatal(err)
		}
		if err := next.Close(); err != nil {
			t.Fatal(err)
		}
		if last := begin(); !last.HasEnded("task-0") || last.HasEnded("task-4") {
			t.Errorf("%s: of a task that is lost it is known until somebody was told", where)
		}
	}
}
