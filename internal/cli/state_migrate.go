package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

type stateMigrateOptions struct {
	workspace.Options
	from, to string
}

func (a *app) stateMigrateCommand() *cobra.Command {
	var o stateMigrateOptions
	cmd := &cobra.Command{
		Use: "migrate {-from FILE | -to FILE}", Short: "Move the state to a bucket, or back to a file", Args: cobra.NoArgs,
		Long: `Moves the state between a file and the place that the configuration names. After adding a state "s3" block, -from moves the state from the file that had it
into the bucket. Before removing the block, -to moves it into a file. Tasks of an interrupted run move with it.

What was written is read back and compared. Only then is the former state marked as moved, and every command that comes across it says where it is. A state goes
back to a place that it was moved from. When it is interrupted, run it again.`,
		Example: `  fluxbatch state migrate -from fluxbatch.state.json
  fluxbatch state migrate -to fluxbatch.state.json`,
		RunE: func(*cobra.Command, []string) error { return a.runStateMigrate(&o) },
	}
	cmd.Flags().StringVar(&o.from, "from", "", "move the state from this `file` to where the configuration says")
	cmd.Flags().StringVar(&o.to, "to", "", "move the state from where the configuration says to this `file`")
	negate(cmd.Flags(), &o.NoLock, "lock", "take the locks of both states")
	cmd.Flags().DurationVar(&o.LockTimeout, "lock-timeout", 0, "wait this `long` for another command to release a state, as in 30s")
	cmd.MarkFlagsMutuallyExclusive("from", "to")
	return cmd
}

func (a *app) runStateMigrate(o *stateMigrateOptions) error {
	if o.from == "" && o.to == "" {
		return explain("\"fluxbatch state migrate\" is not complete without the file.\nMove the state from a file to where the configuration says, or from there to a file:\n\n%s",
			"  fluxbatch state migrate -from fluxbatch.state.json\n  fluxbatch state migrate -to fluxbatch.state.json")
	}
	from := workspace.Place{Path: o.from}
	to, err := a.place(".", &workspace.Options{})
	if err != nil {
		return err
	}
	if o.to != "" {
		from, to = to, workspace.Place{Path: o.to}
	}
	switch {
	case from == to:
		return explain("The state is at %s already.\nFor a bucket, add a state \"s3\" block to the configuration first.", to)
	case !from.Exists():
		return explain("There is no state to move: %s does not exist.", from)
	}
	done, err := workspace.Migrate(a.environment(), from, to, o.Options)
	if errors.Is(err, state.ErrLineage) {
		return explain("%s has the state of another project.\nNothing was changed. Name another place in the configuration.", to)
	}
	if moved, isMoved := errors.AsType[*state.MovedError](err); isMoved && moved.Path == to.String() {
		return explain("%[1]s is marked as moved to %[2]s, not to %[3]s, so nothing is put there.\nMove the state that is at %[2]s. Where it is the one at %[3]s, name that as the mark does. Otherwise, name another place than %[1]s.",
			to, moved.To, from)
	}
	if err != nil {
		return err
	}
	said := fmt.Sprintf("The state with %s is at %s now. %s is marked as moved.", images(done.Images), to, from)
	if done.Tasks > 0 {
		said += " Tasks of an interrupted run moved with it. The next apply fetches what they made."
	}
	a.viewer().Say(said)
	return nil
}
