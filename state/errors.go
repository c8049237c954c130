package state

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// VersionError says that a file was written by a newer fluxbatch.
type VersionError struct {
	Path string
	// Version is the format's version that the file names, Supported the newest that this program
	// reads.
	Version, Supported int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s was written by a newer fluxbatch. It has format version %d, and this fluxbatch reads up to version %d. Nothing was changed. Install the newer version.", e.Path, e.Version, e.Supported)
}

// TerraformStateError says that a file is the state of Terraform, or of a tool that keeps the same.
type TerraformStateError struct{ Path string }

func (e *TerraformStateError) Error() string {
	return fmt.Sprintf("%s is a state file of Terraform. fluxbatch keeps a state of its own. Nothing was changed. "+
		"Move that file away, or name another one in the state block of the configuration.", e.Path)
}

// DamagedError says that a file is not what fluxbatch wrote, and that guessing what it said could
// lose or buy images.
type DamagedError struct {
	Path string
	// Line counts from 1; 0 where no line is to blame. Offset is in bytes from the file's start.
	Line   int
	Offset int64
	// Reason is a clause that completes "the file is damaged:".
	Reason string
	// Remedy is what to do, in full sentences.
	Remedy string
	// Err is the cause, where there is one to look at.
	Err error
}

func (e *DamagedError) Error() string {
	place := e.Path
	if e.Line > 0 {
		place = fmt.Sprintf("%s, line %d", e.Path, e.Line)
	}
	return fmt.Sprintf("%s is damaged: %s. %s", place, e.Reason, e.Remedy)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// StaleJournalError says that a journal was left by an interrupted run, and that the state file
// beside it has been replaced since in a way that contradicts what the journal says.
type StaleJournalError struct {
	Path, Journal string
	// Lineages says that the two belong to different states altogether; otherwise Missing that the
	// state file is gone, and otherwise Addresses are those whose images differ from what the
	// journal builds on.
	Lineages  bool
	Missing   bool
	Addresses []addrs.Image
}

func (e *StaleJournalError) Error() string {
	var why string
	switch {
	case e.Lineages:
		why = "belongs to a different state: their lineages differ"
	case e.Missing:
		why = "builds on a state file that is no longer there"
	default:
		shown := e.Addresses[:min(len(e.Addresses), 3)]
		names := make([]string, 0, len(shown)+1)
		for _, a := range shown {
			names = append(names, a.String())
		}
		if more := len(e.Addresses) - len(shown); more > 0 {
			names = append(names, fmt.Sprintf("%d more", more))
		}
		why = "contradicts it about " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("the journal of an interrupted run does not fit the state.\n%s does not fit %s: it %s. Bring back the state file that the run used, for example from version control, and run the same command again. To give up what the journal says, which can include images that were paid for, move it away:\n\n  mv %s %s.given-up", e.Journal, e.Path, why, e.Journal, e.Journal)
}

// LockedError says that another run holds the state.
type LockedError struct {
	Path string
	// Holder is what the lock file says; its ID is "" where that could not be read.
	Holder LockInfo
	// Waited is how long the lock was waited for.
	Waited time.Duration
}

func (e *LockedError) Error() string {
	holder := e.Holder.String()
	if e.Holder.ID != "" {
		holder += fmt.Sprintf(" (lock %s)", e.Holder.ID)
	}
	waited := "Wait for it to end, or set -lock-timeout"
	if e.Waited > 0 {
		waited = fmt.Sprintf("This command waited for %s. Wait longer with -lock-timeout", e.Waited.Round(time.Second))
	}
	text := fmt.Sprintf("the state %s is in use by %s. %s. "+
		"The lock goes away by itself when that process ends, however it ends", e.Path, holder, waited)
	if e.Holder.ID != "" {
		return text + ". Only if the process is gone and the lock is still there, as some network file systems leave it, run:\n\n  fluxbatch force-unlock " + e.Holder.ID
	}
	return text + "."
}

// ErrLockLost is wrapped when the session's lock was taken away by force-unlock.
var ErrLockLost = errors.New("the lock of this run was removed, by force-unlock or by hand, " +
	"so another run may be under way")

// ErrChanged is wrapped when something other than this session replaced the state file during the
// session.
var ErrChanged = errors.New("the state file was changed by something else during this run")

// CommitError says that a run's results did not all reach the state file. While Unsaved is empty
// none of them is lost: the journal has them, and the next Open takes them in.
type CommitError struct {
	Path, Journal string
	// Written says that the state file is up to date and only the journal is still there.
	Written bool
	// Unsaved are the addresses of records that the journal could not take either.
	Unsaved []addrs.Image
	Err     error
}

func (e *CommitError) Error() string {
	what := fmt.Sprintf("the state file %s could not be written: %v", e.Path, e.Err)
	if e.Written {
		what = fmt.Sprintf("the state file %s was written, but its journal could not be put away: %v", e.Path, e.Err)
	}
	rest := "Nothing is lost. Everything that this run did is in " + e.Journal
	if len(e.Unsaved) > 0 {
		names := make([]string, 0, len(e.Unsaved))
		for _, a := range e.Unsaved {
			names = append(names, a.String())
		}
		rest = fmt.Sprintf("What happened last to these images could not be recorded either: %s. Everything else is in %s",
			strings.Join(names, ", "), e.Journal)
	}
	return fmt.Sprintf("%s. %s, and the next run takes it in from there.", what, rest)
}

func (e *CommitError) Unwrap() error { return e.Err }

// RecordError says that a record cannot follow what was recorded before it. It is a mistake of the
// program, not of the user.
type RecordError struct {
	Address addrs.Image
	Reason  string
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("%s: this cannot be recorded: %s", e.Address, e.Reason)
}
