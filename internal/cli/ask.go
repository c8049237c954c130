package cli

import (
	"bufio"
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
