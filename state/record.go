package state

import (
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Record is one thing that happened to an image. The types of this file are all there are. What an
// image goes through is
//
//	Intent -> POST -> Submitted -> polls -> Ready -> download -> Fetched -> rename -> Stored
//
// where each record is durable before the step to its right begins.
type Record interface{ record() }

// Intent says that a task is about to be submitted. A crash after it and before Submitted leaves a
// task of which nobody knows whether it was paid for. The task may have an answer already, when it
// was recorded in another state.
type Intent struct {
	Task Task
}

// Submitted says that the API accepted the task of an Intent.
type Submitted struct {
	// Key is the task's.
	Key string
	// ID and PollingURL are as the API returned them; it need not return the latter.
	ID, PollingURL string
	// Cost is what the API says it charges, or else the estimate.
	Cost      bfl.Credits
	Simulated bool
	Accepted  time.Time
}

// Ready says that the API has finished the image and it can be downloaded for some minutes. Its URL
// is a secret and not recorded; the polling URL gives it again.
type Ready struct {
	Key string
}

// Fetched says that the image's bytes are whole in a temporary file, about to be renamed to
// Output.Path. From here on the image needs no API any more: see Task.Found.
type Fetched struct {
	Key    string
	Output File
	Result Result
	// Temporary is the file that has the bytes, relative like Output.Path.
	Temporary string
}

// Stored says that an image's file is whole under its name. It also records what needs no task: an
// image restored, imported, or with other labels or another path.
type Stored struct {
	Address addrs.Image
	Image   *Image
	// Key is that of the task that ends with it, "" where none does.
	Key string
}

// GivenUp is the reason of a Failed task that nobody wants any more. The API may still be at work on
// it, unlike on all others that end.
const GivenUp = "given up, and told"

// Failed says that nothing more will come of a task, and that nothing is lost with it, or that
// somebody was told: the POST was refused, its image is in the store, the user gave it up.
type Failed struct {
	Key    string
	Reason string
}

// Lost says that nothing more will come of a task that was paid for. It stays on record until
// somebody was told.
type Lost struct {
	Key    string
	Reason string
	// Cost is what was charged for it in the end.
	Cost bfl.Credits
}

// Moderated says that the API refused to show what a request asks for. The request is remembered
// until an image with its fingerprint is stored. Where Cost is not zero, the task stays on record
// as a Lost one.
type Moderated struct {
	Key     string
	Reasons []string
	Cost    bfl.Credits
}

// LostToModeration is Lost of the tasks that moderation refused and that were paid for.
const LostToModeration = "moderated"

// Removed says that an image is not managed any more: destroyed, or forgotten.
type Removed struct {
	Address addrs.Image
}

// Moved says that an image, and its tasks if some are open, have another address. The new address
// has no image.
type Moved struct {
	From, To addrs.Image
}

// Made says that the files of a rendition or a sheet are whole under their names.
type Made struct {
	Address   addrs.Rendition
	Rendition *Rendition
}

// Unmade says that a rendition or a sheet is not managed any more.
type Unmade struct {
	Address addrs.Rendition
}

func (Intent) record()    {}
func (Submitted) record() {}
func (Ready) record()     {}
func (Fetched) record()   {}
func (Stored) record()    {}
func (Failed) record()    {}
func (Lost) record()      {}
func (Moderated) record() {}
func (Removed) record()   {}
func (Moved) record()     {}
func (Made) record()      {}
func (Unmade) record()    {}
