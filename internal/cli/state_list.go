package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

func (a *app) stateListCommand() *cobra.Command {
	var o stateOptions
	cmd := &cobra.Command{
		Use: "list [ADDRESS-PATTERN...]", Short: "List the images on record",
		Long: `Prints the addresses of the images on record, one a line, sorted. With patterns, only those that match one: an address, an image block
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
	found, err := recordedAddresses(s, patterns)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		a.viewer().Say(strings.Join(texts(found), "\n"))
	}
	return nil
}

// texts returns addresses as users write them.
func texts(list []addrs.Image) []string {
	all := make([]string, len(list))
	for i, addr := range list {
		all[i] = addr.String()
	}
	return all
}
