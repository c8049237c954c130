package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

type restoreOptions struct {
	planOptions
	list bool
}

func (a *app) restoreCommand() *cobra.Command {
	var o restoreOptions
	cmd := &cobra.Command{
		Use: "restore ADDRESS [GENERATION]", Short: "Bring a former image back, for free", Args: cobra.RangeArgs(1, 2),
		Long: `Every image that was replaced or destroyed is kept in the store, .fluxbatch/store. This brings one of them back to its address and spends
nothing. The one that is there now goes into the store. Without GENERATION it is the image that was there last.

An image made from another request than the configuration asks for now would be replaced again by the next apply. Change the configuration back as well, or
set lifecycle.frozen.`,
		Example: `  fluxbatch restore -list image.hero
  fluxbatch restore image.hero
  fluxbatch restore 'image.card["winter"]' 2`,
		RunE:              func(_ *cobra.Command, args []string) error { return a.runRestore(args, &o) },
		ValidArgsFunction: firstArgument(a.completeRecorded),
	}
	cmd.Flags().BoolVar(&o.list, "list", false, "list the former images of ADDRESS and change nothing")
	cmd.Flags().BoolVar(&o.Simulate, "simulate", false, "restore an image of the simulation")
	cmd.Flags().DurationVar(&o.LockTimeout, "lock-timeout", 0, "wait this `long` for another command to release the state, as in 30s")
	o.inputOptions.bind(cmd.Flags())
	return cmd
}

func (a *app) runRestore(args []string, o *restoreOptions) (err error) {
	addr, err := addrs.Parse(args[0])
	if err != nil {
		return err
	}
	w, err := a.openHere("restore", &o.planOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	generations, err := w.History(addr)
	if err != nil {
		return err
	}
	if o.list {
		a.viewer().Say(listGenerations(addr, generations))
		return nil
	}
	g, err := chooseGeneration(addr, generations, args[1:])
	if err != nil {
		return err
	}
	path, err := w.Restore(addr, g)
	if err == nil {
		a.viewer().Say(fmt.Sprintf("%s: generation %d is back at %s.", addr, g.Number, path))
	}
	return err
}

func listGenerations(addr addrs.Image, generations []state.Generation) string {
	if len(generations) == 0 {
		return fmt.Sprintf("The store has no former image of %s.", addr)
	}
	lines := []string{fmt.Sprintf("Former images of %s, the oldest first:", addr)}
	for _, g := range generations {
		note := ""
		if g.Edited {
			note += ", edited by hand"
		}
		if !g.Available {
			note += ", no longer in the store"
		}
		lines = append(lines, fmt.Sprintf("  %d  %s  %dx%d  %s  %s%s", g.Number, g.Image.Model,
			g.Image.Output.Width, g.Image.Output.Height, g.Image.Result.Cost.Dollars(), g.Image.Output.SHA256[:12], note))
	}
	return strings.Join(lines, "\n")
}

// chooseGeneration returns the generation that the user named, or the last one that can be had.
func chooseGeneration(addr addrs.Image, generations []state.Generation, args []string) (state.Generation, error) {
	if len(args) == 0 {
		for _, g := range slices.Backward(generations) {
			if g.Available && !g.Edited {
				return g, nil
			}
		}
		return state.Generation{}, fmt.Errorf("the store has no former image of %s", addr)
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 || n > len(generations) {
		return state.Generation{}, fmt.Errorf("%s has no generation %s. List them with -list", addr, args[0])
	}
	if g := generations[n-1]; g.Available {
		return g, nil
	}
	return state.Generation{}, fmt.Errorf("generation %d of %s is no longer in the store", n, addr)
}
