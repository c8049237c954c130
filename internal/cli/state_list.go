package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

func (a *app) stateListCommand() *cobra.Command {
	var o stateOptions
	cmd := &cobra.Command{
		Use: "list [ADDRESS-PATTERN...]", Short: "List the images on record",
		Long: `Prints the addresses of the images on record, one a line, sorted, and then those of the renditions and sheets. With patterns, only those that match one: an address, an image block
for all of its instances, a module for all that is in it, an address with * for any characters, or label.KEY=VALUE.`,
		Example: `  fluxbatch state list
  fluxbatch state list image.card module.brand
  fluxbatch state list 'image.*["winter"]' label.kind=logo`,
		RunE:              func(_ *cobra.Command, args []string) error { return a.runStateList(args, &o) },
		ValidArgsFunction: a.completeRecorded,
	}
	o.bind(cmd.Flags())
	return cmd
}

func (a *app) runStateList(patterns []string, o *stateOptions) error {
	s, err := a.readState(o)
	if err != nil {
		return err
	}
	made := recordedRenditions(s, patterns)
	found, err := recordedAddresses(s, patterns)
	if err != nil && len(made) == 0 {
		return err
	}
	if lines := append(texts(found), made...); len(lines) > 0 {
		a.viewer().Say(strings.Join(lines, "\n"))
	}
	return nil
}

// recordedRenditions returns the addresses of what was made here that match any of the patterns, all
// of them without patterns.
func recordedRenditions(s *state.State, patterns []string) []string {
	var found []string
	for _, addr := range s.SortedRenditions() {
		matches := func(pattern string) bool { return planner.MatchesAddress(pattern, addr.String()) }
		if len(patterns) == 0 || slices.ContainsFunc(patterns, matches) {
			found = append(found, addr.String())
		}
	}
	return found
}

// texts returns addresses as users write them.
func texts(list []addrs.Image) []string {
	all := make([]string, len(list))
	for i, addr := range list {
		all[i] = addr.String()
	}
	return all
}
