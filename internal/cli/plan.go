package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/preview"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/planner"
)

func (a *app) planCommand() *cobra.Command {
	var o planOptions
	var detailedExitCode, draw, sinceMine bool
	cmd := directoryCommand("plan", "Say what apply would do, and what it would cost",
		`Holds the configuration in DIRECTORY (the current one by default) against the images that exist, and says which ones would be created,
replaced, updated or destroyed, and at what price. It changes nothing and spends nothing.`,
		`  fluxbatch plan
  fluxbatch plan -target 'image.card["winter"]'
  fluxbatch plan -out release.fluxplan
  fluxbatch plan -since-mine
  fluxbatch plan -simulate examples/quickstart`,
		func(dir string) error { return a.runPlan(dir, &o, detailedExitCode, draw, sinceMine) })
	o.bind(cmd)
	o.bindModes(cmd, "plan to destroy all images")
	cmd.Flags().StringVar(&o.out, "out", "", "save the plan to this `file`, for apply")
	cmd.Flags().BoolVar(&o.costs, "costs", false, "add up the estimated cost by model")
	cmd.Flags().BoolVar(&draw, "preview", false, "draw the pictures that change in the terminal")
	cmd.Flags().BoolVar(&sinceMine, "since-mine", false, "say first what others changed in a shared state since this machine last asked")
	cmd.MarkFlagsMutuallyExclusive("preview", "json")
	cmd.MarkFlagsMutuallyExclusive("since-mine", "simulate")
	cmd.Flags().BoolVar(&detailedExitCode, "detailed-exitcode", false, "exit with 0 if there is nothing to do, 1 on errors, 2 if there are changes")
	return cmd
}

// planGCPercent is how much the memory of a plan grows, in percent of what is in use, before Go's
// collector runs: the least with which plans of 10,000 new images and of 100,000 unchanged ones
// take no more time than with any larger figure.
const planGCPercent = 200

// showGCPercent is the same for showing a plan, which keeps nothing of what it makes: of many
// changes, it would come to as much as the plan itself before the collector ran.
const showGCPercent = 30

func (a *app) runPlan(dir string, o *planOptions, detailedExitCode, draw, sinceMine bool) (err error) {
	isTuned := a.getenv("GOGC") == ""
	if isTuned {
		// A plan keeps most of what it makes, so that the collector finds little each time that it
		// runs.
		defer debug.SetGCPercent(debug.SetGCPercent(planGCPercent))
	}
	a.show(o)
	o.ReadOnly, o.Brief = true, true
	var screen preview.Terminal
	if draw {
		if screen, err = a.previewTerminal(); err != nil {
			return err
		}
	}
	w, plan, err := a.makePlan(dir, "plan", o)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	if isTuned {
		debug.SetGCPercent(showGCPercent)
	}
	if err := a.tellNews(w, sinceMine); err != nil {
		return err
	}
	if draw {
		if err := a.previewPlan(screen, w, plan); err != nil {
			return err
		}
	}
	info := view.PlanInfo{Command: "plan", Simulated: o.Simulate, SavedAs: o.out, Again: a.toApply(w, o), Costs: o.costs}
	if over := overBudget(w.CheckBudget(plan)); over.HasErrors() {
		info.SavedAs, info.Again = "", ""
		a.operation().Plan(plan, info)
		return a.failed(w, over)
	}
	// What is shown says that the plan is saved.
	if o.out != "" {
		if err := w.Save(o.out, plan, o.values); err != nil {
			return fmt.Errorf("the plan could not be saved: %w", err)
		}
	}
	a.operation().Plan(plan, info)
	if detailedExitCode && !plan.Empty() {
		return exitError(exitChanges)
	}
	return nil
}

// tellNews says what others did to the state. What was asked for, and shown, is no news any more.
func (a *app) tellNews(w *workspace.Workspace, asked bool) error {
	if asked && !w.IsShared() {
		return explain("-since-mine tells what others changed in a state that is kept in a bucket, and this one is in a file, which does not say who changed it.\n" +
			"Leave out -since-mine. For a state in git, fluxbatch report -since REVISION shows what changed.")
	}
	news := w.News()
	a.operation().News(news, asked)
	if asked || len(news) == 0 {
		w.Looked()
	}
	return nil
}

// makePlan loads, opens and plans, and shows what is wrong. The workspace is open unless there is
// an error.
func (a *app) makePlan(dir, operation string, o *planOptions) (*workspace.Workspace, *planner.Plan, error) {
	if err := o.readTargets(); err != nil {
		return nil, nil, err
	}
	cfg, diags := a.load(dir, &o.inputOptions)
	if cfg == nil || diags.HasErrors() {
		return nil, nil, a.invalid(cfg, diags)
	}
	w, err := a.open(dir, operation, cfg, &o.Options)
	if err != nil {
		a.showDiagnostics(cfg, diags)
		return nil, nil, err
	}
	plan, planDiags, err := w.Plan()
	diags = append(diags, adviseUnusable(planDiags)...)
	a.showDiagnostics(cfg, diags)
	if err == nil && diags.HasErrors() {
		err = exitError(exitFailure)
	}
	if err != nil {
		return nil, nil, firstError(err, w.Close())
	}
	return w, plan, nil
}

// failed shows why a plan is not carried out.
func (a *app) failed(w *workspace.Workspace, diags hcl.Diagnostics) error {
	a.showDiagnostics(w.Config, diags)
	return exitError(exitFailure)
}

// invalid shows what is wrong with a configuration, with what evaluating the rest of it finds
// besides.
func (a *app) invalid(cfg *config.Config, diags hcl.Diagnostics) error {
	a.showDiagnostics(cfg, a.allDiagnostics(cfg, diags))
	return exitError(exitFailure)
}

// allDiagnostics adds what evaluating the configuration without a state finds.
func (a *app) allDiagnostics(cfg *config.Config, diags hcl.Diagnostics) hcl.Diagnostics {
	if cfg == nil {
		return diags
	}
	diags = append(diags, cfg.Evaluate(nil)...)
	_, outputDiags := cfg.Outputs(nil)
	return append(diags, outputDiags...)
}

func (a *app) showDiagnostics(cfg *config.Config, diags hcl.Diagnostics) {
	a.operation().Diagnostics(diags, filesOf(cfg))
}

func filesOf(cfg *config.Config) map[string]*hcl.File {
	if cfg == nil {
		return nil
	}
	return cfg.Files()
}

// firstError returns the error that matters: what failed, rather than what closing failed with
// afterwards.
func firstError(err, closing error) error {
	if err != nil {
		return err
	}
	return closing
}
