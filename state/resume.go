package state

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// Found returns the file in dir that has the image of a fetched task: its output's path, the
// temporary one, or "" where neither has these bytes and the image has to come from the API once
// more. It reads the files.
//
// What is left to do with a file under the temporary name is what the interrupted run was about to
// do: keep in the store what has the output's path now, rename, and record the image as Stored.
func (t *Task) Found(dir *safefile.Dir) (string, error) {
	if t.Fetched == nil {
		return "", nil
	}
	for _, name := range []string{t.Fetched.Output.Path, t.Fetched.Temporary} {
		sum, _, err := hashFile(dir, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("looking for an image that was already downloaded: %w", err)
		}
		if sum == t.Fetched.Output.SHA256 {
			return name, nil
		}
	}
	return "", nil
}

// Temporaries returns the temporary files that open tasks still need: those that safefile.Dir.Sweep
// must spare.
func (s *State) Temporaries() []string {
	var names []string
	for _, t := range s.Tasks {
		if t.Fetched != nil {
			names = append(names, t.Fetched.Temporary)
		}
	}
	return names
}
