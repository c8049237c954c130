package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

func (a *app) forceUnlockCommand() *cobra.Command {
	var simulate bool
	cmd := &cobra.Command{
		Use: "force-unlock LOCK-ID [DIRECTORY]", Short: "Remove a lock whose process is gone", Args: cobra.RangeArgs(1, 2),
		Long: `Removes the lock that an interrupted command left on the state. Locks go away by themselves when their process ends, so this is for network
file systems that keep the lock of a machine that is gone. LOCK-ID is what the error about the lock names.`,
		Example: "  fluxbatch force-unlock 3f2a91c07b5d4e68",
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := directory(args[1:])
			if err != nil {
				return err
			}
			place, err := a.place(dir, &workspace.Options{Simulate: simulate})
			if err != nil {
				return err
			}
			info, err := place.ForceUnlock(a.env.Abort, args[0])
			if err != nil {
				return err
			}
			a.viewer().Say(fmt.Sprintf("The lock of %s, process %d, was removed.", info.Who, info.PID))
			return nil
		},
	}
	cmd.Flags().BoolVar(&simulate, "simulate", false, "remove the simulation's lock")
	return cmd
}
