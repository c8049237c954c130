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
	// Directory is the root module, relative to the plan's own directory.
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
	directory, err := relativeTo(filepath.Dir(o.out), w.dir)
	if err != nil {
		return err
	}
	saved := savedPlan{
		Kind: savedPlanKind, Version: savedPlanVersion, Tool: Version(), Directory: filepath.ToSlash(directory),
		Options: savedOptions{
			Values: values, Environ: environ, Targets: o.targets, Excludes: o.excludes, Replace: o.replace, Abandon: o.abandon, StatePath: o.statePath,
			Simulate: o.simulate, Destroy: o.destroy, RefreshOnly: o.refreshOnly, NoRefresh: o.noRefresh, RetryModerated: o.retryModerated,
		},
		Configuration: w.config.Digest(), State: w.session.Digest(), Plan: plan.Digest(),
	}
	if o.maxCost.credits != nil {
		saved.Options.MaxCost = new(o.maxCost.credits.Float())
	}
	dir, err := safefile.Open(filepath.Dir(o.out))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // the file is durable by then
	return dir.WithFaults(w.app.env.Faults).WriteFile(filepath.Base(o.out), 0o600, func(out io.Writer) error {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(saved)
	})
}

// savedValues returns where the values of variables come from, without the sensitive ones: these have to come from the environment again.
func (w *workspace) savedValues(o *planOptions) (values []config.Value, environ []string, err error) {
	sensitive := w.sensitiveVariables()
	for _, v := range o.values {
		name, _, _ := strings.Cut(v.Assignment, "=")
		if name = strings.TrimSpace(name); v.File == "" && sensitive[name] {
			return nil, nil, fmt.Errorf("the variable %s is sensitive, and a saved plan holds no secrets. Give it with the environment variable %s%s, "+
				"when planning and when applying", name, config.EnvPrefix, name)
		}
		values = append(values, v)
	}
	for _, pair := range w.app.env.Environ {
		name, _, _ := strings.Cut(pair, "=")
		if variable, ok := strings.CutPrefix(name, config.EnvPrefix); ok && !sensitive[variable] {
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
	o := &planOptions{
		inputOptions: inputOptions{values: saved.Options.Values, environ: a.planEnviron(saved.Options.Environ)},
		targets:      saved.Options.Targets, excludes: saved.Options.Excludes, replace: saved.Options.Replace, abandon: saved.Options.Abandon, statePath: saved.Options.StatePath,
		simulate: saved.Options.Simulate, destroy: saved.Options.Destroy, refreshOnly: saved.Options.RefreshOnly,
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
