//go:build unix

package cli_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/internal/simulator/simtest"
)

// hangups makes this process hear of SIGHUP. One that was started with nohup ignores it, and so
// would all that it starts.
var hangups = sync.OnceFunc(func() { signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) })

// process returns fluxbatch as a process of its own.
func process(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	hangups()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Args = append([]string{"fluxbatch"}, args...)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// exitStatus waits for a process. It is -1 of one that a signal killed.
func exitStatus(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		t.Fatal(err)
		return 0
	}
}

var endings = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

// endless is an expression that takes longer than anybody waits.
const endless = `length([for a in range(1000) : [for b in range(1000) : [for c in range(1000) : [for d in range(1000) : a]]]])`

// A command that has nothing to finish ends with the first signal, whether it waits or works.
func TestFirstSignalEnds(t *testing.T) {
	t.Parallel()
	for _, signal := range endings {
		for _, args := range [][]string{{"plan"}, {"validate"}, {"graph"}, {"console"}, {"verify"}, {"apply", "-auto-approve"}, {"plan", "-json"}} {
			for _, works := range []bool{false, true} {
				t.Run(fmt.Sprint(signal, args, works), func(t *testing.T) {
					t.Parallel()
					dir := t.TempDir()
					clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte("variable \"x\" {}\nlocals { n = "+endless+" }\n"))
					pipe := filepath.Join(dir, "values.hcl")
					if err := syscall.Mkfifo(pipe, 0o600); err != nil {
						t.Skip(err)
					}
					cmd := process(t, nil, append([]string{"-chdir=" + dir}, append(args, "-var-file", "values.hcl")...)...)
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					// It opens once the command reads, which then waits for more.
					values, err := os.OpenFile(pipe, os.O_WRONLY, 0)
					if err != nil {
						t.Fatal(err)
					}
					if works {
						_, err := values.WriteString("x = 1\n")
						if err := errors.Join(err, values.Close()); err != nil {
							t.Fatal(err)
						}
					} else {
						defer func() { _ = values.Close() }() // nobody reads any more
					}
					if err := cmd.Process.Signal(signal); err != nil {
						t.Fatal(err)
					}
					if status := exitStatus(t, cmd); status != 130 {
						t.Errorf("the exit status is %d", status)
					}
				})
			}
		}
	}
}

// heldAPI is a simulator whose answers to polls wait until they are let go.
type heldAPI struct {
	url    string
	polled chan struct{}
	letGo  func()
}

func newHeldAPI(t *testing.T) *heldAPI {
	t.Helper()
	sim := simtest.New(t, simulator.Options{Seed: 1})
	held, polled := make(chan struct{}), make(chan struct{}, 100)
	api := &heldAPI{polled: polled, letGo: sync.OnceFunc(func() { close(held) })}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "get_result") {
			polled <- struct{}{}
			select {
			case <-held:
			case <-r.Context().Done():
				return
			}
		}
		sim.ServeHTTP(w, r)
	}))
	api.url = server.URL
	t.Cleanup(func() {
		api.letGo()
		server.Close()
	})
	return api
}

const twoImages = clitest.SmallImages + `
image "a" { prompt = "a" }
image "b" {
  prompt     = "b"
  references = [image.a]
}
`

// While images are made, the first signal finishes what is in flight, and the second breaks it off.
func TestSignalsWhileApplying(t *testing.T) {
	t.Parallel()
	for _, signal := range endings {
		for _, signals := range []int{1, 2} {
			t.Run(fmt.Sprint(signal, signals), func(t *testing.T) {
				t.Parallel()
				api, dir := newHeldAPI(t), t.TempDir()
				clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte(twoImages))
				env := []string{"FLUXBATCH_VAR_endpoint=" + api.url}
				cmd := process(t, env, "apply", "-auto-approve", dir)
				stderr, err := cmd.StderrPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				<-api.polled
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewScanner(stderr)
				for lines.Scan() && !strings.Contains(lines.Text(), "Interrupted") {
				}
				if signals == 1 {
					api.letGo()
				} else if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				rest, err := io.ReadAll(stderr)
				if err != nil {
					t.Fatal(err)
				}
				if status := exitStatus(t, cmd); status != 130 {
					t.Errorf("the exit status is %d:\n%s", status, rest)
				}
				made := func() bool {
					_, err := os.Stat(filepath.Join(dir, "images", "a.png"))
					return err == nil
				}
				if made() != (signals == 1) {
					t.Errorf("what was in flight is there: %v", made())
				}
				api.letGo()
				if out, errs, status := clitest.Run(t, append(os.Environ(), env...), "apply", "-auto-approve", dir); status != 0 || !made() {
					t.Errorf("the next apply exits with %d:\n%s%s", status, out, errs)
				}
			})
		}
	}
}

// The third signal ends a command that should end by itself and does not, here since nobody reads
// its results, which are more than a pipe holds. They are of three kinds, since of one kind several
// may arrive as one.
func TestThirdSignalEnds(t *testing.T) {
	t.Parallel()
	api, dir := newHeldAPI(t), t.TempDir()
	api.letGo()
	clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte(twoImages+"output \"long\" { value = format(\"%500000s\", image.a.sha256) }\n"))
	cmd := process(t, []string{"FLUXBATCH_VAR_endpoint=" + api.url}, "apply", "-auto-approve", dir)
	stdout, err := cmd.StdoutPipe()
	if err := errors.Join(err, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.Contains(lines.Text(), "image.b: Creation complete") {
	}
	for _, signal := range endings {
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	if status := exitStatus(t, cmd); status != 130 {
		t.Errorf("the exit status is %d", status)
	}
}

// Who closes a terminal does not end what was started to outlive it.
func TestNohup(t *testing.T) {
	t.Parallel()
	nohup, err := exec.LookPath("nohup")
	if err != nil {
		t.Skip(err)
	}
	api, dir := newHeldAPI(t), t.TempDir()
	clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte(twoImages))
	cmd := process(t, []string{"FLUXBATCH_VAR_endpoint=" + api.url}, "apply", "-auto-approve", dir)
	// The shell gives the program its name.
	cmd.Path, cmd.Args = nohup, []string{"nohup", "bash", "-c", `exec -a fluxbatch "$@"`, "bash", os.Args[0], "apply", "-auto-approve", dir}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-api.polled
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	api.letGo()
	if status := exitStatus(t, cmd); status != 0 {
		t.Errorf("the exit status is %d:\n%s", status, out.String())
	}
}
