package state

import (
	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// These say whether a record can follow what was recorded before it. A task that was paid for must
// not be forgotten by overwriting it, and a journal that contradicts itself could not be replayed.

// checkAddress makes sure that an address is one that can be read again.
func checkAddress(st *State, a addrs.Image) error {
	if st.Images.Has(a) {
		return nil
	}
	if again, err := addrs.Parse(a.String()); err != nil || again != a {
		return &RecordError{a, "this is not an address"}
	}
	return nil
}

func checkIntent(st *State, r Intent) error {
	switch reason := r.Task.invalid(); {
	case reason != "":
		return &RecordError{r.Task.Address, reason}
	case st.Tasks[r.Task.Key] != nil:
		return &RecordError{r.Task.Address, "there is a task with the key " + r.Task.Key + " already"}
	}
	return checkAddress(st, r.Task.Address)
}

func checkSubmitted(st *State, r Submitted) error {
	t, err := openTask(st, r.Key)
	switch {
	case err != nil:
		return err
	case r.ID == "":
		return &RecordError{t.Address, "a submitted task has an id"}
	case t.Answered() && t.ID != r.ID:
		return &RecordError{t.Address, "its task is " + t.ID + ", not " + r.ID}
	}
	return nil
}

// taskOf returns the task with a key.
func taskOf(st *State, key string) (*Task, error) {
	if t := st.Tasks[key]; t != nil {
		return t, nil
	}
	return nil, &RecordError{addrs.Image{}, "there is no task with the key " + key}
}

// openTask returns the task with a key, or an error where there is none that is not over.
func openTask(st *State, key string) (*Task, error) {
	t, err := taskOf(st, key)
	if err == nil && t.Lost != "" {
		return nil, &RecordError{t.Address, "its task " + t.ID + " is over"}
	}
	return t, err
}

// answeredTask returns the task with a key, or an error where the API has none.
func answeredTask(st *State, key string) (*Task, error) {
	t, err := openTask(st, key)
	if err == nil && !t.Answered() {
		err = &RecordError{t.Address, "its task has no answer yet"}
	}
	return t, err
}

func checkFetched(st *State, r Fetched) error {
	t, err := answeredTask(st, r.Key)
	if err != nil {
		return err
	}
	fetch := Fetch{r.Output, r.Result, r.Temporary}
	if reason := fetch.invalid(); reason != "" {
		return &RecordError{t.Address, reason}
	}
	return nil
}

func checkStored(st *State, r Stored) error {
	if r.Image == nil {
		return &RecordError{r.Address, "a stored image has a record"}
	}
	if reason := r.Image.invalid(); reason != "" {
		return &RecordError{r.Address, reason}
	}
	if r.Key != "" && st.Tasks[r.Key] == nil {
		return &RecordError{r.Address, "there is no task with the key " + r.Key}
	}
	return checkAddress(st, r.Address)
}

func checkMoved(st *State, r Moved) error {
	switch {
	case !st.Images.Has(r.From) && len(st.TasksOf(r.From)) == 0:
		return &RecordError{r.From, "there is nothing to move"}
	case st.Images.Has(r.To):
		return &RecordError{r.To, "an image cannot be moved to an address in use"}
	}
	return checkAddress(st, r.To)
}
