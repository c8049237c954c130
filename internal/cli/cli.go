// Package cli is the command line: one file a command, each binding its flags to an options struct
// and then running with it. It puts the other packages together and renders nothing itself.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/apilog"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/machine"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

// Environment is what a process gives to a command.
type Environment struct {
	Args           []string // without the program's name
	Environ        []string // as of os.Environ
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Signals asks for an end: see Signals. Each counts.
	Signals <-chan os.Signal
	// Drain is done when the user asked to stop: nothing new begins. Abort is done when the user
	// asked again. With Signals, Run makes its own.
	Drain, Abort context.Context
	// Faults, when not nil, sees every file operation on the state, on images, on what is kept of
	// them, and on saved plans; see safefile.Dir.WithFaults. Names are relative to the directory of
	// each. It is for tests.
	Faults func(op safefile.Op, name string) error
}

// Exit statuses, as in Terraform.
const (
	exitSuccess     = 0
	exitFailure     = 1   // an error, or some changes failed
	exitChanges     = 2   // with -detailed-exitcode: there are changes
	exitInterrupted = 130 // as shells say of a process that SIGINT ended
)

// ErrInterrupted is the cause of a Drain or Abort by the user.
var ErrInterrupted = errors.New("interrupted")

// exitError ends a command with a status. What it was about has been shown already.
type exitError int

func (e exitError) Error() string { return "exit status" }

// Run carries out one command and returns the exit status. With Signals, the first ends a command
// that has nothing to finish, and the process is to end when Run returns.
func Run(env Environment) int {
	if env.Signals != nil {
		return runUntilSignal(env)
	}
	return newApp(env).run()
}

func newApp(env Environment) *app {
	a := &app{env: env, out: &results{out: env.Stdout}}
	// What takes long is told whatever the command, by whoever waits for it.
	tell := func(e executor.Event) { a.operation().Event(e) }
	a.env.Drain, a.env.Abort = workspace.Reporting(env.Drain, tell), workspace.Reporting(env.Abort, tell)
	return a
}

func (a *app) run() int {
	args := doubleDashes(a.env.Args)
	root := a.command(args)
	root.SetArgs(args)
	root.SetIn(a.env.Stdin)
	root.SetOut(completionOutput(a.env.Args, a.out))
	root.SetErr(a.env.Stderr)
	err := root.ExecuteContext(a.env.Abort)
	a.operation().Close()
	_ = a.log.Close() // each line is in the file already
	var exit exitError
	switch {
	case err == nil:
		return a.checkResults(exitSuccess)
	case errors.Is(err, ErrInterrupted) && !a.interrupts.isHeeded():
		return exitInterrupted // The process is ending, and the user knows why.
	case errors.As(err, &exit):
		return a.checkResults(int(exit))
	default:
		a.operation().Error(inWords(err))
		return exitFailure
	}
}

// app is the state of one command line.
type app struct {
	env Environment
	// out is standard output.
	out        *results
	interrupts interrupts

	groups []commandGroup
	chdir  string
	color  bool
	view   *view.View
	seeing sync.Mutex // guards the making of view
	json   *machine.Stream
	// log is nil where the environment asks for none.
	log *apilog.Log
	// unmade is what the apply under way does not make.
	unmade unmade
	// concise and unfolded say how a plan is shown.
	concise, unfolded bool
}

// show chooses how a plan and its apply are shown. It comes before anything is.
func (a *app) show(o *planOptions) {
	a.concise, a.unfolded = o.concise, o.noConcise
	if o.json {
		a.json = machine.NewStream(machine.StreamOptions{Stdout: a.out, Version: Version()})
	}
}

// operation returns what shows plans, applies and errors: for people, or with -json for machines.
func (a *app) operation() view.Operation {
	if a.json != nil {
		return a.json
	}
	return a.viewer()
}

// viewer returns the view, made when the flags are known.
func (a *app) viewer() *view.View {
	a.seeing.Lock()
	defer a.seeing.Unlock()
	if a.view == nil {
		a.view = view.New(a.viewOptions())
	}
	return a.view
}

func (a *app) viewOptions() view.Options {
	o := view.Options{Stdout: a.out, Stderr: a.env.Stderr, Concise: a.concise, Unfolded: a.unfolded}
	out, isTerminal := terminal(a.env.Stdout)
	_, progress := terminal(a.env.Stderr)
	dumb := a.getenv("TERM") == "dumb"
	// Where stdout goes elsewhere, as to tee, the events go there.
	o.Terminal = progress && isTerminal && !dumb
	o.Color = isTerminal && !dumb && a.color && a.getenv("NO_COLOR") == ""
	if isTerminal {
		if width, _, err := term.GetSize(int(out.Fd())); err == nil {
			o.Width = width
		}
	}
	return o
}

// terminal returns a stream as a file, and whether it is a terminal.
func terminal(stream any) (*os.File, bool) {
	f, ok := stream.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// getenv returns the last value that the environment has for a name, as a shell would.
func (a *app) getenv(name string) string { return a.environment().Getenv(name) }

// interactive reports whether somebody can answer a question.
func (a *app) interactive() bool {
	_, ok := terminal(a.env.Stdin)
	return ok
}

// command returns the root of the commands, and below it those that a command line needs, whose long
// flags have two dashes.
func (a *app) command(args []string) *cobra.Command {
	var noColor bool
	root := &cobra.Command{
		Use:   "fluxbatch",
		Short: "Declarative image batches with the FLUX API",
		Long: `fluxbatch makes images with the FLUX API of Black Forest Labs as *.flux.hcl files declare them.
It remembers what it has made, tells the price first, and generates only what changed.

The usual way:
  fluxbatch plan       says what would be generated, and what it costs
  fluxbatch apply      asks, and then generates it

With -simulate both work without a key, a network or money.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) (err error) {
			a.color = !noColor
			if a.log, err = apilog.Open(a.getenv, a.env.Stderr); err != nil || a.chdir == "" {
				return err
			}
			if err := os.Chdir(a.chdir); err != nil {
				return fmt.Errorf("-chdir=%s: %w", a.chdir, cause(err))
			}
			return nil
		},
	}
	root.PersistentFlags().StringVar(&a.chdir, "chdir", "", "change to this `directory` before anything else")
	root.PersistentFlags().BoolVar(&noColor, "no-color", false, "print without colour")
	a.groups = a.commandGroups()
	a.addCommands(root, a.commandsOf(args))
	a.setCompletions(root)
	a.setHelp(root)
	return root
}

// isLongFlag reports whether an argument is a long flag written with one dash, as Terraform's users
// do, with a value or without.
func isLongFlag(arg string) bool {
	name, _, _ := strings.Cut(arg, "=")
	return len(name) > 2 && name[0] == '-' && 'a' <= name[1] && name[1] <= 'z' &&
		strings.Trim(name[2:], "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// doubleDashes gives long flags the two dashes that the flag library wants.
func doubleDashes(args []string) []string {
	doubled := make([]string, len(args))
	for i, arg := range args {
		if arg == "--" {
			copy(doubled[i:], args[i:])
			break
		}
		if isLongFlag(arg) {
			arg = "-" + arg
		}
		doubled[i] = arg
	}
	return doubled
}
