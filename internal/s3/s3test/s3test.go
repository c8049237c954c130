// Package s3test serves an object store on loopback, for tests, that can be slow and can lie.
package s3test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Bucket is the one bucket that is there.
const Bucket = "art"

// Request is one that the store answered.
type Request struct{ Method, Path, Query string }

// Server is a store in memory. It is safe for concurrent use.
type Server struct {
	// URL is where it listens.
	URL string
	// Objects are what it keeps.
	Objects gofakes3.Backend

	http *httptest.Server
	mu   sync.Mutex
	// latency is how long each request takes at least.
	latency  time.Duration
	meddle   func(w http.ResponseWriter, r *http.Request, serve http.Handler) bool
	requests []Request
}

// Start starts a server. Close it.
func Start() (*Server, error) {
	s := &Server{Objects: s3mem.New()}
	if err := s.Objects.CreateBucket(Bucket); err != nil {
		return nil, fmt.Errorf("making a bucket: %w", err)
	}
	serve := gofakes3.New(s.Objects, gofakes3.WithTimeSkewLimit(0)).Server()
	conditional := s.conditional(serve)
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, Request{r.Method, r.URL.Path, r.URL.RawQuery})
		latency, meddle := s.latency, s.meddle
		s.mu.Unlock()
		if latency > 0 {
			<-time.After(latency)
		}
		if meddle == nil || !meddle(w, r, conditional) {
			conditional.ServeHTTP(w, r)
		}
	}))
	s.URL = s.http.URL
	return s, nil
}

// conditional keeps the condition of an upload in parts as Amazon's store does, when it is completed.
func (s *Server) conditional(serve http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, isObject := strings.CutPrefix(r.URL.Path, "/"+Bucket+"/")
		if isObject && r.Method == http.MethodPost && r.URL.Query().Has("uploadId") && r.Header.Get("If-None-Match") == "*" {
			if _, err := s.Objects.HeadObject(Bucket, name); err == nil {
				refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
				return
			}
		}
		serve.ServeHTTP(w, r)
	})
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	// A client that is gone needs no answer.
	_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>%s</Message></Error>`, code, code)
}

// Close stops the server.
func (s *Server) Close() { s.http.Close() }

// Slow has each request take at least so long.
func (s *Server) Slow(latency time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = latency
}

// Meddle has a function see each request first, and answer it where it reports true. serve is the
// honest store.
func (s *Server) Meddle(meddle func(w http.ResponseWriter, r *http.Request, serve http.Handler) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meddle = meddle
}

// Requests returns what was asked so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// ReadOnly refuses what writes, as a store does to whoever has the permission to read only.
func ReadOnly(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	refuse(w, http.StatusForbidden, "AccessDenied")
	return true
}

// Damaged has each image come with other bytes than were put there.
func Damaged(w http.ResponseWriter, r *http.Request, serve http.Handler) bool {
	if r.Method != http.MethodGet || len(path.Base(r.URL.Path)) != sha256.Size*2 {
		return false
	}
	serve.ServeHTTP(&inverting{w}, r)
	return true
}

// inverting inverts what goes through it.
type inverting struct{ http.ResponseWriter }

func (i *inverting) Write(data []byte) (int, error) {
	other := make([]byte, len(data))
	for n, b := range data {
		other[n] = ^b
	}
	return i.ResponseWriter.Write(other)
}

// StaleLists answers each listing as the first time that it was asked for.
func StaleLists() func(w http.ResponseWriter, r *http.Request, serve http.Handler) bool {
	var mu sync.Mutex
	listed := map[string]*httptest.ResponseRecorder{}
	return func(w http.ResponseWriter, r *http.Request, serve http.Handler) bool {
		if !r.URL.Query().Has("list-type") {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		if listed[r.URL.RawQuery] == nil {
			listed[r.URL.RawQuery] = httptest.NewRecorder()
			serve.ServeHTTP(listed[r.URL.RawQuery], r)
		}
		w.Header().Set("Content-Type", "application/xml")
		_, _ = w.Write(listed[r.URL.RawQuery].Body.Bytes()) // whoever is gone needs no answer
		return true
	}
}
