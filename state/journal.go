package state

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// journalVersion is the format that this program writes, and the newest that it reads.
const journalVersion = 1

// maxLine bounds a line of the journal. The longest prompt that the API takes is far below it.
const maxLine = 16 << 20

var errTrailing = errors.New("something follows the value")

// journalHeader is the first line of a journal.
type journalHeader struct {
	Version int    `json:"version"`
	Lineage string `json:"lineage"`
	// Snapshot is the SHA-256 of the state file that the journal extends, "" where there was none.
	Snapshot string `json:"snapshot,omitempty"`
}

// journalContent is a journal read to its end.
type journalContent struct {
	// header is nil when not even the first line is whole: then nothing was ever durable in this
	// journal.
	header *journalHeader
	// state has the tasks and moderations; its images are in changes instead.
	state *State
	// changes are what the journal does to images: for each address what it was first and what it
	// is in the end.
	changes map[addrs.Image]change
	// made are the images of the tasks that ended with one, in order.
	made []Stored
	// ended are the ids of those that ended without one.
	ended []string
	// renditions are what the journal leaves of renditions, nil for those that it removes.
	renditions map[addrs.Rendition]*Rendition
	// valid is the length of the whole lines; what follows is torn. The last one lacks its line
	// break where open is set.
	valid int64
	open  bool
	// records counts the entries, torn tells that bytes follow them.
	records int
	torn    bool
}

// newJournalContent returns a journal of which nothing was read, of tasks and moderations that stand
// in a state.
func newJournalContent(st *State) *journalContent {
	return &journalContent{state: st, changes: map[addrs.Image]change{}, renditions: map[addrs.Rendition]*Rendition{}}
}

func newState(lineage string) *State {
	return &State{
		Lineage: lineage, Images: new(Images), Renditions: map[addrs.Rendition]*Rendition{}, Outputs: map[string]OutputValue{},
		Tasks: map[string]*Task{}, Moderated: map[string]Moderation{},
	}
}

// readJournal reads a journal; path is for errors. The moderations that were known before it are in
// moderated, which it takes over.
//
// Appending is the only way that a journal grows, and an append is over when its fsync is. So a
// crash can damage only the end, and an end that is not whole belongs to an append that nobody was
// told had happened: it is dropped. Where only the line break is missing the line is taken, since it
// may be all that is known of a task that was paid for. Whole lines after a damaged one mean that something else was at
// work, and what the damaged line said may have been paid for: that is refused.
func readJournal(r io.Reader, path string, moderated map[string]Moderation) (*journalContent, error) {
	j := newJournalContent(newState(""))
	j.state.Moderated = moderated
	in := bufio.NewReaderSize(r, 64<<10)
	var line []byte
	for number := 1; ; number++ {
		var err error
		line, err = readLine(in, line[:0])
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("reading the journal %s: %w", path, err)
		}
		if len(line) == 0 {
			return j, nil
		}
		rec, ok := cutLine(line)
		if !ok {
			if _, err := in.Peek(1); errors.Is(err, io.EOF) {
				j.torn = true
				return j, nil
			}
			return nil, j.damaged(path, number, "its checksum does not match", nil)
		}
		if number == 1 {
			if err := j.readHeader(rec, path); err != nil {
				return nil, err
			}
		} else if err := j.replay(rec, path, number); err != nil {
			return nil, err
		}
		j.valid += int64(len(line))
		j.open = line[len(line)-1] != '\n'
	}
}

// readLine appends the next line with its line break to b. It has none at the end of the file, or
// where it is too long.
func readLine(in *bufio.Reader, b []byte) ([]byte, error) {
	for len(b) <= maxLine {
		piece, err := in.ReadSlice('\n')
		b = append(b, piece...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return b, err
		}
	}
	return b, nil
}

func (j *journalContent) readHeader(rec []byte, path string) error {
	var version struct{ Version int }
	if err := json.Unmarshal(rec, &version); err == nil && version.Version > journalVersion {
		return &VersionError{Path: path, Version: version.Version, Supported: journalVersion}
	}
	header := &journalHeader{}
	if err := decodeStrict(rec, header); err != nil || header.Version != journalVersion || header.Lineage == "" {
		return j.damaged(path, 1, "its first line is not the header of a journal", err)
	}
	j.header = header
	return nil
}

func (j *journalContent) replay(rec []byte, path string, number int) error {
	e := &entry{}
	if err := decodeStrict(rec, e); err != nil {
		return j.damaged(path, number, "this is not an entry of a journal", err)
	}
	reason := e.invalid()
	if made := e.made(j.state); reason == "" && made != nil {
		j.made = append(j.made, *made)
	}
	if id := e.ends(j.state); reason == "" && id != "" {
		j.ended = append(j.ended, id)
	}
	if reason == "" {
		reason = e.apply(j.state)
	}
	if reason != "" {
		return j.damaged(path, number, reason, nil)
	}
	for _, c := range e.changes() {
		if first, seen := j.changes[c.address]; seen {
			c.was = first.was
		}
		j.changes[c.address] = c
	}
	if e.Made != nil {
		j.renditions[*e.Made] = e.Rendition
	}
	j.records++
	return nil
}

func (j *journalContent) damaged(path string, line int, reason string, err error) error {
	return &DamagedError{
		Path: path, Line: line, Offset: j.valid, Reason: reason, Err: err,
		Remedy: fmt.Sprintf("It holds what an interrupted run did, perhaps images that were paid for, so it is not skipped. Bring back an undamaged copy. To continue with what stands before the damage, keep a copy of the file and cut it off there:\n\n  cp %[1]s %[1]s.damaged && head -c %[2]d %[1]s.damaged > %[1]s", path, j.valid),
	}
}

// invalid returns why the values of an entry can be in no state, or "".
func (e *entry) invalid() string {
	switch {
	case e.Task != nil:
		return e.Task.invalid()
	case e.Image != nil:
		return e.Image.invalid()
	case e.Rendition != nil:
		return e.Rendition.invalid()
	case e.Fetch != nil:
		return e.Fetch.invalid()
	}
	return ""
}

// mergeInto applies the journal to a snapshot with the given hash ("" where there is no file).
//
// Where the journal was written for that very snapshot, all of it applies. Otherwise the snapshot
// may already contain it (a crash came between writing the snapshot and removing the journal), or
// was replaced by version control. Then each address is taken for itself: it must be as the journal
// found it, or already as the journal leaves it.
func (j *journalContent) mergeInto(st *State, snapshot, path, journal string) error {
	if j.header == nil {
		return nil
	}
	switch {
	case snapshot == "" && j.header.Snapshot != "":
		return &StaleJournalError{Path: path, Journal: journal, Missing: true}
	case snapshot == "":
		st.Lineage = j.header.Lineage
	case st.Lineage != j.header.Lineage:
		return &StaleJournalError{Path: path, Journal: journal, Lineages: true}
	}
	if snapshot != j.header.Snapshot {
		var contradicted []addrs.Image
		for a, c := range j.changes {
			if found := digest(st.Images.Get(a)); found != c.was && found != digest(c.now) {
				contradicted = append(contradicted, a)
			}
		}
		if len(contradicted) > 0 {
			slices.SortFunc(contradicted, addrs.Image.Compare)
			return &StaleJournalError{Path: path, Journal: journal, Addresses: contradicted}
		}
	}
	for a, c := range j.changes {
		c.was = digest(st.Images.Get(a))
		j.changes[a] = c
	}
	for a, c := range j.changes {
		st.set(a, c.now)
	}
	// What was made here can be made again for nothing, so that the last word on it holds, whatever
	// the snapshot has.
	for a, r := range j.renditions {
		st.setRendition(a, r)
	}
	st.setTasks(j.state.Tasks)
	st.Moderated = j.state.Moderated
	return nil
}

// set records an image, or none.
func (s *State) set(a addrs.Image, img *Image) {
	if img == nil {
		s.Images.Delete(a)
	} else {
		s.Images.Set(a, img)
	}
}
