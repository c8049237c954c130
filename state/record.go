package state

import (
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Record is one thing that happened to an image. The types of this file are all there are. What an image goes through
// is
//
//	Intent -> POST -> Submitted -> polls -> Ready -> download -> Fetched -> rename -> Stored
//
// where each record is durable before the step to its right begins.
type Record interface{ record() }

// Intent says that a task is about to be submitted. A crash after it and before Submitted leaves a task of which
// nobody knows whether it was paid for. The task may have an answer already, when it was recorded in another state.
type Intent struct {
	Address addrs.Image
	Task    Task
}

// Submitted says that the API accepted the task of an Intent.
type Submitted struct {
	Address addrs.Image
	// ID and PollingURL are as the API returned them; it need not return the latter.
	ID, PollingURL string
	// Cost is what the API says it charges, or else the estimate.
	Cost      bfl.Credits
	Simulated bool
}

// Ready says that the API has finished the image and it can be downloaded for some minutes. Its URL is a secret and
// not recorded; the polling URL gives it again.
type Ready struct {
	Address addrs.Image
}

// Fetched says that the image's bytes are whole in a temporary file, about to be renamed to Output.Path. From here on
// the image needs no API any more: see Task.Found.
type Fetched struct {
	Address addrs.Image
	Output  File
	Result  Result
	// Temporary is the file that has the bytes, relative like Output.Path.
	Temporary string
}

// Stored says that an image's file is whole under its name. It ends the task with the same fingerprint. It also records
// what needs no task: an image restored, imported, or with other labels or another path.
type Stored struct {
	Address addrs.Image
	Image   *Image
}

// Failed says that nothing more will come of a task: the API failed it or has forgotten it, the POST was refused, or
// the user gave it up.
type Failed struct {
	Address addrs.Image
	Reason  string
}

// Moderated says that the API refused to show what a request asks for. The request is remembered until an image with
// its fingerprint is stored.
type Moderated struct {
	Address     addrs.Image
	Fingerprint string
	Reasons     []string
}

// Removed says that an image is not managed any more: destroyed, or forgotten.
type Removed struct {
	Address addrs.Image
}

// Moved says that an image, and its task if one is open, has another address. The new address is free.
type Moved struct {
	From, To addrs.Image
}

func (Intent) record()    {}
func (Submitted) record() {}
func (Ready) record()     {}
func (Fetched) record()   {}
func (Stored) record()    {}
func (Failed) record()    {}
func (Moderated) record() {}
func (Removed) record()   {}
func (Moved) record()     {}
