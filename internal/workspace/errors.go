package workspace

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/planner"
)

// Option names what of Options an OptionError is about.
type Option int

// The options whose values can be wrong.
const (
	Targets Option = iota
	Listed
	Excludes
	Replace
	Abandon
	Reroll
)

// OptionError says that the value of an option cannot be read, or that nothing in the plan answers
// to it: most likely it is mistyped, or stands for a block whose instances have keys.
type OptionError struct {
	Option Option
	Text   string
	// Err says why it cannot be read, nil where nothing answers to it.
	Err error
	// Limited says that the plan is one of some images only, and Sibling is an instance of the same
	// block in it, nil for none.
	Limited bool
	Sibling *addrs.Image
	// Chosen says that the image has candidates, for each of which there is a seed.
	Chosen *addrs.Image
}

func (e *OptionError) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return "nothing in the plan answers to " + e.Text
}

// Unwrap returns why the value cannot be read.
func (e *OptionError) Unwrap() error { return e.Err }

// BudgetError says that a plan may cost more than may be spent, or that nobody can tell.
type BudgetError struct {
	Most    bfl.Credits
	Summary planner.Summary
}

func (e *BudgetError) Error() string {
	return fmt.Sprintf("the plan does not keep the budget of %s", e.Most.Dollars())
}

// UnsetError says that an environment variable has no value: that for the key of a provider's
// account, or with Webhook for the secret of its webhooks.
type UnsetError struct {
	// Provider is its address.
	Provider, Variable string
	Webhook            bool
}

func (e *UnsetError) Error() string {
	return fmt.Sprintf("provider %s needs the environment variable %s, which is not set", e.Provider, e.Variable)
}

// QuotedKeyError says that the environment variable with the key of a provider's account holds
// quotes around it.
type QuotedKeyError struct{ Provider, Variable string }

func (e *QuotedKeyError) Error() string {
	return fmt.Sprintf("the key of provider %s in %s is in quotes", e.Provider, e.Variable)
}

// ListenError says that a provider's webhooks cannot be received. Nothing was submitted.
type ListenError struct {
	// Provider is its address, Address where to listen.
	Provider, Address string
	Err               error
}

func (e *ListenError) Error() string {
	return fmt.Sprintf("provider %s cannot receive webhooks at %s: %v", e.Provider, e.Address, e.Err)
}

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// PathTakenError says that an image cannot be restored to its path, where something else is by now.
// Nothing was changed.
type PathTakenError struct {
	Address addrs.Image
	Path    string
	// By is the image that has the path on record, nil where it is a file that is not on record at
	// all.
	By *addrs.Image
}

func (e *PathTakenError) Error() string {
	return fmt.Sprintf("%s cannot be restored to %s, which is taken", e.Address, e.Path)
}

// InUseError says that a move would end where something is. Nothing was changed.
type InUseError struct {
	// By are the addresses that are in the way, sorted: the same ones, or other instances of their
	// blocks.
	By []string
}

func (e *InUseError) Error() string { return "in use: " + strings.Join(e.By, ", ") }

var (
	// ErrTaskOpen refuses what would come between an interrupted run and its task.
	ErrTaskOpen = errors.New("an interrupted run has a task under way for this address")
	// ErrExists refuses to import an image that is on record already.
	ErrExists = errors.New("the image exists already")
)

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// StaleError says that a saved plan is not what planning gives now.
type StaleError struct {
	// What changed, such as "the state".
	What string
	// Details are what is known to differ, such as addresses or files; see Workspace.CheckSaved.
	Details []string
}

func (e *StaleError) Error() string {
	text := "the saved plan is stale. " + capital(e.What) + " changed after the plan was saved"
	if len(e.Details) > 0 {
		text += ": " + strings.Join(e.Details, ", ")
	}
	return text + ". Plan again"
}

// PlanFileError says that a file is not a saved plan that can be carried out.
type PlanFileError struct {
	Path string
	// Newer is the version of the newer program that saved it, "" where that is not the reason, and
	// Err says what is damaged. With neither, the file is something else.
	Newer string
	Err   error
}

func (e *PlanFileError) Error() string {
	switch {
	case e.Newer != "":
		return fmt.Sprintf("the plan %q was saved by fluxbatch %s, which is newer. Apply it with that version, or plan again", e.Path, e.Newer)
	case e.Err != nil:
		return fmt.Sprintf("the plan %q is damaged: %v. Plan again", e.Path, e.Err)
	default:
		return e.Path + " is not a saved plan"
	}
}

// Unwrap returns what is damaged.
func (e *PlanFileError) Unwrap() error { return e.Err }
