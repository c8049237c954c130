package state

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// sideName is the file with the ids of tasks that are on their way into a log elsewhere.
const sideName = localDir + "/submitted"

// sideFile keeps on this machine what the API answered to a POST, from before it is on its way to
// where the state is until a snapshot there has it: getting there takes long enough for a crash to
// come between, and the id of a task is all that stands between it and paying twice. It is owned by
// the holder of the log's token.
type sideFile struct {
	root *safefile.Dir
	file *safefile.File
}

// note makes those of some lines durable that tell ids.
func (f *sideFile) note(lines []byte) error {
	var telling []byte
	for line := range bytes.Lines(lines) {
		if submittedKey(line) != "" {
			telling = append(telling, line...)
		}
	}
	if len(telling) == 0 {
		return nil
	}
	if f.file == nil {
		if err := ensureLocal(f.root); err != nil {
			return err
		}
		file, err := f.root.Append(sideName, 0o600)
		if err != nil {
			return err
		}
		_, head, err := endOf(file)
		if err != nil {
			// Nothing was written.
			_ = file.Close()
			return err
		}
		telling = append(head, telling...)
		f.file = file
	}
	if _, err := f.file.Write(telling); err != nil {
		return err
	}
	return f.file.Sync()
}

// lines returns the lines that were noted. A torn one says nothing: nobody was told that it is
// there, and the log may have it.
func (f *sideFile) lines() ([][]byte, error) {
	file, err := openIfThere(f.root, sideName)
	if file == nil || err != nil {
		return nil, err
	}
	defer closeRead(file)
	var all [][]byte
	in := bufio.NewReader(file)
	for {
		line, err := readLine(in, nil)
		if len(line) > 0 {
			all = append(all, line)
		}
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// remove forgets all lines.
func (f *sideFile) remove() error {
	if err := f.close(); err != nil {
		return err
	}
	err := f.root.Remove(sideName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (f *sideFile) close() error {
	if f == nil || f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
