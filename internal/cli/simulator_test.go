package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/cli"
)

// servedSimulator is a simulator command that runs.
type servedSimulator struct {
	url    string
	stop   context.CancelCauseFunc
	rest   chan string
	status chan int
	stderr *bytes.Buffer
}

var servedAt = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// serve runs the simulator command at a free port.
func serve(t *testing.T, args ...string) *servedSimulator {
	t.Helper()
	drain, stop := context.WithCancelCause(t.Context())
	r, w := io.Pipe()
	s := &servedSimulator{stop: stop, rest: make(chan string, 1), status: make(chan int, 1), stderr: &bytes.Buffer{}}
	go func() {
		s.status <- cli.Run(cli.Environment{
			Args: append([]string{"simulator", "-listen", "0"}, args...), Stdin: strings.NewReader(""), Stdout: w, Stderr: s.stderr,
			Drain: drain, Abort: context.Background(),
		})
		_ = w.Close() // closing a pipe never fails
	}()
	out := bufio.NewReader(r)
	line, err := out.ReadString('\n')
	if s.url = servedAt.FindString(line); err != nil || s.url == "" {
		t.Fatalf("the simulator said %q, %v: %s", line, err, s.stderr)
	}
	go func() {
		rest, _ := io.ReadAll(out) // a pipe that is closed
		s.rest <- string(rest)
	}()
	return s
}

// end asks the simulator to stop as Ctrl-C does, and returns what it says then.
func (s *servedSimulator) end(t *testing.T) string {
	t.Helper()
	s.stop(cli.ErrInterrupted)
	if status := <-s.status; status != 0 {
		t.Errorf("the exit status is %d: %s", status, s.stderr)
	}
	return <-s.rest
}

// call makes a call with a key and returns the answer's status and body.
func (s *servedSimulator) call(t *testing.T, method, path, key, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Key", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // read by then
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

const heron = `{"prompt": "a heron", "width": 64, "height": 64}`

func TestSimulatorCommand(t *testing.T) {
	t.Parallel()
	ledger := filepath.Join(t.TempDir(), "ledger.jsonl")
	s := serve(t, "-key", "alice=4", "-key=bob", "-ledger", ledger, "-fault", "submit-429=3 x1", "-strict-fields", "-latency", "0s", "-seed", "7")
	steps := []struct {
		key, body string
		want      int
	}{
		{"carol", heron, 401},
		{"alice", heron, 429},
		{"alice", heron, 200},
		{"alice", heron, 402},
		{"bob", `{"prompt": "a heron", "colour": "blue"}`, 422},
	}
	for _, step := range steps {
		if got, body := s.call(t, http.MethodPost, "/v1/flux-2-pro", step.key, step.body); got != step.want {
			t.Errorf("%s posts %s: %d, want %d: %s", step.key, step.body, got, step.want, body)
		}
	}
	if _, body := s.call(t, http.MethodGet, "/v1/credits", "alice", ""); !strings.Contains(body, "1") {
		t.Errorf("alice has %s", body)
	}
	const want = "The simulator has ended. Accepted: 1 for $0.03. Refused: 4. Polls: 0. Downloads: 0. Faults: 1.\n"
	if got := s.end(t); got != want {
		t.Errorf("at the end it says %q, want %q", got, want)
	}
	content, err := os.ReadFile(ledger)
	if err != nil {
		t.Fatal(err)
	}
	var charge struct{ Cost float64 }
	if err := json.Unmarshal(content, &charge); err != nil || charge.Cost != 3 {
		t.Errorf("the ledger has %s: %v", content, err)
	}
}

// Flags go before the scenario file, and what they leave alone stays as it says.
func TestSimulatorScenario(t *testing.T) {
	t.Parallel()
	scenario := filepath.Join(t.TempDir(), "scenario.hcl")
	const settings = `
strict_fields = true
key "dave" { credits = 3 }
faults = ["submit-500 x1"]
`
	if err := os.WriteFile(scenario, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "-scenario", scenario, "-strict-fields=false", "-fault", "submit-503 x1")
	for _, want := range []int{500, 503, 200, 402} {
		got, body := s.call(t, http.MethodPost, "/v1/flux-2-pro", "dave", `{"prompt": "a heron", "width": 64, "height": 64, "colour": "blue"}`)
		if got != want {
			t.Errorf("%d, want %d: %s", got, want, body)
		}
	}
	s.end(t)
}

// A request that is being answered when the user asks to stop is answered.
func TestSimulatorFinishesAnswers(t *testing.T) {
	t.Parallel()
	s := serve(t, "-key", "alice=10", "-fault", "submit-slow-after=300ms")
	answered := make(chan int, 1)
	go func() {
		status, _ := s.call(t, http.MethodPost, "/v1/flux-2-pro", "alice", heron)
		answered <- status
	}()
	// The fault strikes after the charge: from then on the request is being answered.
	for charged := false; !charged; {
		_, body := s.call(t, http.MethodGet, "/v1/credits", "alice", "")
		charged = !strings.Contains(body, "10")
	}
	s.end(t)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the answer is %d", status)
	}
}
