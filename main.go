// Command fluxbatch makes images with the FLUX API as HCL files declare them, and only those that
// changed.
package main

import (
	"os"

	"github.com/fluxbatch/fluxbatch/internal/cli"
)

func main() {
	os.Exit(cli.Run(cli.Environment{
		Args: os.Args[1:], Environ: os.Environ(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Signals: cli.Signals(),
	}))
}
