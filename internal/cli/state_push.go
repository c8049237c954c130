package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/state"
)

type statePushOptions struct {
	stateOptions
	force bool
}

func (a *app) statePushCommand() *cobra.Command {
	var o statePushOptions
	cmd := &cobra.Command{
		Use: "push FILE", Short: "Put another state in the place of this one", Args: cobra.ExactArgs(1),
		Long: `Replaces the state by the one in FILE, or by what comes in on standard input where FILE is "-". It is checked as a whole first, and takes the place of the
former state at once or not at all. Tasks of an interrupted run stay.

The file must descend from the same state, as a copy or a backup does. With -force it can be another project's. Images that only the former state knows are
then forgotten, and their files stay.`,
		Example: `  fluxbatch state push backup.json
  fluxbatch state pull | jq 'del(.images["image.old"])' | fluxbatch state push -`,
		RunE: func(_ *cobra.Command, args []string) error { return a.runStatePush(args[0], &o) },
		ValidArgsFunction: firstArgument(func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
		}),
	}
	o.bindLock(cmd.Flags())
	cmd.Flags().BoolVar(&o.force, "force", false, "take a state of another lineage as well")
	return cmd
}

func (a *app) runStatePush(file string, o *statePushOptions) (err error) {
	next, err := a.readPushed(file)
	if err != nil {
		return err
	}
	w, err := a.lockState("state push", &o.stateOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	before := w.State().Images
	gone := 0
	for addr := range before.Addresses() {
		if !next.Images.Has(addr) {
			gone++
		}
	}
	said := fmt.Sprintf("The state has %s now, and had %s before.", images(next.Images.Len()), images(before.Len()))
	if err := w.Replace(next, o.force); err != nil {
		if errors.Is(err, state.ErrLineage) && !o.force {
			return explain("%w.\nNothing was changed. With -force it replaces this state nevertheless.", err)
		}
		return err
	}
	if gone > 0 {
		said += fmt.Sprintf(" Of those, %s no longer in it. The files stay where they are.", isAre(gone))
	}
	a.viewer().Say(said)
	return nil
}

// maxPushed bounds what is taken for a state: a million images have less.
const maxPushed = 2 << 30

// readPushed reads a state from a file, or from standard input.
func (a *app) readPushed(file string) (*state.State, error) {
	name, r := file, a.env.Stdin
	if file == "-" {
		name = "standard input"
	} else {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("the state to push cannot be read: %w", err)
		}
		defer func() { _ = f.Close() }() // only read
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, maxPushed+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the state from %s: %w", name, err)
	case len(data) > maxPushed:
		return nil, fmt.Errorf("%s is too large to be a state", name)
	case len(data) == 0:
		return nil, explain("%s is empty, so it is not a state.\nNothing was changed.", name)
	}
	s, err := state.Parse(data, name)
	if damaged, ok := errors.AsType[*state.DamagedError](err); ok {
		// Its own words are for the project's state file, and how to get it back.
		return nil, explain("%s is not a state: in line %d, %s.\nNothing was changed.", name, damaged.Line, damaged.Reason)
	}
	return s, err
}

func images(n int) string {
	if n == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", n)
}

func isAre(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}
