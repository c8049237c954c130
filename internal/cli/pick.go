package cli

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

func (a *app) pickCommand() *cobra.Command {
	var o pickOptions
	cmd := &cobra.Command{
		Use: "pick ADDRESS [N]", Short: "Choose among the candidates of an image", Args: cobra.RangeArgs(1, 2),
		Long: `Gives the image at ADDRESS the picture of its candidate N, for nothing, and says what images that are made from it will cost because of
that. Without N, it lists the candidates. The choice is kept in the state. An argument pick in the configuration comes first.

With -undo, the choice is taken back: the next apply lets the gates choose, or takes the first candidate. With -open, it hands the files of the candidates to the programs that show pictures here. With -reroll, the next plan has further candidates, and
says what they cost. With -undo too, those that no apply has made yet are no longer wanted.`,
		Example: `  fluxbatch pick image.hero
  fluxbatch pick -open image.hero
  fluxbatch pick image.hero 3
  fluxbatch pick -undo image.hero
  fluxbatch pick -reroll -n 2 image.hero
  fluxbatch pick -undo -reroll image.hero`,
		RunE:              func(_ *cobra.Command, args []string) error { return a.runPick(args, &o) },
		ValidArgsFunction: a.completePick,
	}
	o.inputOptions.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.Simulate, "simulate", false, "pick in the simulation")
	cmd.Flags().DurationVar(&o.LockTimeout, "lock-timeout", 0, "wait this `long` for another command to release the state, as in 30s")
	cmd.Flags().BoolVar(&o.reroll, "reroll", false, "have the next apply make further candidates")
	cmd.Flags().BoolVar(&o.undo, "undo", false, "take the choice back, or with -reroll what was asked for")
	cmd.Flags().BoolVar(&o.open, "open", false, "show the candidates with the system's viewer")
	cmd.Flags().IntVarP(&o.more, "n", "n", 1, "with -reroll, this `number` of them")
	return cmd
}

type pickOptions struct {
	planOptions
	reroll, open, undo bool
	more               int
}

func (a *app) runPick(args []string, o *pickOptions) (err error) {
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
	switch {
	case o.open && (o.reroll || o.undo || n > 0):
		return explain("-open shows the candidates, and changes nothing.\nUse it alone, without a number.")
	case o.undo && n > 0:
		return explain("-undo takes the choice back.\nUse it without a number.")
	case o.reroll && n > 0:
		return explain("-reroll asks for further candidates, and %d picks one.\nGive one of them.", n)
	case o.reroll && (o.more < 1 || o.more > image.MaxCandidates):
		return explain("-n is a number from 1 to %d.", image.MaxCandidates)
	}
	if !o.reroll && !o.undo && n == 0 {
		return a.lookAtCandidates(addr, o)
	}
	w, err := a.openHere("pick", &o.planOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	switch {
	case o.reroll && o.undo:
		said, err := a.unreroll(w, addr)
		if err == nil {
			a.viewer().Say(said)
		}
		return err
	case o.reroll:
		return a.reroll(w, addr, o.more)
	case o.undo:
		return a.unpick(w, addr)
	}
	said, note, err := a.pick(w, addr, n)
	if note != "" {
		a.viewer().Note(note)
	}
	if err == nil {
		a.viewer().Say(said)
	}
	return err
}

// unpick takes a choice back.
func (a *app) unpick(w *workspace.Workspace, addr addrs.Image) error {
	diags, err := w.Unpick(addr)
	a.showDiagnostics(w.Config, diags)
	switch {
	case err != nil:
		return pickInWords(w.State(), addr, err)
	case diags.HasErrors():
		return exitError(exitFailure)
	}
	a.viewer().Say(fmt.Sprintf("%s: the choice is taken back. To see what that changes, run:\n\n    fluxbatch plan", addr))
	return nil
}

// pick picks a candidate, and returns what there is to say: what was done, and what it drags along.
func (a *app) pick(w *workspace.Workspace, addr addrs.Image, n int) (said, note string, err error) {
	choice, diags, err := w.PlanPick(addr, n)
	a.showDiagnostics(w.Config, diags)
	switch {
	case err != nil:
		return "", "", pickInWords(w.State(), addr, err)
	case diags.HasErrors():
		return "", "", exitError(exitFailure)
	}
	if choice.Images > 0 {
		note = fmt.Sprintf("%s made from %s will change with the next apply. Estimated cost: %s.",
			layout.Count(choice.Images, "image"), addr, choice.Cost.Dollars())
	}
	done, err := w.Apply(choice.Plan, &workspace.Connections{}, 0)
	if err = firstError(err, done.Err); err != nil {
		return "", note, err
	}
	return fmt.Sprintf("%s: candidate %d is picked. Its picture is at %s.", addr, n, w.State().Images.Get(addr).Output.Path), note, nil
}

// reroll asks for further candidates.
func (a *app) reroll(w *workspace.Workspace, addr addrs.Image, more int) error {
	diags, err := w.WantMore(addr, more)
	a.showDiagnostics(w.Config, diags)
	switch {
	case err != nil:
		return pickInWords(w.State(), addr, err)
	case diags.HasErrors():
		return exitError(exitFailure)
	}
	a.viewer().Say(fmt.Sprintf("%s: %s will be generated by the next apply. To see what that costs, run:\n\n    fluxbatch plan",
		addr, layout.Count(more, "more candidate")))
	return nil
}

// unreroll takes back the wish for further candidates, and returns what there is to say.
func (a *app) unreroll(w *workspace.Workspace, addr addrs.Image) (said string, err error) {
	n, diags, err := w.WantNoMore(addr)
	a.showDiagnostics(w.Config, diags)
	switch {
	case err != nil:
		return "", pickInWords(w.State(), addr, err)
	case diags.HasErrors():
		return "", exitError(exitFailure)
	}
	return fmt.Sprintf("%s: %s will not be generated any more.", addr, layout.Count(n, "further candidate")), nil
}

// pickInWords says in the words of the command line why nothing was picked.
func pickInWords(s *state.State, addr addrs.Image, err error) error {
	word := shellWord(addr.String())
	if errors.Is(err, workspace.ErrNoChoice) && !s.Images.Has(addr) && !hasCandidates(s, addr) {
		return notRecorded(s, addr.String())
	}
	if errors.Is(err, workspace.ErrNoChoice) {
		return explain("%s has no candidates to choose from.\nSet candidates = 4 in its block and apply. To list the addresses on record, run:\n\n    fluxbatch state list", addr)
	}
	if errors.Is(err, workspace.ErrNotPicked) {
		return explain("Nobody has picked a candidate of %s.\nThere is nothing to take back.", addr)
	}
	if errors.Is(err, workspace.ErrNoneWanted) {
		return explain("No further candidates of %s are waiting to be made.\nThere is nothing to take back. Those that its block names are made as long as it names them.", addr)
	}
	if e, ok := errors.AsType[*workspace.PickedError](err); ok {
		return explain("The configuration picks candidate %d of %s.\nChange the argument pick in its block, or take it out.", e.Pick, addr)
	}
	if e, ok := errors.AsType[*workspace.KeptError](err); ok {
		if e.IsEdited {
			return explain("%s was edited by hand, and its block asks for other pictures by now.\nFurther candidates would not go with it. To have it made as the block says, run:\n\n    fluxbatch apply -replace=%s", addr, word)
		}
		return explain("%s is frozen.\nIt keeps its picture, and no candidates are made of it. Take frozen out of its block first.", addr)
	}
	if _, ok := errors.AsType[*workspace.NotMadeError](err); ok {
		return explain("That candidate of %s is not there.\nTo make it, set candidates in its block and run fluxbatch apply. To list what is there, run:\n\n    fluxbatch pick %s",
			addr, word)
	}
	return err
}
