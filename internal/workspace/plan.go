package workspace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Plan holds the configuration against what exists, as the options ask. There is no plan where the
// configuration cannot be evaluated; errors among the diagnostics, and the error, which may be
// several OptionErrors, say why a plan must not be carried out.
func (w *Workspace) Plan() (*planner.Plan, hcl.Diagnostics, error) {
	options, err := w.plannerOptions()
	if err != nil {
		return nil, nil, err
	}
	if w.options.Limited() {
		if options.Only, err = w.only(options.Prior); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case w.options.RefreshOnly:
		found, diags, err := w.found(options)
		return planner.New(options).RefreshOnly(found), diags, err
	case w.options.Destroy:
		plan, diags := planner.RemoveAll(w.Config, options)
		return plan, diags, notAbandoned(plan, options)
	}
	plan, diags := planner.Make(w.Config, options)
	if plan == nil {
		return nil, diags, nil
	}
	return plan, slices.Concat(diags, w.inTheWay(plan), w.damaged(), w.former(), w.absent(plan)), errors.Join(
		notReplaced(plan, options), notAbandoned(plan, options), w.local.Store().Err())
}

// plannerOptions are what a plan depends on besides the configuration.
func (w *Workspace) plannerOptions() (planner.Options, error) {
	o, prior := &w.options, w.session.State()
	options := planner.Options{
		Prior: prior, Stored: w.stored, RetryModerated: o.RetryModerated,
		Simulator: w.isSimulator, Protected: w.Config.Protected, Holds: w.holds, Brief: o.Brief,
	}
	var err error
	if options.Abandon, err = parseAll(Abandon, o.Abandon, addrs.Parse); err != nil {
		return options, err
	}
	if !o.NoRefresh {
		if options.Files, err = w.local.Index().InspectAll(w.env.Abort, w.outputs, prior.Images); err != nil {
			return options, fmt.Errorf("looking at the images: %w", err)
		}
		if err := w.findAbsent(options.Files); err != nil {
			return options, err
		}
		if err := w.findOutdated(options.Files); err != nil {
			return options, err
		}
		if options.Made, err = w.local.Index().InspectMade(w.env.Abort, w.outputs, prior.Renditions); err != nil {
			return options, fmt.Errorf("looking at the renditions: %w", err)
		}
		if o.ReadOnly {
			w.local.Index().Release() // Few plans ask for anything else.
		}
	}
	options.Makings = w.local.Makings()
	if options.Reroll, err = parseAll(Reroll, o.Reroll, addrs.Parse); err != nil {
		return options, err
	}
	if options.Marked, err = w.Marked(); err != nil {
		return options, err
	}
	options.Replace, err = parseAll(Replace, o.Replace, addrs.Parse)
	return options, err
}

// parseAll reads the values of an option.
func parseAll[T any](option Option, texts []string, parse func(string) (T, error)) ([]T, error) {
	parsed := make([]T, len(texts))
	for i, text := range texts {
		var err error
		if parsed[i], err = parse(text); err != nil {
			return nil, &OptionError{Option: option, Text: text, Err: err}
		}
	}
	return parsed, nil
}

// only turns what is to be planned, and left out, into the images that the plan is limited to. What
// depends on what is found by evaluating once without the state.
func (w *Workspace) only(prior *state.State) (map[addrs.Image]bool, error) {
	o := &w.options
	targets, err := parseAll(Targets, o.Targets, planner.ParseSelector)
	if err != nil {
		return nil, err
	}
	listed, err := parseAll(Listed, o.Listed, planner.ParseSelector)
	if err != nil {
		return nil, err
	}
	targets = append(targets, listed...)
	excludes, err := parseAll(Excludes, o.Excludes, planner.ParseSelector)
	if err != nil {
		return nil, err
	}
	if o.Destroy {
		only, unmatched := planner.SelectDestroyed(prior, targets, excludes)
		return only, noMatch(unmatched)
	}
	var images []*image.Image
	// What is wrong is said by the evaluation that follows this one.
	_ = w.Config.Evaluate(func(img *image.Image) *image.Result {
		images = append(images, img)
		return nil
	})
	only, unmatched := planner.Select(images, prior, targets, excludes)
	return only, noMatch(unmatched)
}

// noMatch refuses selectors that select nothing.
func noMatch(unmatched []planner.Selector) error {
	if len(unmatched) > 0 {
		return &OptionError{Option: Targets, Text: unmatched[0].String()}
	}
	return nil
}

// notAbandoned refuses to give up tasks where there are none.
func notAbandoned(plan *planner.Plan, options planner.Options) error {
	var errs []error
	for _, addr := range options.Abandon {
		is := func(a planner.Abandoned) bool { return a.Address == addr || a.Task.Address == addr }
		if !slices.ContainsFunc(plan.Abandoned, is) {
			errs = append(errs, &OptionError{Option: Abandon, Text: addr.String()})
		}
	}
	return errors.Join(errs...)
}

// notReplaced refuses to replace images of which the plan has none.
func notReplaced(plan *planner.Plan, options planner.Options) error {
	var errs []error
	for i, addr := range slices.Concat(options.Replace, options.Reroll) {
		isReroll := i >= len(options.Replace)
		at := slices.IndexFunc(plan.Changes, func(c *planner.Change) bool { return c.Desired != nil && c.Address == addr })
		if isReroll && at >= 0 && (addr.Candidate > 0 || plan.Changes[at].Desired.HasChoice()) {
			errs = append(errs, &OptionError{Option: Reroll, Text: addr.String(), Chosen: new(addr.Of())})
		}
		if at >= 0 {
			continue
		}
		option := Replace
		if isReroll {
			option = Reroll
		}
		e := &OptionError{Option: option, Text: addr.String(), Limited: options.Only != nil}
		e.Sibling = sibling(plan, addr)
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// sibling returns the first instance of an image's block that is configured, nil where none is.
func sibling(plan *planner.Plan, addr addrs.Image) *addrs.Image {
	for c := range plan.All() {
		if c.Address.Block() == addr.Block() && (c.Desired != nil || c.Action == planner.NoOp) {
			return &c.Address
		}
	}
	return nil
}

// UnusableFile is the Extra of a warning about a changed file that cannot be taken for the image at
// its path.
type UnusableFile struct{}

// found describes the changed files that are images all the same, also of images that the plan is not
// about, and warns of those that are not.
func (w *Workspace) found(options planner.Options) (map[addrs.Image]state.File, hcl.Diagnostics, error) {
	found := map[addrs.Image]state.File{}
	var diags hcl.Diagnostics
	for addr, status := range options.Files {
		img := options.Prior.Images.Get(addr)
		if status != state.Changed || img == nil {
			continue
		}
		f, err := w.outputs.Open(img.Output.Path)
		if err != nil {
			return nil, nil, err
		}
		info, err := imagefile.Check(f, bfl.MaxInputBytes*4)
		_ = f.Close() // only read
		switch {
		case err == nil:
			found[addr] = state.FileOf(img.Output.Path, info)
		case options.Only == nil || options.Only[addr]:
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagWarning,
				Summary:  "File is not an image",
				Detail: fmt.Sprintf("%s of %s was changed and cannot be used as it is: %v. The state keeps the image that was made.",
					img.Output.Path, addr, err),
				Extra: UnusableFile{},
			})
		}
	}
	// They were found in the order of a map.
	slices.SortFunc(diags, func(a, b *hcl.Diagnostic) int { return strings.Compare(a.Detail, b.Detail) })
	return found, diags, nil
}

// CheckBudget returns a BudgetError where a plan may cost more than the options or the
// configuration allow.
func (w *Workspace) CheckBudget(plan *planner.Plan) error {
	most, summary := w.maxCost(), plan.Summary()
	// With an image whose price nobody knows, an apply of nothing but that would spend what nobody
	// can tell, whatever the cap.
	if most == nil || summary.Uncapped == nil && summary.Reserve <= *most {
		return nil
	}
	return &BudgetError{Most: *most, Summary: summary}
}

// maxCost is what an apply may spend, nil where there is no limit: the lower of the options' and
// the configuration's.
func (w *Workspace) maxCost() *bfl.Credits {
	most := w.Config.Settings.MaxCost
	if asked := w.options.MaxCost; asked != nil && (most == nil || *asked < *most) {
		most = asked
	}
	return most
}

// isSimulator reports whether a provider's images may be simulated: on this machine there can be
// the simulator, or a proxy of the API.
func (w *Workspace) isSimulator(provider string) bool {
	return isSimulator(w.Config, w.options.Simulate, provider)
}

func isSimulator(cfg *config.Config, simulate bool, provider string) bool {
	p := cfg.Settings.Providers[provider]
	return simulate || p != nil && bfl.IsLoopback(p.Endpoint)
}

// Verify holds a configuration against what is on record and every recorded file, all of which it
// reads, without a lock. There is no plan where errors are among the diagnostics.
func Verify(ctx context.Context, dir string, cfg *config.Config, simulate bool) (plan *planner.Plan, prior *state.State, diags hcl.Diagnostics, err error) {
	prior, err = PlaceOf(dir, &cfg.Settings, &Options{Simulate: simulate}).Read(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	files, made, err := compareAll(Base(dir, simulate), prior)
	if err != nil {
		return nil, nil, nil, err
	}
	plan, diags = planner.Compare(cfg, planner.Options{
		Prior: prior, Files: files, Made: made, Simulator: func(provider string) bool { return isSimulator(cfg, simulate, provider) },
	})
	return plan, prior, diags, nil
}

// compareAll reads every recorded file. A cache of this machine's would only save time, and could
// be wrong.
func compareAll(base string, prior *state.State) (map[addrs.Image]state.FileStatus, map[addrs.Rendition]state.FileStatus, error) {
	dir, err := safefile.Open(base)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = dir.Close() }() // only read
	statuses := map[addrs.Image]state.FileStatus{}
	for addr, img := range prior.Images.All() {
		status, err := state.Compare(dir, img)
		if err != nil {
			return nil, nil, fmt.Errorf("looking at the file of %s: %w", addr, err)
		}
		if status != state.Present {
			statuses[addr] = status
		}
	}
	made := map[addrs.Rendition]state.FileStatus{}
	for addr, r := range prior.Renditions {
		for i := range r.Files {
			status, err := state.CompareFile(dir, &r.Files[i])
			if err != nil {
				return nil, nil, fmt.Errorf("looking at the file of %s: %w", addr, err)
			}
			if status != state.Present {
				made[addr] = max(made[addr], status)
			}
		}
	}
	return statuses, made, nil
}
