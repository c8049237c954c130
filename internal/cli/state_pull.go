package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) statePullCommand() *cobra.Command {
	var o stateOptions
	cmd := &cobra.Command{
		Use: "pull", Short: "Print the state", Args: cobra.NoArgs,
		Long: `Prints the state as its file would have it, together with what an interrupted command left in the journal. Tasks that are still under way are not part of
it: they mean nothing on another machine.`,
		Example: "  fluxbatch state pull > backup.json",
		RunE:    func(*cobra.Command, []string) error { return a.runStatePull(&o) },
	}
	o.bind(cmd.Flags())
	return cmd
}

func (a *app) runStatePull(o *stateOptions) error {
	place, err := a.place(".", &o.Options)
	if err != nil {
		return err
	}
	s, err := place.Read(a.env.Abort)
	if err != nil {
		return err
	}
	if s.Images.Len()+len(s.Tasks) == 0 && !place.Exists() {
		return explain("There is no state to print: %s does not exist.\nNothing has been made here yet.", place)
	}
	if err := s.Write(a.out); err != nil && a.out.failure() == nil {
		return fmt.Errorf("printing the state: %w", err)
	}
	return nil
}
