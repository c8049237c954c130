package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/simulator/picture"
)

// benchAPI is an API whose tasks cost it nothing, so that what is measured is the client. It is as
// strict as the real one where that is cheap: a call that the client should not make is refused,
// and fails the benchmark.
type benchAPI struct {
	latency time.Duration
	side    int // of its images, in pixels
	base    string
	images  [][]byte

	mu    sync.Mutex
	tasks map[int]time.Time // when they end
	paid  map[string]bool   // by prompt

	connections, calls atomic.Int64
}

// benchCommand serves a benchAPI on loopback until its standard input ends. Its arguments are the
// tasks' latency and the side of the images; the first line that it prints is its address.
func benchCommand() {
	if err := serveBench(); err != nil {
		panic(err)
	}
}

func serveBench() error {
	latency, err := time.ParseDuration(os.Args[1])
	if err != nil {
		return err
	}
	side, err := strconv.Atoi(os.Args[2])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	api := &benchAPI{latency: latency, side: side, base: "http://" + listener.Addr().String(), tasks: map[int]time.Time{}, paid: map[string]bool{}}
	for n := range 16 {
		file, err := benchPicture(n, side)
		if err != nil {
			return err
		}
		api.images = append(api.images, file)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/flux-2-klein-4b", api.submit)
	mux.HandleFunc("GET /v1/get_result", api.poll)
	mux.HandleFunc("GET /results/{id}", api.download)
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%d %d", api.connections.Load(), api.calls.Load()) //nolint:errcheck // the reader would notice
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute, ConnState: func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			api.connections.Add(1)
		}
	}}
	go func() { _ = server.Serve(listener) }() // until the process ends
	if _, err := fmt.Fprintln(os.Stdout, api.base); err != nil {
		return err
	}
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // its end, whatever the error
	return server.Close()
}

// benchPicture draws a picture, a large one of noise, which is as large a file as a photograph.
func benchPicture(n, side int) ([]byte, error) {
	var file bytes.Buffer
	if side > 256 {
		noise := image.NewNRGBA(image.Rect(0, 0, side, side))
		random := rand.New(rand.NewPCG(uint64(n), 1))
		for i := range noise.Pix {
			noise.Pix[i] = byte(random.Uint32()) | byte(i%4/3*255) // opaque
		}
		err := png.Encode(&file, noise)
		return file.Bytes(), err
	}
	spec := picture.Spec{Model: "flux-2-klein-4b", Prompt: fmt.Sprintf("picture %d", n), Seed: "1", Size: image.Pt(side, side)}
	err := picture.Encode(&file, picture.Draw(spec), "png")
	return file.Bytes(), err
}

func (a *benchAPI) submit(w http.ResponseWriter, r *http.Request) {
	a.calls.Add(1)
	var body struct {
		Prompt        string
		Width, Height int
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("X-Key") != "bench" || body.Width != a.side || body.Height != a.side {
		http.Error(w, `{"detail": "a bad request"}`, http.StatusUnprocessableEntity)
		return
	}
	a.mu.Lock()
	n := len(a.tasks)
	a.tasks[n] = time.Now().Add(a.latency)
	again := a.paid[body.Prompt]
	a.paid[body.Prompt] = true
	a.mu.Unlock()
	if again {
		http.Error(w, `{"detail": "paid twice"}`, http.StatusUnprocessableEntity)
		return
	}
	answer(w, `{"id":"task-%d","polling_url":"%s/v1/get_result?id=task-%[1]d","cost":1.4,"input_mp":0,"output_mp":%.2[3]f}`, n, a.base, float64(a.side*a.side)/1e6)
}

func (a *benchAPI) poll(w http.ResponseWriter, r *http.Request) {
	a.calls.Add(1)
	n, err := strconv.Atoi(strings.TrimPrefix(r.URL.RawQuery, "id=task-"))
	a.mu.Lock()
	end, ok := a.tasks[n]
	a.mu.Unlock()
	switch {
	case err != nil || !ok || r.Header.Get("X-Key") != "bench":
		http.Error(w, `{"detail": "Task not found"}`, http.StatusNotFound)
	case time.Now().Before(end):
		answer(w, `{"id":"task-%d","status":"Pending","result":null}`, n)
	default:
		answer(w, `{"id":"task-%d","status":"Ready","result":{"sample":"%s/results/task-%[1]d.png?sig=x","seed":7}}`, n, a.base)
	}
}

func (a *benchAPI) download(w http.ResponseWriter, r *http.Request) {
	a.calls.Add(1)
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.PathValue("id"), "task-"), ".png"))
	if err != nil || r.Header.Get("X-Key") != "" {
		http.Error(w, "no such image", http.StatusForbidden)
		return
	}
	file := a.images[n%len(a.images)]
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Content-Length", strconv.Itoa(len(file)))
	_, _ = w.Write(file) // the client notices what is missing
}

func answer(w http.ResponseWriter, format string, args ...any) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, format, args...) // the client notices what is missing
}

// startAPI runs a benchAPI in a process of its own, and returns its address.
func startAPI(tb testing.TB, latency time.Duration, side int) string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0])
	cmd.Args = []string{"fluxbatch-bench-api", latency.String(), strconv.Itoa(side)}
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = stdin.Close() // ends it
		_ = cmd.Wait()
	})
	base, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(base)
}

// connectionsOf returns how many connections an API has seen, but for this one's.
func connectionsOf(tb testing.TB, base string) int {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, base+"/stats", nil)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // read by then
	var connections, calls int
	if _, err := fmt.Fscan(resp.Body, &connections, &calls); err != nil {
		tb.Fatal(err)
	}
	return connections - 1
}

// applyCost is what one apply took.
type applyCost struct {
	wall, cpu   time.Duration
	peak        int64 // bytes
	connections int
}

// applyOnce makes so many images of 256 x 256, in a process of its own and in dir, which is empty.
func applyOnce(tb testing.TB, dir string, images, slots int, latency time.Duration) applyCost {
	tb.Helper()
	base := startAPI(tb, latency, 256)
	cost := applyFrom(tb, base, dir, images, slots, 256)
	cost.connections = connectionsOf(tb, base)
	return cost
}

// applyFrom makes so many images of an API.
func applyFrom(tb testing.TB, base, dir string, images, slots, side int) applyCost {
	tb.Helper()
	hcl := fmt.Sprintf(`
provider "bfl" {
  endpoint    = %q
  concurrency = %d
}
image "product" {
  count         = %d
  model         = "flux-2-klein-4b"
  prompt        = "Studio photo of product number ${count.index} on a white table, soft light"
  width         = %[4]d
  height        = %[4]d
  output_format = "png"
}
`, base, slots, images, side)
	if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(hcl), 0o644); err != nil {
		tb.Fatal(err)
	}
	return timed(tb, dir, "fluxbatch", "apply", "-auto-approve")
}

// timed runs a command of this binary.
func timed(tb testing.TB, dir string, args ...string) applyCost {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0])
	cmd.Args = args
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "BFL_API_KEY=bench")
	var out bytes.Buffer
	cmd.Stderr = &out
	began := time.Now()
	if err := cmd.Run(); err != nil {
		tb.Fatalf("%v\n%s", err, out.String())
	}
	return applyCost{
		wall: time.Since(began), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak: peakMemory(cmd.ProcessState),
	}
}

// TestConnectionsAreKept: opening one is several round trips, and the API may limit them.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const images, slots, downloads = 400, 8, 16
	got := applyOnce(t, t.TempDir(), images, slots, 0).connections
	// There are three requests an image, in lanes that have so many places in all. Idle connections
	// are closed after two seconds, which may pass several times on a slow machine.
	if places, most := slots+slots+downloads, images/2; got > most {
		t.Errorf("%d images opened %d connections for %d places, want %d at most", images, got, places, most)
	}
}

// BenchmarkApply makes images with the whole command, in a process of its own, of an API without
// latency in another one.
//
// Nothing is deleted before its end. ext4 does not give an inode out again for some minutes, and
// meanwhile looks at all of them whenever a file is made: after 10,000 deletions that takes twenty
// times as long.
func BenchmarkApply(b *testing.B) {
	fresh := b.TempDir
	const images = 2000
	for _, slots := range []int{24, 64} {
		b.Run(fmt.Sprintf("slots=%d", slots), func(b *testing.B) {
			var sum applyCost
			for b.Loop() {
				a := applyOnce(b, fresh(), images, slots, 0)
				sum.wall += a.wall
				sum.cpu += a.cpu
				sum.peak = max(sum.peak, a.peak)
				sum.connections = max(sum.connections, a.connections)
			}
			b.ReportMetric(float64(b.N*images)/sum.wall.Seconds(), "images/s")
			b.ReportMetric(sum.cpu.Seconds()*1e3/float64(b.N*images), "cpu-ms/image")
			b.ReportMetric(float64(sum.peak)/1e6, "peak-MB")
			b.ReportMetric(float64(sum.connections), "connections")
		})
	}
}

// BenchmarkTasksInFlight tells what a task in flight adds to the command's memory: as many images
// are made with few tasks at a time and with many.
func BenchmarkTasksInFlight(b *testing.B) {
	fresh := b.TempDir
	const images, few, many = 2048, 16, 1024
	var sum int64
	connections := 0
	for b.Loop() {
		crowded := applyOnce(b, fresh(), images, many, time.Second)
		sum += crowded.peak - applyOnce(b, fresh(), images, few, 0).peak
		connections = max(connections, crowded.connections)
	}
	b.ReportMetric(float64(sum)/1e3/float64(b.N*(many-few)), "KB/task")
	b.ReportMetric(float64(connections), "connections")
}
