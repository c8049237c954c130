package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/fluxbatch/fluxbatch/internal/gitrev"
	"github.com/fluxbatch/fluxbatch/internal/web"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

// maxState bounds the state file of a revision.
const maxState = 4 << 30

// reportSince reports what changed since a revision.
func (a *app) reportSince(dir string, o *reportOptions) (err error) {
	if o.Simulate {
		return explain("-since reads what was committed, and a simulation is not.\nLeave out -since or -simulate.")
	}
	o.Look()
	w, err := a.openFit(dir, "report", &o.planOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	if place := w.Place(); place.Bucket != nil {
		return explain("-since reads the state of a revision, and this state is not in the repository but at %s.\nLeave out -since.", place)
	}
	rev, err := gitrev.Open(a.env.Abort, w.Base(), o.since)
	if err != nil {
		return revisionInWords(o.since, err)
	}
	then, err := a.stateAt(w, rev, o.since)
	if err != nil {
		return err
	}
	album, err := web.FromStates(then, w.State(), &past{w, rev}, o.since,
		web.Options{Title: projectName(w.Dir), Whole: o.all})
	if err != nil {
		return err
	}
	return a.writeReport(w, album, o)
}

// revisionInWords says why a revision cannot be read.
func revisionInWords(name string, err error) error {
	switch {
	case errors.Is(err, gitrev.ErrNoGit):
		return explain("-since needs the program git, which is not on the PATH.\nInstall it, or leave out -since.")
	case errors.Is(err, gitrev.ErrNoRepository):
		return explain("-since needs a git repository, and this directory is in none.\nLeave out -since to see what the next apply changes.")
	case errors.Is(err, gitrev.ErrShallow):
		return explain("%q is not in this clone, which has a part of the history alone.\nFetch the rest:%s", name, toType("git fetch --unshallow"))
	case errors.Is(err, gitrev.ErrUnknown):
		return explain("The repository has no revision %q.\nUse a branch, a tag or a commit, such as main or HEAD~1.", name)
	}
	return err
}

// stateAt reads the state as it was at a revision; there is none before it was first committed.
func (a *app) stateAt(w *workspace.Workspace, rev *gitrev.Revision, name string) (*state.State, error) {
	relative, err := filepath.Rel(w.Base(), w.StateFile())
	if err != nil {
		return nil, err
	}
	if !filepath.IsLocal(relative) {
		if rev, err = gitrev.Open(a.env.Abort, filepath.Dir(w.StateFile()), name); err != nil {
			return nil, revisionInWords(name, err)
		}
		relative = filepath.Base(w.StateFile())
	}
	f, err := rev.Open(filepath.ToSlash(relative))
	if errors.Is(err, fs.ErrNotExist) {
		return &state.State{}, nil
	}
	if pointer, ok := errors.AsType[*gitrev.PointerError](err); ok {
		return nil, explain("%s is under Git LFS, and this clone has only the pointer to it.\nFetch it:%s", pointer.Path, toType("git lfs fetch origin "+shellWord(name)))
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxState))
	if err != nil {
		return nil, err
	}
	return state.Parse(data, fmt.Sprintf("%s at %s", relative, name))
}

// past finds pictures in the working tree and the store first, which is quicker, and then in a
// revision.
type past struct {
	*workspace.Workspace
	rev *gitrev.Revision
}

var _ web.Past = (*past)(nil)

// HasPicture implements web.Files.
func (p *past) HasPicture(f state.File) bool {
	return p.Workspace.HasPicture(f) || p.rev.Missing(f.Path) == nil
}

// OpenPicture implements web.Files.
func (p *past) OpenPicture(f state.File) (io.ReadCloser, error) {
	if p.Workspace.HasPicture(f) {
		return p.Workspace.OpenPicture(f)
	}
	return p.rev.Open(f.Path)
}

// Missing implements web.Past.
func (p *past) Missing(f state.File) string {
	if pointer, ok := errors.AsType[*gitrev.PointerError](p.rev.Missing(f.Path)); ok {
		return pointer.Error() + ". Fetch it with git lfs fetch."
	}
	return "The file was not committed, and is not in the store."
}
