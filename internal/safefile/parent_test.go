package safefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// A directory that was replaced while a file was pending in it is not taken for the new one.
func TestDirectoryReplacedBetweenFiles(t *testing.T) {
	t.Parallel()
	d := openTemp(t)
	first, err := d.Create("out/x", 0o644)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(d.Path(), "out")
	if err := errors.Join(os.Rename(dir, dir+"-moved"), os.Mkdir(dir, 0o755)); err != nil {
		t.Skipf("cannot replace directories here: %v", err)
	}
	second, err := d.Create("out/y", 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Commit(), second.Commit()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"out-moved/x", "out/y"} {
		if _, err := d.Stat(name); err != nil {
			t.Error(err)
		}
	}
	if len(d.parents.open) > 0 {
		t.Errorf("%d directories are open with no file pending in them", len(d.parents.open))
	}
}

// Each file's directory is flushed after the file got its name and before Commit returns, however
// many share the flush.
func TestNamesAreDurable(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	named, durable, flushes := map[string]bool{}, map[string]bool{}, 0
	d := openTemp(t).WithFaults(func(op Op, name string) error {
		mu.Lock()
		defer mu.Unlock()
		switch op {
		case OpSyncDir:
			flushes++
			for name := range named {
				durable[name] = true
			}
		case OpRename:
			named[name] = true
		}
		return nil
	})
	const files = 64
	var group sync.WaitGroup
	for i := range files {
		name := fmt.Sprintf("file%d", i)
		p, err := d.Create(name, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			err := p.Commit()
			mu.Lock()
			defer mu.Unlock()
			if err != nil || !durable[name] {
				t.Errorf("%s is there, and its name is not durable (%v)", name, err)
			}
		})
	}
	group.Wait()
	t.Logf("%d flushes for %d files", flushes, files)
}

// All who share a flush that fails are told.
func TestFlushFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	d := openTemp(t).WithFaults(func(op Op, _ string) error {
		if op == OpSyncDir {
			return broken
		}
		return nil
	})
	var group sync.WaitGroup
	for i := range 16 {
		p, err := d.Create(fmt.Sprintf("file%d", i), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			if err := p.Commit(); !errors.Is(err, broken) {
				t.Errorf("a name that is not durable: %v", err)
			}
		})
	}
	group.Wait()
}
