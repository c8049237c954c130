package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/s3/s3test"
)

// openLarge returns blobs for which everything is large.
func openLarge(t *testing.T, at *config.Bucket) *Blobs {
	t.Helper()
	b, err := OpenBlobs(at)
	check(t, err)
	b.objects.partedFrom, b.objects.partSize = 1000, 300
	return b
}

func noise(n int) (data []byte, sum string) {
	data = make([]byte, n)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data) // it never fails
	hash := sha256.Sum256(data)
	return data, hex.EncodeToString(hash[:])
}

// uploads are those that were begun and neither completed nor aborted.
func uploads(t *testing.T, o *objects) (keys []string) {
	t.Helper()
	found, err := o.core.ListMultipartUploads(t.Context(), o.bucket.Name, "", "", "", "", 0)
	check(t, err)
	for _, u := range found.Uploads {
		keys = append(keys, u.Key)
	}
	return keys
}

func isPart(r *http.Request) bool {
	return r.Method == http.MethodPut && r.URL.Query().Has("partNumber")
}

func isCompletion(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
}

// TestLargeObject: an upload of 100 MiB that is broken off half-way leaves nothing there, neither the
// object nor parts, and the next one is whole.
func TestLargeObject(t *testing.T) {
	server, at := start(t)
	b, err := OpenBlobs(at)
	check(t, err)
	data, sum := noise(100 << 20)
	ctx, cancel := context.WithCancel(t.Context())
	var parts atomic.Int64
	server.Meddle(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if isPart(r) && parts.Add(1) == 4 {
			cancel()
		}
		return false
	})
	if err := b.Put(ctx, sum, int64(len(data)), bytes.NewReader(data)); !errors.Is(err, context.Canceled) {
		t.Errorf("an upload that is broken off: %v", err)
	}
	if found, err := b.Stat(t.Context(), sum); found || err != nil {
		t.Errorf("the half of an object is there: %t, %v", found, err)
	}
	if left := uploads(t, &b.objects); len(left) > 0 {
		t.Errorf("parts are left of %v", left)
	}
	parts.Store(10)
	check(t, b.Put(t.Context(), sum, int64(len(data)), bytes.NewReader(data)))
	if n := parts.Load() - 10; n != 7 {
		t.Errorf("100 MiB are sent in %d parts, want 7", n)
	}
	got := sha256.New()
	check(t, b.Get(t.Context(), sum, got))
	if hex.EncodeToString(got.Sum(nil)) != sum {
		t.Error("the object has other bytes")
	}
}

// TestDeadUploads: what a program that was killed left of an upload is removed by a later upload,
// days after, and nobody else's.
func TestDeadUploads(t *testing.T) {
	server, at := start(t)
	b := openLarge(t, at)
	data, sum := noise(2000)
	server.Meddle(func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if isPart(r) || r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	if err := b.Put(t.Context(), sum, 2000, bytes.NewReader(data)); err == nil {
		t.Fatal("a store that takes no parts is written to")
	}
	server.Meddle(nil)
	_, err := b.objects.core.NewMultipartUpload(t.Context(), at.Name, at.Prefix+"/somebody.iso", minio.PutObjectOptions{})
	check(t, err)
	dead := at.Prefix + "/" + sum
	if diff := cmp.Diff([]string{dead, at.Prefix + "/somebody.iso"}, uploads(t, &b.objects)); diff != "" {
		t.Fatalf("before (-want +got):\n%s", diff)
	}
	check(t, b.Put(t.Context(), sum, 2000, bytes.NewReader(data)))
	if len(uploads(t, &b.objects)) != 2 {
		t.Error("an upload that may be under way was removed")
	}
	b.objects.now = func() time.Time { return time.Now().Add(3 * 24 * time.Hour) }
	check(t, b.Put(t.Context(), strings.Repeat("0", 64), 2000, bytes.NewReader(data)))
	if diff := cmp.Diff([]string{at.Prefix + "/somebody.iso"}, uploads(t, &b.objects)); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
}

// TestPartsAreConditional: what is there stays, also where it came there while the parts were sent;
// a completion whose answer was lost is found to be one's own; and a store that takes the condition
// with single requests alone is written to without it.
func TestPartsAreConditional(t *testing.T) {
	server, at := start(t)
	b := openBackend(t, at)
	b.objects.partedFrom, b.objects.partSize = 1000, 300
	data, _ := noise(2000)
	theirs := bytes.Repeat([]byte("x"), 1500)
	var once sync.Once
	server.Meddle(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if isCompletion(r) {
			once.Do(func() { check(t, openBackend(t, at).PutSnapshot(t.Context(), 1, theirs)) })
		}
		return false
	})
	check(t, b.PutSnapshot(t.Context(), 1, data))
	if got, err := b.Snapshot(t.Context(), 1); err != nil || !bytes.Equal(got, theirs) {
		t.Errorf("a snapshot is written over, %v", err)
	}
	completions := 0
	server.Meddle(func(_ http.ResponseWriter, r *http.Request, serve http.Handler) bool {
		if !isCompletion(r) {
			return false
		}
		if completions++; completions > 1 {
			return false
		}
		serve.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	check(t, b.PutSnapshot(t.Context(), 2, data))
	server.Meddle(func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if isCompletion(r) && r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotImplemented)
			return true
		}
		return false
	})
	check(t, b.PutSnapshot(t.Context(), 3, data))
	for n := range uint64(2) {
		if got, err := b.Snapshot(t.Context(), n+2); err != nil || !bytes.Equal(got, data) {
			t.Errorf("snapshot %d has %d bytes, %v", n+2, len(got), err)
		}
	}
	if left := uploads(t, &b.objects); len(left) > 0 {
		t.Errorf("parts are left of %v", left)
	}
}

// TestBatchesAreNeverParted: what two runs could write differently is one request with a condition.
func TestBatchesAreNeverParted(t *testing.T) {
	server, at := start(t)
	b := openBackend(t, at)
	b.objects.partedFrom = 1000
	data, _ := noise(2000)
	check(t, b.Append(t.Context(), 1, data))
	for _, r := range server.Requests() {
		if r.Method == http.MethodPost {
			t.Errorf("%s %s?%s", r.Method, r.Path, r.Query)
		}
	}
}

// cut serves what is asked for, and breaks the connection after some bytes of it.
func cut(w http.ResponseWriter, r *http.Request, serve http.Handler, after int) {
	whole := httptest.NewRecorder()
	serve.ServeHTTP(whole, r)
	maps.Copy(w.Header(), whole.Header())
	w.WriteHeader(whole.Code)
	_, _ = w.Write(whole.Body.Bytes()[:min(after, whole.Body.Len())]) // it is broken off anyway
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// TestDownloadGoesOn: a download whose connection breaks goes on where it broke, unless the object
// is another one by then, or nothing arrives any more.
func TestDownloadGoesOn(t *testing.T) {
	server, at := start(t)
	b, err := OpenBlobs(at)
	check(t, err)
	data, sum := noise(100_000)
	check(t, b.Put(t.Context(), sum, int64(len(data)), bytes.NewReader(data)))
	gets := 0
	server.Meddle(func(w http.ResponseWriter, r *http.Request, serve http.Handler) bool {
		if gets++; r.Method == http.MethodGet && gets <= 2 {
			cut(w, r, serve, 30_000)
		}
		return false
	})
	var got bytes.Buffer
	check(t, b.Get(t.Context(), sum, &got))
	if !bytes.Equal(got.Bytes(), data) || gets != 3 {
		t.Errorf("%d bytes arrived in %d requests", got.Len(), gets)
	}
	gets = 0
	server.Meddle(func(w http.ResponseWriter, r *http.Request, serve http.Handler) bool {
		if gets++; gets == 1 {
			cut(w, r, serve, 30_000)
		}
		cut(w, r, serve, 0)
		return true
	})
	got.Reset()
	if err := b.Get(t.Context(), sum, &got); err == nil || gets != 1+maxBroken {
		t.Errorf("a store that sends nothing more is asked %d times: %v", gets, err)
	}
}

// TestMeter: what takes long is told at times, once more when it is done, and never more than there
// is.
func TestMeter(t *testing.T) {
	server, at := start(t)
	b := openLarge(t, at)
	data, sum := noise(1500)
	var told []Transfer
	var mu sync.Mutex
	now := time.Now()
	ctx := context.WithValue(t.Context(), listenerKey{}, &listener{
		tell: func(tr Transfer) { told = append(told, tr) },
		now: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(transferEvery)
			return now
		},
	})
	var fails atomic.Int64
	server.Meddle(func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if isPart(r) && fails.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable) // the part is sent again
			return true
		}
		return false
	})
	check(t, b.Put(ctx, sum, 1500, bytes.NewReader(data)))
	check(t, b.Get(ctx, sum, &bytes.Buffer{}))
	var ends []Transfer
	for _, tr := range told {
		if tr.Done > tr.Size || tr.Object != "s3://"+s3test.Bucket+"/"+at.Prefix+"/"+sum {
			t.Errorf("told: %+v", tr)
		}
		if tr.Done == tr.Size {
			ends = append(ends, tr)
		}
	}
	if len(ends) == 0 || !ends[0].Upload || len(told) < 3 {
		t.Errorf("told: %+v", told)
	}
}
