package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/s3/s3test"
	"github.com/fluxbatch/fluxbatch/state"
)

// start returns a store and where a test may put its objects.
func start(t *testing.T) (*s3test.Server, *config.Bucket) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	server, err := s3test.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server, &config.Bucket{Name: s3test.Bucket, Prefix: "shop/state", Endpoint: server.URL, PathStyle: new(true), Region: "us-east-1"}
}

func openBackend(t *testing.T, at *config.Bucket) *Backend {
	t.Helper()
	b, err := Open(at)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestBackend holds the backend against what state.Backend promises.
func TestBackend(t *testing.T) {
	_, at := start(t)
	b, ctx := openBackend(t, at), t.Context()
	if head, err := b.Head(ctx); err != nil || head != (state.Cursor{}) {
		t.Errorf("the head of nothing is %+v, %v", head, err)
	}
	if _, err := b.Entry(ctx, 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an entry that is not there: %v", err)
	}
	for n, batch := range []string{"one", "two", "three"} {
		check(t, b.Append(ctx, uint64(n+1), []byte(batch)))
	}
	if err := b.Append(ctx, 2, []byte("another")); !errors.Is(err, state.ErrTaken) {
		t.Errorf("a number is written twice: %v", err)
	}
	if err := b.Append(ctx, 2, []byte("two")); err != nil {
		t.Errorf("a write that was repeated since its answer was lost: %v", err)
	}
	if batch, err := b.Entry(ctx, 2); err != nil || string(batch) != "two" {
		t.Errorf("entry 2 is %q, %v", batch, err)
	}
	check(t, b.PutSnapshot(ctx, 1, []byte("old")))
	check(t, b.PutSnapshot(ctx, 2, []byte("new")))
	check(t, b.PutSnapshot(ctx, 2, []byte("new")))
	if head, err := b.Head(ctx); err != nil || head != (state.Cursor{Snapshot: 2, Last: 3}) {
		t.Errorf("the head is %+v, %v", head, err)
	}
	check(t, b.Trim(ctx, []uint64{1}, 2))
	for what, read := range map[string]func() ([]byte, error){
		"batch":    func() ([]byte, error) { return b.Entry(ctx, 1) },
		"snapshot": func() ([]byte, error) { return b.Snapshot(ctx, 1) },
	} {
		if _, err := read(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the trimmed %s: %v", what, err)
		}
	}
	if snapshot, err := b.Snapshot(ctx, 2); err != nil || string(snapshot) != "new" {
		t.Errorf("the snapshot is %q, %v", snapshot, err)
	}
	check(t, b.PutLate(ctx, "run/key", []byte("late")))
	late, err := b.Late(ctx)
	if diff := cmp.Diff(map[string][]byte{"run/key": []byte("late")}, late); diff != "" || err != nil {
		t.Errorf("late: %v %s", err, diff)
	}
	check(t, b.Clear(ctx, []string{"run/key"}))
	if late, err = b.Late(ctx); len(late) > 0 || err != nil {
		t.Errorf("late after clearing: %v, %v", late, err)
	}
}

// TestHeadPages: a log is found whole that a store lists in several pages.
func TestHeadPages(t *testing.T) {
	server, at := start(t)
	b, ctx := openBackend(t, at), t.Context()
	for n := range 1100 {
		name := at.Prefix + "/" + numbered(logPrefix, uint64(n+1))
		_, err := server.Objects.PutObject(s3test.Bucket, name, map[string]string{}, strings.NewReader("x"), 1, nil)
		check(t, err)
	}
	if head, err := b.Head(ctx); err != nil || head.Last != 1100 {
		t.Errorf("the head is %+v, %v", head, err)
	}
}

// manual is a clock that a test advances.
type manual struct {
	mu   sync.Mutex
	at   time.Time
	wake chan time.Time
}

// take gives a backend a clock of its own.
func take(b *Backend) *manual {
	m := &manual{at: time.Now(), wake: make(chan time.Time)}
	b.clock = clock{
		ttl: time.Second,
		now: func() time.Time {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.at
		},
		after: func(time.Duration) <-chan time.Time { return m.wake },
	}
	return m
}

func (m *manual) advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = m.at.Add(d)
}

// step wakes whoever waits; then what was done before is done.
func (m *manual) step() { m.wake <- time.Time{} }

// until wakes whoever waits until there is a result.
func (m *manual) until(result <-chan error) error {
	for {
		select {
		case err := <-result:
			return err
		case m.wake <- time.Time{}:
		}
	}
}

// TestLease: a lease that is renewed is not taken, one that nobody renews is taken over after its
// time to live by the waiter's own clock, and its former holder finds that out.
func TestLease(t *testing.T) {
	_, at := start(t)
	mine, theirs := openBackend(t, at), openBackend(t, at)
	my, their, ctx := take(mine), take(theirs), t.Context()
	release, err := mine.Lease(ctx, state.LockInfo{ID: "1", Who: "ann", Operation: "apply"}, 0)
	check(t, err)
	result := make(chan error)
	try := func(wait time.Duration) {
		go func() {
			_, err := theirs.Lease(ctx, state.LockInfo{ID: "2", Who: "bob"}, wait)
			result <- err
		}()
	}

	// Whoever has it is alive when it was renewed since it was first seen.
	try(0)
	their.step()
	my.step()
	my.step() // the first renewal is written when the second is waited for
	var locked *state.LockedError
	if err := their.until(result); !errors.As(err, &locked) || locked.Holder.Who != "ann" {
		t.Errorf("a lease that is renewed: %v", err)
	}
	if _, err := theirs.Unlock(ctx, "9"); err == nil {
		t.Error("the lock goes by another id")
	}

	// Nobody renews it any more, when the second renewal is written.
	for held := (lease{}); held.Renewed < 2; {
		held, _, err = mine.holder(ctx)
		check(t, err)
	}
	var told []state.Wait
	ctx = state.ReportWaits(ctx, func(w state.Wait) { told = append(told, w) })
	try(time.Hour)
	their.step()
	their.step()
	their.advance(2 * time.Second)
	check(t, their.until(result))
	if len(told) != 1 || told[0].Holder.Who != "ann" || told[0].Lapses != time.Second {
		t.Errorf("whoever waits is told %v, want ann's lease once", told)
	}
	my.step()
	check(t, release())
	if _, err := theirs.Unlock(ctx, "2"); err != nil {
		t.Errorf("the lock of whoever took it over is gone: %v", err)
	}
	if _, err := theirs.Unlock(ctx, "2"); !errors.Is(err, state.ErrNotLocked) {
		t.Errorf("nothing is locked: %v", err)
	}
}

func TestBlobs(t *testing.T) {
	_, at := start(t)
	b, err := OpenBlobs(at)
	check(t, err)
	ctx, large := t.Context(), bytes.Repeat([]byte("0123456789abcdef"), 20<<16)
	for _, content := range [][]byte{[]byte("small"), large} {
		hash := sha256.Sum256(content)
		sum := hex.EncodeToString(hash[:])
		if found, err := b.Stat(ctx, sum); found || err != nil {
			t.Errorf("it is there before: %t, %v", found, err)
		}
		if err := b.Get(ctx, sum, &bytes.Buffer{}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("getting what is not there: %v", err)
		}
		check(t, b.Put(ctx, sum, int64(len(content)), bytes.NewReader(content)))
		check(t, b.Put(ctx, sum, int64(len(content)), bytes.NewReader(content)))
		check(t, b.PutRecipe(ctx, "f", sum, []byte("recipe")))
		var got bytes.Buffer
		check(t, b.Get(ctx, sum, &got))
		if found, err := b.Stat(ctx, sum); !found || err != nil || !bytes.Equal(got.Bytes(), content) {
			t.Errorf("it is there: %t, %v; %d bytes", found, err, got.Len())
		}
		listing, err := b.List(ctx)
		check(t, err)
		if listing.Images[sum].IsZero() || len(listing.Recipes["f"]) == 0 {
			t.Errorf("the listing is %+v", listing)
		}
	}
}

// TestErrors: what is wrong with a store is said with what to do.
func TestErrors(t *testing.T) {
	server, at := start(t)
	ctx := t.Context()
	none := *at
	none.Name = "nowhere"
	for what, test := range map[string]struct {
		do   func() error
		want string
	}{
		"no bucket": {func() error { _, err := openBackend(t, &none).Entry(ctx, 1); return err }, "the bucket nowhere does not exist"},
		"refused": {func() error {
			server.Meddle(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
				http.Error(w, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", http.StatusForbidden)
				return true
			})
			defer server.Meddle(nil)
			return openBackend(t, at).Append(ctx, 1, []byte("x"))
		}, "the permission s3:PutObject is missing"},
		"no conditions": {func() error {
			server.Meddle(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
				r.Header.Del("If-None-Match")
				return false
			})
			defer server.Meddle(nil)
			return openBackend(t, at).Probe(ctx, 1, []byte("x"))
		}, "Use a store with conditional writes"},
	} {
		if err := test.do(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestSession: a state can be kept there.
func TestSession(t *testing.T) {
	_, at := start(t)
	ctx := context.Background()
	s, err := state.Open(ctx, "", state.Options{Operation: "apply", Backend: openBackend(t, at)})
	check(t, err)
	check(t, s.Commit(nil))
	check(t, s.Close())
	if _, err := state.ReadBackend(ctx, openBackend(t, at)); err != nil {
		t.Error(err)
	}
}
