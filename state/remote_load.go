package state

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"
)

// load reads the newest snapshot and all batches after it, up to the session's own first one, or to
// the end. head is how far the log went a moment ago, nil where nobody asked.
func (r *remote) load(ctx context.Context, s *Session, head *Cursor) error {
	var before Cursor
	for range maxLoads {
		if head == nil {
			now, err := r.backend.Head(ctx)
			if err != nil {
				return err
			}
			if now.Snapshot > 0 && now == before {
				return r.withoutSnapshot(now.Snapshot)
			}
			head = &now
		}
		err := r.loadOnce(ctx, s, *head)
		if !errors.Is(err, errMoved) {
			return err
		}
		before, head = *head, nil
	}
	return fmt.Errorf("the state %s cannot be read, since another program keeps writing it", r.backend)
}

// withoutSnapshot says that the newest snapshot is not there, and was not moved on from either.
func (r *remote) withoutSnapshot(n uint64) error {
	return &DamagedError{
		Path: r.backend.String(), Reason: fmt.Sprintf("snapshot %d is not there, and the batches that it has were removed", n),
		Remedy: "It says what was paid for, so it is not passed over. Bring it back from the store's older versions or a copy. To begin with a new state, remove all that is at " + r.backend.String() + ".",
	}
}

func (r *remote) loadOnce(ctx context.Context, s *Session, head Cursor) error {
	var snapshot []byte
	var batches [][]byte
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if head.Snapshot == 0 {
			return nil
		}
		snapshot, err = r.backend.Snapshot(groupCtx, head.Snapshot)
		if errors.Is(err, fs.ErrNotExist) {
			return errMoved
		}
		return err
	})
	group.Go(func() (err error) {
		batches, err = r.read(groupCtx, head.Snapshot, max(head.Last, r.at))
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	st, sum := newState(freshID()), ""
	r.past = nil
	if snapshot != nil {
		var err error
		if st, sum, err = r.readSnapshot(snapshot, head.Snapshot); err != nil {
			return err
		}
	}
	replayed := &replay{remote: r, after: head.Snapshot, state: st, sum: sum, isNew: head.Snapshot == 0}
	for i, batch := range batches {
		err := replayed.batch(head.Snapshot+1+uint64(i), batch)
		if void := (*voidError)(nil); errors.As(err, &void) {
			return r.loadFormer(ctx, s, head, void)
		}
		if err != nil {
			return err
		}
	}
	r.snapshot, r.sum, r.disposable = head.Snapshot, replayed.sum, replayed.disposable
	r.run.Lineage = st.Lineage
	if r.at == 0 {
		r.at = head.Snapshot + uint64(len(batches))
	}
	s.state, s.changed = st, replayed.changed
	s.recovered, s.ended = replayed.made, replayed.ended
	return nil
}

// voidError says that a snapshot of another state was put in the place of one that a run went on with,
// since it had begun before the snapshot was there.
type voidError struct{ batch string }

func (e *voidError) Error() string { return e.damaged().Error() }

// damaged is for who cannot go on with the former state either.
func (e *voidError) damaged() *DamagedError {
	return &DamagedError{
		Path: e.batch, Reason: "it is of the state that another one was pushed or moved over, by a run that had begun before the push was done, and that former state is not whole",
		Remedy: "It may say what was paid for, so it is not passed over. Bring back the snapshot and the batches before it, from the store's older versions or a copy of it, and push the other state again if it is to be there.",
	}
}

// loadFormer reads what a run went on with while another state was put in its place. Whoever put it
// there was told that it may not be, so that its snapshot is passed over; and nothing was removed for
// it.
func (r *remote) loadFormer(ctx context.Context, s *Session, head Cursor, void *voidError) error {
	former := Cursor{Last: head.Last}
	for n := head.Snapshot - 1; n > 0 && former.Snapshot == 0; n-- {
		switch _, err := r.backend.Snapshot(ctx, n); {
		case err == nil:
			former.Snapshot = n
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	err := r.loadOnce(ctx, s, former)
	if !errors.Is(err, errMoved) {
		return err
	}
	if now, err := r.backend.Head(ctx); err != nil || now.Snapshot > head.Snapshot {
		return cmp.Or(err, errMoved)
	}
	return void.damaged()
}

// read returns the batches after one up to last, and those that came since.
func (r *remote) read(ctx context.Context, after, last uint64) ([][]byte, error) {
	batches := make([][]byte, last-min(after, last))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(maxFetches)
	for i := range batches {
		group.Go(func() (err error) {
			batches[i], err = r.backend.Entry(groupCtx, after+1+uint64(i)) //nolint:gosec // an index is not negative
			return err
		})
	}
	switch err := group.Wait(); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, r.missing(ctx, after)
	case err != nil:
		return nil, err
	}
	if r.at > 0 {
		return batches, nil // What comes after the session's own first batch is its own.
	}
	for n := last + 1; ; n++ {
		// Whoever lists may be behind, or the log grew.
		batch, err := r.backend.Entry(ctx, n)
		if errors.Is(err, fs.ErrNotExist) {
			return batches, nil
		}
		if err != nil {
			return nil, err
		}
		batches = append(batches, batch)
	}
}

// missing tells a log that was trimmed meanwhile from one that has a gap.
func (r *remote) missing(ctx context.Context, after uint64) error {
	head, err := r.backend.Head(ctx)
	if err == nil && head.Snapshot <= after {
		err = &DamagedError{
			Path: r.backend.String(), Reason: fmt.Sprintf("a batch after number %d is not there, though a later one is", after),
			Remedy: "It may say what was paid for, so it is not passed over. Bring it back from the store's older versions or a copy.",
		}
	}
	if err != nil {
		return err
	}
	return errMoved
}

// replay applies batches to a state, one after the other.
type replay struct {
	remote *remote
	// after is the snapshot that they follow, 0 for none.
	after uint64
	state *State
	sum   string
	isNew bool
	// mayBeVoid says that no batch of the run which wrote the snapshot follows it; see remote.commit.
	mayBeVoid  bool
	changed    bool
	disposable []uint64
	// made and ended are as in journalContent.
	made  []Stored
	ended []string
}

func (p *replay) batch(n uint64, batch []byte) error {
	name := fmt.Sprintf("%s, batch %d", p.remote.backend, n)
	lines := bytes.SplitAfter(batch, []byte("\n"))
	lines = lines[:len(lines)-1] // what follows the last line break: nothing, or what is torn
	if len(lines) == 0 || !bytes.HasSuffix(batch, []byte("\n")) {
		return damagedBatch(name, "it does not end with a whole line")
	}
	head, err := readBatchHead(lines[0], name)
	if err == nil {
		err = p.follows(n, head, lines, name)
	}
	if err != nil {
		return err
	}
	p.isNew = p.isNew && head.Begins
	p.mayBeVoid = p.mayBeVoid || head.Begins && n == p.after+1 && p.after > 0
	sum := sha256.Sum256(batch)
	p.sum = hex.EncodeToString(sum[:])
	switch {
	case head.Begins:
		p.remote.began(head)
	case !isFence(lines):
		p.disposable = append(p.disposable, n)
	}
	return p.entries(lines[1:], name, head)
}

func damagedBatch(name, reason string) error {
	return &DamagedError{Path: name, Reason: reason, Remedy: "It may say what was paid for, so it is not passed over. Bring back an undamaged copy, from the store's older versions or a copy of it."}
}

// readBatchHead reads the first line of a batch.
func readBatchHead(line []byte, name string) (*batchHead, error) {
	rec, ok := cutLine(line)
	if !ok {
		return nil, damagedBatch(name, "the checksum of its first line does not match")
	}
	var head batchHead
	if err := json.Unmarshal(rec, &head); err == nil && head.Version > remoteVersion {
		return nil, &VersionError{Path: name, Version: head.Version, Supported: remoteVersion}
	}
	if err := decodeStrict(rec, &head); err != nil || head.Version != remoteVersion {
		return nil, damagedBatch(name, "its first line is not the head of a batch")
	}
	return &head, nil
}

// follows makes sure that a batch is the nth, and follows those that were replayed before. A log that
// has none takes its lineage.
func (p *replay) follows(n uint64, head *batchHead, lines [][]byte, name string) error {
	switch {
	case head.Number != n:
		return damagedBatch(name, fmt.Sprintf("it is batch %d", head.Number))
	case head.Begins:
	case head.Before != p.sum:
		return damagedBatch(name, "it does not follow the batch before it")
	case p.isNew:
		p.state.Lineage = head.Lineage
	case isFence(lines):
		// It may be before another state was put in the place of this one, and says nothing.
	case head.Lineage == p.state.Lineage:
	case p.mayBeVoid:
		return &voidError{batch: name}
	default:
		return damagedBatch(name, "it is of another state")
	}
	return nil
}

// isFence reports whether a batch has nothing but its head.
func isFence(lines [][]byte) bool { return len(lines) == 1 }

// entries applies the lines of a batch.
func (p *replay) entries(lines [][]byte, name string, head *batchHead) error {
	j := newJournalContent(p.state)
	for i, line := range lines {
		rec, ok := cutLine(line)
		if !ok {
			return j.damaged(name, i+2, "its checksum does not match", nil)
		}
		if err := j.replay(rec, name, i+2); err != nil {
			return err
		}
		p.changed = true
	}
	p.made, p.ended = append(p.made, j.made...), append(p.ended, j.ended...)
	p.remote.noteChanges(head.Run, head.Number, p.state, slices.Collect(maps.Values(j.changes)))
	for a, c := range j.changes {
		p.state.set(a, c.now)
	}
	return nil
}

// submittedKey returns the key of the task whose id a line tells, "" where it tells none.
func submittedKey(line []byte) string {
	rec, ok := cutLine(line)
	if !ok || !bytes.HasPrefix(rec, []byte(`{"type":"`+entrySubmitted+`"`)) {
		return ""
	}
	var e entry
	if decodeStrict(rec, &e) != nil {
		return ""
	}
	return e.Key
}

// takeIn records what was learnt of tasks and did not get into the log: by a session that was
// overtaken, and by one on this machine that was cut off.
func (r *remote) takeIn(ctx context.Context, s *Session, late map[string][]byte) error {
	var lines [][]byte
	for _, name := range slices.Sorted(maps.Keys(late)) {
		lines = append(lines, late[name])
	}
	if r.side != nil {
		noted, err := r.side.lines()
		if err != nil {
			return err
		}
		lines = append(lines, noted...)
	}
	for _, line := range lines {
		rec, ok := cutLine(line)
		var e entry
		if !ok || decodeStrict(rec, &e) != nil || e.Type != entrySubmitted {
			continue
		}
		if task := s.state.Tasks[e.Key]; task == nil || task.ID != "" {
			continue
		}
		err := s.Append(Submitted{Key: e.Key, ID: e.ID, PollingURL: e.PollingURL, Cost: e.Cost, Simulated: e.Simulated, Accepted: e.Accepted})
		if err != nil {
			return err
		}
	}
	return r.backend.Clear(ctx, slices.Collect(maps.Keys(late)))
}

// readSnapshot returns the state that a snapshot has, and the hash of the batch that it is of.
func (r *remote) readSnapshot(data []byte, n uint64) (*State, string, error) {
	name := fmt.Sprintf("%s, snapshot %d", r.backend, n)
	damaged := func(reason string) error {
		return &DamagedError{Path: name, Reason: reason, Remedy: "Bring back an undamaged copy, from the store's older versions or a copy of it."}
	}
	line, rest, _ := bytes.Cut(data, []byte("\n"))
	var head snapshotHead
	rec, ok := cutLine(line)
	if !ok {
		return nil, "", damaged("the checksum of its first line does not match")
	}
	if err := json.Unmarshal(rec, &head); err == nil && head.Version > remoteVersion {
		return nil, "", &VersionError{Path: name, Version: head.Version, Supported: remoteVersion}
	}
	if err := decodeStrict(rec, &head); err != nil || head.Version != remoteVersion || head.Number != n {
		return nil, "", damaged("its first line is not the head of this snapshot")
	}
	if head.MovedTo != "" {
		moved := &MovedError{Path: r.backend.String(), To: head.MovedTo}
		if moved.isTo(r.returns) {
			return newState(head.Lineage), head.Sum, nil
		}
		return nil, "", moved
	}
	j := newJournalContent(newState(head.Lineage))
	for i := range head.Lines {
		line, after, found := bytes.Cut(rest, []byte("\n"))
		rec, ok := cutLine(line)
		if !found || !ok {
			return nil, "", damaged("the checksum of a line does not match")
		}
		if err := j.replay(rec, name, i+2); err != nil {
			return nil, "", err
		}
		rest = after
	}
	st, sum, err := readSnapshot(bytes.NewReader(rest), name)
	if err != nil {
		return nil, "", err
	}
	if sum != head.State || st.Lineage != head.Lineage {
		return nil, "", damaged("its content is not what its first line says")
	}
	st.setTasks(j.state.Tasks)
	st.Moderated = j.state.Moderated
	r.past = head.Past
	return st, head.Sum, nil
}

// ReadBackend returns the state that a backend keeps, as it is at some instant. It writes nothing.
func ReadBackend(ctx context.Context, b Backend) (*State, error) {
	s := &Session{}
	r := &remote{ctx: ctx, backend: b}
	if err := r.load(ctx, s, nil); err != nil {
		return nil, err
	}
	return s.state, nil
}
