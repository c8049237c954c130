package state

import (
	"encoding/json"
	"io"
)

// seenFile says how far this machine has seen what others do to the state.
const seenFile = localDir + "/seen.json"

// maxSeen bounds the file.
const maxSeen = 1 << 20

// Seen is how far this machine has seen what others do to a state that it shares with them.
type Seen struct {
	Version int    `json:"version"`
	Lineage string `json:"lineage"`
	// Last is the newest batch that was seen.
	Last uint64 `json:"last"`
	// Mine are the runs of this machine since.
	Mine []string `json:"mine,omitempty"`
}

// Seen returns how far this machine has seen the state of a lineage, nil where it has not looked
// yet, or that cannot be told any more: all that is lost with it is what was new.
func (l *Local) Seen(lineage string) *Seen {
	data, err := l.root.ReadFile(seenFile, maxSeen)
	seen := &Seen{}
	if err != nil || json.Unmarshal(data, seen) != nil || seen.Version != 1 || seen.Lineage != lineage {
		return nil
	}
	return seen
}

// See records how far this machine has seen a state.
func (l *Local) See(seen *Seen) error {
	seen.Version = 1
	data, err := json.Marshal(seen)
	if err != nil {
		return err
	}
	if err := ensureLocal(l.root); err != nil {
		return err
	}
	return l.root.WriteFile(seenFile, 0o644, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}
