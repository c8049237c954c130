// Command fluxbatch makes images with the FLUX API as HCL files declare them, and only those that changed.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/fluxbatch/fluxbatch/internal/cli"
)

func main() {
	drain, stopNew := context.WithCancelCause(context.Background())
	abort, breakOff := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		stopNew(cli.ErrInterrupted)
		<-signals
		breakOff(cli.ErrInterrupted)
	}()
	os.Exit(cli.Run(cli.Environment{
		Args: os.Args[1:], Environ: os.Environ(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Drain: drain, Abort: abort,
	}))
}
