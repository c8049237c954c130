package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/planner"
)

type applyOptions struct {
	planOptions
	autoApprove bool
	parallelism int
}

func (a *app) applyCommand() *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use: "apply [DIRECTORY | PLAN]", Short: "Create, replace and update images as the configuration says", Args: cobra.MaximumNArgs(1),
		Long: `Plans as "fluxbatch plan" does, asks, and then makes the images. What exists and has not changed is left alone. A PLAN that plan -out saved is
carried out without asking, and refused if anything that it depends on has changed since.

The first Ctrl-C finishes what is being made and begins nothing new. The second breaks off at once, and what was submitted stays on record. The third ends it
wherever it is. Before images are made, the first ends it.`,
		Example: `  fluxbatch apply
  fluxbatch apply -auto-approve -simulate examples/quickstart
  fluxbatch apply -replace image.hero
  fluxbatch apply release.fluxplan`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runApply(cmd, args, &o) },
	}
	o.bindApply(cmd)
	o.bindModes(cmd, "destroy all images, and move their files into the store")
	return cmd
}

func (a *app) destroyCommand() *cobra.Command {
	o := applyOptions{planOptions: planOptions{Options: workspace.Options{Destroy: true}}}
	cmd := &cobra.Command{
		Use: "destroy [DIRECTORY]", Short: "Destroy all images, or some", Args: cobra.MaximumNArgs(1),
		Long: `Takes the images off record, and moves their files into the store, .fluxbatch/store. While the store is there, declaring the images again brings them
back for free. With -target only some are destroyed.`,
		Example: `  fluxbatch destroy
  fluxbatch destroy -target image.card -auto-approve`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runApply(cmd, args, &o) },
	}
	o.bindApply(cmd)
	return cmd
}

// bindApply adds the flags of apply and destroy.
func (o *applyOptions) bindApply(cmd *cobra.Command) {
	o.bind(cmd)
	cmd.Flags().BoolVar(&o.autoApprove, "auto-approve", false, "do not ask before spending")
	cmd.Flags().IntVar(&o.parallelism, "parallelism", 0, "have at most this `number` of active tasks an account")
}

func (a *app) runApply(cmd *cobra.Command, args []string, o *applyOptions) (err error) {
	if cmd.Flags().Changed("parallelism") && o.parallelism < 1 {
		return fmt.Errorf("-parallelism must be at least 1, but it is %d", o.parallelism)
	}
	var saved *workspace.SavedPlan
	var dir string
	if path, ok := planFile(args); ok {
		saved, dir, err = a.adoptPlan(cmd, path, o)
	} else {
		dir, err = directory(args)
	}
	if err != nil {
		return err
	}
	a.show(&o.planOptions)
	// What no configuration declares any more can be removed all the same.
	o.allowEmpty, o.Brief = o.Destroy, true
	w, plan, err := a.makePlan(dir, cmd.Name(), &o.planOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	if saved != nil {
		if err := w.CheckSaved(saved, plan); err != nil {
			return err
		}
	} else {
		a.operation().Plan(plan, view.PlanInfo{Command: cmd.Name(), Simulated: o.Simulate})
	}
	if over := overBudget(w.CheckBudget(plan)); over.HasErrors() {
		return a.failed(w, over)
	}
	connections, err := w.Connect(plan)
	if err != nil {
		return err
	}
	defer connections.Close()
	a.showDiagnostics(w.Config, shortages(w.Shortages(plan, connections)))
	if !plan.Empty() && !o.autoApprove && saved == nil {
		if err := a.approve(plan, &o.planOptions); err != nil {
			return err
		}
	}
	return a.apply(w, plan, connections, o)
}

// planFile reports whether the argument is a file: apply takes a directory or a saved plan.
func planFile(args []string) (string, bool) {
	if len(args) == 0 {
		return "", false
	}
	info, err := os.Stat(args[0])
	return args[0], err == nil && info.Mode().IsRegular()
}

// shapingFlags are those that a saved plan has answered.
var shapingFlags = []string{
	"target", "target-file", "exclude", "replace", "reroll", "abandon", "var", "var-file", "simulate", "destroy", "refresh", "refresh-only", "retry-moderated", "state",
}

// adoptPlan reads a saved plan and puts what it was asked for in the place of flags.
func (a *app) adoptPlan(cmd *cobra.Command, path string, o *applyOptions) (*workspace.SavedPlan, string, error) {
	for _, name := range shapingFlags {
		if cmd.Flags().Changed(name) {
			return nil, "", fmt.Errorf("the saved plan %[2]q cannot take -%[1]s, which shapes a plan. Plan again with -%[1]s, or apply without it", name, path, name)
		}
	}
	saved, err := workspace.ReadPlan(a.environment(), path)
	if err != nil {
		return nil, "", err
	}
	given := o.Options
	o.adopt(saved)
	o.LockTimeout, o.NoLock = given.LockTimeout, given.NoLock
	if given.MaxCost != nil {
		o.MaxCost = given.MaxCost
	}
	return saved, saved.Dir, nil
}

// approve asks whether the plan is to be carried out.
func (a *app) approve(plan *planner.Plan, o *planOptions) error {
	if !a.interactive() || o.noInput || o.json {
		asks, look := "apply asks before it spends", "fluxbatch plan"
		if o.Destroy {
			asks, look = "fluxbatch asks before it removes images", "fluxbatch plan -destroy"
		}
		return fmt.Errorf("%s, but nobody can answer. Standard input is not a terminal, or -input=false or -json was given. Look at the plan with %s, and then use -auto-approve", asks, look)
	}
	a.viewer().AskApprove(plan)
	answer, err := readLine(a.env.Drain, bufio.NewReader(a.env.Stdin))
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("the plan was not approved. Nothing was changed and nothing was spent")
	}
	return nil
}

// apply carries a plan out, and shows it. What was left undone decides the exit status.
func (a *app) apply(w *workspace.Workspace, plan *planner.Plan, c *workspace.Connections, o *applyOptions) error {
	v := a.operation()
	a.heed()
	v.StartApply(plan)
	stop := context.AfterFunc(a.env.Drain, func() {
		v.Diagnostics(hcl.Diagnostics{{
			Severity: hcl.DiagWarning, Summary: "Interrupted",
			Detail: "Nothing new is started, and what is in flight is finished. A second interrupt stops that too. Tasks then stay on record, and the next apply continues with them.",
		}}, nil)
	})
	defer stop()
	done, err := w.Apply(plan, c, o.parallelism)
	interrupted := a.env.Drain.Err() != nil
	v.FinishApply(done.Summary, done.Outputs, view.ApplyInfo{
		Simulated: o.Simulate, Destroy: o.Destroy, Pictures: pictures(w, o), Interrupted: interrupted, Again: a.again(w, &o.planOptions),
		Accounts: a.unmade.accounts(w, plan, c),
	})
	if err != nil {
		return err
	}
	switch {
	case interrupted && done.Err != nil:
		return exitError(exitInterrupted)
	case errors.Is(done.Err, executor.ErrIncomplete), done.Unmet:
		return exitError(exitFailure)
	default:
		return done.Err
	}
}

// pictures is where a simulation's images are, as the user would type it; "" for real ones.
func pictures(w *workspace.Workspace, o *applyOptions) string {
	if !o.Simulate {
		return ""
	}
	return filepath.Join(workspace.Base(w.Dir, true), filepath.FromSlash(w.Config.Settings.OutputDir))
}
