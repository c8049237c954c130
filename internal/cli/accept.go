package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

type acceptOptions struct {
	planOptions
	undo bool
}

func (a *app) acceptCommand() *cobra.Command {
	var o acceptOptions
	cmd := &cobra.Command{
		Use: "accept ADDRESS", Short: "Take an edited file as the image", Args: cobra.ExactArgs(1),
		Long: `Takes the file of the image at ADDRESS as it is now, after somebody has retouched it. It is kept in the store, and no apply replaces it until
the image is asked for again with -replace, or another candidate is picked. Images that are made from it change with the next apply.

With -undo, the file that was made comes back, if it is still in the store.`,
		Example: `  fluxbatch accept image.hero
  fluxbatch accept -undo image.hero`,
		RunE:              func(_ *cobra.Command, args []string) error { return a.runAccept(args[0], &o) },
		ValidArgsFunction: firstArgument(a.completeRecorded),
	}
	cmd.Flags().BoolVar(&o.undo, "undo", false, "go back to the file that was generated")
	cmd.Flags().BoolVar(&o.Simulate, "simulate", false, "accept an image of the simulation")
	cmd.Flags().DurationVar(&o.LockTimeout, "lock-timeout", 0, "wait this `long` for another command to release the state, as in 30s")
	o.inputOptions.bind(cmd.Flags())
	return cmd
}

func (a *app) runAccept(address string, o *acceptOptions) (err error) {
	addr, err := addrs.Parse(address)
	if err != nil {
		return err
	}
	w, err := a.openHere("accept", &o.planOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	said, err := accept(w, addr, o.undo)
	if err == nil {
		a.viewer().Say(said)
	}
	return err
}

// accept takes an edited file as the image, or with undo gives it back the one that was generated,
// and returns what there is to say.
func accept(w *workspace.Workspace, addr addrs.Image, undo bool) (said string, err error) {
	take, text := w.Accept, "%s: %s is accepted as it is, and kept."
	if undo {
		take, text = w.Unaccept, "%s: the generated file is back at %s. The edited one is in the store."
	}
	path, err := take(addr)
	if err != nil {
		return "", acceptInWords(w.State(), addr, err)
	}
	return fmt.Sprintf(text, addr, path), nil
}

// acceptInWords says in the words of the command line why nothing was accepted.
func acceptInWords(s *state.State, addr addrs.Image, err error) error {
	switch {
	case errors.Is(err, workspace.ErrNotRecorded):
		return notRecorded(s, addr.String())
	case errors.Is(err, workspace.ErrCandidate):
		return explain("%s is a candidate.\nOnly the file of an image can be edited and accepted. Pick the candidate first, then edit the file of its image. To pick it, run:\n\n    fluxbatch pick %s %d",
			addr, shellWord(addr.Of().String()), addr.Candidate)
	case errors.Is(err, workspace.ErrNotEdited):
		return explain("The file of %s is the one on record.\nThere is nothing to accept.", addr)
	case errors.Is(err, workspace.ErrNotAccepted):
		return explain("The file of %s is the one that was generated.\nThere is nothing to take back.", addr)
	case errors.Is(err, workspace.ErrMadeGone):
		return explain("The generated file of %s is not in the store any more.\nTo generate the image again, at its price, run:\n\n    fluxbatch apply -replace %s",
			addr, shellWord(addr.String()))
	}
	return err
}
