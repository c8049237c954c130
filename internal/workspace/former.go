package workspace

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/state"
)

// former warns where the state is a new one and this folder had another before: the configuration
// was told of another place, and the state was not moved there.
func (w *Workspace) former() hcl.Diagnostics {
	if w.options.Simulate || w.options.StatePath != "" || !w.isNew() {
		return nil
	}
	if detail := w.formerIn(Place{Path: resolve(w.Dir, StateName)}); detail != "" {
		return newState(detail)
	}
	if place := w.local.SeenElsewhere(w.place.String()); place != "" {
		return newState(fmt.Sprintf("This folder had the state %s before. To go on with it, name it in the configuration again. To take it to another place, move it into a file first:\n\n  fluxbatch state migrate -to %s", place, StateName))
	}
	return nil
}

// formerIn returns what a state file of the folder says of the state that it had before, "" for
// nothing.
func (w *Workspace) formerIn(file Place) string {
	known, err := state.Read(file.Path)
	if moved, isMoved := errors.AsType[*state.MovedError](err); isMoved && moved.To != w.place.String() {
		return fmt.Sprintf("This folder's state is at %s. To go on with it, have the configuration say so.", moved.To)
	}
	if err != nil || known.Images.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("This folder has another one with images, %s. To begin again, put that file away. To go on with it, move it:\n\n  fluxbatch state migrate -from %s", file, StateName)
}

// isNew reports whether nothing was ever done with the state.
func (w *Workspace) isNew() bool {
	now := w.State()
	return now.Images.Len()+len(now.Tasks)+len(w.session.Past()) == 0 && (w.IsShared() || !w.place.Exists())
}

func newState(detail string) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagWarning, Summary: "The state is a new one",
		Detail: "Images that were made before are not in it, and what the store lacks of them would be paid for again. " + detail,
	}}
}
