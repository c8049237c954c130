package s3

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/s3/s3test"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/state"
)

// recorded is an image on record.
func recorded(name, content string) (addrs.Image, *state.Image) {
	sum := sha256.Sum256([]byte(content))
	return addrs.Image{Name: name}, &state.Image{
		Provider: "bfl", Model: "flux-dev", Fingerprint: hex.EncodeToString(sum[:]), Request: []byte(`{"prompt":"a heron"}`),
		Output: state.File{
			Path: "images/" + name + ".png", SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(content)), Width: 64, Height: 64, Format: "png",
			Content: hex.EncodeToString(sum[:]),
		},
	}
}

// session opens the state for writing.
func session(t *testing.T, at *config.Bucket) (*state.Session, error) {
	t.Helper()
	s, err := state.Open(t.Context(), "", state.Options{Operation: "apply", Backend: openBackend(t, at)})
	if s != nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

func appendImage(t *testing.T, s *state.Session, name string) error {
	t.Helper()
	addr, img := recorded(name, name)
	return s.Append(state.Stored{Address: addr, Image: img})
}

// begun returns a state with one image.
func begun(t *testing.T, at *config.Bucket) {
	t.Helper()
	s, err := session(t, at)
	check(t, err)
	check(t, appendImage(t, s, "first"))
	check(t, errors.Join(s.Commit(nil), s.Close()))
}

// TestLies: what a store that lies may do is found out, or nothing is lost.
func TestLies(t *testing.T) {
	t.Run("it ignores the condition", func(t *testing.T) {
		server, at := start(t)
		server.Meddle(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			r.Header.Del("If-None-Match")
			return false
		})
		if _, err := session(t, at); err == nil || !strings.Contains(err.Error(), "conditional writes") {
			t.Errorf("a state is begun there: %v", err)
		}
		// Nor does a run begin where the store keeps it for other machines, and a proxy is before this one.
		server.Meddle(nil)
		begun(t, at)
		server.Meddle(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			r.Header.Del("If-None-Match")
			return false
		})
		if _, err := session(t, at); err == nil || !strings.Contains(err.Error(), "conditional writes") {
			t.Errorf("a run is begun there: %v", err)
		}
	})
	t.Run("it loses a batch that it acknowledged", func(t *testing.T) {
		server, at := start(t)
		begun(t, at)
		s, err := session(t, at)
		check(t, err)
		server.Meddle(lose(logPrefix))
		check(t, appendImage(t, s, "lost"))
		server.Meddle(nil)
		check(t, appendImage(t, s, "kept"))
		var damaged *state.DamagedError
		if _, err := state.ReadBackend(t.Context(), openBackend(t, at)); !errors.As(err, &damaged) {
			t.Errorf("the gap is not seen: %v", err)
		}
	})
	t.Run("it loses a snapshot that it acknowledged", func(t *testing.T) {
		server, at := start(t)
		begun(t, at)
		s, err := session(t, at)
		check(t, err)
		check(t, appendImage(t, s, "second"))
		server.Meddle(lose(snapshotPrefix))
		if err := s.Commit(nil); err == nil || !strings.Contains(err.Error(), "is not there") {
			t.Errorf("the commit: %v", err)
		}
		server.Meddle(nil)
		st, err := state.ReadBackend(t.Context(), openBackend(t, at))
		if err != nil || st.Images.Len() != 2 {
			t.Errorf("afterwards: %v, %d images", err, st.Images.Len())
		}
	})
	t.Run("its lists are stale", func(t *testing.T) {
		server, at := start(t)
		begun(t, at)
		server.Meddle(s3test.StaleLists())
		for _, name := range []string{"second", "third"} {
			s, err := session(t, at)
			check(t, err)
			check(t, appendImage(t, s, name))
			check(t, s.Close())
		}
		st, err := state.ReadBackend(t.Context(), openBackend(t, at))
		if err != nil || st.Images.Len() != 3 {
			t.Errorf("what was recorded since is not seen: %v, %+v", err, st)
		}
	})
	for _, since := range []string{"before anything was there", "after the first run"} {
		t.Run("its lists are stale since "+since+", and batches are removed", func(t *testing.T) {
			server, at := start(t)
			stale := s3test.StaleLists()
			if since == "before anything was there" {
				server.Meddle(stale)
				_, err := openBackend(t, at).Head(t.Context())
				check(t, err)
			}
			begun(t, at)
			server.Meddle(stale)
			for n := range 3 {
				s, err := session(t, at)
				check(t, err)
				if got := s.State().Images.Len(); got != n+1 {
					t.Fatalf("run %d sees %d images, and would pay for the others again", n, got)
				}
				check(t, appendImage(t, s, fmt.Sprintf("of-%d", n)))
				check(t, errors.Join(s.Commit(nil), s.Close()))
			}
			st, err := state.ReadBackend(t.Context(), openBackend(t, at))
			if err != nil || st.Images.Len() != 4 {
				t.Errorf("what was recorded since is not seen: %v, %+v", err, st)
			}
		})
	}
	t.Run("it loses the snapshot of removed batches", func(t *testing.T) {
		server, at := start(t)
		begun(t, at)
		server.Meddle(func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			if !strings.Contains(r.URL.Path, "/"+snapshotPrefix) {
				return false
			}
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "<Error><Code>NoSuchKey</Code></Error>") // whoever is gone needs no answer
			return true
		})
		var damaged *state.DamagedError
		if _, err := session(t, at); !errors.As(err, &damaged) || !strings.Contains(err.Error(), "snapshot 2 is not there") {
			t.Errorf("a run begins without it: %v", err)
		}
	})
	t.Run("its tags are not those that it takes", func(t *testing.T) {
		server, at := start(t)
		begun(t, at)
		server.Meddle(func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			if r.Method != http.MethodPut || path.Base(r.URL.Path) != trimmedName {
				return false
			}
			w.WriteHeader(http.StatusPreconditionFailed)
			return true
		})
		s, err := session(t, at)
		check(t, err)
		check(t, appendImage(t, s, "second"))
		if err := s.Commit(nil); err == nil || !strings.Contains(err.Error(), "nothing was removed") {
			t.Errorf("what was trimmed is noted: %v", err)
		}
		if st, err := state.ReadBackend(t.Context(), openBackend(t, at)); err != nil || st.Images.Len() != 2 {
			t.Errorf("afterwards: %v, %+v", err, st)
		}
	})
	t.Run("it refuses half-way", func(t *testing.T) {
		server, at := start(t)
		begun(t, at)
		s, err := session(t, at)
		check(t, err)
		check(t, appendImage(t, s, "second"))
		server.Meddle(s3test.ReadOnly)
		if err := appendImage(t, s, "third"); err == nil || !strings.Contains(err.Error(), "s3:PutObject") {
			t.Errorf("what is refused: %v", err)
		}
		server.Meddle(nil)
		st, err := state.ReadBackend(t.Context(), openBackend(t, at))
		if err != nil || st.Images.Len() != 2 {
			t.Errorf("afterwards: %v, %d images", err, st.Images.Len())
		}
	})
	t.Run("it returns another image", func(t *testing.T) {
		server, at := start(t)
		blobs, err := OpenBlobs(at)
		check(t, err)
		root, err := safefile.Open(t.TempDir())
		check(t, err)
		local, err := state.OpenLocal(root)
		check(t, err)
		t.Cleanup(func() { _ = errors.Join(local.Close(), root.Close()) })
		local.Store().Share(t.Context(), blobs)
		addr, img := recorded("heron", "heron")
		check(t, root.WriteFile(img.Output.Path, 0o600, func(w io.Writer) error { _, err := io.WriteString(w, "heron"); return err }))
		check(t, local.Store().Publish(root, img.Output.Path, addr, img))
		check(t, root.Remove(img.Output.Path))
		server.Meddle(func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			if r.Method != http.MethodGet || filepath.Base(r.URL.Path) != img.Output.SHA256 {
				return false
			}
			w.Header().Set("ETag", `"0"`)
			w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
			_, _ = io.WriteString(w, "stork") // whoever is gone needs no answer
			return true
		})
		var wrong *state.BlobError
		if err := local.Store().Restore(img.Output.SHA256, root, img.Output.Path); !errors.As(err, &wrong) {
			t.Errorf("it is taken for the image: %v", err)
		}
		if _, err := root.Stat(img.Output.Path); err == nil {
			t.Error("it is at the image's path")
		}
		server.Meddle(nil)
		check(t, local.Store().Restore(img.Output.SHA256, root, img.Output.Path))
	})
}

// lose acknowledges writes of objects and forgets them.
func lose(prefix string) func(w http.ResponseWriter, r *http.Request, serve http.Handler) bool {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/"+prefix) {
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("ETag", `"0"`)
		w.WriteHeader(http.StatusOK)
		return true
	}
}
