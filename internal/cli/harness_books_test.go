package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/simulator"
)

// The books: what the API charged, and where each picture that was paid for is now. Nothing here
// asks fluxbatch.

// charge is one image that was paid for.
type charge struct {
	id     string
	prompt string
	seed   int
	// request identifies what was asked, with the inputs by their pixels: the files of one picture
	// may differ, since the API signs them.
	request string
	credits float64
	// pixels are those of its picture.
	pixels string
	where  whereabouts
	// told says that the loss, or that it may have been charged, was said before it was bought
	// again.
	told bool
}

// whereabouts of a picture.
type whereabouts int

const (
	// lost: nowhere.
	lost whereabouts = iota
	// sent: on record as a request of which nobody knows whether it was charged.
	sent
	// open: its task is on record and can be fetched.
	open
	// had: a file has it.
	had
)

func (w whereabouts) String() string {
	return [...]string{"lost", "on record as sent", "an open task", "in a file"}[w]
}

// bank is the API, which keeps the books. Its handler sees each request before the simulator does.
type bank struct {
	sim    *simulator.Simulator
	server *httptest.Server

	// ahead is by how much its clock is ahead of the real one.
	ahead   atomic.Int64
	posting sync.Mutex // one charge at a time, so that each is known with its request

	mu       sync.Mutex
	charges  []*charge
	requests int
	// killAt is the request at which kill is called, 0 for none: before it is handled or, with
	// killAfter, when it is and before its answer.
	killAt    int
	killAfter bool
	kill      func()
	conns     map[net.Conn]bool
	idle      chan struct{} // closed when there is no connection, and nil when nobody waits
}

func newBank() (*bank, error) {
	b := &bank{conns: map[net.Conn]bool{}}
	sim, err := simulator.New(simulator.Options{
		Seed: 1, Latency: simulator.Latency{Median: 2 * time.Millisecond},
		Now: func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) },
		// In a long run what a ground was prepared with is looked at an hour later, and it is not the
		// expiry of samples that is tried there.
		SampleLifetime: 24 * time.Hour, Retention: 24 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	b.sim = sim
	b.server = httptest.NewUnstartedServer(b)
	b.server.Config.ConnState = b.watch
	b.server.Start()
	return b, nil
}

func (b *bank) close() {
	b.server.Close()
	_ = b.sim.Close()
}

func (b *bank) watch(c net.Conn, state http.ConnState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch state {
	case http.StateNew:
		b.conns[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(b.conns, c)
	case http.StateActive, http.StateIdle:
	}
	if len(b.conns) == 0 && b.idle != nil {
		close(b.idle)
		b.idle = nil
	}
}

// settle waits until all that a process asked for is answered, also where the process is no more.
func (b *bank) settle() error {
	b.mu.Lock()
	idle := make(chan struct{})
	if len(b.conns) == 0 {
		close(idle)
	} else {
		b.idle = idle
	}
	b.mu.Unlock()
	select {
	case <-idle:
	case <-time.After(time.Minute):
		return fmt.Errorf("connections of a process that ended stay open")
	}
	// The last one may have been hijacked, and its handler still be at work.
	b.posting.Lock()
	defer b.posting.Unlock()
	return nil
}

// arm prepares for a process: at the nth request, counted from 1, kill is called.
func (b *bank) arm(at int, after bool, kill func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests, b.killAt, b.killAfter, b.kill = 0, at, after, kill
}

func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.requests++
	isLast, after, kill := b.requests == b.killAt, b.killAfter, b.kill
	b.mu.Unlock()
	if isLast && !after {
		kill()
		panic(http.ErrAbortHandler)
	}
	if isLast {
		defer panic(http.ErrAbortHandler)
		defer kill()
		w = httptest.NewRecorder()
	}
	if r.Method != http.MethodPost {
		b.sim.ServeHTTP(w, r)
		return
	}
	b.posting.Lock()
	defer b.posting.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client died while it sent
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	before := len(b.sim.Ledger())
	defer func() {
		for _, c := range b.sim.Ledger()[before:] {
			b.enter(c, body)
		}
	}()
	b.sim.ServeHTTP(w, r)
}

func (b *bank) enter(paid simulator.Charge, body []byte) {
	c := &charge{id: paid.ID, credits: paid.Cost.Float()}
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		fields = nil // it was charged, and so is JSON
	}
	c.prompt, _ = fields["prompt"].(string)
	if seed, ok := fields["seed"].(float64); ok {
		c.seed = int(seed)
	}
	for _, name := range []string{"input_image", "input_image_2", "input_image_3", "input_image_4"} {
		if text, ok := fields[name].(string); ok {
			if data, err := base64.StdEncoding.DecodeString(text); err == nil {
				fields[name] = pixelsOf(data)
			}
		}
	}
	canonical, err := json.Marshal(fields)
	if err == nil {
		c.request = string(canonical)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.charges = append(b.charges, c)
}

// all returns the charges so far, with their pictures.
func (b *bank) all() ([]*charge, error) {
	b.mu.Lock()
	charges := slices.Clone(b.charges)
	b.mu.Unlock()
	for _, c := range charges {
		if c.pixels == "" {
			data, err := b.fetch(c.id)
			if err != nil {
				return nil, fmt.Errorf("looking at what was charged: %w", err)
			}
			c.pixels = pixelsOf(data)
		}
	}
	return charges, nil
}

// forget leaves the first n charges in the books, where the rest were another world's.
func (b *bank) forget(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.charges = b.charges[:n:n]
}

// fetch asks the simulator for a picture, past its faults, which must be cleared.
func (b *bank) fetch(id string) ([]byte, error) {
	get := func(url string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, url, nil)
		r.Header.Set("X-Key", "harness")
		rec := httptest.NewRecorder()
		b.sim.ServeHTTP(rec, r)
		return rec
	}
	// No process runs, so that nobody else sees that a minute later all tasks are ready.
	b.ahead.Store(int64(time.Minute))
	defer b.ahead.Store(0)
	var result struct {
		Status string
		Result *struct{ Sample string }
	}
	if err := json.Unmarshal(get("/v1/get_result?id="+id).Body.Bytes(), &result); err != nil {
		return nil, err
	}
	if result.Result == nil {
		return nil, fmt.Errorf("the task %s is %s", id, result.Status)
	}
	r, err := http.NewRequest(http.MethodGet, result.Result.Sample, nil)
	if err != nil {
		return nil, err
	}
	return get(r.URL.RequestURI()).Body.Bytes(), nil
}

// inventory is what is on the disk.
type inventory struct {
	// sums are the hashes of all files, pixels those of the pictures where fluxbatch can have put
	// them, by path.
	sums   map[string]string
	pixels map[string]string
	byPath map[string]string // path -> pixels
	// tasks are those that the journal has as open, by id, intents the prompts of all requests that
	// it has.
	tasks, intents map[string]bool
	temporary      []string
}

// take looks at all files below a directory. What lies in attic and refs is people's own.
func takeInventory(dir string) (*inventory, error) {
	inv := &inventory{
		sums: map[string]string{}, pixels: map[string]string{}, byPath: map[string]string{}, tasks: map[string]bool{}, intents: map[string]bool{},
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		inv.sums[sumOf(data)] = name
		switch {
		case strings.HasSuffix(name, ".journal"):
			inv.readJournal(string(data))
		case strings.HasPrefix(filepath.Base(name), ".fluxbatch-tmp-"), strings.HasSuffix(name, ".abandoned"):
			inv.temporary = append(inv.temporary, name)
		}
		if strings.HasPrefix(name, "attic/") || strings.HasPrefix(name, "refs/") || !bytes.HasPrefix(data, []byte("\x89PNG")) {
			return nil
		}
		p := pixelsOf(data)
		inv.pixels[p] = name
		inv.byPath[name] = p
		return nil
	})
	return inv, err
}

// place says where a charge's picture is.
func (inv *inventory) place(c *charge) whereabouts {
	switch {
	case inv.pixels[c.pixels] != "":
		return had
	case inv.tasks[c.id]:
		return open
	case inv.intents[c.prompt]:
		return sent
	default:
		return lost
	}
}

// readJournal finds the open tasks of a journal, by id, and the prompts of requests that got no
// answer.
func (inv *inventory) readJournal(text string) {
	ids, unanswered := map[string]string{}, map[string]string{} // by key
	for line := range strings.Lines(text) {
		var entry struct {
			Rec struct {
				Type, Key string
				ID        string `json:"task_id"`
				Task      struct {
					Key, Lost string
					ID        string `json:"task_id"`
					Request   struct{ Body map[string]any }
				}
			}
		}
		if json.Unmarshal([]byte(line), &entry) != nil {
			continue // torn
		}
		switch rec := entry.Rec; rec.Type {
		case "intent":
			switch prompt, _ := rec.Task.Request.Body["prompt"].(string); {
			case rec.Task.Lost != "":
			case rec.Task.ID == "":
				unanswered[rec.Task.Key] = prompt
			default:
				ids[rec.Task.Key] = rec.Task.ID
			}
		case "submitted":
			delete(unanswered, rec.Key)
			ids[rec.Key] = rec.ID
		case "stored", "failed", "moderated", "lost":
			delete(unanswered, rec.Key)
			delete(ids, rec.Key)
		}
	}
	for _, id := range ids {
		inv.tasks[id] = true
	}
	for _, prompt := range unanswered {
		inv.intents[prompt] = true
	}
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

var decoded sync.Map // SHA-256 of a file -> hash of its pixels

// pixelsOf returns a hash of what a file shows, or of its bytes where it is no whole picture.
func pixelsOf(data []byte) string {
	sum := sumOf(data)
	if known, ok := decoded.Load(sum); ok {
		return known.(string) //nolint:forcetypeassert // nothing else is stored
	}
	pixels := "bytes " + sum
	if img, err := png.Decode(bytes.NewReader(data)); err == nil {
		flat := image.NewNRGBA(img.Bounds())
		draw.Draw(flat, flat.Bounds(), img, img.Bounds().Min, draw.Src)
		pixels = sumOf(flat.Pix)
	}
	decoded.Store(sum, pixels)
	return pixels
}

// drawing returns a PNG file that nothing else makes, a different one for each n.
func drawing(n int) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		img.SetNRGBA(i%64, i/64, color.NRGBA{R: byte(n >> 16), G: byte(n >> 8), B: byte(n), A: 255})
	}
	var b bytes.Buffer
	// A buffer takes everything.
	_ = png.Encode(&b, img)
	return b.Bytes()
}
