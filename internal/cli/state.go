package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/suggest"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

func (a *app) stateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "state", Short: "List, show, move and forget images on record",
		Long: `Looks at the state and mends it by hand: what is on record of the images that were made. None of these commands makes, moves or removes an
image's file, and none costs anything.

They work on the state of the configuration in the current directory. -chdir leads to another one.`,
		Example: `  fluxbatch state list
  fluxbatch state mv image.logo image.mark
  fluxbatch state rm 'image.card["winter"]'`,
	}
	cmd.AddCommand(a.stateListCommand(), a.stateShowCommand(), a.stateMvCommand(), a.stateRmCommand(), a.statePullCommand(), a.statePushCommand(), a.stateMigrateCommand())
	return cmd
}

// stateOptions say which state a command works on.
type stateOptions struct{ workspace.Options }

// bind adds the flags of commands that only read the state.
func (o *stateOptions) bind(flags *pflag.FlagSet) {
	flags.BoolVar(&o.Simulate, "simulate", false, "use the simulation's state")
	flags.StringVar(&o.StatePath, "state", "", "use this state `file` in the place of the configured one")
}

// bindLock adds the flags of commands that change the state.
func (o *stateOptions) bindLock(flags *pflag.FlagSet) {
	o.bind(flags)
	negate(flags, &o.NoLock, "lock", "take the state's lock")
	flags.DurationVar(&o.LockTimeout, "lock-timeout", 0, "wait this `long` for another command to release the state, as in 30s")
}

// readState returns the state of the current directory's configuration, without a lock.
func (a *app) readState(o *stateOptions) (*state.State, error) {
	place, err := a.place(".", &o.Options)
	if err != nil {
		return nil, err
	}
	return place.Read(a.env.Abort)
}

// place returns where the state is that a command is about. Mostly the text of the configuration
// tells it; otherwise no more is read of it than its settings.
func (a *app) place(dir string, o *workspace.Options) (workspace.Place, error) {
	if o.StatePath != "" || o.Simulate {
		return workspace.PlaceOf(dir, &config.Settings{}, o), nil
	}
	if declared, ok := workspace.DeclaredState(dir); ok {
		return workspace.PlaceOf(dir, &config.Settings{StatePath: declared}, o), nil
	}
	cfg, diags := a.load(dir, &inputOptions{})
	if cfg == nil || diags.HasErrors() {
		a.showDiagnostics(cfg, diags)
		return workspace.Place{}, exitError(exitFailure)
	}
	return workspace.PlaceOf(dir, &cfg.Settings, o), nil
}

// lockState opens the state of the current directory's configuration to change it.
func (a *app) lockState(operation string, o *stateOptions) (*workspace.Workspace, error) {
	place, err := a.place(".", &o.Options)
	if err != nil {
		return nil, err
	}
	return a.openAt(place, ".", operation, nil, &o.Options)
}

// recordedAddresses returns the addresses on record that match any of the patterns, all of them
// without patterns, sorted. A pattern that matches nothing is an error.
func recordedAddresses(s *state.State, patterns []string) ([]addrs.Image, error) {
	targets := make([]planner.Selector, len(patterns))
	for i, text := range patterns {
		var err error
		if targets[i], err = planner.ParseSelector(text); err != nil {
			return nil, err
		}
	}
	// Without desired images there is nothing that could come along with a target.
	found, unmatched := planner.Select(nil, s, targets, nil)
	if len(unmatched) > 0 {
		if addr, err := addrs.Parse(unmatched[0].String()); err == nil && addr.Candidate > 0 {
			return nil, explain("%s is a candidate of %s.\nCandidates are forgotten, moved and listed with their image. To list them, run:\n\n    fluxbatch pick %s",
				addr, addr.Of(), shellWord(addr.Of().String()))
		}
		return nil, notRecorded(s, unmatched[0].String())
	}
	all := make([]addrs.Image, 0, len(found))
	for addr := range found {
		all = append(all, addr)
	}
	slices.SortFunc(all, addrs.Image.Compare)
	return all, nil
}

// notRecorded says that there is no image under an address, and which may have been meant.
func notRecorded(s *state.State, text string) error {
	for _, task := range s.Tasks {
		if addr := task.Address; addr.String() == text && !s.Images.Has(addr) {
			return explain("%s has no image on record, but a task of an interrupted run, which may have been paid for%s.\nFetch its image:%s", text, taskName(task), toType("fluxbatch apply"))
		}
	}
	names := make([]string, 0, s.Images.Len())
	for addr := range s.Images.Addresses() {
		if addr.Block().String() == text {
			return explain("%s is not on record itself, but has instances. List them:%s", text, toType("fluxbatch state list "+shellWord(text)))
		}
		names = append(names, addr.String())
	}
	slices.Sort(names)
	hint := "List what is on record:" + toType("fluxbatch state list")
	if near := suggest.Nearest(text, names); near != "" && !strings.Contains(text, "*") {
		hint = "Did you mean " + near + "?"
	} else if len(names) == 0 {
		hint = "The state has no images. For what a simulation made, add -simulate."
	}
	return explain("%s is not on record.\n%s", text, hint)
}

func taskName(t *state.Task) string {
	if t.ID == "" {
		return ""
	}
	return ": " + t.ID
}
