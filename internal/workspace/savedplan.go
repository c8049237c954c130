package workspace

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

// SavedPlan is what a saved plan's file tells: what was asked for, and digests of all that the
// answer depended on. Applying it plans again and carries the plan out only if it is the very same.
// Nothing that a plan says can therefore be out of date, and no secret is in the file.
type SavedPlan struct {
	// Kind tells the file from others, Tool is the version of the program that wrote it.
	Kind    string `json:"kind"`
	Version int    `json:"version"`
	Tool    string `json:"fluxbatch_version"`
	// Dir is the root module, in the file relative to the plan's own directory, and once it was
	// read as seen from the current one. So are the files of what was asked; see savedPlace.
	Dir   string `json:"directory"`
	Asked Asked  `json:"options"`
	// Configuration, State and Plan are digests.
	Configuration string `json:"configuration"`
	State         string `json:"state"`
	Plan          string `json:"plan"`
	// Sources and Changes are digests by file and by address, to say what is other now.
	Sources map[string]string `json:"sources,omitempty"`
	Changes map[string]string `json:"changes,omitempty"`
}

// Asked is what a saved plan was asked for: the options, and where the values of variables come
// from.
type Asked struct {
	Values  []config.Value `json:"values,omitempty"`
	Environ []string       `json:"environ,omitempty"`
	Options
}

const (
	savedPlanKind    = "fluxbatch plan"
	savedPlanVersion = 1
	maxSavedPlan     = 16 << 20
)

// Save writes the plan to a file. values are those that the configuration was loaded with. It
// refuses secrets among them.
func (w *Workspace) Save(path string, plan *planner.Plan, values []config.Value) error {
	values, environ, err := w.savedValues(values)
	if err != nil {
		return err
	}
	place := savedPlace{plan: filepath.Dir(path), root: w.Dir}
	directory, err := relativeTo(place.plan, w.Dir)
	if err != nil {
		return err
	}
	for i := range values {
		values[i].File = place.save(values[i].File)
	}
	asked := Asked{values, environ, w.options}
	asked.Targets, asked.StatePath = slices.Concat(asked.Targets, asked.Listed), place.save(asked.StatePath)
	saved := SavedPlan{
		Kind: savedPlanKind, Version: savedPlanVersion, Tool: w.env.Version, Dir: filepath.ToSlash(directory), Asked: asked,
		Configuration: w.Config.Digest(), State: w.session.Digest(), Plan: plan.Digest(),
		Sources: w.Config.Sources(), Changes: plan.Marks(),
	}
	dir, err := safefile.Open(place.plan)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // the file is durable by then
	if !w.options.NoLock {
		// Under the lock nobody else is saving this plan. A leftover that cannot be removed is in
		// nobody's way.
		_ = dir.SweepFor(".", filepath.Base(path))
	}
	return dir.WithFaults(w.env.Faults).WriteFile(filepath.Base(path), 0o600, func(out io.Writer) error {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(saved)
	})
}

// savedPlace is where a plan is saved, and the root module that it is of.
type savedPlace struct{ plan, root string }

// save returns a path from the command line as a plan keeps it. A relative one is meant from the
// current directory, which is another one for whoever carries the plan out, so that it is kept as
// seen from the plan; and so is an absolute one that leads into the root module, since a plan and
// its project are moved together. Any other absolute path is the same for all, and stays as it is.
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
	return resolve(filepath.Dir(plan), filepath.FromSlash(path))
}

// savedValues returns where the values of variables come from, without the sensitive ones: these
// have to come from the environment again. Of the environment, only what the configuration declares
// is kept: it is shared by many programs and projects, whose secrets are none of the plan's.
func (w *Workspace) savedValues(all []config.Value) (values []config.Value, environ []string, err error) {
	declared := w.Sensitive()
	for _, v := range all {
		name, _, _ := strings.Cut(v.Assignment, "=")
		if name = strings.TrimSpace(name); v.File == "" && declared[name] {
			return nil, nil, fmt.Errorf("the variable %q is sensitive, and a saved plan holds no secrets. Set the environment variable %s%s, when planning and when applying", name, config.EnvPrefix, name)
		}
		values = append(values, v)
	}
	for _, pair := range w.env.Environ {
		name, _, _ := strings.Cut(pair, "=")
		variable, ok := strings.CutPrefix(name, config.EnvPrefix)
		if sensitive, isDeclared := declared[variable]; ok && isDeclared && !sensitive {
			environ = append(environ, pair)
		}
	}
	return values, environ, nil
}

// Sensitive returns the declared variables by name, and of each whether its value is not to be
// shown or kept.
func (w *Workspace) Sensitive() map[string]bool {
	sensitive := map[string]bool{}
	for _, v := range w.Config.Variables() {
		sensitive[v.Name] = v.Sensitive
	}
	return sensitive
}

// ReadPlan reads a saved plan. Besides the errors of the file system it returns a PlanFileError,
// and a StaleError for a plan of another version of the program.
func ReadPlan(env *Environment, path string) (*SavedPlan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	var saved SavedPlan
	dec := json.NewDecoder(io.LimitReader(f, maxSavedPlan))
	dec.DisallowUnknownFields()
	err = dec.Decode(&saved)
	switch {
	case saved.Kind != savedPlanKind:
		return nil, &PlanFileError{Path: path}
	case saved.Version > savedPlanVersion:
		return nil, &PlanFileError{Path: path, Newer: saved.Tool}
	case err != nil:
		return nil, &PlanFileError{Path: path, Err: err}
	case saved.Tool != env.Version:
		return nil, &StaleError{What: "the version of fluxbatch"}
	}
	asked := &saved.Asked
	for i, v := range asked.Values {
		asked.Values[i].File = fromPlan(path, v.File)
	}
	asked.StatePath, asked.Environ = fromPlan(path, asked.StatePath), planEnviron(env.Environ, asked.Environ)
	saved.Dir = filepath.Join(filepath.Dir(path), filepath.FromSlash(saved.Dir))
	return &saved, nil
}

// planEnviron is the environment with the variables that the plan was made with: those saved, and
// whatever the environment has for those that are not saved because they are sensitive.
func planEnviron(environ, saved []string) []string {
	have := map[string]bool{}
	for _, pair := range saved {
		name, _, _ := strings.Cut(pair, "=")
		have[name] = true
	}
	environ = slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return have[name]
	})
	return append(environ, saved...)
}

// CheckSaved returns a StaleError unless planning again gave the saved plan.
func (w *Workspace) CheckSaved(p *SavedPlan, plan *planner.Plan) error {
	switch {
	case p.Configuration != w.Config.Digest():
		return &StaleError{What: "the configuration, a variable or a file that it names", Details: different(p.Sources, w.Config.Sources())}
	case p.State != w.session.Digest():
		return &StaleError{What: "the state", Details: different(p.Changes, plan.Marks())}
	case p.Plan != plan.Digest():
		return &StaleError{What: "an image's file", Details: different(p.Changes, plan.Marks())}
	}
	return nil
}

// detailsNamed is how many differences are named before the rest is counted.
const detailsNamed = 3

// different names what has another digest now than then, or is in one of the two only.
func different(then, now map[string]string) []string {
	var names []string
	for name, sum := range then {
		if now[name] != sum {
			names = append(names, name)
		}
	}
	for name := range now {
		if _, known := then[name]; !known && then != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if more := len(names) - detailsNamed; more > 0 {
		names = append(names[:detailsNamed], fmt.Sprintf("%d more", more))
	}
	return names
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
