package executor

import (
	"fmt"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// LostAnswerError says that a request was sent and no answer to it arrived, so that it may have
// been charged.
type LostAnswerError struct {
	// Cost is the estimate.
	Cost bfl.Credits
	Err  error
}

func (e *LostAnswerError) Error() string {
	return fmt.Sprintf("the request was sent, but no answer could be read (%v). It may have been charged, %s. This run does not send it again. The next plan names it before it would", e.Err, e.Cost.Dollars())
}

func (e *LostAnswerError) Unwrap() error { return e.Err }

// ModeratedError says that the API's moderation refused a request or its image.
type ModeratedError struct {
	// Status is the API's, "" where Before is set.
	Status  bfl.Status
	Reasons []string
	// Cost is what was charged for it, as task TaskID.
	Cost   bfl.Credits
	TaskID string
	// Before says that an earlier run was refused, and that this one did not ask again.
	Before bool
}

func (e *ModeratedError) Error() string {
	what := "the API's moderation refused the image"
	switch {
	case e.Before:
		what = "the API's moderation refused this request before, so it was not sent"
	case e.Status == bfl.RequestModerated:
		what = "the API's moderation refused the request"
	}
	if len(e.Reasons) > 0 {
		what += " (" + strings.Join(e.Reasons, ", ") + ")"
	}
	if e.Cost > 0 {
		what += ", and " + e.Cost.Dollars() + " was charged"
	}
	what += ". Change the prompt or the references, or raise safety_tolerance"
	if e.Before {
		what += ". Use -retry-moderated to send it as it is"
	}
	return what
}

// TaskError says that a task ended without an image, or that it cannot be found any more.
type TaskError struct {
	TaskID string
	Reason string
	// Lost is what was paid for it in vain.
	Lost bfl.Credits
}

func (e *TaskError) Error() string {
	text := fmt.Sprintf("task %s %s", e.TaskID, e.Reason)
	if e.Lost > 0 {
		text += fmt.Sprintf(". %s was paid for it and is lost. The next plan says what the image costs", e.Lost.Dollars())
	}
	return text
}

// errReferenceChanged ends the reading of a reference whose content is not what the plan was made
// for.
var errReferenceChanged = fmt.Errorf("a reference changed after the plan was made, so the request was not sent (%w). Plan again", bfl.ErrInputChanged)
