// Package clitest runs the command for tests: in the test's process, in one of its own, and in scripts.
package clitest

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fluxbatch/fluxbatch/internal/cli"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/internal/simulator/simtest"
)

// SmallImages begins a manifest of small images, made by the simulator that the environment names.
const SmallImages = `variable "endpoint" { type = string }
provider "bfl" { endpoint = var.endpoint }
defaults {
  model         = "flux-2-klein-4b"
  output_format = "png"
  width         = 64
  height        = 64
}
`

// Main is a TestMain with which the test's program is the command fluxbatch, and others, where it is
// started under that name.
func Main(m *testing.M, others map[string]func()) {
	commands := map[string]func(){"fluxbatch": func() {
		os.Exit(cli.Run(cli.Environment{
			Args: os.Args[1:], Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
			Signals: cli.Signals(),
		}))
	}}
	maps.Copy(commands, others)
	testscript.Main(patient{m}, commands)
}

// patient runs tests of commands, which wait for their processes most of the time, several beside each
// other on each processor. With -short, as with the race detector, the processors are what they wait for.
type patient struct{ *testing.M }

func (p patient) Run() int {
	flag.Parse()
	if given := flag.Lookup("test.parallel"); !testing.Short() && given.Value.String() == given.DefValue {
		if err := given.Value.Set(strconv.Itoa(3 * runtime.GOMAXPROCS(0))); err != nil {
			panic(err) // It is a number.
		}
	}
	return p.M.Run()
}

// Simulator serves a simulator whose tasks take about that long, until the test ends.
func Simulator(tb testing.TB, median time.Duration) (sim *simulator.Simulator, url string) {
	tb.Helper()
	return simtest.Serve(tb, simulator.Options{Seed: 1, Latency: simulator.Latency{Median: median}})
}

// Run runs one command in this process and returns what it printed.
func Run(t *testing.T, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Run(cli.Environment{
		Args: args, Environ: environ, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Drain: t.Context(), Abort: t.Context(),
	})
	return out.String(), errs.String(), code
}

// Write writes a file.
func Write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// WriteProgram writes a script that can be run at once. A process that another test starts meanwhile
// would have its file open until it runs, and nobody can run what somebody can write to.
func WriteProgram(t *testing.T, path, script string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil { //nolint:gosec // it is to be run
		t.Fatal(err)
	}
}
