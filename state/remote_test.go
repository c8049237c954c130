package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// memory is a Backend in memory. It can fail: broken sees each call before it is done, and after,
// and its error is the call's.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	holder  *LockInfo
	broken  func(call string, done bool) error
	calls   []string
}

func newMemory() *memory { return &memory{objects: map[string][]byte{}} }

func (m *memory) String() string { return "memory://test" }

// do runs one call.
func (m *memory) do(call string, run func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, call)
	if m.broken != nil {
		if err := m.broken(call, false); err != nil {
			return err
		}
	}
	if err := run(); err != nil {
		return err
	}
	if m.broken != nil {
		return m.broken(call, true)
	}
	return nil
}

func batchName(n uint64) string    { return fmt.Sprintf("log/%020d", n) }
func snapshotName(n uint64) string { return fmt.Sprintf("snapshot/%020d", n) }
func numberOf(name string) (n uint64) {
	_, _ = fmt.Sscanf(name[strings.Index(name, "/")+1:], "%d", &n)
	return n
}

func (m *memory) names(p string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(m.objects)), func(name string) bool { return !strings.HasPrefix(name, p) })
}

func (m *memory) Probe(context.Context, uint64, []byte) error {
	return m.do("probe", func() error { return nil })
}

func (m *memory) Head(context.Context) (c Cursor, err error) {
	err = m.do("head", func() error {
		if names := m.names("snapshot/"); len(names) > 0 {
			c.Snapshot = numberOf(names[len(names)-1])
		}
		c.Last = c.Snapshot
		if names := m.names("log/"); len(names) > 0 {
			c.Last = max(c.Last, numberOf(names[len(names)-1]))
		}
		return nil
	})
	return c, err
}

func (m *memory) get(call, name string) (data []byte, err error) {
	err = m.do(call, func() error {
		var ok bool
		if data, ok = m.objects[name]; !ok {
			return fs.ErrNotExist
		}
		return nil
	})
	return data, err
}

func (m *memory) Entry(_ context.Context, n uint64) ([]byte, error) {
	return m.get("entry", batchName(n))
}

func (m *memory) Append(_ context.Context, n uint64, batch []byte) error {
	return m.do("append", func() error {
		if m.objects[batchName(n)] != nil {
			return ErrTaken
		}
		m.objects[batchName(n)] = bytes.Clone(batch)
		return nil
	})
}

func (m *memory) Snapshot(_ context.Context, n uint64) ([]byte, error) {
	return m.get("snapshot", snapshotName(n))
}

func (m *memory) PutSnapshot(_ context.Context, n uint64, snapshot []byte) error {
	return m.do("putsnapshot", func() error {
		if m.objects[snapshotName(n)] == nil {
			m.objects[snapshotName(n)] = bytes.Clone(snapshot)
		}
		return nil
	})
}

func (m *memory) Trim(_ context.Context, batches []uint64, before uint64) error {
	return m.do("trim", func() error {
		for _, n := range batches {
			delete(m.objects, batchName(n))
		}
		for _, name := range m.names("snapshot/") {
			if numberOf(name) < before {
				delete(m.objects, name)
			}
		}
		return nil
	})
}

func (m *memory) PutLate(_ context.Context, name string, line []byte) error {
	return m.do("putlate", func() error { m.objects["late/"+name] = bytes.Clone(line); return nil })
}

func (m *memory) Late(context.Context) (all map[string][]byte, err error) {
	err = m.do("late", func() error {
		all = map[string][]byte{}
		for _, name := range m.names("late/") {
			all[strings.TrimPrefix(name, "late/")] = m.objects[name]
		}
		return nil
	})
	return all, err
}

func (m *memory) Clear(_ context.Context, names []string) error {
	return m.do("clear", func() error {
		for _, name := range names {
			delete(m.objects, "late/"+name)
		}
		return nil
	})
}

func (m *memory) Lease(_ context.Context, info LockInfo, _ time.Duration) (func() error, error) {
	err := m.do("lease", func() error { m.holder = &info; return nil })
	return func() error { return nil }, err
}

func (m *memory) Unlock(context.Context, string) (LockInfo, error) { return LockInfo{}, ErrNotLocked }

func openMemory(t *testing.T, m *memory, local *Local) (*Session, error) {
	t.Helper()
	s, err := Open(t.Context(), "", Options{Operation: "apply", Backend: m, Local: local})
	if s != nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

// seedRemote puts a state with the images that lifecycle begins with into a backend.
func seedRemote(t *testing.T) *memory {
	t.Helper()
	m := newMemory()
	s, err := openMemory(t, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, Stored{Address: addr(t, "image.a"), Image: testImage(1)}, Stored{Address: addr(t, "image.b"), Image: testImage(2)})
	if err := errors.Join(s.Commit(map[string]OutputValue{"hero": testState(0).Outputs["hero"]}), s.Close()); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *memory) copy() *memory { return &memory{objects: maps.Clone(m.objects)} }

// states returns what is on record after each number of lifecycle's records.
func states(t *testing.T) []*State {
	t.Helper()
	s, err := openMemory(t, seedRemote(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	all := []*State{snapshotOf(s.State())}
	for _, rec := range lifecycle(t) {
		appendAll(t, s, rec)
		all = append(all, snapshotOf(s.State()))
	}
	return all
}

// like reports in what a state differs from another one of the same records, of which the lineage
// is drawn.
func like(want, got *State) string {
	same := snapshotOf(want)
	same.Lineage = got.Lineage
	return cmp.Diff(same, snapshotOf(got), sameState)
}

func TestRemote(t *testing.T) {
	t.Parallel()
	m, all := seedRemote(t), states(t)
	s, err := openMemory(t, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, lifecycle(t)...)
	want := all[len(all)-1]
	check := func(what string) {
		t.Helper()
		got, err := ReadBackend(t.Context(), m)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := like(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", what, diff)
		}
	}
	check("before the commit")
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	check("after the commit")
	left := m.names("")
	if err := errors.Join(s.Commit(nil), s.Close()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(left, m.names("")); diff != "" {
		t.Errorf("a commit of nothing writes (-before +after):\n%s", diff)
	}
	// The two beginnings and the snapshot.
	if len(left) != 3 {
		t.Errorf("what is left: %v", left)
	}
	m.calls = nil
	if _, err := ReadBackend(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(m.calls, func(call string) bool { return !slices.Contains([]string{"head", "entry", "snapshot"}, call) }); i >= 0 {
		t.Errorf("reading makes the call %s", m.calls[i])
	}
}

var errCut = errors.New("cut off")

// TestRemoteCutOff cuts a run off before and after each of its calls. What was recorded is there
// afterwards on any machine, and on the same one the id of each task that was answered, too.
func TestRemoteCutOff(t *testing.T) {
	t.Parallel()
	seed, all, records := seedRemote(t), states(t), lifecycle(t)
	for call := 1; ; call++ {
		reached := false
		for _, done := range []bool{false, true} {
			m, local := seed.copy(), newProject(t).local
			n := 0
			m.broken = func(_ string, after bool) error {
				if !after {
					n++
				}
				if n > call || n == call && after == done {
					return errCut
				}
				return nil
			}
			recorded := 0
			s, err := openMemory(t, m, local)
			for err == nil && recorded < len(records) {
				if err = s.Append(records[recorded]); err == nil {
					recorded++
				}
			}
			if err == nil {
				err = s.Commit(nil)
			}
			reached = reached || err != nil
			m.broken = nil
			elsewhere := m.copy()
			for what, at := range map[string]struct {
				m     *memory
				local *Local
			}{"the same machine": {m, local}, "another machine": {elsewhere, nil}} {
				s, err := openMemory(t, at.m, at.local)
				if err != nil {
					t.Fatalf("call %d, after %t, on %s: %v", call, done, what, err)
				}
				got := s.State()
				fits := like(all[recorded], got) == ""
				if recorded < len(records) {
					_, answered := records[recorded].(Submitted)
					isNext := like(all[recorded+1], got) == ""
					fits = fits && (!answered || at.local == nil) || isNext
				}
				if !fits {
					t.Fatalf("call %d, after %t, on %s: after %d records (-want +got)\n%s", call, done, what, recorded, like(all[recorded], got))
				}
			}
		}
		if !reached {
			if call < len(records) {
				t.Errorf("only %d calls were cut off", call)
			}
			return
		}
	}
}

// TestFence: a run that another one has overtaken records nothing more, whether the other one is
// under way or has committed, and what it learnt of a task is taken in.
func TestFence(t *testing.T) {
	t.Parallel()
	for _, isOver := range []bool{false, true} {
		m, records := seedRemote(t), lifecycle(t)
		slow, err := openMemory(t, m, nil)
		if err != nil {
			t.Fatal(err)
		}
		appendAll(t, slow, records[0]) // the intent of task 3
		other, err := openMemory(t, m, nil)
		if err != nil {
			t.Fatal(err)
		}
		if isOver {
			appendAll(t, other, Stored{Address: addr(t, "image.new"), Image: testImage(20)})
			if err := errors.Join(other.Commit(nil), other.Close()); err != nil {
				t.Fatal(err)
			}
		}
		var fenced *FencedError
		if err := slow.Append(records[2]); !errors.As(err, &fenced) || !strings.Contains(fenced.By, "apply") {
			t.Errorf("over %t: the error is %v", isOver, err)
		}
		if err := slow.Append(records[1]); !errors.As(err, &fenced) { // another intent
			t.Errorf("over %t: the error is %v", isOver, err)
		}
		if err := slow.Commit(nil); !errors.As(err, &fenced) {
			t.Errorf("over %t: the commit's error is %v", isOver, err)
		}
		next, err := openMemory(t, m, nil)
		if err != nil {
			t.Fatal(err)
		}
		if task := next.State().Tasks[key(3)]; task == nil || task.ID != "task-3" {
			t.Errorf("over %t: the task is %+v", isOver, task)
		}
		if names := m.names("late/"); len(names) > 0 {
			t.Errorf("over %t: %v stay", isOver, names)
		}
		if isOver && !next.State().Images.Has(addr(t, "image.new")) {
			t.Error("the other run's image is not on record")
		}
	}
}

// TestRemoteDamage: nothing that is not what was written is taken for it.
func TestRemoteDamage(t *testing.T) {
	t.Parallel()
	seed := seedRemote(t)
	s, err := openMemory(t, seed, nil)
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, lifecycle(t)...)
	other := newMemory()
	for range 3 {
		if s, err = openMemory(t, other, nil); err != nil {
			t.Fatal(err)
		}
		appendAll(t, s, Stored{Address: addr(t, "image.z"), Image: testImage(9)})
	}
	names := seed.names("")
	head, err := seed.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if strings.HasPrefix(name, "log/") && numberOf(name) <= head.Snapshot {
			continue // It is there for its number only.
		}
		for what, damage := range map[string]func(m *memory){
			"gone":                 func(m *memory) { delete(m.objects, name) },
			"empty":                func(m *memory) { m.objects[name] = nil },
			"torn":                 func(m *memory) { m.objects[name] = m.objects[name][:len(m.objects[name])-2] },
			"another one":          func(m *memory) { m.objects[name] = m.objects[names[(i+1)%len(names)]] },
			"one of another state": func(m *memory) { m.objects[name] = other.objects[batchName(4)] },
			"a bit": func(m *memory) {
				data := bytes.Clone(m.objects[name])
				data[len(data)/2] ^= 1
				m.objects[name] = data
			},
		} {
			m := seed.copy()
			damage(m)
			_, err := ReadBackend(t.Context(), m)
			var damaged *DamagedError
			// That the newest is gone looks as if it had never been there.
			isNewest := name == batchName(head.Last)
			if !errors.As(err, &damaged) && (what != "gone" || !isNewest) {
				t.Errorf("%s is %s: %v", name, what, err)
			}
		}
	}
}
