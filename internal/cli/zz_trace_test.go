package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"strings"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/s3/s3test"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
)

func TestZZTrace(t *testing.T) {
	sim, _ := simulator.New(simulator.Options{Seed: 1, Latency: simulator.Latency{Median: sharedTask}})
	var mu sync.Mutex
	var lines []string
	var began time.Time
	say := func(f string, a ...any) {
		mu.Lock()
		lines = append(lines, fmt.Sprintf("%7.0f ", float64(time.Since(began).Microseconds())/1000)+fmt.Sprintf(f, a...))
		mu.Unlock()
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		say("api %s %s", r.Method, r.URL.Path)
		sim.ServeHTTP(w, r)
	}))
	store, _ := s3test.Start()
	store.Slow(40 * time.Millisecond)
	store.Meddle(func(w http.ResponseWriter, r *http.Request, serve http.Handler) bool {
		say("s3 %s %s %s %d", r.Method, r.URL.Path, r.URL.RawQuery, r.ContentLength)
		return false
	})
	place := fmt.Sprintf("bucket = \"art\"\n    endpoint = %q\n    use_path_style = true", store.URL)
	manifest := fmt.Sprintf("fluxbatch {\n  state \"s3\" {\n    key = \"state\"\n    %s\n  }\n  images \"s3\" {\n    prefix = \"blobs\"\n    %s\n  }\n}\nprovider \"bfl\" {\n  endpoint = %q\n}\nimage \"a\" {\n  count  = %d\n  model  = \"flux-2-klein-4b\"\n  prompt = \"a ${count.index}\"\n  width  = 64\n  height = 64\n}\n",
		place, place, server.URL, sharedImages)
	for range 2 {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(manifest), 0o600)
	cmd := exec.Command(os.Args[0])
	cmd.Args = []string{"fluxbatch", "apply", "-auto-approve", dir}
	cmd.Env = append(os.Environ(), "BFL_API_KEY=key", "AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret")
	began = time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil { t.Fatal(string(out)) }
	say("END user %v sys %v", cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime())
	}
	os.WriteFile("/dev/shm/trace.txt", []byte(strings.Join(lines, "\n")), 0o600)
}
