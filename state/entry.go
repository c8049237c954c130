package state

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// The types of journal entries.
const (
	entryIntent    = "intent"
	entrySubmitted = "submitted"
	entryReady     = "ready"
	entryFetched   = "fetched"
	entryStored    = "stored"
	entryFailed    = "failed"
	entryModerated = "moderated"
	entryRemoved   = "removed"
	entryMoved     = "moved"
)

// entry is a Record as the journal has it: the fields of all of them, and what the journal adds.
type entry struct {
	Type string `json:"type"`
	// Address is missing in a moderation whose task is no more.
	Address addrs.Image `json:"address,omitzero"`
	// To is the new address of a moved image.
	To *addrs.Image `json:"to,omitempty"`
	// Was is the digest of the image that the entry replaces or takes away, "" where there was none. It tells whether
	// the entry may be applied to a snapshot that is not the one it was written for.
	Was         string      `json:"was,omitempty"`
	Task        *Task       `json:"task,omitempty"`
	ID          string      `json:"task_id,omitempty"`
	PollingURL  string      `json:"polling_url,omitempty"`
	Cost        bfl.Credits `json:"cost_credits,omitempty"`
	Simulated   bool        `json:"simulated,omitempty"`
	Fetch       *Fetch      `json:"fetch,omitempty"`
	Image       *Image      `json:"image,omitempty"`
	Fingerprint string      `json:"fingerprint,omitempty"`
	Reason      string      `json:"reason,omitempty"`
	Reasons     []string    `json:"reasons,omitempty"`
}

// entryOf returns the entry for rec on top of st, or a RecordError where rec cannot follow.
func entryOf(st *State, rec Record) (*entry, error) {
	e, err := translate(st, rec)
	if err == nil {
		err = checkAddress(st, e.Address)
	}
	if err == nil && e.To != nil {
		err = checkAddress(st, *e.To)
	}
	return e, err
}

func translate(st *State, rec Record) (*entry, error) {
	switch r := rec.(type) {
	case Intent:
		return &entry{Type: entryIntent, Address: r.Address, Task: &r.Task}, checkIntent(st, r)
	case Submitted:
		return &entry{
			Type: entrySubmitted, Address: r.Address,
			ID: r.ID, PollingURL: r.PollingURL, Cost: r.Cost, Simulated: r.Simulated,
		}, checkSubmitted(st, r)
	case Ready:
		return &entry{Type: entryReady, Address: r.Address}, checkAnswered(st, r.Address)
	case Fetched:
		e := &entry{Type: entryFetched, Address: r.Address, Fetch: &Fetch{r.Output, r.Result, r.Temporary}}
		return e, checkFetched(st, r)
	case Stored:
		e := &entry{Type: entryStored, Address: r.Address, Image: r.Image, Was: digest(st.Images[r.Address])}
		return e, checkStored(r)
	case Failed:
		return &entry{Type: entryFailed, Address: r.Address, Reason: r.Reason}, checkOpen(st, r.Address)
	case Moderated:
		e := &entry{Type: entryModerated, Address: r.Address, Fingerprint: r.Fingerprint, Reasons: r.Reasons}
		return e, checkModerated(r)
	case Removed:
		return &entry{Type: entryRemoved, Address: r.Address, Was: digest(st.Images[r.Address])}, nil
	case Moved:
		// The image goes into the entry, so that the entry can be applied whatever else happened at either address.
		image := st.Images[r.From]
		return &entry{Type: entryMoved, Address: r.From, To: &r.To, Image: image, Was: digest(image)}, checkMoved(st, r)
	default:
		panic(fmt.Sprintf("state: a %T is no record", rec))
	}
}

// fact reports whether the entry tells of something that has happened already. Intents have not, and neither have
// changes that only the record itself makes.
func (e *entry) fact() bool { return e.Type != entryIntent }

// change is what becomes of one address.
type change struct {
	address addrs.Image
	was     string
	// now is nil where nothing is left.
	now *Image
}

// changes returns what the entry does to images.
func (e *entry) changes() []change {
	switch {
	case e.Type == entryStored:
		return []change{{e.Address, e.Was, e.Image}}
	case e.Type == entryRemoved:
		return []change{{e.Address, e.Was, nil}}
	case e.Type == entryMoved && e.Image != nil:
		return []change{{e.Address, e.Was, nil}, {*e.To, "", e.Image}}
	default:
		return nil
	}
}

// apply does to st what the entry says, except to images. It returns a reason where that makes no sense.
func (e *entry) apply(st *State) (reason string) {
	if e.Address == (addrs.Image{}) && e.Type != entryModerated {
		return "an entry lacks its address"
	}
	task := st.Tasks[e.Address]
	switch e.Type {
	case entryIntent:
		if e.Task == nil {
			return "an intent lacks its task"
		}
		st.Tasks[e.Address] = e.Task
		return ""
	case entrySubmitted, entryReady, entryFetched:
		if task == nil {
			return fmt.Sprintf("%s has no task that could be %s", e.Address, e.Type)
		}
		st.Tasks[e.Address] = e.advance(*task)
	case entryStored:
		if e.Image == nil {
			return "a stored image lacks its record"
		}
		if task != nil && task.Fingerprint == e.Image.Fingerprint {
			delete(st.Tasks, e.Address)
		}
		delete(st.Moderated, e.Image.Fingerprint)
	case entryFailed:
		delete(st.Tasks, e.Address)
	case entryModerated:
		delete(st.Tasks, e.Address)
		st.Moderated[e.Fingerprint] = Moderation{Reasons: e.Reasons}
	case entryRemoved:
	case entryMoved:
		if e.To == nil {
			return "a move lacks its destination"
		}
		if task != nil {
			st.Tasks[*e.To] = task
			delete(st.Tasks, e.Address)
		}
	default:
		return fmt.Sprintf("there is no entry of type %q", e.Type)
	}
	return ""
}

// advance returns the task after an entry of its own. It takes a copy, since others may hold the recorded one.
func (e *entry) advance(t Task) *Task {
	switch e.Type {
	case entrySubmitted:
		t.ID, t.PollingURL, t.Cost, t.Simulated = e.ID, e.PollingURL, e.Cost, e.Simulated
	case entryReady:
		t.Ready = true
	case entryFetched:
		t.Fetched = e.Fetch
	}
	return &t
}

// digest identifies the record of an image, "" for none. It is only compared for equality, among the images that one
// address had.
func digest(img *Image) string {
	if img == nil {
		return ""
	}
	data, err := encode(img)
	if err != nil {
		// Only a Request that is no JSON cannot be encoded, and validation lets none in.
		panic(fmt.Sprintf("state: digest of an image: %v", err))
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
