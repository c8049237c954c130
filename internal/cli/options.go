package cli

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

// inputOptions are where the values of variables come from, in the order given.
type inputOptions struct {
	values []config.Value
	// environ, when not nil, is looked at in the place of the process's environment.
	environ []string
	noInput bool
	// allowEmpty takes a directory without a configuration for one without images.
	allowEmpty bool
}

// planOptions are what a plan can be asked for.
type planOptions struct {
	inputOptions
	workspace.Options
	// targetFiles are the files that the listed targets come from.
	targetFiles []string
	// out is the file to save the plan to.
	out string
	// json, concise and noConcise say how the plan is shown.
	json, concise, noConcise bool
	// costs adds up what the plan costs by model.
	costs bool
}

// adopt puts what a saved plan was asked for in the place of flags.
func (o *planOptions) adopt(saved *workspace.SavedPlan) {
	o.values, o.environ, o.Options = saved.Asked.Values, saved.Asked.Environ, saved.Asked.Options
}

// load reads the root module.
func (a *app) load(dir string, o *inputOptions) (*config.Config, hcl.Diagnostics) {
	environ := o.environ
	if environ == nil {
		environ = a.env.Environ
	}
	return config.Load(dir, config.Options{
		Values: o.values, Environ: environ, Version: Version(), Ask: a.asker(o), AllowEmpty: o.allowEmpty,
	})
}

// open opens a root module.
func (a *app) open(dir, operation string, cfg *config.Config, o *workspace.Options) (*workspace.Workspace, error) {
	return a.openAt(workspace.PlaceOf(dir, &cfg.Settings, o), dir, operation, cfg, o)
}

// openAt opens a root module, or with a nil configuration its state alone.
func (a *app) openAt(place workspace.Place, dir, operation string, cfg *config.Config, o *workspace.Options) (*workspace.Workspace, error) {
	env := a.environment()
	env.OnDiagnostics = func(diags hcl.Diagnostics) { a.showDiagnostics(cfg, diags) }
	env.OnEvent = func(e executor.Event) {
		a.log.Event(e)
		a.unmade.event(e)
		a.operation().Event(e)
	}
	return workspace.Open(*env, dir, operation, place, cfg, *o)
}

// environment is what a workspace needs of this process.
func (a *app) environment() *workspace.Environment {
	return &workspace.Environment{
		Drain: a.env.Drain, Abort: a.env.Abort, Environ: a.env.Environ, Version: Version(), Log: a.log, Faults: a.env.Faults,
	}
}

// openHere opens the root module in the current directory; see openFit.
func (a *app) openHere(operation string, o *planOptions) (*workspace.Workspace, error) {
	return a.openFit(".", operation, o)
}

// openFit loads a root module and opens it for a command that needs it free of mistakes.
func (a *app) openFit(dir, operation string, o *planOptions) (*workspace.Workspace, error) {
	cfg, diags := a.load(dir, &o.inputOptions)
	if cfg == nil || diags.HasErrors() {
		return nil, a.invalid(cfg, diags)
	}
	return a.open(dir, operation, cfg, &o.Options)
}
