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
	"time"

	"golang.org/x/sync/errgroup"
)

// remote is a session's hold on a state that a Backend keeps. Its methods are called under the
// token of the session's log, or before there is anybody else.
//
// A session that writes begins with a batch of its own, before it reads: from then on no earlier
// session can append, since each of them would write that very number next. Batches that begin a
// session are never trimmed, or the number would be free again.
type remote struct {
	// ctx ends calls of the backend. An interrupted run still records what it has paid for, so that
	// it is not the one of the run.
	ctx     context.Context
	backend Backend
	run     batchHead
	release func() error
	side    *sideFile

	// at is the newest batch that the session's state has, and sum its hash.
	at  uint64
	sum string
	// snapshot is the newest one that was found.
	snapshot uint64
	// disposable are the batches that a snapshot at the end makes superfluous.
	disposable []uint64
	// pending are the lines that were written and not synced yet.
	pending []byte
	fenced  error
	// past is what runs did, the oldest first. It is guarded as the session's state is.
	past []*PastRun
}

// batchHead is the first line of a batch.
type batchHead struct {
	Version int    `json:"version"`
	Lineage string `json:"lineage"`
	Number  uint64 `json:"number"`
	// Before is the SHA-256 of the batch before, "" for the first one.
	Before string `json:"before,omitempty"`
	// Run is the session's id, and Begins says that it begins with this batch; who and what it is
	// stands there.
	Run       string    `json:"run"`
	Begins    bool      `json:"begins,omitempty"`
	Operation string    `json:"operation,omitempty"`
	Who       string    `json:"who,omitempty"`
	At        time.Time `json:"at,omitzero"`
}

// snapshotHead is the first line of a remote snapshot. Lines with the open tasks and the moderated
// requests follow, and the content of a state file.
type snapshotHead struct {
	Version int    `json:"version"`
	Lineage string `json:"lineage"`
	Number  uint64 `json:"number"`
	// Sum is the SHA-256 of the batch with that number, State that of the state file.
	Sum   string `json:"sum"`
	State string `json:"state"`
	Lines int    `json:"lines"`
	// Past is what the last runs did to the images.
	Past []*PastRun `json:"past,omitempty"`
	// MovedTo is where the state is kept by now, "" while it is here.
	MovedTo string `json:"moved_to,omitempty"`
}

// remoteVersion is the format of batches and snapshots that this program writes, and the newest
// that it reads.
const remoteVersion = 1

// openRemote opens a state that a backend keeps. A session that only reads writes nothing.
func openRemote(ctx context.Context, s *Session, o Options) error {
	r := &remote{ctx: context.WithoutCancel(ctx), backend: o.Backend, run: batchHead{Version: remoteVersion, Run: freshID(), Operation: o.Operation, Who: Who()}}
	s.remote = r
	if o.Local != nil {
		r.side = &sideFile{root: o.Local.root}
	}
	if o.ReadOnly {
		return r.load(ctx, s, nil)
	}
	if !o.NoLock {
		release, err := o.Backend.Lease(ctx, describe(o), o.LockTimeout)
		if err != nil {
			return err
		}
		r.release = release
	}
	head, err := r.begin(ctx)
	if err != nil {
		return err
	}
	// What is asked for by now was written after all earlier sessions were fenced, or is asked for
	// again where it is missing.
	if o.Local != nil {
		o.Local.store.lookAround()
	}
	var late map[string][]byte
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.load(groupCtx, s, &head) })
	group.Go(func() (err error) {
		late, err = r.backend.Late(groupCtx)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return r.takeIn(ctx, s, late)
}

// begin fences the sessions before. The number that it takes is one that a session which is under
// way would take next. It returns how far the log went before.
func (r *remote) begin(ctx context.Context) (Cursor, error) {
	head, err := r.backend.Head(ctx)
	if err != nil {
		return head, err
	}
	if head.Last == 0 {
		if err := r.backend.Probe(ctx); err != nil {
			return head, err
		}
	}
	for n := head.Last + 1; ; n++ {
		// The lineage and the hash of what is before are not known yet; see replay.
		first := r.run
		first.Number, first.Begins, first.At = n, true, time.Now().UTC().Truncate(time.Second)
		var batch []byte
		err := withLine(first, func(line []byte) error {
			batch = bytes.Clone(line)
			return r.backend.Append(ctx, n, batch)
		})
		switch {
		case err == nil:
			r.at = n
			return head, nil
		case !errors.Is(err, ErrTaken):
			return head, fmt.Errorf("beginning a run on the state %s: %w", r.backend, err)
		case ctx.Err() != nil:
			return head, context.Cause(ctx)
		}
	}
}

// load reads the newest snapshot and all batches after it, up to the session's own first one, or to
// the end. head is how far the log went a moment ago, nil where nobody asked.
func (r *remote) load(ctx context.Context, s *Session, head *Cursor) error {
	for range maxLoads {
		if head == nil {
			now, err := r.backend.Head(ctx)
			if err != nil {
				return err
			}
			head = &now
		}
		err := r.loadOnce(ctx, s, *head)
		if !errors.Is(err, errMoved) {
			return err
		}
		head = nil
	}
	return fmt.Errorf("the state %s cannot be read, since another program keeps writing it", r.backend)
}

// errMoved says that a batch was trimmed while it was about to be read: there is a newer snapshot.
var errMoved = errors.New("the state moved on while it was read")

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
	replayed := &replay{remote: r, state: st, sum: sum, isNew: head.Snapshot == 0}
	for i, batch := range batches {
		if err := replayed.batch(head.Snapshot+1+uint64(i), batch); err != nil {
			return err
		}
	}
	r.snapshot, r.sum, r.disposable = head.Snapshot, replayed.sum, replayed.disposable
	r.run.Lineage = st.Lineage
	if r.at == 0 {
		r.at = head.Snapshot + uint64(len(batches))
	}
	s.state, s.changed = st, replayed.changed
	return nil
}

// maxFetches is how many batches are read at a time.
const maxFetches = 16

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
	remote     *remote
	state      *State
	sum        string
	isNew      bool
	changed    bool
	disposable []uint64
}

func (p *replay) batch(n uint64, batch []byte) error {
	name := fmt.Sprintf("%s, batch %d", p.remote.backend, n)
	lines := bytes.SplitAfter(batch, []byte("\n"))
	lines = lines[:len(lines)-1] // what follows the last line break: nothing, or what is torn
	var head batchHead
	damaged := func(reason string) error {
		return &DamagedError{Path: name, Reason: reason, Remedy: "It may say what was paid for, so it is not passed over. Bring back an undamaged copy, from the store's older versions or a copy of it."}
	}
	if len(lines) == 0 || !bytes.HasSuffix(batch, []byte("\n")) {
		return damaged("it does not end with a whole line")
	}
	rec, ok := cutLine(lines[0])
	if !ok {
		return damaged("the checksum of its first line does not match")
	}
	if err := json.Unmarshal(rec, &head); err == nil && head.Version > remoteVersion {
		return &VersionError{Path: name, Version: head.Version, Supported: remoteVersion}
	}
	switch err := decodeStrict(rec, &head); {
	case err != nil || head.Version != remoteVersion:
		return damaged("its first line is not the head of a batch")
	case head.Number != n:
		return damaged(fmt.Sprintf("it is batch %d", head.Number))
	case !head.Begins && head.Before != p.sum:
		return damaged("it does not follow the batch before it")
	case !head.Begins && head.Lineage != p.state.Lineage:
		if !p.isNew {
			return damaged("it is of another state")
		}
		p.state.Lineage = head.Lineage
	}
	p.isNew = p.isNew && head.Begins
	sum := sha256.Sum256(batch)
	p.sum = hex.EncodeToString(sum[:])
	if head.Begins {
		p.remote.began(&head)
	} else {
		p.disposable = append(p.disposable, n)
	}
	return p.entries(lines[1:], name, &head)
}

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
	p.remote.noteChanges(head.Run, head.Number, p.state, slices.Collect(maps.Values(j.changes)))
	for a, c := range j.changes {
		p.state.set(a, c.now)
	}
	return nil
}

// Write takes lines for the next batch.
func (r *remote) Write(lines []byte) (int, error) {
	r.pending = append(r.pending, lines...)
	return len(lines), nil
}

// Sync makes the lines durable that were written: what tells the id of a task on this machine
// first, since the backend is further away, and a crash before it has the id would lose it.
func (r *remote) Sync() error {
	lines := r.pending
	r.pending = nil
	if r.fenced != nil {
		return r.fenced
	}
	if r.side != nil {
		if err := r.side.note(lines); err != nil {
			return err
		}
	}
	head := r.run
	head.Number, head.Before = r.at+1, r.sum
	return withLine(head, func(line []byte) error {
		batch := append(bytes.Clone(line), lines...)
		err := r.backend.Append(r.ctx, head.Number, batch)
		if errors.Is(err, ErrTaken) {
			r.fenced = r.overtaken(head.Number)
			return r.fenced
		}
		if err != nil {
			return err
		}
		sum := sha256.Sum256(batch)
		r.at, r.sum = head.Number, hex.EncodeToString(sum[:])
		r.disposable = append(r.disposable, r.at)
		return nil
	})
}

// Close ends nothing: what is written is durable.
func (r *remote) Close() error { return nil }

// end gives the lease back.
func (r *remote) end() error {
	err := r.side.close()
	if r.release != nil {
		err = errors.Join(err, r.release())
	}
	return err
}

// overtaken says who has written the batch that this session was about to.
func (r *remote) overtaken(n uint64) error {
	fenced := &FencedError{State: r.backend.String()}
	var head batchHead
	if batch, err := r.backend.Entry(r.ctx, n); err == nil {
		line, _, _ := bytes.Cut(batch, []byte("\n"))
		if rec, ok := cutLine(append(line, '\n')); ok && json.Unmarshal(rec, &head) == nil && head.Who != "" {
			fenced.By = fmt.Sprintf("fluxbatch %s, run by %s,", head.Operation, head.Who)
		}
	}
	return fenced
}

// late keeps what a line that the log did not take says of a task that is paid for, where the next
// session finds it. It is safe for concurrent use.
func (r *remote) late(line []byte) error {
	key := submittedKey(line)
	if key == "" {
		return nil
	}
	return r.backend.PutLate(r.ctx, r.run.Run+"/"+key, bytes.Clone(line))
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

// commit writes a snapshot, and removes what it makes superfluous. A crash between any two of its
// steps leaves a log that says what the snapshot says, or more than is needed.
func (r *remote) commit(s *Session, outputs map[string]OutputValue) error {
	if r.fenced != nil {
		return r.fenced
	}
	outputsChanged := outputs != nil && !maps.EqualFunc(outputs, s.state.Outputs, sameOutput)
	if !s.changed && !outputsChanged && len(r.disposable) == 0 {
		return nil
	}
	if r.at == r.snapshot {
		// There is a snapshot of the last batch, so that another one needs a batch of its own.
		if err := r.Sync(); err != nil {
			return err
		}
	}
	next := *s.state
	if outputsChanged {
		next.Outputs = outputs
	}
	snapshot, err := r.snapshotOf(&next)
	if err != nil {
		return err
	}
	if err := r.backend.PutSnapshot(r.ctx, r.at, snapshot); err != nil {
		return err
	}
	// What it replaces goes only when it is there: a store may have lost what it acknowledged.
	if there, err := r.backend.Snapshot(r.ctx, r.at); err != nil || !bytes.Equal(there, snapshot) {
		return fmt.Errorf("the state %s was written and is not there (%v). Nothing was removed, and the next run begins from the log", r.backend, cmp.Or(err, errOther))
	}
	s.mu.Lock()
	s.state.Outputs = next.Outputs
	s.mu.Unlock()
	s.changed, r.run.Lineage = false, next.Lineage
	if r.side != nil {
		if err := r.side.remove(); err != nil {
			return err
		}
	}
	err = r.backend.Trim(r.ctx, r.disposable, r.at)
	r.snapshot, r.disposable = r.at, nil
	return err
}

var errOther = errors.New("the store returns other bytes")

func (r *remote) snapshotOf(st *State) ([]byte, error) {
	var content, lines bytes.Buffer
	sum := newHashingWriter(&content)
	if err := st.Write(sum); err != nil {
		return nil, err
	}
	if err := writeEntries(&lines, nil, st.Moderated, st.Tasks); err != nil {
		return nil, err
	}
	head := snapshotHead{Version: remoteVersion, Lineage: st.Lineage, Number: r.at, Sum: r.sum, State: sum.hex(), Lines: bytes.Count(lines.Bytes(), []byte("\n")), Past: r.kept()}
	var all []byte
	err := withLine(head, func(line []byte) error {
		all = slices.Concat(line, lines.Bytes(), content.Bytes())
		return nil
	})
	return all, err
}

// readSnapshot returns the state that a snapshot has, and the hash of the batch that it is of.
func (r *remote) readSnapshot(data []byte, n uint64) (*State, string, error) {
	name := fmt.Sprintf("%s, snapshot %d", r.backend, n)
	damaged := func(reason string) error {
		return &DamagedError{Path: name, Reason: reason, Remedy: "Bring back an undamaged copy, from the store's older versions or a copy of it."}
	}
	line, rest, _ := bytes.Cut(data, []byte("\n"))
	var head snapshotHead
	rec, ok := cutLine(append(bytes.Clone(line), '\n'))
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
		return nil, "", &MovedError{Path: r.backend.String(), To: head.MovedTo}
	}
	j := newJournalContent(newState(head.Lineage))
	for i := range head.Lines {
		line, after, found := bytes.Cut(rest, []byte("\n"))
		rec, ok := cutLine(append(bytes.Clone(line), '\n'))
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
	st.Tasks, st.Moderated = j.state.Tasks, j.state.Moderated
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
