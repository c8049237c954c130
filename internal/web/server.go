package web

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// Desk is what the review page works with: it knows the images, and acts. Its methods are called one
// at a time, but for Busy.
type Desk interface {
	// Gather returns the album as it is now, and what to call when the page no longer needs it.
	Gather() (*Album, func() error, error)
	// Version tells albums apart without gathering them: it changes when Gather may return another.
	Version() string
	// Busy says who else is at work on the images, "" where nobody is.
	Busy() string
	// Act does what somebody asked for on the page, and returns what there is to say. An error is
	// told to them too.
	Act(Act) (said string, err error)
}

// Act is what somebody asks for on the page. Nothing of it spends money.
type Act struct {
	// Do is pick, restore, accept, unaccept, mark, unmark or note.
	Do      string `json:"do"`
	Address string `json:"address"`
	// Number is the candidate to pick, and Note the text to leave.
	Number int    `json:"number,omitempty"`
	Note   string `json:"note,omitempty"`
}

// Server serves the review page to one person on this machine. Whoever asks has to know the secret
// in the path, to name this server in Host and, where their browser tells it, in Origin; what acts,
// and what tells more than a picture, needs the token that the page has besides. It is safe for
// concurrent use.
type Server struct {
	desk Desk
	room *Darkroom
	host string
	// secret is the first part of each path, token what requests of the page carry.
	secret, token string

	// turn is held by who uses the desk.
	turn sync.Mutex
	// mu guards what is shown.
	mu      sync.RWMutex
	album   *Album
	pieces  [][]byte
	release func() error
	// shots and overlays are the files that the page may have, by name.
	shots    map[string]*Shot
	overlays map[string]bool
	// gathered is when the album was last gathered, and took how long that was.
	gathered time.Time
	took     time.Duration
	last     string // the desk's version of it
	// trouble says why the album is not the one of now, "" where it is.
	trouble string
}

// NewServer returns a server for a page at an address of this machine, as in 127.0.0.1:8080.
func NewServer(ctx context.Context, desk Desk, room *Darkroom, host string) (*Server, error) {
	s := &Server{desk: desk, room: room, host: host, secret: rand.Text(), token: rand.Text()}
	s.turn.Lock()
	defer s.turn.Unlock()
	return s, s.gather(ctx)
}

// URL is the page's address.
func (s *Server) URL() string { return "http://" + s.host + "/" + s.secret + "/" }

// Close releases the album.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.release()
}

// gather takes a new album. The caller has the turn.
func (s *Server) gather(ctx context.Context) error {
	version, start := s.desk.Version(), time.Now()
	album, release, err := s.desk.Gather()
	if err != nil {
		return err
	}
	if err := s.room.Measure(ctx, album); err != nil {
		return errors.Join(err, release())
	}
	pieces := album.pieces()
	album.Head.Pieces, album.Head.Token, album.Head.Version = len(pieces), s.token, versionOf(album.Head, pieces)
	shots, overlays := map[string]*Shot{}, map[string]bool{}
	for _, shot := range album.Shots() {
		shots[shot.Thumb()], shots[shot.Picture()] = shot, shot
	}
	for _, e := range album.Entries {
		if e.Difference != nil {
			overlays[e.Difference.Overlay] = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	former := s.release
	s.album, s.pieces, s.release, s.shots, s.overlays = album, pieces, release, shots, overlays
	s.trouble = ""
	s.gathered, s.took, s.last = time.Now(), time.Since(start), version
	if former != nil {
		return former()
	}
	return nil
}

// versionOf tells what a page shows apart from what it showed before.
func versionOf(h Head, pieces [][]byte) string {
	sum := sha256.New()
	_, _ = fmt.Fprintln(sum, h.Title, h.Summary, h.Compared) // a hash takes all
	for _, piece := range pieces {
		_, _ = sum.Write(piece) // a hash takes all
	}
	return hex.EncodeToString(sum.Sum(nil))[:nameDigits]
}

// idleShare is how much longer nothing is gathered than gathering took: following an apply takes a
// fifth of a processor at most.
const idleShare = 4

// refresh gathers again where something changed, or now says so.
func (s *Server) refresh(ctx context.Context, now bool) error {
	if !s.turn.TryLock() {
		if !now {
			return nil // Somebody is at it.
		}
		s.turn.Lock()
	}
	defer s.turn.Unlock()
	version := s.desk.Version()
	if !now && (version == s.last || time.Since(s.gathered) < idleShare*s.took) {
		return nil
	}
	err := s.gather(ctx)
	if s.last = version; err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = sentence(err) + " The page shows the images as they were."
	return err
}

// policy is what the page may load: what is beside it, and nothing from elsewhere. Nothing in it is
// run but its own script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP answers the page.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	name, ok := s.admit(r)
	if !ok {
		http.Error(w, "This is not the address of the review.", http.StatusForbidden)
		return
	}
	if name == "act" || name == "status" || name == "head" {
		s.serveDesk(w, r, name)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "There is nothing to send to here.", http.StatusMethodNotAllowed)
		return
	}
	if name == "" {
		// Who loads the page again wants to see what is there now. Where that fails, the former
		// album is shown.
		_ = s.refresh(r.Context(), true)
	}
	s.serveFile(w, r, name)
}

// admit checks who asks, and returns what for.
func (s *Server) admit(r *http.Request) (name string, ok bool) {
	name, ok = strings.CutPrefix(r.URL.Path, "/"+s.secret+"/")
	origin := r.Header.Get("Origin")
	site := r.Header.Get("Sec-Fetch-Site")
	return name, ok && r.Host == s.host && (origin == "" || origin == "http://"+s.host) &&
		(site == "" || site == "same-origin" || site == "none")
}

// maxAct bounds the body of a request.
const maxAct = 64 << 10

// serveDesk answers the requests of the page's script.
func (s *Server) serveDesk(w http.ResponseWriter, r *http.Request, name string) {
	if r.Header.Get("X-Fluxbatch-Token") != s.token {
		http.Error(w, "The request lacks the page's token.", http.StatusForbidden)
		return
	}
	switch {
	case name == "act" && r.Method == http.MethodPost:
		s.act(w, r)
	case name == "status" && r.Method == http.MethodGet:
		// What cannot be gathered, as while a configuration is being edited, is shown as it was.
		_ = s.refresh(r.Context(), false)
		s.mu.RLock()
		defer s.mu.RUnlock()
		answer(w, http.StatusOK, map[string]string{"version": s.album.Head.Version, "busy": cmp.Or(s.desk.Busy(), s.trouble)})
	case name == "head" && r.Method == http.MethodGet:
		s.mu.RLock()
		defer s.mu.RUnlock()
		answer(w, http.StatusOK, s.album.Head)
	default:
		http.Error(w, "There is nothing to send to here.", http.StatusMethodNotAllowed)
	}
}

func (s *Server) act(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "An act is JSON.", http.StatusUnsupportedMediaType)
		return
	}
	var act Act
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAct))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&act); err != nil {
		http.Error(w, "An act is JSON.", http.StatusBadRequest)
		return
	}
	said, err := s.carryOut(r.Context(), act)
	if err != nil {
		answer(w, http.StatusConflict, map[string]string{"error": sentence(err)})
		return
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	answer(w, http.StatusOK, map[string]string{"said": said, "version": s.album.Head.Version})
}

// carryOut has the desk act, on an image of the page.
func (s *Server) carryOut(ctx context.Context, act Act) (said string, err error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if !slices.ContainsFunc(s.album.Entries, func(e *Entry) bool { return e.Address == act.Address }) {
		return "", fmt.Errorf("%s is not on this page. Nothing was changed", act.Address)
	}
	if said, err = s.desk.Act(act); err != nil {
		return "", err
	}
	return said, s.gather(ctx)
}

// sentence is an error as the page says it.
func sentence(err error) string {
	text := layout.Sentence(err.Error())
	if strings.HasSuffix(text, ".") || strings.Contains(text, "\n") {
		return text
	}
	return text + "."
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the reader may have gone away
}

// serveFile answers a file of the page. Names are looked up, and never used as paths.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, name string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	shot := s.shots[name]
	switch {
	case name == "":
		page, err := pageOf(s.album.Head)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		s.send(w, "text/html; charset=utf-8", page)
	case name == "page.css":
		s.send(w, "text/css; charset=utf-8", pageCSS())
	case name == "page.js":
		s.send(w, "text/javascript; charset=utf-8", pageJS)
	case strings.HasPrefix(name, "data/"):
		for i, piece := range s.pieces {
			if name == pieceName(i) {
				s.send(w, "text/javascript; charset=utf-8", piece)
				return
			}
		}
		http.NotFound(w, r)
	case shot != nil && name == shot.Thumb():
		file, err := s.room.Thumb(r.Context(), s.album, shot)
		s.sendPicture(w, r, file, err)
	case s.overlays[name]:
		s.sendPicture(w, r, s.room.Overlay(name), nil)
	case shot != nil:
		s.sendWhole(w, r, shot)
	default:
		http.NotFound(w, r)
	}
}

// send answers with what has no name that changes with its content.
func (*Server) send(w http.ResponseWriter, kind string, data []byte) {
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(data) // the reader may have gone away
}

// sendPicture answers with a file of the darkroom.
func (s *Server) sendPicture(w http.ResponseWriter, r *http.Request, file string, err error) {
	if err != nil || file == "" {
		http.NotFound(w, r)
		return
	}
	data, err := os.ReadFile(file) // a place of the darkroom, which the server looked up by name
	if err != nil {
		http.NotFound(w, r)
		return
	}
	sendImage(w, r, data)
}

// sendWhole answers with a picture in full.
func (s *Server) sendWhole(w http.ResponseWriter, r *http.Request, shot *Shot) {
	in, err := s.album.open(shot)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer func() { _ = in.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(in, maxShot))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	sendImage(w, r, data)
}

// signatures are how the files begin that are sent as pictures, whatever their names are. Anything
// else is not sent at all, so that no page or drawing with a script can call itself a picture.
var signatures = []struct{ kind, begin, at8 string }{
	{"image/png", "\x89PNG\r\n\x1a\n", ""}, {"image/jpeg", "\xff\xd8\xff", ""}, {"image/webp", "RIFF", "WEBP"},
}

func sendImage(w http.ResponseWriter, r *http.Request, data []byte) {
	for _, s := range signatures {
		if bytes.HasPrefix(data, []byte(s.begin)) && (s.at8 == "" || len(data) > 12 && string(data[8:12]) == s.at8) {
			w.Header().Set("Content-Type", s.kind)
			w.Header().Set("Cache-Control", "private, max-age=3600, immutable")
			_, _ = w.Write(data) // it begins as a picture does, and is sent as one; the reader may have gone away
			return
		}
	}
	http.NotFound(w, r)
}
