package cli

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/suggest"
	"github.com/fluxbatch/fluxbatch/internal/view/machine"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

type outputOptions struct {
	stateOptions
	json, raw bool
}

func (a *app) outputCommand() *cobra.Command {
	var o outputOptions
	cmd := &cobra.Command{
		Use: "output [NAME]", Short: "Print output values", Args: cobra.MaximumNArgs(1),
		Long: `Prints the output values of the root module as the last apply left them, or the one called NAME. The values of sensitive outputs are in no file, so they
cannot be printed.`,
		Example: `  fluxbatch output
  fluxbatch output -json
  cp "$(fluxbatch output -raw hero)" website/`,
		RunE: func(_ *cobra.Command, args []string) error { return a.runOutput(args, &o) },
		ValidArgsFunction: firstArgument(func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return a.completeOutputs(&o.stateOptions), cobra.ShellCompDirectiveNoFileComp
		}),
	}
	o.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON: the value of NAME, or an object of all with their types")
	cmd.Flags().BoolVar(&o.raw, "raw", false, "print the text of NAME alone, without quotes or a newline, for scripts")
	return cmd
}

func (a *app) runOutput(args []string, o *outputOptions) error {
	switch {
	case o.raw && o.json:
		return explain("-raw and -json contradict each other.\nUse one of them.")
	case o.raw && len(args) == 0:
		return explain("-raw prints one output.\nName it, as in fluxbatch output -raw hero.")
	}
	s, err := a.readState(&o.stateOptions)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		return a.printOutput(s, args[0], o)
	}
	switch {
	case o.json:
		machine.WriteOutputs(a.out, s.Outputs)
	case len(s.Outputs) == 0:
		// A script that goes through all of them has nothing to do.
		a.viewer().Note("There are no outputs on record. " + a.noOutputs("", o))
	default:
		a.viewer().Outputs(s.Outputs)
	}
	return nil
}

// noOutputs says where the output of that name comes from, or all where name is "": that the
// simulation has it, or what makes it.
func (a *app) noOutputs(name string, o *outputOptions) string {
	const declared = "Outputs are declared by output blocks, and get their values from"
	if o.Simulate {
		return declared + toType(typed(append(a.program(), "apply", "-simulate")))
	}
	simulated, err := a.readState(&stateOptions{workspace.Options{Simulate: true}})
	if err != nil || o.StatePath != "" {
		// A simulation that cannot be read has nothing to offer.
		return declared + toType(typed(append(a.program(), "apply")))
	}
	words := append(a.program(), "output", "-simulate")
	_, has := simulated.Outputs[name]
	switch {
	case has:
		return "The simulation has one, which is printed by" + toType(typed(append(words, name)))
	case name == "" && len(simulated.Outputs) > 0:
		return "The simulation has some, which are printed by" + toType(typed(words))
	default:
		return declared + toType(typed(append(a.program(), "apply")))
	}
}

func (a *app) printOutput(s *state.State, name string, o *outputOptions) error {
	value, ok := s.Outputs[name]
	if !ok {
		names := slices.Sorted(maps.Keys(s.Outputs))
		hint := a.noOutputs(name, o)
		if near := suggest.Nearest(name, names); near != "" {
			hint = "Did you mean " + near + "?"
		}
		return explain("There is no output %q on record.\n%s", name, hint)
	}
	switch {
	case o.raw:
		return a.viewer().RawOutput(name, value)
	case o.json:
		return machine.WriteOutput(a.out, name, value)
	default:
		a.viewer().Output(value)
		return nil
	}
}
