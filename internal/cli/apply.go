package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

type applyOptions struct {
	planOptions
	autoApprove bool
	parallelism int
}

func (a *app) applyCommand() *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use: "apply [DIRECTORY | PLAN]", Short: "Make what the configuration declares and does not exist yet", Args: cobra.MaximumNArgs(1),
		Long: `Plans as "fluxbatch plan" does, asks, and then makes the images. What exists and has not changed is left alone. A PLAN that plan -out saved is
carried out without asking, and refused if anything that it depends on has changed since.

The first Ctrl-C finishes what is being made and begins nothing new. The second breaks off at once; what was submitted stays on record. The third ends it
wherever it is. Before images are made, the first ends it.`,
		Example: `  fluxbatch apply
  fluxbatch apply -auto-approve -simulate examples/quickstart
  fluxbatch apply -replace image.hero
  fluxbatch apply release.fluxplan`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runApply(cmd, args, &o) },
	}
	o.bindApply(cmd)
	o.bindModes(cmd, "remove all images; their files go into the store")
	return cmd
}

func (a *app) destroyCommand() *cobra.Command {
	o := applyOptions{planOptions: planOptions{destroy: true}}
	cmd := &cobra.Command{
		Use: "destroy [DIRECTORY]", Short: "Remove all images, or some", Args: cobra.MaximumNArgs(1),
		Long: `Removes the images that are on record from the state, and moves their files into the store, .fluxbatch/store: while that is there, declaring them again
brings them back for free. With -target only some are removed.`,
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
		return fmt.Errorf("-parallelism is a number of tasks from 1 on, and %d is not one", o.parallelism)
	}
	var saved *savedPlan
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
	o.allowEmpty = o.destroy
	w, plan, err := a.makePlan(dir, cmd.Name(), &o.planOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.close()) }()
	if saved != nil {
		if err := w.stillValid(saved, plan); err != nil {
			return err
		}
	} else {
		a.operation().Plan(plan, view.PlanInfo{Command: cmd.Name(), Simulated: o.simulate})
	}
	if over := w.overBudget(plan, &o.planOptions); over.HasErrors() {
		return a.failed(w, over)
	}
	connections, err := w.connect(plan)
	if err != nil {
		return err
	}
	defer connections.close()
	a.showDiagnostics(w.config, w.affords(plan, connections))
	if !plan.Empty() && !o.autoApprove && saved == nil {
		if err := a.approve(plan, &o.planOptions); err != nil {
			return err
		}
	}
	return w.apply(plan, connections, o)
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
	"target", "target-file", "exclude", "replace", "abandon", "var", "var-file", "simulate", "destroy", "refresh", "refresh-only", "retry-moderated", "state",
}

// adoptPlan reads a saved plan and puts what it was asked for in the place of flags.
func (a *app) adoptPlan(cmd *cobra.Command, path string, o *applyOptions) (*savedPlan, string, error) {
	for _, name := range shapingFlags {
		if cmd.Flags().Changed(name) {
			return nil, "", fmt.Errorf("-%s shapes a plan, and %s is one already. Plan again with -%s, or apply without it", name, path, name)
		}
	}
	saved, dir, planned, err := a.readPlan(path)
	if err != nil {
		return nil, "", err
	}
	planned.json, planned.concise, planned.noConcise = o.json, o.concise, o.noConcise
	planned.lockTimeout, planned.noLock, planned.noInput = o.lockTimeout, o.noLock, o.noInput
	if o.maxCost.credits != nil {
		planned.maxCost = o.maxCost
	}
	o.planOptions = *planned
	return saved, dir, nil
}

// approve asks whether the plan is to be carried out.
func (a *app) approve(plan *planner.Plan, o *planOptions) error {
	if !a.interactive() || o.noInput || o.json {
		asks, look := "apply asks before it spends", "fluxbatch plan"
		if o.destroy {
			asks, look = "fluxbatch asks before it removes images", "fluxbatch plan -destroy"
		}
		return fmt.Errorf("%s, and here is nobody to answer: standard input is not a terminal, or -input=false or -json was given. "+
			"Look at the plan with %s, and then use -auto-approve", asks, look)
	}
	a.viewer().AskApprove(plan)
	answer, err := readLine(a.env.Drain, bufio.NewReader(a.env.Stdin))
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("the plan was not approved. Nothing was changed, and nothing was spent")
	}
	return nil
}

// readLine reads one line, or returns why the user no longer wants to be asked. The read itself cannot be broken off; it ends with the process.
func readLine(ctx context.Context, r *bufio.Reader) (string, error) {
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	go func() {
		text, err := r.ReadString('\n')
		lines <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case l := <-lines:
		if l.text == "" && l.err != nil {
			return "", fmt.Errorf("reading the answer: %w", l.err)
		}
		return l.text, nil
	}
}

func (w *workspace) apply(plan *planner.Plan, c *connections, o *applyOptions) error {
	a, v := w.app, w.app.operation()
	a.heed()
	v.StartApply(plan)
	stop := context.AfterFunc(a.env.Drain, func() {
		v.Diagnostics(hcl.Diagnostics{{
			Severity: hcl.DiagWarning, Summary: "Interrupted",
			Detail: "Nothing new is begun, and what is in flight is finished. A second interrupt breaks that off as well: then tasks stay on record, and the " +
				"next apply goes on with them.",
		}}, nil)
	})
	defer stop()
	w.config.See(plan.See())
	summary, applyErr := executor.Apply(a.env.Abort, plan, executor.Options{
		Accounts: c.accounts, Doorbell: c.rings, Journal: w.session, Store: w.local.Store(), Stored: w.storedLate, Index: w.local.Index(), Dir: w.outputs, Prior: w.session.State(),
		Parallelism: o.parallelism, MaxCost: w.maxCost(&o.planOptions), RetryModerated: o.retryModerated, Drain: a.env.Drain, Resolve: w.resolve, Accept: w.accept, OnEvent: func(e executor.Event) {
			a.log.event(e)
			v.Event(e)
		},
	})
	if !o.destroy {
		w.conditions(plan)
	}
	outputs, commitErr := w.commit(plan, o.destroy)
	interrupted := a.env.Drain.Err() != nil
	v.FinishApply(summary, outputs, view.ApplyInfo{
		Simulated: w.simulate, Destroy: o.destroy, Pictures: w.pictures(), Interrupted: interrupted, Again: w.again(&o.planOptions),
	})
	if commitErr != nil {
		return commitErr
	}
	switch {
	case interrupted && applyErr != nil:
		return exitError(exitInterrupted)
	case errors.Is(applyErr, executor.ErrIncomplete), w.unmet:
		return exitError(exitFailure)
	default:
		return applyErr
	}
}

// results answers for the images that are on record now. It must not be used while changes are carried out.
func (w *workspace) results(addr addrs.Image) *config.Result {
	if img := w.session.State().Images[addr]; img != nil {
		return planner.ResultOf(img)
	}
	return nil
}

// accept checks an image that is there now against its postconditions, and shows what is wrong with it. The image is kept all the same: it
// was paid for.
func (w *workspace) accept(addr addrs.Image, results func(addrs.Image) *config.Result) bool {
	diags := w.config.Postconditions(addr, results)
	w.demand(diags)
	if diags.HasErrors() {
		w.told[addr] = true
	}
	return !diags.HasErrors()
}

// conditions checks what can be told only now of images that were not made: the preconditions that depend on some that were, and the
// postconditions of imported ones that depend on others. The check blocks come last.
func (w *workspace) conditions(plan *planner.Plan) {
	for _, c := range plan.Changes {
		if w.told[c.Address] {
			continue
		}
		if c.Desired != nil && c.Desired.Lifecycle.Undecided && c.Origin != planner.Generate {
			_, diags := w.config.Resolve(c.Address, w.results)
			w.demand(diags)
		}
		if c.Action == planner.Import {
			w.accept(c.Address, w.results)
		}
	}
	w.app.showDiagnostics(w.config, w.config.Checks(w.results))
}

// demand shows diagnostics. Errors among them make the apply fail in the end.
func (w *workspace) demand(diags hcl.Diagnostics) {
	w.app.showDiagnostics(w.config, diags)
	w.unmet = w.unmet || diags.HasErrors()
}

// commit writes the state with the outputs that the configuration has now. Destroying all leaves none, destroying some leaves them as they are.
func (w *workspace) commit(plan *planner.Plan, destroy bool) ([]config.Output, error) {
	after := w.session.State()
	if destroy {
		if plan.Outputs == nil {
			return nil, w.session.Commit(nil)
		}
		return nil, w.session.Commit(map[string]state.OutputValue{})
	}
	outputs, diags := w.config.Outputs(w.results)
	w.demand(diags)
	values := after.Outputs
	if plan.Outputs != nil {
		values = map[string]state.OutputValue{}
		for _, o := range outputs {
			// An output that needs an image which failed keeps its former value.
			if encoded, ok := planner.EncodeOutput(o); ok {
				values[o.Name] = encoded
			} else if before, ok := after.Outputs[o.Name]; ok {
				values[o.Name] = before
			}
		}
	}
	return outputs, w.session.Commit(values)
}

// resolve evaluates an image again, and shows what is wrong with it now.
func (w *workspace) resolve(addr addrs.Image, results func(addrs.Image) *config.Result) (*config.Image, error) {
	img, diags := w.config.Resolve(addr, results)
	w.app.showDiagnostics(w.config, diags)
	if diags.HasErrors() {
		w.told[addr] = true
		return nil, errors.New("it cannot be made as it is configured, which is known only now; see the error above")
	}
	return img, nil
}
