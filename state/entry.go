package state

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

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
	entryLost      = "lost"
	entryModerated = "moderated"
	entryRemoved   = "removed"
	entryMoved     = "moved"
	entryMade      = "made"
	entryUnmade    = "unmade"
)

// entry is a Record as the journal has it: the fields of all of them, and what the journal adds.
type entry struct {
	Type string `json:"type"`
	// Address is the image that the entry is about. Entries about a task have its Key instead.
	Address addrs.Image `json:"address,omitzero"`
	Key     string      `json:"key,omitempty"`
	// To is the new address of a moved image.
	To *addrs.Image `json:"to,omitempty"`
	// Was is the digest of the image that the entry replaces or takes away, "" where there was
	// none. It tells whether the entry may be applied to a snapshot that is not the one it was
	// written for.
	Was        string      `json:"was,omitempty"`
	Task       *Task       `json:"task,omitempty"`
	ID         string      `json:"task_id,omitempty"`
	PollingURL string      `json:"polling_url,omitempty"`
	Cost       bfl.Credits `json:"cost_credits,omitempty"`
	Simulated  bool        `json:"simulated,omitempty"`
	Accepted   time.Time   `json:"accepted,omitzero"`
	Fetch      *Fetch      `json:"fetch,omitempty"`
	Image      *Image      `json:"image,omitempty"`
	// Made is the address of the rendition or sheet that the entry is about.
	Made      *addrs.Rendition `json:"made,omitempty"`
	Rendition *Rendition       `json:"rendition,omitempty"`
	// Fingerprint is that of a moderated request.
	Fingerprint string   `json:"fingerprint,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	Reasons     []string `json:"reasons,omitempty"`
}

// entryOf returns the entry for rec on top of st, or a RecordError where rec cannot follow.
func entryOf(st *State, rec Record) (*entry, error) {
	switch r := rec.(type) {
	case Intent:
		return &entry{Type: entryIntent, Task: &r.Task}, checkIntent(st, r)
	case Submitted:
		return &entry{
			Type: entrySubmitted, Key: r.Key,
			ID: r.ID, PollingURL: r.PollingURL, Cost: r.Cost, Simulated: r.Simulated, Accepted: r.Accepted,
		}, checkSubmitted(st, r)
	case Ready:
		_, err := answeredTask(st, r.Key)
		return &entry{Type: entryReady, Key: r.Key}, err
	case Fetched:
		return &entry{Type: entryFetched, Key: r.Key, Fetch: &Fetch{r.Output, r.Result, r.Temporary}}, checkFetched(st, r)
	case Stored:
		e := &entry{Type: entryStored, Address: r.Address, Image: r.Image, Key: r.Key, Was: digest(st.Images.Get(r.Address))}
		return e, checkStored(st, r)
	case Failed:
		_, err := taskOf(st, r.Key)
		return &entry{Type: entryFailed, Key: r.Key, Reason: r.Reason}, err
	case Lost:
		_, err := answeredTask(st, r.Key)
		return &entry{Type: entryLost, Key: r.Key, Reason: r.Reason, Cost: r.Cost}, err
	case Moderated:
		t, err := answeredTask(st, r.Key)
		if err != nil {
			return nil, err
		}
		return &entry{
			Type: entryModerated, Key: r.Key, Fingerprint: t.Fingerprint, Reasons: r.Reasons, Simulated: t.Simulated, Cost: r.Cost,
		}, nil
	case Removed:
		return &entry{Type: entryRemoved, Address: r.Address, Was: digest(st.Images.Get(r.Address))}, checkAddress(st, r.Address)
	case Moved:
		// The image goes into the entry, so that the entry can be applied whatever else happened at
		// either address.
		image := st.Images.Get(r.From)
		return &entry{Type: entryMoved, Address: r.From, To: &r.To, Image: image, Was: digest(image)}, checkMoved(st, r)
	case Made:
		return &entry{Type: entryMade, Made: &r.Address, Rendition: r.Rendition}, checkMade(r)
	case Unmade:
		return &entry{Type: entryUnmade, Made: &r.Address}, nil
	default:
		panic(fmt.Sprintf("state: a %T is not a record", rec))
	}
}

// fact reports whether the entry tells of something that has happened already. Intents have not,
// and neither have changes that only the record itself makes.
func (e *entry) fact() bool { return e.Type != entryIntent }

// about returns the image that the entry concerns.
func (e *entry) about(st *State) addrs.Image {
	switch t := st.Tasks[e.Key]; {
	case e.Made != nil:
		return e.Made.Of
	case e.Address != (addrs.Image{}):
		return e.Address
	case e.Task != nil:
		return e.Task.Address
	case t != nil:
		return t.Address
	}
	return addrs.Image{}
}

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

// made returns the image of the task that ends with the entry: the one on record, or one that was
// fetched and is in the store. It is nil where none ends, or none was made.
func (e *entry) made(st *State) *Stored {
	switch task := st.Tasks[e.Key]; {
	case e.Type == entryStored && e.Key != "":
		return &Stored{Address: e.Address, Image: e.Image, Key: e.Key}
	case e.Type == entryFailed && task != nil && task.Fetched != nil:
		return &Stored{Address: task.Address, Image: task.Image(task.Fetched.Output, task.Fetched.Result), Key: e.Key}
	default:
		return nil
	}
}

// apply does to st what the entry says, except to images. It returns a reason where that makes no
// sense.
func (e *entry) apply(st *State) (reason string) {
	switch e.Type {
	case entryIntent:
		if e.Task == nil {
			return "an intent lacks its task"
		}
		st.setTask(e.Task.Key, e.Task)
		return ""
	case entryStored, entryRemoved, entryMoved:
		return e.applyToImage(st)
	case entryMade, entryUnmade:
		return e.applyToRendition(st)
	}
	task := st.Tasks[e.Key]
	switch e.Type {
	case entrySubmitted, entryReady, entryFetched, entryFailed, entryLost:
		if task == nil {
			return fmt.Sprintf("there is no task %q that could be %s", e.Key, e.Type)
		}
	case entryModerated:
	default:
		return fmt.Sprintf("there is no entry of type %q", e.Type)
	}
	switch e.Type {
	case entrySubmitted, entryReady, entryFetched:
		st.setTask(e.Key, e.advance(*task))
	case entryFailed:
		st.setTask(e.Key, nil)
	case entryLost:
		st.setTask(e.Key, e.lost(*task))
	case entryModerated:
		st.Moderated[e.Fingerprint] = Moderation{Reasons: e.Reasons, Simulated: e.Simulated}
		st.setTask(e.Key, nil)
		if task != nil && e.Cost > 0 {
			st.setTask(e.Key, e.lost(*task))
		}
	}
	return ""
}

// applyToImage is apply for entries that are about an image.
func (e *entry) applyToImage(st *State) (reason string) {
	switch {
	case e.Address == (addrs.Image{}):
		return "an entry lacks its address"
	case e.Type == entryStored && e.Image == nil:
		return "a stored image lacks its record"
	case e.Type == entryStored:
		st.setTask(e.Key, nil)
		delete(st.Moderated, e.Image.Fingerprint)
	case e.Type == entryMoved && e.To == nil:
		return "a move lacks its destination"
	case e.Type == entryMoved:
		st.moveTasks(e.Address, *e.To)
	}
	return ""
}

// advance returns the task after an entry of its own. It takes a copy, since others may hold the
// recorded one.
func (e *entry) advance(t Task) *Task {
	switch e.Type {
	case entrySubmitted:
		t.ID, t.PollingURL, t.Cost, t.Simulated, t.Accepted = e.ID, e.PollingURL, e.Cost, e.Simulated, e.Accepted
	case entryReady:
		t.Ready = true
	case entryFetched:
		t.Fetched = e.Fetch
	}
	return &t
}

// ends returns the id of the task of which an entry says that the API is not at work on it any more and
// that there is no image, "" where it says that of none.
func (e *entry) ends(st *State) string {
	task := st.Tasks[e.Key]
	switch {
	case task == nil:
		return ""
	case e.Type == entryLost, e.Type == entryModerated, e.Type == entryFailed && e.Reason != GivenUp:
		return task.ID
	}
	return ""
}

// lost returns the task as one that is over and was paid for in vain.
func (e *entry) lost(t Task) *Task {
	t.Cost, t.Lost = e.Cost, cmp.Or(e.Reason, LostToModeration)
	return &t
}

// digest identifies the record of an image, "" for none. It is only compared for equality, among
// the images that one address had.
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
