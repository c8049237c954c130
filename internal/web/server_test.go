package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/state"
)

// fakeDesk has one image, and counts what it is asked for.
type fakeDesk struct {
	files   drawer
	file    state.File
	version atomic.Int64
	acts    atomic.Int64
	broken  atomic.Bool
}

func (d *fakeDesk) Version() string { return fmt.Sprint(d.version.Load()) }
func (*fakeDesk) Busy() string      { return "" }

func (d *fakeDesk) Gather() (*Album, func() error, error) {
	if d.broken.Load() {
		return nil, nil, errors.New("the configuration has errors")
	}
	a := newAlbum(d.files, Options{Title: "One", Whole: true})
	a.Entries = []*Entry{{Address: "image.one", Change: Same, After: a.shot(d.file, true)}}
	return a, func() error { return nil }, nil
}

func (d *fakeDesk) Act(act Act) (string, error) {
	if act.Do != "note" {
		return "", errors.New("that cannot be done")
	}
	d.acts.Add(1)
	d.version.Add(1)
	return "kept", nil
}

func newReview(t *testing.T) (*Server, *fakeDesk) {
	t.Helper()
	var data bytes.Buffer
	if err := png.Encode(&data, photograph(40, 1)); err != nil {
		t.Fatal(err)
	}
	desk := &fakeDesk{files: drawer{}}
	desk.file = desk.files.add(data.Bytes(), "one.png", 40)
	s, err := NewServer(t.Context(), desk, NewDarkroom(t.TempDir()), "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	return s, desk
}

// ask sends a request of the page, which the caller may spoil.
func (s *Server) ask(ctx context.Context, method, path, body string, spoil func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, s.URL()+path, strings.NewReader(body))
	r.Header.Set("X-Fluxbatch-Token", s.token)
	r.Header.Set("Content-Type", "application/json")
	if spoil != nil {
		spoil(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

const noted = `{"do": "note", "address": "image.one", "note": "x"}`

// Whoever lacks one thing gets nothing, whatever else they know.
func TestServerRefuses(t *testing.T) {
	t.Parallel()
	s, desk := newReview(t)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for name, tt := range map[string]struct {
		spoil func(*http.Request)
		want  int
	}{
		"another host":     {func(r *http.Request) { r.Host = "example.com" }, http.StatusForbidden},
		"another port":     {func(r *http.Request) { r.Host = "127.0.0.1:2" }, http.StatusForbidden},
		"by another name":  {func(r *http.Request) { r.Host = "localhost:1" }, http.StatusForbidden},
		"no secret":        {func(r *http.Request) { r.URL.Path = "/act" }, http.StatusForbidden},
		"another secret":   {func(r *http.Request) { r.URL.Path = "/AAAA/act" }, http.StatusForbidden},
		"another origin":   {header("Origin", "http://127.0.0.1:2"), http.StatusForbidden},
		"an opaque origin": {header("Origin", "null"), http.StatusForbidden},
		"another site":     {header("Sec-Fetch-Site", "cross-site"), http.StatusForbidden},
		"the same site":    {header("Sec-Fetch-Site", "same-site"), http.StatusForbidden},
		"no token":         {func(r *http.Request) { r.Header.Del("X-Fluxbatch-Token") }, http.StatusForbidden},
		"another token":    {header("X-Fluxbatch-Token", "AAAA"), http.StatusForbidden},
		"a form":           {header("Content-Type", "text/plain"), http.StatusUnsupportedMediaType},
		"another method":   {func(r *http.Request) { r.Method = http.MethodPut }, http.StatusMethodNotAllowed},
		"too long":         {func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(strings.Repeat(" ", maxAct) + noted)) }, http.StatusBadRequest},
		"another image": {func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(noted, "one", "two", 1)))
		}, http.StatusConflict},
		"another field": {func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"file": "../x"}`)) }, http.StatusBadRequest},
	} {
		if w := s.ask(t.Context(), http.MethodPost, "act", noted, tt.spoil); w.Code != tt.want {
			t.Errorf("%s: got %d, want %d: %s", name, w.Code, tt.want, w.Body)
		}
	}
	if n := desk.acts.Load(); n > 0 {
		t.Errorf("%d acts were done", n)
	}
	if w := s.ask(t.Context(), http.MethodPost, "act", noted, nil); w.Code != http.StatusOK || desk.acts.Load() != 1 {
		t.Errorf("the page itself gets %d: %s", w.Code, w.Body)
	}
}

// Pages ask at the same time, while somebody acts.
func TestServerAnswersManyAtOnce(t *testing.T) {
	t.Parallel()
	s, desk := newReview(t)
	shot := s.album.Entries[0].After
	var all errgroup.Group
	for range 4 {
		for _, path := range []string{"", "head", "status", "data/0001.js", shot.Thumb(), shot.Picture()} {
			all.Go(func() error {
				for range 5 {
					if w := s.ask(t.Context(), http.MethodGet, path, "", nil); w.Code != http.StatusOK {
						return fmt.Errorf("%q: %d", path, w.Code)
					}
				}
				return nil
			})
		}
		all.Go(func() error {
			if w := s.ask(t.Context(), http.MethodPost, "act", noted, nil); w.Code != http.StatusOK {
				return fmt.Errorf("act: %d", w.Code)
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Error(err)
	}
	if n := desk.acts.Load(); n != 4 {
		t.Errorf("%d acts were done", n)
	}
}

// While the images cannot be gathered, the page shows the former ones and says why.
func TestServerWithTrouble(t *testing.T) {
	t.Parallel()
	s, desk := newReview(t)
	desk.broken.Store(true)
	desk.version.Add(1)
	if w := s.ask(t.Context(), http.MethodGet, "", "", nil); w.Code != http.StatusOK {
		t.Errorf("the page gets %d", w.Code)
	}
	var status map[string]string
	if err := json.Unmarshal(s.ask(t.Context(), http.MethodGet, "status", "", nil).Body.Bytes(), &status); err != nil {
		t.Fatal(err)
	}
	if want := "The configuration has errors. The page shows the images as they were."; status["busy"] != want {
		t.Errorf("got %q, want %q", status["busy"], want)
	}
	desk.broken.Store(false)
	s.ask(t.Context(), http.MethodGet, "", "", nil)
	if w := s.ask(t.Context(), http.MethodGet, "status", "", nil); !strings.Contains(w.Body.String(), `"busy":""`) {
		t.Errorf("got %s", w.Body)
	}
}

// What does not begin as a picture is not sent, and what does is sent as one.
func TestServerSendsPicturesAlone(t *testing.T) {
	t.Parallel()
	s, desk := newReview(t)
	for content, want := range map[string]int{
		`<svg xmlns="http://www.w3.org/2000/svg"/>`: http.StatusNotFound, "<!DOCTYPE html>": http.StatusNotFound, "": http.StatusNotFound,
		"RIFF1234AVI ": http.StatusNotFound, "RIFF1234WEBPVP8 ": http.StatusOK, "\x89PNG\r\n\x1a\n<script>": http.StatusOK, "\xff\xd8\xff": http.StatusOK,
	} {
		desk.files[desk.file.SHA256] = []byte(content)
		w := s.ask(t.Context(), http.MethodGet, s.album.Entries[0].After.Picture(), "", nil)
		kind := w.Header().Get("Content-Type")
		if w.Code != want || w.Header().Get("X-Content-Type-Options") != "nosniff" || want == http.StatusOK && !strings.HasPrefix(kind, "image/") {
			t.Errorf("%q is answered with %d as %s", content, w.Code, kind)
		}
	}
}
