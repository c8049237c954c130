package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

type stateRmOptions struct {
	stateOptions
	dryRun bool
}

func (a *app) stateRmCommand() *cobra.Command {
	var o stateRmOptions
	cmd := &cobra.Command{
		Use: "rm ADDRESS...", Short: "Forget images, and leave their files", Args: cobra.MinimumNArgs(1),
		Long: `Takes images off the record. Their files stay where they are and are nobody's from then on. An address without an instance key stands for all instances, a
module for all that is in it, and * for any characters.

The next apply would create an image that is still declared, and pay for it again. Take it out of the configuration as well. A removed block in the
configuration does the same for everybody who works with it.`,
		Example: `  fluxbatch state rm image.logo
  fluxbatch state rm -dry-run 'image.card*'`,
		RunE:              func(_ *cobra.Command, args []string) error { return a.runStateRm(args, &o) },
		ValidArgsFunction: a.completeRecorded,
	}
	o.bindLock(cmd.Flags())
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would be forgotten, and forget nothing")
	return cmd
}

func (a *app) runStateRm(patterns []string, o *stateRmOptions) (err error) {
	s, err := a.readState(&o.stateOptions)
	if err != nil {
		return err
	}
	found, err := recordedAddresses(s, patterns)
	if err != nil {
		return err
	}
	if o.dryRun {
		a.viewer().Say(describeForgotten(s, found, "would be forgotten") + "\nNothing was changed.")
		return nil
	}
	w, err := a.lockState("state rm", &o.stateOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	// Another command may have changed the state before the lock was ours.
	if found, err = recordedAddresses(w.State(), patterns); err != nil {
		return err
	}
	said := describeForgotten(w.State(), found, "is forgotten")
	if err := w.Forget(found); err != nil {
		return err
	}
	a.viewer().Say(said + "\nThe next apply creates what is still declared, at its price.")
	return nil
}

func describeForgotten(s *state.State, found []addrs.Image, verb string) string {
	lines := make([]string, len(found))
	for i, addr := range found {
		what := verb
		if n := len(workspace.CandidatesOf(s, addr)); n > 0 {
			what += ", with its " + layout.Count(n, "candidate")
		}
		lines[i] = fmt.Sprintf("%s %s. Its file %s stays.", addr, what, s.Images.Get(addr).Output.Path)
	}
	return strings.Join(lines, "\n")
}
