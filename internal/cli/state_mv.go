package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

type stateMvOptions struct {
	stateOptions
	dryRun bool
}

func (a *app) stateMvCommand() *cobra.Command {
	var o stateMvOptions
	cmd := &cobra.Command{
		Use: "mv FROM TO", Short: "Give images on record another address", Args: cobra.ExactArgs(2),
		Long: `Moves what is on record of an image to another address, so that a renamed image is not generated again. FROM and TO are both images or both modules. Without
an instance key, all instances of FROM move and keep their keys. An address in use is never overwritten.

Files stay where they are. The next apply moves one whose path the configuration now gives otherwise. A moved block in the configuration does the same for
everybody who works with it, and is reviewed with it.`,
		Example: `  fluxbatch state mv image.logo image.mark
  fluxbatch state mv 'image.card[0]' 'image.card["spring"]'
  fluxbatch state mv image.logo module.brand.image.logo
  fluxbatch state mv module.brand 'module.brand["eu"]'`,
		RunE:              func(_ *cobra.Command, args []string) error { return a.runStateMv(args[0], args[1], &o) },
		ValidArgsFunction: firstArgument(a.completeRecorded),
	}
	o.bindLock(cmd.Flags())
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would move, and move nothing")
	return cmd
}

func (a *app) runStateMv(from, to string, o *stateMvOptions) (err error) {
	move, err := parseMove(from, to)
	if err != nil {
		return err
	}
	if o.dryRun {
		s, err := a.readState(&o.stateOptions)
		if err != nil {
			return err
		}
		steps, err := planMove(s, move)
		if err == nil {
			a.viewer().Say(describeMoves(steps, "would move to") + "\nNothing was changed.")
		}
		return err
	}
	w, err := a.lockState("state mv", &o.stateOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	steps, err := planMove(w.State(), move)
	if err != nil {
		return err
	}
	if err := w.Move(steps); err != nil {
		return err
	}
	a.viewer().Say(describeMoves(steps, "has moved to"))
	return nil
}

// parseMove reads the two ends of a move and holds them against each other.
func parseMove(from, to string) (addrs.Move, error) {
	var move addrs.Move
	var err error
	if move.From, err = parseEndpoint(from); err != nil {
		return move, err
	}
	if move.To, err = parseEndpoint(to); err != nil {
		return move, err
	}
	switch {
	case move.From == move.To:
		return move, explain("%s is already there.", move.From)
	case move.From.IsModule != move.To.IsModule:
		return move, explain("%s cannot move to %s. One is an image and the other a module.\n"+
			"An image moves into a module under its whole address, such as module.brand.image.logo.", move.From, move.To)
	}
	return move, nil
}

// parseEndpoint reads the address of an image block, a module, or an instance of either.
func parseEndpoint(text string) (addrs.Endpoint, error) {
	if img, err := addrs.Parse(text); err == nil {
		if img.Candidate > 0 {
			return addrs.Endpoint{}, explain("%s is a candidate of %s.\nA candidate moves with its image. Name the image instead.", img, img.Of())
		}
		return addrs.Endpoint{Parent: img.Module, Name: img.Name, Key: img.Key}, nil
	} else if !strings.HasPrefix(text, "module.") {
		return addrs.Endpoint{}, err
	}
	// What stands before an image's address is the path of a module, and the parser of those tells
	// what is wrong with it.
	inside, err := addrs.Parse(text + ".image.x")
	if err != nil {
		_, err = addrs.Parse(text)
		return addrs.Endpoint{}, err
	}
	end := addrs.Endpoint{IsModule: true}
	first := true
	for name, key := range inside.Module.Steps() {
		if !first {
			end.Parent = end.Parent.Child(end.Name, end.Key)
		}
		end.Name, end.Key, first = name, key, false
	}
	return end, nil
}

// planMove returns the records that a move is about, and refuses one of nothing, or to where
// something is.
func planMove(s *state.State, move addrs.Move) ([]state.Moved, error) {
	steps, err := workspace.PlanMove(s, move)
	if taken, ok := errors.AsType[*workspace.InUseError](err); ok {
		return nil, explain("%s cannot move to %s, which is in use: %s.\nNothing was moved. Move what is there away first, or forget it with%s",
			move.From, move.To, strings.Join(taken.By, ", "), toType("fluxbatch state rm ADDRESS"))
	}
	if err == nil && len(steps) == 0 {
		err = notRecorded(s, move.From.String())
	}
	return steps, err
}

func describeMoves(steps []state.Moved, verb string) string {
	lines := make([]string, len(steps))
	for i, step := range steps {
		lines[i] = fmt.Sprintf("%s %s %s.", step.From, verb, step.To)
	}
	return strings.Join(lines, "\n")
}
