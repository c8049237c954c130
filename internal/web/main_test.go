package web_test

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fluxbatch/fluxbatch/internal/cli"
)

// The tests run the command as a process of its own, which is this very binary.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fluxbatch": func() {
			os.Exit(cli.Run(cli.Environment{
				Args: os.Args[1:], Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
				Signals: cli.Signals(),
			}))
		},
	})
}
