package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/suggest"
	"github.com/fluxbatch/fluxbatch/internal/view/machine"
)

// accountConcurrency is how many active tasks the API allows an account.
const accountConcurrency = 24

func (a *app) modelsCommand() *cobra.Command {
	var asJSON, prices bool
	cmd := &cobra.Command{
		Use: "models [NAME]", Short: "List the models: arguments, limits, prices", Args: cobra.MaximumNArgs(1),
		Long: `Lists the models that the catalogue knows with their prices, or explains the one called NAME: its arguments with their types, ranges and defaults, how many
references it takes, its sizes, its price, and how many of its tasks may be active. It needs no key and no network.

A model that is newer than the catalogue can be described by a model block in the configuration.`,
		Example: `  fluxbatch models
  fluxbatch models flux-2-pro
  fluxbatch models -prices
  fluxbatch models -json`,
		RunE:              func(_ *cobra.Command, args []string) error { return a.runModels(args, asJSON, prices) },
		ValidArgsFunction: firstArgument(completeModels),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&prices, "prices", false, "list where each price comes from, and how old it is")
	cmd.MarkFlagsMutuallyExclusive("json", "prices")
	return cmd
}

func (a *app) runModels(args []string, asJSON, prices bool) error {
	models := bfl.Models()
	if len(args) > 0 {
		m, err := lookupModel(args[0])
		if err != nil {
			return err
		}
		models = []*bfl.Model{m}
	}
	switch {
	case asJSON:
		machine.WriteModels(a.out, models)
	case prices:
		a.viewer().Prices(models, time.Now())
	case len(args) > 0:
		a.viewer().Model(models[0], accountConcurrency)
	default:
		a.viewer().Models(models)
	}
	return nil
}

func lookupModel(name string) (*bfl.Model, error) {
	if m := bfl.Lookup(name); m != nil {
		return m, nil
	}
	hint := ""
	if near := suggest.Nearest(name, modelNames()); near != "" {
		hint = " Did you mean " + near + "?"
	}
	return nil, explain("The catalogue has no model %q.%s\nList the models:%s", name, hint, toType("fluxbatch models"))
}

func modelNames() []string {
	var names []string
	for _, m := range bfl.Models() {
		names = append(names, m.Name)
	}
	return names
}

// completeModels completes the name of a model.
func completeModels(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, m := range bfl.Models() {
		names = append(names, cobra.CompletionWithDesc(m.Name, m.Title))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
