package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
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
nothing. The one that is there now goes into the store. GENERATION is a number, path or hash that -list shows. Without it, it is the image that was there last.

An image made from another request than the configuration asks for now would be replaced again by the next apply. Change the configuration back as well, or
set lifecycle.frozen.`,
		Example: `  fluxbatch restore -list image.hero
  fluxbatch restore image.hero
  fluxbatch restore 'image.card["winter"]' 2`,
		RunE:              func(_ *cobra.Command, args []string) error { return a.runRestore(args, &o) },
		ValidArgsFunction: firstArgument(a.completeShown),
	}
	cmd.Flags().BoolVar(&o.list, "list", false, "list the former images of ADDRESS, each with its path, seed, prompt, price and date, and change nothing")
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
	o.ReadOnly = o.list
	w, err := a.openHere("restore", &o.planOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	if o.list {
		generations, err := history(w, addr)
		if err == nil {
			a.viewer().Generations(addr, generations, w.State().Images.Get(addr))
		}
		return err
	}
	said, err := restore(w, addr, args[1:])
	if err == nil {
		a.viewer().Say(said)
		a.warnReplaced(w, addr)
	}
	return err
}

// history returns the former images of an address, and refuses one that nobody knows.
func history(w *workspace.Workspace, addr addrs.Image) ([]state.Generation, error) {
	generations, err := w.History(addr)
	if err == nil && len(generations) == 0 && !w.State().Images.Has(addr) && !w.Declares(addr) {
		err = notRecorded(w.State(), addr.String())
	}
	return generations, err
}

// restore brings back the generation that is named, or the last one, and returns what there is to
// say.
func restore(w *workspace.Workspace, addr addrs.Image, named []string) (said string, err error) {
	generations, err := history(w, addr)
	if err != nil {
		return "", err
	}
	g, err := chooseGeneration(addr, generations, named)
	if err != nil {
		return "", err
	}
	path, err := w.Restore(addr, g)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: generation %d is back at %s.", addr, g.Number, path), nil
}

// warnReplaced warns of an image that was restored and that the next apply replaces again.
func (a *app) warnReplaced(w *workspace.Workspace, addr addrs.Image) {
	if w.WouldReplace(addr) {
		a.showDiagnostics(w.Config, hcl.Diagnostics{{
			Severity: hcl.DiagWarning, Summary: "The configuration asks for another image",
			Detail: fmt.Sprintf("The next apply would replace %s again, since this picture was made from another request. Change the configuration back as "+
				"well, or set lifecycle.frozen. See the difference:%s", addr, toType("fluxbatch plan -target "+shellWord(addr.String()))),
		}})
	}
}

// chooseGeneration returns the generation that the user named by its number, its path or the
// beginning of its hash, or the last one that can be had.
func chooseGeneration(addr addrs.Image, generations []state.Generation, args []string) (state.Generation, error) {
	if len(args) == 0 {
		for _, g := range slices.Backward(generations) {
			if g.Available && !g.Edited {
				return g, nil
			}
		}
		return state.Generation{}, fmt.Errorf("the store has no former image of %s", addr)
	}
	named := func(g state.Generation) bool {
		sum := g.Image.Output.SHA256
		return strconv.Itoa(g.Number) == args[0] || g.Path == args[0] || len(args[0]) >= leastHash && strings.HasPrefix(sum, args[0])
	}
	i := slices.IndexFunc(generations, named)
	if i < 0 {
		return state.Generation{}, explain("%s has no generation %q.\nList those that there are:%s", addr, args[0],
			toType("fluxbatch restore -list "+shellWord(addr.String())))
	}
	if g := generations[i]; g.Available {
		return g, nil
	}
	return state.Generation{}, fmt.Errorf("generation %d of %s is no longer in the store", generations[i].Number, addr)
}

// leastHash is how many digits of a hash name a generation.
const leastHash = 8
