package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/planner"
)

// savedPlan is what plan -out writes: what was asked for, and digests of all that the answer depended on. Applying it plans again and carries the plan out
// only if it is the very same. Nothing that a plan says can therefore be out of date, and no secret is in the file.
type savedPlan struct {
	// Kind tells the file from others.
	Kind    string `json:"kind"`
	Version int    `json:"version"`
	Tool    string `json:"fluxbatch_version"`
	// Directory is the root module, relative to the plan's own directory. So are the files of the options; see savedPlace.
	Directory string       `json:"directory"`
	Options   savedOptions `json:"options"`
	// Configuration, State and Plan are digests.
	Configuration string `json:"configuration"`
	State         string `json:"state"`
	Plan          string `json:"plan"`
}

type savedOptions struct {
	Values         []config.Value `json:"values,omitempty"`
	Environ        []string       `json:"environ,omitempty"`
	Targets        []string       `json:"targets,omitempty"`
	Excludes       []string       `json:"excludes,omitempty"`
	Replace        []string       `json:"replace,omitempty"`
	Abandon        []string       `json:"abandon,omitempty"`
	StatePath      string         `json:"state,omitempty"`
	MaxCost        *float64       `json:"max_cost_credits,omitempty"`
	Simulate       bool           `json:"simulate,omitempty"`
	Destroy        bool           `json:"destroy,omitempty"`
	RefreshOnly    bool           `json:"refresh_only,omitempty"`
	NoRefresh      bool           `json:"no_refresh,omitempty"`
	RetryModerated bool           `json:"retry_moderated,omitempty"`
}

const (
	savedPlanKind    = "fluxbatch plan"
	savedPlanVersion = 1
	maxSavedPlan     = 16 << 20
)

// errStale says that a saved plan is not what planning gives now.
type errStale struct{ what string }

func (e *errStale) Error() string {
	return "stale plan: " + e.what + " changed after the plan was saved, so that it may say something else now. Plan again"
}

// savePlan writes the plan to a file.
func (w *workspace) savePlan(plan *planner.Plan, o *planOptions) error {
	values, environ, err := w.savedValues(o)
	if err != nil {
		return err
	}
	place := savedPlace{plan: filepath.Dir(o.out), root: w.dir}
	directory, err := relativeTo(place.plan, w.dir)
	if err != nil {
		return err
	}
	for i := range values {
		values[i].File = place.save(values[i].File)
	}
	saved := savedPlan{
		Kind: savedPlanKind, Version: savedPlanVersion, Tool: Version(), Directory: filepath.ToSlash(directory),
		Options: savedOptions{
			Values: values, Environ: environ, Targets: slices.Concat(o.targets, o.listed), Excludes: o.excludes, Replace: o.replace, Abandon: o.abandon,
			StatePath: place.save(o.statePath),
			Simulate:  o.simulate, Destroy: o.destroy, RefreshOnly: o.refreshOnly, NoRefresh: o.noRefresh, RetryModerated: o.retryModerated,
		},
		Configuration: w.config.Digest(), State: w.session.Digest(), Plan: plan.Digest(),
	}
	if o.maxCost.credits != nil {
		saved.Options.MaxCost = new(o.maxCost.credits.Float())
	}
	dir, err := safefile.Open(place.plan)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // the file is durable by then
	if !o.noLock {
		// Under the lock nobody else is saving this plan. A leftover that cannot be removed is in nobody's way.
		_ = dir.SweepFor(".", filepath.Base(o.out))
	}
	return dir.WithFaults(w.app.env.Faults).WriteFile(filepath.Base(o.out), 0o600, func(out io.Writer) error {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(saved)
	})
}

// savedPlace is where a plan is saved, and the root module that it is of.
type savedPlace struct{ plan, root string }

// save returns a path from the command line as a plan keeps it. A relative one is meant from the current directory, which is another one for whoever
// carries the plan out, so that it is kept as seen from the plan; and so is an absolute one that leads into the root module, since a plan and its project
// are moved together. Any other absolute path is the same for all, and stays as it is.
func (p savedPlace) save(path string) string {
	if path == "" {
		return ""
	}
	if filepath.IsAbs(path) {
		if inside, err := relativeTo(p.root, path); err != nil || !filepath.IsLocal(inside) {
			return path
		}
	}
	relative, err := relativeTo(p.plan, path)
	if err == nil {
		return filepath.ToSlash(relative)
	}
	// On another drive there is no way from here to there.
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}

// fromPlan returns a path that a plan keeps, as seen from the current directory.
func fromPlan(plan, path string) string {
	if path == "" {
		return ""
	}
	return resolvePath(filepath.Dir(plan), filepath.FromSlash(path))
}

// savedValues returns where the values of variables come from, without the sensitive ones: these have to come from the environment again. Of the
// environment, only what the configuration declares is kept: it is shared by many programs and projects, whose secrets are none of the plan's.
func (w *workspace) savedValues(o *planOptions) (values []config.Value, environ []string, err error) {
	declared := w.sensitiveVariables()
	for _, v := range o.values {
		name, _, _ := strings.Cut(v.Assignment, "=")
		if name = strings.TrimSpace(name); v.File == "" && declared[name] {
			return nil, nil, fmt.Errorf("the variable %s is sensitive, and a saved plan holds no secrets. Give it with the environment variable %s%s, "+
				"when planning and when applying", name, config.EnvPrefix, name)
		}
		values = append(values, v)
	}
	for _, pair := range w.app.env.Environ {
		name, _, _ := strings.Cut(pair, "=")
		variable, ok := strings.CutPrefix(name, config.EnvPrefix)
		if sensitive, isDeclared := declared[variable]; ok && isDeclared && !sensitive {
			environ = append(environ, pair)
		}
	}
	return values, environ, nil
}

// readPlan reads a saved plan and turns it into what was asked for.
func (a *app) readPlan(path string) (*savedPlan, string, *planOptions, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", nil, err
	}
	defer func() { _ = f.Close() }() // only read
	var saved savedPlan
	dec := json.NewDecoder(io.LimitReader(f, maxSavedPlan))
	dec.DisallowUnknownFields()
	err = dec.Decode(&saved)
	switch {
	case saved.Kind != savedPlanKind:
		return nil, "", nil, fmt.Errorf("the file %s is not a plan of fluxbatch plan -out, and apply takes such a plan or a directory", path)
	case saved.Version > savedPlanVersion:
		return nil, "", nil, fmt.Errorf("the plan %s was saved by a newer fluxbatch, %s. Apply it with that one, or plan again", path, saved.Tool)
	case err != nil:
		return nil, "", nil, fmt.Errorf("the plan %s is damaged: %w. Plan again", path, err)
	case saved.Tool != Version():
		return nil, "", nil, &errStale{"the version of fluxbatch"}
	}
	for i, v := range saved.Options.Values {
		saved.Options.Values[i].File = fromPlan(path, v.File)
	}
	o := &planOptions{
		inputOptions: inputOptions{values: saved.Options.Values, environ: a.planEnviron(saved.Options.Environ)},
		targets:      saved.Options.Targets, excludes: saved.Options.Excludes, replace: saved.Options.Replace, abandon: saved.Options.Abandon,
		statePath: fromPlan(path, saved.Options.StatePath),
		simulate:  saved.Options.Simulate, destroy: saved.Options.Destroy, refreshOnly: saved.Options.RefreshOnly,
		noRefresh: saved.Options.NoRefresh, retryModerated: saved.Options.RetryModerated,
	}
	if saved.Options.MaxCost != nil {
		o.maxCost.set(*saved.Options.MaxCost)
	}
	return &saved, filepath.Join(filepath.Dir(path), filepath.FromSlash(saved.Directory)), o, nil
}

// planEnviron is the environment with the variables that the plan was made with: those saved, and whatever the environment has for those that are not saved
// because they are sensitive.
func (a *app) planEnviron(saved []string) []string {
	have := map[string]bool{}
	for _, pair := range saved {
		name, _, _ := strings.Cut(pair, "=")
		have[name] = true
	}
	environ := slices.DeleteFunc(slices.Clone(a.env.Environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return have[name]
	})
	return append(environ, saved...)
}

// stillValid makes sure that planning again gave the saved plan.
func (w *workspace) stillValid(saved *savedPlan, plan *planner.Plan) error {
	switch {
	case saved.Configuration != w.config.Digest():
		return &errStale{"the configuration, a variable or a file that it names"}
	case saved.State != w.session.Digest():
		return &errStale{"the state"}
	case saved.Plan != plan.Digest():
		return &errStale{"an image's file"}
	}
	return nil
}

// relativeTo returns dir as seen from base.
func relativeTo(base, dir string) (string, error) {
	from, err1 := filepath.Abs(base)
	to, err2 := filepath.Abs(dir)
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	return filepath.Rel(from, to)
}
