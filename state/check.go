package state

import (
	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// These say whether a record can follow what was recorded before it. A task that was paid for must not be forgotten by
// overwriting it, and a journal that contradicts itself could not be replayed.

// checkAddress makes sure that an address is one that can be read again.
func checkAddress(st *State, a addrs.Image) error {
	if st.Tasks[a] != nil || st.Images[a] != nil {
		return nil
	}
	if again, err := addrs.Parse(a.String()); err != nil || again != a {
		return &RecordError{a, "this is no address"}
	}
	return nil
}

func checkIntent(st *State, r Intent) error {
	if t := st.Tasks[r.Address]; t != nil && t.Answered() {
		return &RecordError{r.Address, "its task " + t.ID + " was paid for and is still open"}
	}
	if reason := r.Task.invalid(); reason != "" {
		return &RecordError{r.Address, reason}
	}
	return nil
}

func checkSubmitted(st *State, r Submitted) error {
	if err := checkOpen(st, r.Address); err != nil {
		return err
	}
	if r.ID == "" {
		return &RecordError{r.Address, "a submitted task has an id"}
	}
	if t := st.Tasks[r.Address]; t.Answered() && t.ID != r.ID {
		return &RecordError{r.Address, "its task is " + t.ID + ", not " + r.ID}
	}
	return nil
}

func checkOpen(st *State, a addrs.Image) error {
	if st.Tasks[a] == nil {
		return &RecordError{a, "it has no open task"}
	}
	return nil
}

func checkAnswered(st *State, a addrs.Image) error {
	if err := checkOpen(st, a); err != nil {
		return err
	}
	if !st.Tasks[a].Answered() {
		return &RecordError{a, "its task has no answer yet"}
	}
	return nil
}

func checkFetched(st *State, r Fetched) error {
	if err := checkAnswered(st, r.Address); err != nil {
		return err
	}
	fetch := Fetch{r.Output, r.Result, r.Temporary}
	if reason := fetch.invalid(); reason != "" {
		return &RecordError{r.Address, reason}
	}
	return nil
}

func checkStored(r Stored) error {
	if r.Image == nil {
		return &RecordError{r.Address, "a stored image has a record"}
	}
	if reason := r.Image.invalid(); reason != "" {
		return &RecordError{r.Address, reason}
	}
	return nil
}

func checkModerated(r Moderated) error {
	if !isHash(r.Fingerprint) {
		return &RecordError{r.Address, "a moderated request has a fingerprint"}
	}
	return nil
}

func checkMoved(st *State, r Moved) error {
	switch {
	case st.Images[r.From] == nil && st.Tasks[r.From] == nil:
		return &RecordError{r.From, "there is nothing to move"}
	case st.Images[r.To] != nil || st.Tasks[r.To] != nil:
		return &RecordError{r.To, "an image cannot be moved to an address in use"}
	}
	return nil
}
