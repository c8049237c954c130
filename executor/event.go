package executor

import (
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Event is something that happened during an apply. Events are delivered one at a time, in order.
type Event interface{ event() }

// Started says that work on a change begins: its request is about to be submitted.
type Started struct {
	Address addrs.Image
	Action  planner.Action
}

// Submitted says that the API accepted a task.
type Submitted struct {
	Address addrs.Image
	TaskID  string
	// Cost is what the API says it charges, or the estimate where it says nothing.
	Cost bfl.Credits
}

// Progressed says that a task was seen to be still under way.
type Progressed struct {
	Address addrs.Image
	// Status is the API's own word, such as "Pending".
	Status string
	// Progress is from 0 to 1, 0 where the API tells none.
	Progress float64
	Elapsed  time.Duration
}

// Retrying says that a call failed in a way that passes, and is made again.
type Retrying struct {
	Address addrs.Image
	// Call is "submit", "poll" or "download".
	Call  string
	Err   error
	After time.Duration
}

// Ready says that a task has ended well; its slot is free and its image is being fetched.
type Ready struct {
	Address addrs.Image
	Elapsed time.Duration
}

// Completed says that a change is done and recorded.
type Completed struct {
	Address addrs.Image
	Action  planner.Action
	// Origin is where a created or replaced image came from in the end: a task that is to be
	// resumed may turn out to be lost.
	Origin planner.Origin
	// Image is the record, nil for Destroy.
	Image   *state.Image
	Elapsed time.Duration
}

// Unchanged says that a conditional change turned out not to be needed, and cost nothing.
type Unchanged struct {
	Address addrs.Image
}

// Failed says that a change could not be carried out.
type Failed struct {
	Address addrs.Image
	Action  planner.Action
	Err     error
	Elapsed time.Duration
}

// Skipped says that a change was not begun, or not ended.
type Skipped struct {
	Address addrs.Image
	// Because is the image that this one needs and that is not there, or of which Rendition could
	// not be made; both are zero where the run is ending. Unfit says that it is there, but fails its
	// postconditions.
	Because   addrs.Image
	Rendition addrs.Rendition
	Unfit     bool
	// Err says why the run is ending.
	Err error
	// Submitted says that the change has a task, which is on record, and paid for. Sent says that
	// its request was on the way, and may have been charged.
	Submitted, Sent bool
}

// Lack is the address of what the image needs and that is not there, "" where the run is ending.
func (s Skipped) Lack() string {
	switch {
	case s.Rendition.Name != "":
		return s.Rendition.String()
	case s.Because.Name != "":
		return s.Because.String()
	default:
		return ""
	}
}

// Warned says what the user should know of an image that was made.
type Warned struct {
	Address addrs.Image
	Message string
}

// Salvaged says that the image of a task which no change takes up is there: an interrupted run had
// paid for it. It is in the store.
type Salvaged struct {
	Address addrs.Image
	Image   *state.Image
}

// Unrecorded says that an image is in place and paid for, while the journal took no record of it. Its
// change fails.
type Unrecorded struct {
	Address addrs.Image
	Image   *state.Image
}

// Uploaded says how many of the images on record that other machines could not have yet were put
// where they find them, after the run. It comes at times while there are many, and when all are there.
type Uploaded struct {
	Images, Of int
	Bytes      int64
}

// LookedUp says how many images whose files are not here were looked for by name in a store, before a
// plan. It comes at times while there are many, and when all were.
type LookedUp struct {
	// Store is its address.
	Store      string
	Images, Of int
}

// Transferred says how far one object is on its way to a bucket, or from there. It comes at times
// while that takes long, and when it is done, also where nothing is applied.
type Transferred struct {
	// Object is its address.
	Object      string
	Upload      bool
	Bytes, Size int64
}

// Unanswered says that a store of states or images has not answered for some time, and is asked again
// later, also where nothing is applied.
type Unanswered struct {
	// Store is its address.
	Store string
	For   time.Duration
}

// Behind says that so many results wait to be fetched, and that nothing is submitted until they take
// less time. It comes once in a run.
type Behind struct{ Results int }

// Undelivered says that for some time no result could be fetched from a host, or with Looks no task be
// looked at there, and that nothing new is asked for meanwhile. It comes once in an outage.
type Undelivered struct {
	// Host is "" where the API named none.
	Host  string
	Looks bool
	Since time.Time
	// Until is when the first of the results that wait can be had no more, zero where nobody knows.
	Until time.Time
	Err   error
	// Buys says that new ones are asked for when that is over.
	Buys bool
}

// Delivered says that what Undelivered told is over, and with Buys that new images are asked for again.
type Delivered struct {
	Host        string
	Looks, Buys bool
	// After is how long it lasted.
	After time.Duration
}

// Waiting says that the state is waited for, also where nothing is applied.
type Waiting struct{ state.Wait }

// RenditionDone says that something was made here, removed, or has another address.
type RenditionDone struct {
	Address addrs.Rendition
	Action  planner.Action
	// Rendition is the record, nil where nothing was made.
	Rendition *state.Rendition
	// Told is what the user should know of it, "" for nothing.
	Told    string
	Elapsed time.Duration
}

// RenditionFailed says that something could not be made here.
type RenditionFailed struct {
	Address addrs.Rendition
	Err     error
}

// RenditionSkipped says that something was not made here: because a picture that it is made from is
// not there, whose address Because is, or since the run is ending.
type RenditionSkipped struct {
	Address addrs.Rendition
	Because string
	Err     error
}

func (RenditionDone) event()    {}
func (RenditionFailed) event()  {}
func (RenditionSkipped) event() {}

func (Started) event()     {}
func (Submitted) event()   {}
func (Progressed) event()  {}
func (Retrying) event()    {}
func (Ready) event()       {}
func (Completed) event()   {}
func (Unchanged) event()   {}
func (Failed) event()      {}
func (Skipped) event()     {}
func (Warned) event()      {}
func (Judged) event()      {}
func (Salvaged) event()    {}
func (Unrecorded) event()  {}
func (Uploaded) event()    {}
func (LookedUp) event()    {}
func (Transferred) event() {}
func (Waiting) event()     {}
func (Behind) event()      {}
func (Undelivered) event() {}
func (Delivered) event()   {}
func (Unanswered) event()  {}

// Summary counts what an apply did.
type Summary struct {
	Created, Replaced, Updated, Destroyed int
	Imported, Forgotten                   int
	Unchanged, Failed, Skipped            int
	// Of what is made here from pictures.
	RenditionsMade, RenditionsRemoved, RenditionsFailed, RenditionsSkipped int
	// Cost is what the API charged, with its estimate where it named no cost.
	Cost bfl.Credits
}

// Judged says what the gates of its image said of a candidate.
type Judged struct {
	Address  addrs.Image
	Verdicts []image.Verdict
}
