package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

type consoleOptions struct {
	inputOptions
	stateOptions
}

func (a *app) consoleCommand() *cobra.Command {
	var o consoleOptions
	cmd := directoryCommand("console", "Try expressions",
		`Evaluates expressions as they could stand in the root module in DIRECTORY (the current one by default): variables, locals, functions, and images with what is on
record of them. It changes nothing.

On a terminal it asks for one after the other, until you type exit or Ctrl-D. From a pipe it prints a value for each expression, and ends at the first that is
wrong. An expression goes on over several lines while a bracket is open.`,
		`  fluxbatch console
  echo 'image.logo.path' | fluxbatch console
  echo 'setproduct(["a", "b"], [1, 2])' | fluxbatch console`,
		func(dir string) error { return a.runConsole(dir, &o) })
	o.inputOptions.bind(cmd.Flags())
	o.stateOptions.bind(cmd.Flags())
	return cmd
}

func (a *app) runConsole(dir string, o *consoleOptions) error {
	o.allowEmpty = true
	cfg, diags := a.load(dir, &o.inputOptions)
	if cfg == nil || diags.HasErrors() {
		return a.invalid(cfg, diags)
	}
	prior, err := workspace.PlaceOf(dir, &cfg.Settings, &o.Options).Read(a.env.Abort)
	if err != nil {
		return err
	}
	diags = append(diags, cfg.Evaluate(func(img *image.Image) *image.Result {
		return state.Exports(img.Address, func(addr addrs.Image) *state.Image { return prior.Images.Get(addr) })
	})...)
	a.showDiagnostics(cfg, diags)
	if !a.interactive() {
		return a.evaluateAll(cfg, &pipedLines{bufio.NewReader(a.env.Stdin)}, true)
	}
	terminal, err := newTerminalLines(a.env.Stdin, a.env.Stderr)
	if err != nil {
		return err
	}
	a.restoring(func() { _ = terminal.stop() }) // there is nobody left to tell
	a.viewer().Note("Type an expression, or exit.")
	return a.evaluateAll(cfg, terminal, false)
}

// lineSource is where expressions are typed. It returns io.EOF after the last line.
type lineSource interface {
	// line returns the next line without its end. more says that it goes on with an expression.
	line(more bool) (string, error)
	// stop is called when nobody waits for a line any more.
	stop() error
}

// evaluateAll prints the value of one expression after the other. With strict it ends at the first
// that is wrong.
func (a *app) evaluateAll(cfg *config.Config, lines lineSource, strict bool) error {
	for {
		src, err := a.readExpression(lines)
		switch {
		case a.env.Drain.Err() != nil:
			return exitError(exitInterrupted)
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("reading an expression: %w", err)
		}
		if word := strings.TrimSpace(src); word == "exit" || word == "quit" {
			return nil
		} else if word != "" {
			value, diags := cfg.Eval(strings.TrimSpace(src))
			a.showDiagnostics(cfg, diags)
			switch {
			case !diags.HasErrors():
				a.viewer().Value(value)
			case strict:
				return exitError(exitFailure)
			}
		}
		if err != nil {
			return nil
		}
	}
}

// readExpression reads lines until no bracket is open. With io.EOF it returns what came before the
// end.
func (a *app) readExpression(lines lineSource) (string, error) {
	var src strings.Builder
	for {
		line, err := await(a.env.Drain, func() (string, error) { return lines.line(src.Len() > 0) })
		if a.env.Drain.Err() != nil {
			return "", errors.Join(err, lines.stop())
		}
		src.WriteString(line)
		if err != nil || !isOpen(src.String()) {
			return src.String(), err
		}
		src.WriteByte('\n')
	}
}

// isOpen reports whether a source ends inside brackets, a template or a heredoc.
func isOpen(src string) bool {
	// What cannot be read as tokens is not open, and is reported when it is evaluated.
	tokens, _ := hclsyntax.LexExpression([]byte(src), "<console>", hcl.InitialPos)
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOHeredoc,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
	}
	return depth > 0
}

// pipedLines are lines that nobody types.
type pipedLines struct{ r *bufio.Reader }

func (p *pipedLines) line(bool) (string, error) {
	text, err := p.r.ReadString('\n')
	return strings.TrimRight(text, "\r\n"), err
}

func (p *pipedLines) stop() error { return nil }

// terminalLines are lines that somebody types, with editing and a history.
type terminalLines struct {
	in   *os.File
	term *term.Terminal
	// before is the terminal's mode while nothing is typed.
	before *term.State
}

func newTerminalLines(in io.Reader, out io.Writer) (*terminalLines, error) {
	file, ok := in.(*os.File)
	if !ok {
		return nil, errors.New("standard input is not a terminal")
	}
	before, err := term.GetState(int(file.Fd()))
	if err != nil {
		return nil, err
	}
	both := struct {
		io.Reader
		io.Writer
	}{in, out}
	return &terminalLines{in: file, term: term.NewTerminal(both, "> "), before: before}, nil
}

// line has the terminal in raw mode only while a line is typed, so that what is printed in between,
// and a process that ends, find it as it was.
func (t *terminalLines) line(more bool) (text string, err error) {
	fd := int(t.in.Fd())
	if _, err := term.MakeRaw(fd); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, t.stop()) }()
	if width, height, err := term.GetSize(fd); err == nil && width > 0 {
		// A size that it does not take leaves the last one, and long lines then wrap in the wrong
		// place.
		_ = t.term.SetSize(width, height)
	}
	t.term.SetPrompt("> ")
	if more {
		t.term.SetPrompt(": ")
	}
	text, err = t.term.ReadLine()
	if errors.Is(err, term.ErrPasteIndicator) {
		err = nil
	}
	return text, err
}

func (t *terminalLines) stop() error { return term.Restore(int(t.in.Fd()), t.before) }
