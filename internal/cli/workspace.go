package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// machineDir is what belongs to this machine alone, inside the root module.
const machineDir = ".fluxbatch"

// simulationDir is the world of its own that a simulation has, inside the root module.
var simulationDir = filepath.Join(machineDir, "simulation")

// stateName is the state's file in a simulation; elsewhere the configuration names it.
const stateName = "fluxbatch.state.json"

// workspace is a root module with its state, locked for one command.
type workspace struct {
	app      *app
	dir      string // the root module
	base     string // where the state's paths begin: dir, or the simulation's directory
	simulate bool
	config   *config.Config
	session  *state.Session
	outputs  *safefile.Dir
	local    *state.Local
	// unmet says that the configuration demands what the apply's images are not.
	unmet bool
	// told are the images whose conditions were said not to hold.
	told map[addrs.Image]bool
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

// openHere loads the root module in the current directory and opens it for a command that needs it free of mistakes.
func (a *app) openHere(operation string, o *planOptions) (*workspace, error) {
	cfg, diags := a.load(".", &o.inputOptions)
	if cfg == nil || diags.HasErrors() {
		return nil, a.invalid(cfg, diags)
	}
	return a.open(a.env.Drain, ".", operation, cfg, o)
}

// statePathOf is where the state of a root module is: where its configuration says, or in the simulation's directory.
func statePathOf(dir string, cfg *config.Config, simulate bool) string {
	if simulate {
		return resolvePath(baseOf(dir, true), stateName)
	}
	return resolvePath(dir, cfg.Settings.StatePath)
}

// open takes the lock and opens all that the root module's images are kept in.
func (a *app) open(ctx context.Context, dir, operation string, cfg *config.Config, o *planOptions) (*workspace, error) {
	w := &workspace{app: a, dir: dir, base: baseOf(dir, o.simulate), simulate: o.simulate, config: cfg, told: map[addrs.Image]bool{}}
	statePath := cmp.Or(o.statePath, statePathOf(dir, cfg, o.simulate))
	var err error
	if w.outputs, err = safefile.OpenAll(w.base); err != nil {
		return nil, err
	}
	w.outputs = w.outputs.WithFaults(a.env.Faults)
	if w.local, err = state.OpenLocal(w.outputs); err != nil {
		return nil, errors.Join(err, w.close())
	}
	session, err := state.Open(ctx, statePath, state.Options{
		Operation: operation, Version: Version(), LockTimeout: o.lockTimeout, NoLock: o.noLock, Local: w.local, Faults: a.env.Faults,
	})
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.session = session
	if !o.noLock {
		// Under the lock, temporary files are leftovers of a crash. One that cannot be removed is in nobody's way.
		_ = w.outputs.Sweep(machineDir)
	}
	return w, nil
}

func (w *workspace) close() error {
	var errs []error
	if w.session != nil && w.local != nil {
		// The index only saves time: where it cannot be written, as in a checkout that is read-only, the files are read again.
		_ = w.local.Index().Save(w.session.State().Images)
	}
	if w.session != nil {
		errs = append(errs, w.session.Close())
	}
	if w.local != nil {
		errs = append(errs, w.local.Close())
	}
	if w.outputs != nil {
		errs = append(errs, w.outputs.Close())
	}
	return errors.Join(errs...)
}

// baseOf is where the paths of a root module's state begin.
func baseOf(dir string, simulate bool) string {
	if simulate {
		return filepath.Join(dir, simulationDir)
	}
	return dir
}

// planOptions are what a plan can be asked for.
type planOptions struct {
	inputOptions
	targets, excludes, replace []string
	// targetFiles are files with further targets, and listed those that stand in them.
	targetFiles, listed []string
	// abandon are the addresses whose tasks are given up.
	abandon                []string
	simulate               bool
	lockTimeout            time.Duration
	maxCost                dollars
	retryModerated         bool
	noRefresh, refreshOnly bool
	destroy                bool
	// out is the file to save the plan to, statePath the state to use in the place of the configured one.
	out, statePath string
	noLock         bool
	// json, concise and noConcise say how the plan is shown.
	json, concise, noConcise bool
}

// plan evaluates the configuration against the state. Diagnostics are shown by the caller.
func (w *workspace) plan(o *planOptions) (*planner.Plan, hcl.Diagnostics, error) {
	options, err := w.plannerOptions(o)
	if err != nil {
		return nil, nil, err
	}
	if o.isLimited() {
		if options.Only, err = w.only(o, options.Prior); err != nil {
			return nil, nil, err
		}
	}
	if o.refreshOnly {
		found, diags, err := w.found(options)
		return planner.New(options).RefreshOnly(found), diags, err
	}
	if o.destroy {
		options.Moves = w.moves()
		plan, diags := planner.New(options).DestroyAll()
		return plan, diags, notAbandoned(plan, options)
	}
	plan, diags := planner.Settle(options, w.evaluate)
	if plan == nil {
		return nil, diags, nil
	}
	diags = append(diags, renameHints(plan.Renamed)...)
	return plan, slices.Concat(diags, w.strangers(plan), occupied(plan, options.Prior), w.damaged()), errors.Join(
		notReplaced(plan, options), notAbandoned(plan, options), w.local.Store().Err())
}

// notAbandoned refuses to give up tasks where there are none.
func notAbandoned(plan *planner.Plan, options planner.Options) error {
	var errs []error
	for _, addr := range options.Abandon {
		if !slices.ContainsFunc(plan.Abandoned, func(a planner.Abandoned) bool { return a.Address == addr || a.Task.Address == addr }) {
			errs = append(errs, explain("there is no task of %s on record for -abandon to give up.\n%s.", addr, addressHint))
		}
	}
	return errors.Join(errs...)
}

// notReplaced refuses what -replace names where no image of the plan has that address: most likely it is mistyped, or stands for a block whose
// instances have keys.
func notReplaced(plan *planner.Plan, options planner.Options) error {
	var errs []error
	for _, addr := range options.Replace {
		if slices.ContainsFunc(plan.Changes, func(c *planner.Change) bool { return c.Desired != nil && c.Address == addr }) {
			continue
		}
		where, hint := "the configuration has", addressHint
		if options.Only != nil {
			where = "-target and -exclude leave"
		}
		sibling := slices.IndexFunc(plan.Changes, func(c *planner.Change) bool { return c.Desired != nil && c.Address.Block() == addr.Block() })
		if sibling >= 0 {
			hint = "Each instance of the block has an address of its own, such as " + shellWord(plan.Changes[sibling].Address.String())
		}
		errs = append(errs, explain("%s no %s for -replace to make anew.\n%s.", where, addr, hint))
	}
	return errors.Join(errs...)
}

// found describes the changed files that are images all the same, and warns of those that are not.
func (w *workspace) found(options planner.Options) (map[addrs.Image]state.File, hcl.Diagnostics, error) {
	found := map[addrs.Image]state.File{}
	var diags hcl.Diagnostics
	for addr, status := range options.Files {
		img := options.Prior.Images[addr]
		if status != state.Changed || img == nil || options.Only != nil && !options.Only[addr] {
			continue
		}
		f, err := w.outputs.Open(img.Output.Path)
		if err != nil {
			return nil, nil, err
		}
		info, err := imagefile.Check(f, bfl.MaxInputBytes*4)
		_ = f.Close() // only read
		if err != nil {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagWarning,
				Summary:  "File is no image",
				Detail: fmt.Sprintf("%s of %s was changed and cannot be taken as it is: %v. The state keeps the image that was made. "+
					"Plan without -refresh-only to see what becomes of it.", img.Output.Path, addr, err),
			})
			continue
		}
		found[addr] = state.FileOf(img.Output.Path, info)
	}
	return found, sortedByDetail(diags), nil
}

// evaluate plans all desired images.
func (w *workspace) evaluate(options planner.Options) (*planner.Plan, hcl.Diagnostics) {
	p, diags := w.decide(options)
	outputs, outputDiags := w.config.Outputs(nil)
	diags = append(diags, outputDiags...)
	if diags.HasErrors() {
		return nil, diags
	}
	plan, planDiags := p.Finish(outputs, w.config.Removals())
	return plan, slices.Concat(diags, planDiags, unusableImports(plan))
}

// decide has a planner decide on all desired images. Which of them move can depend on what the evaluation finds, in modules whose instances come
// from images; it is then made a second time.
func (w *workspace) decide(options planner.Options) (*planner.Planner, hcl.Diagnostics) {
	options.Moves = w.moves()
	options.Imports = append(options.Imports, w.config.Imports()...)
	p := planner.New(options)
	diags := w.config.Evaluate(p.Decide)
	if moves := w.moves(); !slices.Equal(moves, options.Moves) {
		options.Moves = moves
		p = planner.New(options)
		diags = w.config.Evaluate(p.Decide)
	}
	return p, diags
}

// unusableImports refuses to import what cannot be taken. Import blocks that have done their work need their files no more.
func unusableImports(plan *planner.Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, c := range plan.Changes {
		if c.Import != nil && c.Import.Problem != nil {
			diags = append(diags, c.Import.Problem)
		}
	}
	return diags
}

// moves are the configuration's moved blocks as far as they are known.
func (w *workspace) moves() []addrs.Move {
	var moves []addrs.Move
	for _, m := range w.config.Moves() {
		moves = append(moves, m.Move)
	}
	return moves
}

// renameHints suggests moved blocks for images that seem to have another address now.
func renameHints(renames []planner.Rename) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, r := range renames {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning,
			Summary:  "Image seems to have moved",
			Detail:   fmt.Sprintf("%s, write:\n\nmoved {\n  from = %s\n  to   = %s\n}", renameHint(r), r.From, r.To),
		})
	}
	return diags
}

func renameHint(r planner.Rename) string {
	if r.Instances > 0 {
		files := "Their files are taken over for free."
		if r.Lost {
			files = "Not all of their files are what is on record still; those that are not are made again."
		}
		return fmt.Sprintf("%d instances of %s ask for exactly what made those of %s with the same keys, which is no longer declared. %s "+
			"To say that they are one block", r.Instances, r.To, r.From, files)
	}
	file := "Its file is taken over for free."
	if r.Lost {
		file = "Its file is not what is on record any more, so that it is made again."
	}
	return fmt.Sprintf("%s asks for exactly what made %s, which is no longer declared. %s To say that they are one image", r.To, r.From, file)
}

// sortedByDetail puts diagnostics in order that were found in that of a map.
func sortedByDetail(diags hcl.Diagnostics) hcl.Diagnostics {
	slices.SortFunc(diags, func(a, b *hcl.Diagnostic) int { return strings.Compare(a.Detail, b.Detail) })
	return diags
}

// maxCost is what an apply may spend, nil where there is no limit: the lower of the flag's and the configuration's.
func (w *workspace) maxCost(o *planOptions) *bfl.Credits {
	most := w.config.Settings.MaxCost
	if flag := o.maxCost.credits; flag != nil && (most == nil || *flag < *most) {
		most = flag
	}
	return most
}

// overBudget refuses a plan whose estimate is more than may be spent. The plan is shown all the same: it tells what to do without.
func (w *workspace) overBudget(plan *planner.Plan, o *planOptions) hcl.Diagnostics {
	most, summary := w.maxCost(o), plan.Summary()
	if most == nil {
		return nil
	}
	if c := summary.Uncapped; c != nil {
		// An apply of nothing but that would spend what nobody can tell, whatever the cap.
		return hcl.Diagnostics{{
			Severity: hcl.DiagError,
			Summary:  "The budget cannot be kept",
			Detail: fmt.Sprintf("No price is known of %s, which %s is made with, so nothing tells whether the budget of %s is enough. Make it without a "+
				"budget, leave it out with -exclude, or declare its endpoint under another name and with a price, in a model block.", c.Request.Model.Name, c.Address, most.ExactDollars()),
		}}
	}
	if summary.Reserve <= *most {
		return nil
	}
	estimate := fmt.Sprintf("It is estimated at %s", summary.Reserve.ExactDollars())
	if summary.Unpriced > 0 {
		estimate += fmt.Sprintf(", where what has an unknown price (%d of the images) counts as the highest price known of its model", summary.Unpriced)
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "The plan is over the budget",
		Detail: fmt.Sprintf("%s, and the budget is %s. Raise the budget, or plan a part of it with -target or -exclude.",
			estimate, most.ExactDollars()),
	}}
}

func (w *workspace) plannerOptions(o *planOptions) (planner.Options, error) {
	prior := w.session.State()
	options := planner.Options{
		Prior: prior, Stored: w.local.Store().Candidates, RetryModerated: o.retryModerated,
		Simulator: w.isSimulator, Protected: w.config.Protected, Holds: w.holds,
	}
	for _, text := range o.abandon {
		addr, err := addrs.Parse(text)
		if err != nil {
			return options, fmt.Errorf("-abandon: %w", err)
		}
		options.Abandon = append(options.Abandon, addr)
	}
	var err error
	if o.noRefresh {
		return options, w.requested(o, &options)
	}
	if options.Files, err = w.local.Index().InspectAll(w.app.env.Abort, w.outputs, prior.Images); err != nil {
		return options, fmt.Errorf("looking at the images: %w", err)
	}
	return options, w.requested(o, &options)
}

// holds reports whether the file at a path is one with these bytes.
func (w *workspace) holds(path, sha256 string) bool {
	sum, err := w.local.Index().Hash(w.outputs, path)
	return err == nil && sum == sha256
}

// requested adds what -replace names.
func (w *workspace) requested(o *planOptions, options *planner.Options) error {
	for _, text := range o.replace {
		addr, err := addrs.Parse(text)
		if err != nil {
			return fmt.Errorf("-replace: %w", err)
		}
		options.Replace = append(options.Replace, addr)
	}
	return nil
}

// isSimulator reports whether a provider's images may be simulated: on this machine there can be the simulator, or a proxy of the API.
func (w *workspace) isSimulator(provider string) bool {
	p := w.config.Settings.Providers[provider]
	return w.simulate || p != nil && bfl.IsLoopback(p.Endpoint)
}

// only turns -target and -exclude into the images that the plan is limited to. What depends on what is found by evaluating once without the state.
func (w *workspace) only(o *planOptions, prior *state.State) (map[addrs.Image]bool, error) {
	targets, err := selectors("-target", o.targets)
	if err != nil {
		return nil, err
	}
	listed, err := selectors("-target-file", o.listed)
	if err != nil {
		return nil, err
	}
	targets = append(targets, listed...)
	excludes, err := selectors("-exclude", o.excludes)
	if err != nil {
		return nil, err
	}
	if o.destroy {
		only, unmatched := planner.SelectDestroyed(prior, targets, excludes)
		return only, noMatch(unmatched)
	}
	var images []*config.Image
	// What is wrong is said by the evaluation that follows this one.
	_ = w.config.Evaluate(func(img *config.Image) *config.Result {
		images = append(images, img)
		return nil
	})
	only, unmatched := planner.Select(images, prior, targets, excludes)
	return only, noMatch(unmatched)
}

const addressHint = "An address is written as in the plan, such as image.logo or 'image.card[\"a\"]'"

// noMatch refuses selectors that select nothing: most likely they are mistyped.
func noMatch(unmatched []planner.Selector) error {
	if len(unmatched) > 0 {
		return fmt.Errorf("%s matches no image, neither in the configuration nor in the state. %s", unmatched[0], addressHint)
	}
	return nil
}

func selectors(flag string, texts []string) ([]planner.Selector, error) {
	parsed := make([]planner.Selector, 0, len(texts))
	for _, text := range texts {
		s, err := planner.ParseSelector(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		parsed = append(parsed, s)
	}
	return parsed, nil
}

// inputOptions are where the values of variables come from, in the order given.
type inputOptions struct {
	values []config.Value
	// environ, when not nil, is looked at in the place of the process's environment.
	environ []string
	noInput bool
	// allowEmpty takes a directory without a configuration for one without images.
	allowEmpty bool
}

// sortedKeys returns a map's keys in order, for what is shown or tried one after the other.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
