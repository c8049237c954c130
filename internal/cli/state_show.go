package cli

import (
	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

func (a *app) stateShowCommand() *cobra.Command {
	var o stateOptions
	cmd := &cobra.Command{
		Use: "show ADDRESS", Short: "Show what is on record of an image", Args: cobra.ExactArgs(1),
		Long: "Prints what is on record of one image: the request that made it, its file, and what it cost.",
		Example: `  fluxbatch state show image.logo
  fluxbatch state show 'image.card["winter"]'`,
		RunE:              func(_ *cobra.Command, args []string) error { return a.runStateShow(args[0], &o) },
		ValidArgsFunction: firstArgument(a.completeMade),
	}
	o.bind(cmd.Flags())
	return cmd
}

func (a *app) runStateShow(text string, o *stateOptions) error {
	s, err := a.readState(o)
	if err != nil {
		return err
	}
	if made, err := addrs.ParseRendition(text); err == nil && s.Renditions[made] != nil {
		a.viewer().Rendition(made, s.Renditions[made])
		return nil
	}
	addr, err := addrs.Parse(text)
	if err != nil {
		return err
	}
	if !s.Images.Has(addr) {
		return notRecorded(s, addr.String())
	}
	a.viewer().State(s, addr)
	return nil
}
