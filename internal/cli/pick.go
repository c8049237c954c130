package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

func (a *app) pickCommand() *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use: "pick ADDRESS [N]", Short: "Choose among the candidates of an image", Args: cobra.RangeArgs(1, 2),
		Long: `Gives the image at ADDRESS the picture of its candidate N, for nothing, and says what images that are made from it will cost because of
that. Without N, it lists the candidates. The choice is kept in the state. An argument pick in the configuration comes first.`,
		Example: `  fluxbatch pick image.hero
  fluxbatch pick image.hero 3`,
		RunE:              func(_ *cobra.Command, args []string) error { return a.runPick(args, &o) },
		ValidArgsFunction: firstArgument(a.completeRecorded),
	}
	o.inputOptions.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.Simulate, "simulate", false, "pick in the simulation")
	cmd.Flags().DurationVar(&o.LockTimeout, "lock-timeout", 0, "wait this `long` for another command to release the state, as in 30s")
	return cmd
}

func (a *app) runPick(args []string, o *applyOptions) (err error) {
	addr, err := addrs.Parse(args[0])
	if err != nil {
		return err
	}
	n := 0
	if len(args) > 1 {
		if n, err = strconv.Atoi(args[1]); err != nil || n < 1 || n > image.MaxCandidates {
			return explain("%q is not the number of a candidate.\nCandidates are numbered from 1. To list them, run:\n\n    fluxbatch pick %s",
				args[1], shellWord(addr.String()))
		}
	}
	w, err := a.openHere("pick", &o.planOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	if n == 0 {
		return a.listCandidates(w, addr)
	}
	choice, diags, err := w.PlanPick(addr, n)
	a.showDiagnostics(w.Config, diags)
	switch {
	case err != nil:
		return pickInWords(addr, err)
	case diags.HasErrors():
		return exitError(exitFailure)
	}
	if choice.Images > 0 {
		a.viewer().Note(fmt.Sprintf("%s made from %s will change with the next apply. Estimated cost: %s.",
			layout.Count(choice.Images, "image"), addr, choice.Cost.Dollars()))
	}
	done, err := w.Apply(choice.Plan, &workspace.Connections{}, 0)
	if err = firstError(err, done.Err); err != nil {
		return err
	}
	a.viewer().Say(fmt.Sprintf("%s: candidate %d is picked. Its picture is at %s.", addr, n, w.State().Images[addr].Output.Path))
	return nil
}

// pickInWords says in the words of the command line why nothing was picked.
func pickInWords(addr addrs.Image, err error) error {
	word := shellWord(addr.String())
	if errors.Is(err, workspace.ErrNoChoice) {
		return explain("%s has no candidates to choose from.\nSet candidates = 4 in its block and apply, or see its address with fluxbatch state list.", addr)
	}
	if e, ok := errors.AsType[*workspace.PickedError](err); ok {
		return explain("The configuration picks candidate %d of %s.\nChange the argument pick in its block, or take it out.", e.Pick, addr)
	}
	if _, ok := errors.AsType[*workspace.NotMadeError](err); ok {
		return explain("That candidate of %s is not there.\nTo make it, set candidates in its block and run fluxbatch apply. To list what is there, run:\n\n    fluxbatch pick %s",
			addr, word)
	}
	return err
}

// listCandidates lists what there is to choose from.
func (a *app) listCandidates(w *workspace.Workspace, addr addrs.Image) error {
	s := w.State()
	img := s.Images[addr]
	if img == nil || img.Candidate == 0 {
		return pickInWords(addr, workspace.ErrNoChoice)
	}
	lines := []string{fmt.Sprintf("Candidates of %s:", addr)}
	for n := 1; n <= image.MaxCandidates; n++ {
		if c := s.Images[addr.Nth(n)]; c != nil {
			lines = append(lines, candidateLine(n, c, img))
		}
	}
	a.viewer().Say(strings.Join(lines, "\n"))
	return nil
}

func candidateLine(n int, c, of *state.Image) string {
	seed := "no seed"
	if c.Result.Seed != nil {
		seed = fmt.Sprintf("seed %d", *c.Result.Seed)
	}
	note := ""
	switch {
	case of.Candidate == n && of.Picked:
		note = "  picked"
	case of.Candidate == n:
		note = "  used, nobody has picked"
	}
	line := fmt.Sprintf("  %d  %s  %s  %s%s", n, seed, c.Result.Cost.Dollars(), c.Output.Path, note)
	if len(c.Verdicts) > 0 {
		line += "\n       " + view.Verdicts(c.Verdicts)
	}
	return line
}
