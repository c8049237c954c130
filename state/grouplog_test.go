package state

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

func nth(n int) addrs.Image { return addrs.Image{Name: "a", Key: addrs.IntKey(n)} }

// While one fsync runs, all others that have something to record wait for the next one together.
func TestWritersShareAnFsync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const writers = 24
		var syncs atomic.Int32
		disk := make(chan struct{})
		path := filepath.Join(t.TempDir(), "fluxbatch.state.json")
		s, err := Open(t.Context(), path, Options{NoLock: true, Faults: func(op safefile.Op, _ string) error {
			if op == safefile.OpSync {
				syncs.Add(1)
				<-disk
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		var done atomic.Int32
		write := func(n int) {
			if err := s.Append(Stored{Address: nth(n), Image: testImage(n)}); err != nil {
				t.Error(err)
			}
			done.Add(1)
		}
		go write(0)
		synctest.Wait()
		for n := 1; n < writers; n++ {
			go write(n)
		}
		synctest.Wait()
		first := done.Load()
		disk <- struct{}{}
		synctest.Wait()
		if got := done.Load(); first != 0 || got != 1 || syncs.Load() != 2 {
			t.Errorf("before the first fsync ended %d were done, after it %d; there were %d", first, got, syncs.Load())
		}
		disk <- struct{}{}
		synctest.Wait()
		if got := done.Load(); got != writers || syncs.Load() != 2 {
			t.Errorf("after the second fsync %d of %d were done; there were %d", got, writers, syncs.Load())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got := read(t, path).Images.Len(); got != writers {
			t.Errorf("%d images were recorded", got)
		}
	})
}

// A failed fsync fails every record that waited for it, and all that come later: which bytes are on
// the disk is unknown.
func TestFailedFsyncFailsAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const writers = 10
		disk := make(chan error)
		s, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.json"), Options{NoLock: true, Faults: func(op safefile.Op, _ string) error {
			if op == safefile.OpSync {
				return <-disk
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		var failed, succeeded atomic.Int32
		write := func(n int) {
			if err := s.Append(Intent{testTask(nth(n), n)}); err == nil {
				succeeded.Add(1)
			} else if errors.Is(err, syscall.EIO) {
				failed.Add(1)
			}
		}
		go write(0)
		synctest.Wait()
		for n := 1; n < writers; n++ {
			go write(n)
		}
		synctest.Wait()
		disk <- nil
		synctest.Wait()
		first := succeeded.Load()
		disk <- syscall.EIO
		synctest.Wait()
		if first != 1 || succeeded.Load() != first || failed.Load() != writers-first {
			t.Errorf("%d succeeded, then %d; %d failed", first, succeeded.Load(), failed.Load())
		}
		if err := s.Append(Intent{testTask(nth(99), 99)}); !errors.Is(err, syscall.EIO) {
			t.Errorf("after the failure Append returns %v", err)
		}
		if got := len(s.State().Tasks); got != int(first) {
			t.Errorf("there are %d intents, %d are durable", got, first)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Records are applied in the order in which they are in the file, whoever wrote them.
func TestConcurrentAppends(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fluxbatch.state.json")
	s := open(t, path, Options{})
	const writers, each = 16, 8
	errs := make(chan error, writers)
	for w := range writers {
		go func() {
			var err error
			for i := range each {
				a, n := nth(w*each+i), w*each+i
				err = errors.Join(err,
					s.Append(Intent{testTask(a, n)}),
					s.Append(Submitted{Key: key(n), ID: fmt.Sprint(n), PollingURL: "https://api.bfl.ai/x"}),
					s.Append(Stored{a, testImage(n), key(n)}),
					// All write to one address, too.
					s.Append(Stored{Address: nth(99_999), Image: testImage(n)}))
			}
			errs <- err
		}()
	}
	for range writers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	live := snapshotOf(s.State())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	replayed := read(t, path)
	if len(replayed.Tasks) > 0 || replayed.Images.Len() != writers*each+1 {
		t.Errorf("there are %d images and %d tasks", replayed.Images.Len(), len(replayed.Tasks))
	}
	if got, want := written(t, replayed), written(t, live); got != want {
		t.Error("replaying gives another state than the session had")
	}
	if lines := strings.Count(content(t, path+".journal"), "\n"); lines != 1+4*writers*each {
		t.Errorf("the journal has %d lines", lines)
	}
}
