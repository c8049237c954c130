package simulator

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Simulator is an http.Handler that answers as the API does. Make one with New. Safe for concurrent
// use.
type Simulator struct {
	opts   Options
	seed   uint64
	secret [32]byte // signs sample URLs
	routes map[string]route
	books  books
	faults faults
	shelf  *shelf
	// closed is the status with which delivery answers everything, 0 where it delivers.
	closed atomic.Int32

	// closing is cancelled by Close; it ends what waits in handlers and all that runs beside them.
	closing context.Context
	close   context.CancelFunc
	net     inProcess
	postman *postman

	mu       sync.Mutex
	accounts map[string]*account
	tasks    map[string]*task
	// history holds the known tasks in the order of their acceptance.
	history []*task
	// swept is when old tasks were last looked for.
	swept    time.Time
	accepted uint64
	// alike counts the orders by digest.
	alike map[string]int
	// workers are the times at which each worker of a model is free.
	workers map[*bfl.Model][]time.Time
}

// New returns a simulator. Close ends it. Only faults that make no sense are an error.
func New(opts Options) (*Simulator, error) {
	s := &Simulator{
		opts:     opts.withDefaults(),
		seed:     opts.Seed,
		accounts: make(map[string]*account),
		tasks:    make(map[string]*task),
		alike:    make(map[string]int),
		workers:  make(map[*bfl.Model][]time.Time),
	}
	if s.seed == 0 {
		var random [8]byte
		// Never fails: crypto/rand ends the program rather than return an error.
		_, _ = rand.Read(random[:])
		s.seed = binary.LittleEndian.Uint64(random[:])
	}
	for i := range len(s.secret) / 8 {
		binary.LittleEndian.PutUint64(s.secret[8*i:], s.dice("secret", uint64(i)))
	}
	s.closing, s.close = context.WithCancel(context.Background())
	s.books.out = opts.Ledger
	s.shelf = newShelf(s.opts.Memory, s.manifest)
	s.postman = newPostman(opts.Webhooks)
	s.routes = s.newRoutes()
	for _, f := range opts.Faults {
		if err := s.Inject(f); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Close ends the simulator and what it serves in-process, and waits for that. Requests that it gets
// later are answered with 503.
func (s *Simulator) Close() error {
	s.close()
	s.postman.stop()
	return s.net.stop()
}

// handler answers a request, or returns why it does not.
type handler func(http.ResponseWriter, *http.Request) *problem

// route holds a path's handlers by method.
type route map[string]handler

func (s *Simulator) newRoutes() map[string]route {
	routes := map[string]route{
		"/":                    {http.MethodGet: s.showPage},
		"/v1/get_result":       {http.MethodGet: s.getResult},
		"/v1/credits":          {http.MethodGet: s.getCredits},
		"/v1/my_finetunes":     {http.MethodGet: s.listFinetunes},
		"/v1/finetune_details": {http.MethodGet: s.getFinetune},
		"/v1/delete_finetune":  {http.MethodPost: s.deleteFinetune},
	}
	serve := func(m *bfl.Model) {
		routes[m.Endpoint] = route{http.MethodPost: func(w http.ResponseWriter, r *http.Request) *problem {
			return s.submit(m, w, r)
		}}
	}
	for _, m := range bfl.Models() {
		serve(m)
	}
	for _, m := range s.opts.Models {
		if routes[m.Endpoint] == nil {
			serve(declared(m))
		}
	}
	return routes
}

// ServeHTTP answers a request as the API would.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(Header, "1")
	if s.closing.Err() != nil {
		refuse(http.StatusServiceUnavailable, "The simulator is closed.").write(w)
		return
	}
	paths, ok := s.routes[r.URL.Path]
	switch path := r.URL.Path; {
	case ok:
	case strings.HasPrefix(path, samplePrefix):
		paths = route{http.MethodGet: s.deliver, http.MethodHead: s.deliver}
	case strings.HasPrefix(path, picturePrefix):
		paths = route{http.MethodGet: s.showPicture}
	default:
		refuse(http.StatusNotFound, "Not Found").write(w)
		return
	}
	handle, ok := paths[r.Method]
	if !ok {
		w.Header().Set("Allow", strings.Join(slices.Sorted(maps.Keys(paths)), ", "))
		refuse(http.StatusMethodNotAllowed, "Method Not Allowed").write(w)
		return
	}
	if p := handle(w, r); p != nil {
		p.write(w)
	}
}

// base returns the beginning of the URLs in answers to a request.
func (s *Simulator) base(r *http.Request) string {
	if s.opts.BaseURL != "" {
		return s.opts.BaseURL
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
