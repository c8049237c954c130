package workspace

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/apilog"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/state"
)

// machineDir is what belongs to this machine alone, inside the base.
const machineDir = ".fluxbatch"

// StateName is the state's file where no configuration names another.
const StateName = "fluxbatch.state.json"

// Environment is what a workspace needs of the process around it.
type Environment struct {
	// Drain is done when nothing new may begin, Abort when what is in flight is to be left to
	// another run.
	Drain, Abort context.Context
	// Environ has the keys of accounts and the secrets of webhooks; as of os.Environ.
	Environ []string
	// Version is the program's.
	Version string
	// Log takes the calls of the API. It may be nil.
	Log *apilog.Log
	// OnEvent and OnDiagnostics are told what happens during an apply. They are called one at a
	// time.
	OnEvent       func(executor.Event)
	OnDiagnostics func(hcl.Diagnostics)
	// Faults, when not nil, sees every file operation; see safefile.Dir.WithFaults. It is for
	// tests.
	Faults func(op safefile.Op, name string) error
}

// Getenv returns the last value that the environment has for a name, as a shell would.
func (e *Environment) Getenv(name string) string {
	value := ""
	for _, pair := range e.Environ {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}

// Options say which state is worked on, and what is asked of a plan. Addresses and selectors are as
// people write them; those that cannot be read, or that nothing answers to, are an OptionError.
type Options struct {
	// Targets, and Listed that come from a list, limit a plan to what they select; Excludes leave
	// out.
	Targets  []string `json:"targets,omitempty"`
	Listed   []string `json:"-"`
	Excludes []string `json:"excludes,omitempty"`
	// Replace are addresses to make anew, and Abandon those whose tasks are given up.
	Replace []string `json:"replace,omitempty"`
	Abandon []string `json:"abandon,omitempty"`
	// Reroll are addresses to replace with a new seed.
	Reroll []string `json:"reroll,omitempty"`
	// StatePath, where not "", is the state file to use in the place of the configured one.
	StatePath string `json:"state,omitempty"`
	// MaxCost is the most that may be spent, nil for what the configuration allows.
	MaxCost *bfl.Credits `json:"max_cost_credits,omitempty"`
	// Simulate works in the simulation.
	Simulate bool `json:"simulate,omitempty"`
	// Destroy removes all. RefreshOnly only looks at the images' files, and NoRefresh does not.
	Destroy        bool `json:"destroy,omitempty"`
	RefreshOnly    bool `json:"refresh_only,omitempty"`
	NoRefresh      bool `json:"no_refresh,omitempty"`
	RetryModerated bool `json:"retry_moderated,omitempty"`
	// NoLock opens without the state's lock, LockTimeout is how long to wait for it.
	NoLock      bool          `json:"-"`
	LockTimeout time.Duration `json:"-"`
	// ReadOnly says that nothing will be recorded. A state that is kept away from this machine is
	// then opened without its lock.
	ReadOnly bool `json:"-"`
	// Brief asks for plans that list images that stay as they are apart; see planner.Options.Brief.
	Brief bool `json:"-"`
}

// Look opens for looking alone, beside whoever works on the state. Without ReadOnly, a state that is kept
// away from this machine would take it for the beginning of a run, which overtakes the one under way.
func (o *Options) Look() { o.NoLock, o.ReadOnly = true, true }

// Limited reports whether a plan is one of some images only.
func (o *Options) Limited() bool { return len(o.Targets)+len(o.Listed)+len(o.Excludes) > 0 }

// Workspace is a root module with its state, open for one operation. It is owned by one goroutine.
type Workspace struct {
	// Dir is the root module, and Config what it declares; nil where only its state is worked on.
	Dir    string
	Config *config.Config

	env     Environment
	options Options
	place   Place
	session *state.Session
	outputs *safefile.Dir // the base
	local   *state.Local
}

// Open takes the lock and opens all that the root module's images are kept in. operation is what is
// said to others who want the lock. cfg may be nil: then the workspace is for moving and forgetting
// what is on record.
//
// It returns the errors of state.Open, and those of the file system.
func Open(env Environment, dir, operation string, place Place, cfg *config.Config, o Options) (_ *Workspace, err error) {
	w := &Workspace{Dir: dir, Config: cfg, env: env, options: o, place: place}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.outputs, err = safefile.OpenAll(Base(dir, o.Simulate), 0o777); err != nil {
		return nil, err
	}
	w.outputs = w.outputs.WithFaults(env.Faults)
	if w.local, err = state.OpenLocal(w.outputs); err != nil {
		return nil, err
	}
	if err := w.share(); err != nil {
		return nil, err
	}
	session, err := place.open(env.Drain, state.Options{
		Operation: operation, Version: env.Version, LockTimeout: o.LockTimeout, NoLock: o.NoLock, ReadOnly: o.ReadOnly, Local: w.local, Secret: env.secret, Faults: env.Faults,
	})
	if err != nil {
		return nil, err
	}
	w.session = session
	if w.IsShared() && !o.ReadOnly {
		w.sign()
	}
	if cfg != nil && !o.NoLock && (!o.ReadOnly || !w.IsShared()) {
		// Under the lock, temporary files are leftovers of a crash. One that cannot be removed is
		// in nobody's way.
		_ = w.outputs.Sweep(machineDir)
		w.chargeRecovered()
	}
	return w, nil
}

// Close frees the lock. What was recorded and not committed is left to the next run.
func (w *Workspace) Close() error {
	var errs []error
	if w.session != nil && w.local != nil {
		// The index only saves time: where it cannot be written, as in a checkout that is
		// read-only, the files are read again.
		_ = w.local.Index().Save(w.session.State())
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

// State returns what is on record. It changes with what the workspace does, and is not the caller's
// to change.
func (w *Workspace) State() *state.State { return w.session.State() }

// results answers for the images that are on record now. It must not be used while changes are
// carried out.
func (w *Workspace) results(addr addrs.Image) *image.Result {
	return state.Exports(addr, func(addr addrs.Image) *state.Image { return w.session.State().Images.Get(addr) })
}

// holds reports whether the file at a path is one with these bytes.
func (w *Workspace) holds(path, sha256 string) bool {
	sum, err := w.local.Index().Hash(w.outputs, path)
	return err == nil && sum == sha256
}

// Base is where the paths of a root module's state begin.
func Base(dir string, simulate bool) string {
	if simulate {
		return filepath.Join(dir, machineDir, "simulation")
	}
	return dir
}

// StatePath is where the state of a root module is: where its configuration says, as seen from the
// module, or in the simulation's directory.
func StatePath(dir, declared string, simulate bool) string {
	if simulate {
		return filepath.Join(Base(dir, true), StateName)
	}
	return resolve(dir, declared)
}

// resolve returns a path that is relative to base, unless it is absolute.
func resolve(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}
