package state

import (
	"encoding/json"
	"io"
	"slices"
)

// seenFile says how far this machine has seen what others do to states.
const seenFile = localDir + "/seen.json"

// maxSeen bounds the file, and maxSeenStates how many states it has.
const (
	maxSeen       = 1 << 20
	maxSeenStates = 100
)

// Seen is how far this machine has seen what others do to a state that it shares with them.
type Seen struct {
	// Place is where the state is. Its batches are counted there.
	Place   string `json:"place"`
	Lineage string `json:"lineage"`
	// Last is the newest batch that was seen.
	Last uint64 `json:"last"`
	// Mine are the runs of this machine since.
	Mine []string `json:"mine,omitempty"`
}

// allSeen is the file. The state that was looked at last comes last.
type allSeen struct {
	Version int    `json:"version"`
	States  []Seen `json:"states"`
}

func (l *Local) allSeen() (all allSeen) {
	data, err := l.root.ReadFile(seenFile, maxSeen)
	if err != nil || json.Unmarshal(data, &all) != nil || all.Version != 2 {
		return allSeen{Version: 2} // All that is lost with it is what was new.
	}
	return all
}

// Seen returns how far this machine has seen the state of a lineage at a place, nil where it has not
// looked yet, or that cannot be told any more. Of a state that was moved there since nothing is seen.
func (l *Local) Seen(place, lineage string) *Seen {
	var moved *Seen
	for _, s := range l.allSeen().States {
		switch {
		case s.Lineage != lineage:
		case s.Place == place:
			return &s
		default:
			moved = &Seen{Place: place, Lineage: lineage, Mine: s.Mine}
		}
	}
	return moved
}

// SeenElsewhere returns the place of the state that was looked at last, of those that are not at a
// place; "" for none.
func (l *Local) SeenElsewhere(place string) string {
	for _, s := range slices.Backward(l.allSeen().States) {
		if s.Place != place {
			return s.Place
		}
	}
	return ""
}

// See records how far this machine has seen a state.
func (l *Local) See(seen *Seen) error {
	all := l.allSeen()
	all.States = append(slices.DeleteFunc(all.States, func(s Seen) bool { return s.Place == seen.Place }), *seen)
	all.States = all.States[max(0, len(all.States)-maxSeenStates):]
	data, err := json.Marshal(&all)
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
