package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/fluxbatch/fluxbatch/config"
)

// asker returns what asks for the value of a variable, nil where nobody can be asked.
func (a *app) asker(o *inputOptions) func(config.Question) (string, error) {
	if o.noInput || a.json != nil || !a.interactive() {
		return nil
	}
	return a.ask
}

// ask asks for the value of one variable on the terminal.
func (a *app) ask(q config.Question) (string, error) {
	text := "var." + q.Variable + "\n"
	if q.Description != "" {
		text += "  " + q.Description + "\n"
	}
	a.viewer().Prompt(text + "\n  Enter a value: ")
	// The terminal is there; see asker.
	in, _ := a.env.Stdin.(*os.File)
	if q.Sensitive {
		if before, err := term.GetState(int(in.Fd())); err == nil {
			a.restoring(func() { _ = term.Restore(int(in.Fd()), before) }) // there is nobody left to tell
		}
		secret, err := term.ReadPassword(int(in.Fd()))
		a.viewer().Prompt("\n")
		return string(secret), err
	}
	answer, err := readLine(a.env.Drain, bufio.NewReaderSize(in, 1))
	return strings.TrimRight(answer, "\r\n"), err
}

// readLine reads the line that answers a question; see await.
func readLine(ctx context.Context, r *bufio.Reader) (string, error) {
	text, err := await(ctx, func() (string, error) { return r.ReadString('\n') })
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case text == "" && err != nil:
		return "", fmt.Errorf("reading the answer: %w", err)
	default:
		return text, nil
	}
}

// await returns what is read, or why the user no longer wants to be asked. The read itself cannot
// be broken off; it ends with the process.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	go func() {
		text, err := read()
		lines <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case l := <-lines:
		return l.text, l.err
	}
}
