package cli

import (
	"bufio"
	"fmt"
	"io"
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
	// The terminal is there; see asker.
	_, _ = fmt.Fprintf(a.env.Stderr, "var.%s\n", q.Variable)
	if q.Description != "" {
		_, _ = fmt.Fprintf(a.env.Stderr, "  %s\n", q.Description)
	}
	_, _ = io.WriteString(a.env.Stderr, "\n  Enter a value: ")
	in, _ := a.env.Stdin.(*os.File)
	if q.Sensitive {
		secret, err := term.ReadPassword(int(in.Fd()))
		_, _ = io.WriteString(a.env.Stderr, "\n")
		return string(secret), err
	}
	text, err := readLine(a.env.Drain, bufio.NewReaderSize(in, 1))
	return strings.TrimRight(text, "\r\n"), err
}
