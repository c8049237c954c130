// Package image says what an image is: the nouns that the configuration makes, the planner
// compares, the executor completes and the view shows.
//
//   - An Image is what the configuration asks for, or what an image on record was asked for: an
//     account, a model, arguments, references, and what costs nothing to change.
//   - A Reference is an image that goes into the request of another one, with where its content comes
//     from and, once that is known, its content identity.
//   - An Attribute is what people know of an image by a name of the language, before and after a
//     change.
//   - A record is the canonical form of a request, as it is kept in the state: Image.Record writes it
//     and Decode reads it.
//
// The arguments that go into a request are the catalogue's parameters; see Arguments. The package
// does no I/O, and knows neither the state's files nor HCL.
package image

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Image is one image: an instance of an image block, evaluated, or what an image on record was
// asked for. It is owned by whoever made it, until it is handed on.
type Image struct {
	Address addrs.Image
	// Provider is the address of the account that makes it.
	Provider string
	// Model makes it. That of a record which nobody describes any more has a name and an endpoint
	// alone.
	Model *bfl.Model
	// Arguments are those of the request, sorted by name. One whose value only apply can know has
	// none; see bfl.Argument.
	Arguments []bfl.Argument
	// References are the images that go into the request, in the order of the model's fields.
	References []Reference
	// Output is the file to write, relative to the root module, with slashes, clean.
	Output string
	Labels map[string]string
	// Dependencies are the images whose files or values this one uses, sorted.
	Dependencies []addrs.Image
	// Candidate is the number of the candidate whose picture it is to have, 0 for one without a
	// choice; Picked says that somebody chose it, rather than the order of the candidates. The
	// planner decides.
	Candidate int
	Picked    bool
	// Unread says that no expression of the configuration reads the image, so that its result is
	// asked for by nobody.
	Unread bool
	// Spare says that whoever decided on the image has taken from it what is needed, so that its
	// memory may be used for another one where no expression reads it.
	Spare bool
	// rare is what few images have, nil where it has none of that; see Rare. Others may share it, so
	// that it does not change.
	rare *Rare
}

// Request returns what the API is to be asked. It shares the image's arguments.
func (img *Image) Request() *bfl.Request {
	return &bfl.Request{Model: img.Model, Arguments: img.Arguments, Inputs: inputs(img.References)}
}

func inputs(references []Reference) []bfl.Input {
	if len(references) == 0 {
		return nil
	}
	all := make([]bfl.Input, len(references))
	for i := range references {
		all[i] = references[i].Input
	}
	return all
}

// Known reports whether the image has all its arguments and knows where its references come from.
// The content of those that are images may be known only later all the same.
func (img *Image) Known() bool {
	return !img.OpenReferences() && !slices.ContainsFunc(img.Arguments, func(a bfl.Argument) bool { return a.Value == nil })
}

// OpenReferences reports whether it is known only after apply which references there are.
func (img *Image) OpenReferences() bool {
	return slices.ContainsFunc(img.References, func(r Reference) bool { return r.Unknown })
}

// Reference is an image that goes into a request. Its content comes from a URL, a file, or another
// image, or is known only once other images are there; of one on record there may be nothing but
// the content's identity.
type Reference struct {
	// Input is what travels: the field, the URL or the identity of the content ("" while it is
	// known only later), and the extent (zero while it is not known).
	bfl.Input
	// Path is a local file, usable with package os from the current directory, and File its path
	// for people: relative to the root module, with slashes, wherever the program runs. A path from
	// elsewhere that the configuration has as an absolute one stays that. FileSHA256 is the hash of
	// its bytes; its content's identity stays the same where only its metadata changes.
	Path, File, FileSHA256 string
	// Image is the image of this configuration whose file it is, or of which Derived is made; see
	// IsImage.
	Image addrs.Image
	// Derived is the rendition whose file it is, nil where it is none.
	Derived *Derived
	// Unknown says that it depends on an image that is not made yet what the content is.
	// config.Config.Resolve tells once that image is there.
	Unknown bool
}

// IsImage reports whether the content comes from another image of the configuration: it is that
// image's, or that of a rendition of it.
func (r *Reference) IsImage() bool { return r.Image.Name != "" }

// IsMade reports whether the content is one that the configuration makes: an image or a rendition.
// It may be known only later.
func (r *Reference) IsMade() bool { return r.IsImage() || r.Derived != nil }

// Name is how people call it: an address, a path or a URL; "" where only the content's identity is
// known, or nothing yet.
func (r *Reference) Name() string {
	switch {
	case r.Derived != nil:
		return r.Derived.Address.String()
	case r.IsImage():
		return r.Image.String()
	case r.URL != "":
		return r.URL
	default:
		return r.File
	}
}

// Same reports whether two references show the same picture, as far as is known.
func (r *Reference) Same(other *Reference) bool {
	if r.SHA256 != "" || other.SHA256 != "" {
		return r.SHA256 == other.SHA256
	}
	return r.Name() == other.Name()
}

// Lifecycle is an image's lifecycle block. Its preconditions were checked as far as they are known;
// for its postconditions see config.Config.Postconditions.
type Lifecycle struct {
	// Undecided says that a precondition depends on an image that is not made yet.
	// config.Config.Resolve checks it once that image is there.
	Undecided bool
	// PreventDestroy makes a plan that would remove or replace the image an error.
	PreventDestroy bool
	// Frozen images are never made again; that they differ from the configuration is reported.
	Frozen bool
	// RequirePick has images made from this one wait until somebody has picked its picture.
	RequirePick bool
	// IgnoreAll says that no change counts. IgnoreChanges are arguments by name whose changes do not,
	// single labels as LabelName writes them.
	IgnoreAll     bool
	IgnoreChanges []string
	// ReplaceTriggeredBy are the images whose replacement, or the change of one of their arguments,
	// makes this one be replaced too.
	ReplaceTriggeredBy []Trigger
}

// Trigger is an entry of replace_triggered_by.
type Trigger struct {
	Image addrs.Image
	// Attribute is the argument or result whose change counts, "" for the image as a whole.
	Attribute string
}

// Result is what is known of an image once it exists: what other expressions may use beyond its
// arguments.
type Result struct {
	SHA256 string
	TaskID string
	// Seed is nil where the API named none.
	Seed          *int64
	Width, Height int
	// Format is "png", "jpeg" or "webp".
	Format string
	Cost   bfl.Credits
	// Picked says that somebody picked it among its candidates. Candidates are those that there
	// are.
	Picked     bool
	Candidates []CandidateResult
}

// CandidateResult is what is known of one candidate of an image.
type CandidateResult struct {
	Seed   *int64
	Cost   bfl.Credits
	SHA256 string
	Path   string
	// Verdicts are what gates said of it.
	Verdicts []Verdict
}
