package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// localDir is the machine-local directory, inside the directory that output paths are relative to.
const localDir = ".fluxbatch"

// moderatedFile has the moderated requests, as JSON: fingerprint -> Moderation.
const moderatedFile = localDir + "/moderated.json"

// maxModerated bounds the file of moderated requests.
const maxModerated = 64 << 20

// Local is the machine-local directory. Deleting it costs what the store could have given back and
// time to read the images again, and nothing else.
type Local struct {
	root      *safefile.Dir
	store     *Store
	index     *Index
	moderated map[string]Moderation
}

// OpenLocal opens the local directory in root, the directory that output paths are relative to. It
// makes nothing: the directory is made when something is first kept in it. Close it before root.
func OpenLocal(root *safefile.Dir) (*Local, error) {
	l := &Local{root: root, moderated: map[string]Moderation{}}
	if err := reachable(root, localDir, storeDir, recipesFile); err != nil {
		return nil, err
	}
	data, err := root.ReadFile(moderatedFile, maxModerated)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the moderated requests: %w", err)
	}
	if err == nil && json.Unmarshal(data, &l.moderated) != nil {
		// What it remembered only spares a request that is refused again, and refusals cost
		// nothing.
		l.moderated = map[string]Moderation{}
	}
	if l.index, err = openIndex(root); err != nil {
		return nil, err
	}
	if l.store, err = openStore(root, l.index); err != nil {
		return nil, err
	}
	return l, nil
}

// reachable makes sure that what has a name can be opened. A link whose target is away, such as a
// volume that is not mounted, looks like nothing at all, and a store that is taken for an empty one
// buys what is in it again.
func reachable(root *safefile.Dir, names ...string) error {
	for _, name := range names {
		if _, err := root.Lstat(name); err != nil {
			if safefile.Gone(err) {
				return nil
			}
			return unreachable(err)
		}
		if _, err := root.Stat(name); err != nil {
			return unreachable(err)
		}
	}
	return nil
}

func unreachable(err error) error {
	return fmt.Errorf("the store cannot be read, and what is in it would be paid for again: %w. Make the directory %s accessible. To do without what is in it, move it away", err, localDir)
}

// Store returns the images that are kept.
func (l *Local) Store() *Store { return l.store }

// Index returns the stat index.
func (l *Local) Index() *Index { return l.index }

// Close closes what is open. It saves nothing; see Index.Save.
func (l *Local) Close() error { return l.store.close() }

// Ensure makes the directory of all that is this machine's alone, which version control passes over.
func (l *Local) Ensure() error { return ensureLocal(l.root) }

// Cache returns a directory for what can be made again from the images, and makes it. It is on the
// file system of the current directory, as root is.
func (l *Local) Cache(name string) (string, error) {
	if err := ensureLocal(l.root); err != nil {
		return "", err
	}
	dir := localDir + "/" + name
	if err := l.root.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	return filepath.Join(l.root.Path(), filepath.FromSlash(dir)), nil
}

// saveModerated replaces the moderated requests.
func (l *Local) saveModerated(moderated map[string]Moderation) error {
	if maps.EqualFunc(moderated, l.moderated, func(a, b Moderation) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
		return nil
	}
	if err := ensureLocal(l.root); err != nil {
		return err
	}
	err := l.root.WriteFile(moderatedFile, 0o644, func(w io.Writer) error {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetIndent("", "  ")
		if err := enc.Encode(moderated); err != nil {
			return err
		}
		_, err := b.WriteTo(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("remembering moderated requests: %w", err)
	}
	l.moderated = maps.Clone(moderated)
	return nil
}

// ensureLocal makes the local directory, with a .gitignore in it that keeps all of it out of
// version control even where the project's own does not.
func ensureLocal(root *safefile.Dir) error {
	if _, err := root.Lstat(localDir); err == nil {
		return nil
	}
	if err := root.MkdirAll(localDir, 0o777); err != nil {
		return err
	}
	return root.WriteFile(localDir+"/.gitignore", 0o644, func(w io.Writer) error {
		_, err := io.WriteString(w, "*\n")
		return err
	})
}
