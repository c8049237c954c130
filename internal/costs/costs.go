// Package costs keeps the ledger of what was charged: a file of JSON lines beside the state, a line
// for each task that the API charged for. The state has no times, so that two branches merge; the
// ledger has them, and merges by union: lines are only ever added, in any order, and a task that is
// there twice counts once.
package costs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// FileName is the ledger's, in the root module.
const FileName = "fluxbatch.costs.jsonl"

// Outcome says what became of a task that was charged for.
type Outcome string

// The outcomes.
const (
	// Made tasks gave an image, Lost ones none, and Moderated ones were refused and charged for.
	Made      Outcome = "made"
	Lost      Outcome = "lost"
	Moderated Outcome = "moderated"
)

// Entry is a line of the ledger.
type Entry struct {
	// Time is when the program learnt of the outcome, in whole seconds.
	Time    time.Time   `json:"time"`
	Address addrs.Image `json:"address"`
	Model   string      `json:"model"`
	TaskID  string      `json:"task_id"`
	Outcome Outcome     `json:"outcome"`
	// Estimated is what the plan said, Charged what the API did.
	Estimated bfl.Credits       `json:"estimated_credits"`
	Charged   bfl.Credits       `json:"charged_credits"`
	Labels    map[string]string `json:"labels,omitempty"`
}

// Ledger is a ledger that many entries are added to. It is owned by one goroutine.
type Ledger struct {
	Path string
	// file is open, and info says which one it is; nil before the first entry.
	file *os.File
	info fs.FileInfo
	// isWhole says that the file ends where a line does.
	isWhole bool
	// known are the tasks of the file's entries, nil until AppendOnce needs them.
	known map[string]bool
}

// Append adds an entry. A line is written at once, so that a crash leaves it whole or not there, but
// for a disk that is full: Read passes over a line that is not whole, and the next one begins anew
// after it, as it does where somebody left the last line without its end.
func (l *Ledger) Append(e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := l.open(); err != nil {
		return fmt.Errorf("the ledger of costs cannot be written: %w", err)
	}
	line = append(line, '\n')
	if !l.isWhole {
		line = append([]byte{'\n'}, line...)
	}
	_, err = l.file.Write(line)
	l.isWhole = err == nil
	if l.isWhole && l.known != nil {
		l.known[e.TaskID] = true
	}
	return err
}

// AppendOnce adds an entry unless the ledger has one of its task, as it may where an earlier run has
// told of it.
func (l *Ledger) AppendOnce(e Entry) error {
	if err := l.open(); err != nil {
		return fmt.Errorf("the ledger of costs cannot be written: %w", err)
	}
	if l.known == nil {
		entries, err := Read(l.Path)
		if err != nil {
			return err
		}
		l.known = make(map[string]bool, len(entries))
		for i := range entries {
			l.known[entries[i].TaskID] = true
		}
	}
	if l.known[e.TaskID] {
		return nil
	}
	return l.Append(e)
}

// open opens the file that the path leads to. It is another one than before where somebody put one
// in its place, as version control does.
func (l *Ledger) open() error {
	if l.file != nil {
		if info, err := os.Stat(l.Path); err == nil && os.SameFile(info, l.info) {
			return nil
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(l.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644) //nolint:gosec // a file of the project, which is committed
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.file, l.info, l.isWhole = f, info, endsInLine(f, info.Size())
	return nil
}

// endsInLine reports whether a file of a size has nothing after its last line. Where that cannot be
// read, an empty line does no harm.
func endsInLine(f *os.File, size int64) bool {
	var last [1]byte
	if size == 0 {
		return true
	}
	_, err := f.ReadAt(last[:], size-1)
	return err == nil && last[0] == '\n'
}

// Close closes the file, which the next entry opens again.
func (l *Ledger) Close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file, l.info, l.known = nil, nil, nil
	return err
}

// Read returns the entries of the ledger at path, sorted by time, each task once. A file that is
// not there has none.
func Read(path string) ([]Entry, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the ledger of costs cannot be read: %w", err)
	}
	return parse(bytes.NewReader(content))
}

func parse(r io.Reader) ([]Entry, error) {
	var all []Entry
	known := map[string]bool{}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		var e Entry
		if len(bytes.TrimSpace(line)) > 0 && json.Unmarshal(line, &e) == nil && !known[e.TaskID] {
			known[e.TaskID] = true
			all = append(all, e)
		}
		switch {
		case errors.Is(err, io.EOF):
			slices.SortStableFunc(all, func(a, b Entry) int { return a.Time.Compare(b.Time) })
			return all, nil
		case err != nil:
			return nil, err
		}
	}
}

// Sum is what entries with one key cost together.
type Sum struct {
	Key    string `json:"key"`
	Images int    `json:"images"`
	// Estimated and Charged are of all tasks; Lost and Moderated are the parts of Charged that gave
	// no image.
	Estimated bfl.Credits `json:"estimated_credits"`
	Charged   bfl.Credits `json:"charged_credits"`
	Lost      bfl.Credits `json:"lost_credits"`
	Moderated bfl.Credits `json:"moderated_credits"`
}

func (s *Sum) add(e *Entry) {
	s.Estimated += e.Estimated
	s.Charged += e.Charged
	switch e.Outcome {
	case Lost:
		s.Lost += e.Charged
	case Moderated:
		s.Moderated += e.Charged
	default:
		s.Images++
	}
}

// Grouping is how entries are added up: "month", "model", "module" or "label.NAME".
type Grouping string

// Valid reports whether there is such a grouping.
func (g Grouping) Valid() bool {
	name, isLabel := strings.CutPrefix(string(g), "label.")
	return isLabel && name != "" || slices.Contains([]Grouping{"month", "model", "module"}, g)
}

func (g Grouping) key(e *Entry) string {
	switch g {
	case "model":
		return e.Model
	case "module":
		if module := string(e.Address.Module); module != "" {
			return module
		}
		return "(root)"
	case "month":
		return e.Time.UTC().Format("2006-01")
	}
	if value := e.Labels[strings.TrimPrefix(string(g), "label.")]; value != "" {
		return value
	}
	return "(none)"
}

// Add adds entries up by a grouping, sorted by key, with the total of all.
func Add(entries []Entry, by Grouping) (sums []Sum, total Sum) {
	index := map[string]int{}
	for i := range entries {
		e := &entries[i]
		key := by.key(e)
		at, ok := index[key]
		if !ok {
			at = len(sums)
			index[key] = at
			sums = append(sums, Sum{Key: key})
		}
		sums[at].add(e)
		total.add(e)
	}
	slices.SortFunc(sums, func(a, b Sum) int { return strings.Compare(a.Key, b.Key) })
	total.Key = "total"
	return sums, total
}
