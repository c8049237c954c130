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
	returns string // Options.Returns
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
	// replacing says that the state has more than follows from the log, since another one was put in
	// its place.
	replacing bool
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
	r := &remote{ctx: context.WithoutCancel(ctx), backend: o.Backend, returns: o.Returns, run: batchHead{Version: remoteVersion, Run: freshID(), Operation: o.Operation, Who: Who()}}
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
	late, err := r.enter(ctx, s, o.Local)
	if err != nil {
		return err
	}
	return r.takeIn(ctx, s, late)
}

// enter begins the session, and then reads the state, and what overtaken sessions learnt.
//
// Others may have written between the look at how far the log goes and the first batch. Their batches
// may be gone already, since a snapshot has them, and their numbers free again: one of those begins
// nothing, since nobody reads it. And a snapshot may have what is in no batch, see commit. So it is
// looked again, while the state is read.
func (r *remote) enter(ctx context.Context, s *Session, local *Local) (late map[string][]byte, err error) {
	for range maxLoads {
		head, first, err := r.begin(ctx)
		if err != nil {
			return nil, err
		}
		// What is asked for by now was written after all earlier sessions were fenced, or is asked
		// for again where it is missing.
		if local != nil {
			local.store.lookAround()
		}
		var now Cursor
		begun := r.at
		group, groupCtx := errgroup.WithContext(ctx)
		group.Go(func() error { return r.backend.Probe(groupCtx, begun, first) })
		group.Go(func() error { return r.load(groupCtx, s, &head) })
		group.Go(func() (err error) {
			late, err = r.backend.Late(groupCtx)
			return err
		})
		group.Go(func() (err error) {
			now, err = r.backend.Head(groupCtx)
			return err
		})
		err = group.Wait()
		switch {
		case err != nil || now.Snapshot <= head.Snapshot:
			return late, err
		case now.Snapshot < r.at:
			head.Snapshot = now.Snapshot
			return late, r.load(ctx, s, &head)
		}
	}
	return nil, fmt.Errorf("no run can begin on the state %s, since other programs keep writing it", r.backend)
}

// begin fences the sessions before. The number that it takes is one that a session which is under
// way would take next. It returns how far the log went before, and its batch.
func (r *remote) begin(ctx context.Context) (head Cursor, first []byte, err error) {
	if head, err = r.backend.Head(ctx); err != nil {
		return head, nil, err
	}
	for n := head.Last + 1; ; n++ {
		// The lineage and the hash of what is before are not known yet; see replay.
		begins := r.run
		begins.Number, begins.Begins, begins.At = n, true, time.Now().UTC().Truncate(time.Second)
		var batch []byte
		err := withLine(begins, func(line []byte) error {
			batch = bytes.Clone(line)
			return r.backend.Append(ctx, n, batch)
		})
		switch {
		case err == nil:
			r.at = n
			return head, batch, nil
		case !errors.Is(err, ErrTaken):
			return head, nil, fmt.Errorf("beginning a run on the state %s: %w", r.backend, err)
		case ctx.Err() != nil:
			return head, nil, context.Cause(ctx)
		}
	}
}

// errMoved says that a batch was trimmed while it was about to be read: there is a newer snapshot.
var errMoved = errors.New("the state moved on while it was read")

// maxFetches is how many batches are read at a time.
const maxFetches = 16

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
	fenced := &FencedError{State: r.backend.String(), Replacing: r.replacing}
	var head batchHead
	if batch, err := r.backend.Entry(r.ctx, n); err == nil {
		line, _, _ := bytes.Cut(batch, []byte("\n"))
		if rec, ok := cutLine(line); ok && json.Unmarshal(rec, &head) == nil && head.Who != "" {
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

// commit writes a snapshot, and removes what it makes superfluous. A crash between any two of its
// steps leaves a log that says what the snapshot says, or more than is needed.
//
// Where another state was put in the place of this one, the log does not say it, and a session that
// began before the snapshot was there does not have it. So there is a batch before it, to find such a
// session before much is sent, and one after it: whoever begins later looks for snapshots after that.
func (r *remote) commit(s *Session, outputs map[string]OutputValue) error {
	if r.fenced != nil {
		return r.fenced
	}
	outputsChanged := outputs != nil && !maps.EqualFunc(outputs, s.state.Outputs, sameOutput)
	if !s.changed && !outputsChanged && len(r.disposable) == 0 {
		return nil
	}
	next := *s.state
	if outputsChanged {
		next.Outputs = outputs
	}
	r.run.Lineage = next.Lineage
	if r.at == r.snapshot || r.replacing {
		// There is a snapshot of the last batch, so that another one needs a batch of its own.
		if err := r.Sync(); err != nil {
			return err
		}
	}
	snapshot, err := r.snapshotOf(&next)
	if err != nil {
		return err
	}
	number, disposable := r.at, r.disposable
	if err := r.put(number, snapshot); err != nil {
		return err
	}
	s.mu.Lock()
	s.state.Outputs = next.Outputs
	s.mu.Unlock()
	s.changed, r.replacing = false, false
	if r.side != nil {
		if err := r.side.remove(); err != nil {
			return err
		}
	}
	r.snapshot, r.disposable = number, nil
	return r.backend.Trim(r.ctx, disposable, number)
}

// put writes a snapshot, and looks whether it is there.
func (r *remote) put(number uint64, snapshot []byte) error {
	if err := r.backend.PutSnapshot(r.ctx, number, snapshot); err != nil {
		return err
	}
	if r.replacing {
		if err := r.Sync(); err != nil {
			return err
		}
	}
	// What it replaces goes only when it is there: a store may have lost what it acknowledged.
	if there, err := r.backend.Snapshot(r.ctx, number); err != nil || !bytes.Equal(there, snapshot) {
		return fmt.Errorf("the state %s was written and is not there (%v). Nothing was removed, and the next run begins from the log", r.backend, cmp.Or(err, errOther))
	}
	return nil
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
