package cli

import (
	"errors"
	"io"
	"sync"
	"syscall"
)

// results is standard output. It remembers that something could not be written, and then writes no
// more: a part in the middle would be missing. It is safe for concurrent use.
type results struct {
	out io.Writer

	mu   sync.Mutex
	lost error
}

// Write implements io.Writer.
func (r *results) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost != nil {
		return 0, r.lost
	}
	n, err := r.out.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	r.lost = err
	return n, err
}

// failure returns why results are lost, nil where they are not.
func (r *results) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}

// checkResults returns the status of a command whose own would be status: a failure where its
// results could not be written wholly. That a reader went away, such as a pager or head, is said by
// the status alone, since whoever closed it knows.
func (a *app) checkResults(status int) int {
	lost := a.out.failure()
	if lost == nil || status != exitSuccess && status != exitChanges {
		return status
	}
	if !errors.Is(lost, syscall.EPIPE) {
		a.viewer().Error(explain("The results could not be written to standard output: %w.\nWhat the command did besides is done.", cause(lost)))
	}
	return exitFailure
}
