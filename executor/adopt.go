package executor

import (
	"errors"
	"fmt"
	"io"

	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// adopt takes an existing file as the image. The file stays where it is; the image gets a copy,
// unless it is at the image's path already.
func (f *files) adopt(c *planner.Change) (img *state.Image, told string, err error) {
	task := state.Task{
		Provider: c.Desired.Provider, Model: c.Desired.Model.Name, Fingerprint: c.Fingerprint, Request: c.Desired.Record(),
		Dependencies: c.Desired.Dependencies, Labels: c.Desired.Labels,
	}
	file, _, err := openFile(c.Import().File)
	if err != nil {
		return nil, "", &sourceError{c.Import().Name, err}
	}
	defer func() { _ = file.Close() }() // only read
	content := source{file, c.Import().Name}
	pending, err := f.dir.Create(c.Desired.Output, 0o644)
	if err != nil {
		return nil, "", err
	}
	defer pending.Abort()
	check := imagefile.NewChecker(maxImageBytes)
	if _, err := io.Copy(io.MultiWriter(pending, check), content); err != nil {
		return nil, "", err
	}
	info, err := check.Finish()
	if err != nil {
		return nil, "", &sourceError{c.Import().Name, err}
	}
	if info.SHA256 != c.Import().SHA256 {
		return nil, "", fmt.Errorf("%s changed after the plan was made. Plan again", c.Import().Name)
	}
	img = task.Image(state.FileOf(c.Desired.Output, info), state.Result{})
	if !f.holds(c.Desired.Output, info.SHA256) {
		if told, err = f.makeWay(c.Address, img, c.Desired.Output); err != nil {
			return nil, "", err
		}
		// A crash after this leaves the file at its path, where the next run finds the very bytes
		// that it is to import.
		if err := pending.Commit(); err != nil {
			return nil, "", err
		}
	}
	return img, told, f.record("the image is in place", state.Stored{Address: c.Address, Image: img})
}

// source is a file that an image is made of. What is wrong with reading it is told apart from what is
// wrong with writing the copy.
type source struct {
	file io.Reader
	name string
}

func (s source) Read(p []byte) (int, error) {
	n, err := s.file.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &sourceError{s.name, err}
	}
	return n, err
}

// sourceError says that a file cannot be imported. It has no Unwrap: a disk that cannot be read is not
// the one on which the image is to be.
type sourceError struct {
	name string
	err  error
}

func (e *sourceError) Error() string {
	return fmt.Sprintf("the file %s cannot be imported: %v", e.name, cause(e.err))
}
