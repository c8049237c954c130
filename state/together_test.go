package state

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// Records that are appended together are what they are one after the other, and share their fsyncs.
func TestAppendAll(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fluxbatch.state.json")
	syncs := 0
	s := open(t, path, Options{NoLock: true, Faults: func(op safefile.Op, name string) error {
		if op == safefile.OpSync && name == "fluxbatch.state.json.journal" {
			syncs++
		}
		return nil
	}})
	const images = 1501
	var made, moved []Record
	want := new(Images)
	for i := range images {
		a := addrs.Image{Name: "a", Key: addrs.IntKey(i)}
		b := addrs.Image{Name: "b", Key: a.Key}
		made, moved = append(made, Stored{Address: a, Image: testImage(i)}), append(moved, Moved{From: a, To: b})
		want.Set(b, testImage(i))
	}
	for _, records := range [][]Record{made, moved} {
		if err := s.AppendAll(records); err != nil {
			t.Fatal(err)
		}
	}
	if syncs > 4 {
		t.Errorf("%d fsyncs for twice %d records", syncs, images)
	}
	for what, got := range map[string]*State{"in memory": s.State(), "on disk": read(t, path)} {
		if diff := cmp.Diff(want, got.Images, sameState); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}

// What cannot be recorded is told, and what stood before a record that cannot follow is on record.
func TestAppendAllFails(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	a, b, c := addr(t, "image.a"), addr(t, "image.b"), addr(t, "image.c")
	s := open(t, path, Options{NoLock: true})
	err := s.AppendAll([]Record{Moved{From: a, To: c}, Moved{From: addr(t, "image.none"), To: addr(t, "image.d")}, Removed{Address: b}})
	if _, isOne := errors.AsType[*RecordError](err); !isOne {
		t.Errorf("AppendAll = %v, want a RecordError", err)
	}
	if st := read(t, path); st.Images.Has(a) || !st.Images.Has(c) || !st.Images.Has(b) {
		t.Error("on record is not what stood before the wrong one")
	}
	full := open(t, withImages(t), Options{NoLock: true, Faults: func(op safefile.Op, _ string) error {
		if op == safefile.OpWrite {
			return fmt.Errorf("writing: %w", syscall.ENOSPC)
		}
		return nil
	}})
	if err := full.AppendAll([]Record{Removed{Address: a}, Removed{Address: b}}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("AppendAll = %v, want that the disk is full", err)
	}
}
