package executor

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/state"
)

// A disk that takes nothing more is of another kind than an image that fails: the next image would
// be paid for and fail as this one does. What concerns one path alone, such as a folder that has an
// image's name, or a file there that cannot be read, fails that image, and the others go on.

// DiskError says that the disk takes nothing more: what is bought could be put nowhere, or could not be
// recorded. Its text is the same for all images that fail like that.
type DiskError struct {
	// What says what cannot be done, and Folder is where, "" where that is not one of images.
	What, Folder string
	// Kept says what became of the image that was to go there, "" where there was none.
	Kept string
	Err  error
}

func (e *DiskError) Error() string {
	text := fmt.Sprintf("%s: %v", e.What, cause(e.Err))
	if e.Kept != "" {
		text += ". " + e.Kept
	}
	return text
}

func (e *DiskError) Unwrap() error { return e.Err }

// IsPermission reports whether it is that nobody may write there; otherwise there is no room, or the
// disk fails.
func (e *DiskError) IsPermission() bool {
	return errors.Is(e.Err, fs.ErrPermission) || errors.Is(e.Err, syscall.EROFS)
}

// IsFull reports whether there is no room.
func (e *DiskError) IsFull() bool {
	return slices.ContainsFunc(noRoom, func(one error) bool { return errors.Is(e.Err, one) })
}

// cause is an error of the file system without the file, whose name is another one each time.
func cause(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Err
	}
	return err
}

// writing are the operations that need the permission to write in a folder. Others need that of the
// file that they are about.
var writing = []safefile.Op{
	safefile.OpCreate, safefile.OpWrite, safefile.OpSync, safefile.OpLink, safefile.OpMkdir, safefile.OpTouch, safefile.OpSyncDir,
}

// ofDisk reports whether an error is one of the disk, after which no other file could be written
// either. Errors of calls are none, whatever they wrap.
func ofDisk(err error) bool {
	failed, isLocal := errors.AsType[*fs.PathError](err)
	if !isLocal {
		return false
	}
	broken := func(one error) bool { return errors.Is(err, one) }
	if slices.ContainsFunc(noRoom, broken) || slices.ContainsFunc(brokenDisk, broken) {
		return true
	}
	return errors.Is(err, fs.ErrPermission) && slices.ContainsFunc(writing, func(op safefile.Op) bool { return op.String() == failed.Op })
}

// brokenDisk are the errors of a disk that fails, that takes nothing, or that is gone.
var brokenDisk = []error{syscall.EIO, syscall.EROFS, syscall.ESTALE, syscall.ENXIO, syscall.ENODEV, syscall.ENOTCONN}

// noFolder returns a DiskError where an error of making a new file says that its folder takes none,
// and nil for other errors. A folder that cannot be looked into counts.
func noFolder(output string, err error) *DiskError {
	_, isLocal := errors.AsType[*fs.PathError](err)
	if ofDisk(err) || isLocal && errors.Is(err, fs.ErrPermission) {
		return folderTakesNone(output, err)
	}
	return nil
}

// noPlace returns a DiskError where an error of giving an image its place says that no other image
// could be given one either, and nil for other errors.
func noPlace(output string, err error) *DiskError {
	if disk, isOne := errors.AsType[*DiskError](err); isOne {
		return disk
	}
	if ofDisk(err) {
		return folderTakesNone(output, err)
	}
	return nil
}

func folderTakesNone(output string, err error) *DiskError {
	dir := path.Dir(output)
	if dir == "." {
		return &DiskError{What: "no image can be written to the folder of the configuration", Folder: "it", Err: err}
	}
	return &DiskError{What: "no image can be written to " + dir, Folder: dir, Err: err}
}

// aside is where an image is downloaded to whose folder takes none.
func aside(output string) string { return path.Join(image.CandidateDir, output) }

// unplaced ends a node whose image could not be given its place. Where no other image could be given
// one either, nothing more is bought.
func (r *run) unplaced(n *node, err error) {
	disk := noPlace(r.outputOf(n), err)
	if disk == nil {
		r.fail(n, err)
		if _, isUnrecorded := errors.AsType[*notRecordedError](err); isUnrecorded {
			r.stopNew(err)
		}
		return
	}
	if disk.Kept == "" && n.task.ID != "" {
		disk.Kept = onRecord
	}
	r.fail(n, disk)
	general := *disk
	general.Kept = ""
	r.stopNew(&general)
}

// onRecord says what became of an image that could not be kept anywhere.
const onRecord = "It is paid for, and the next apply continues with its task"

// unrecorded ends a node whose image is where it is to be, or in the store, while the journal takes no
// record of it.
func (r *run) unrecorded(n *node, img *state.Image, err error) {
	if n.salvages() {
		r.emit(Salvaged{n.address(), img})
	} else {
		r.emit(Unrecorded{n.address(), img})
	}
	r.unplaced(n, err)
}

// notRecordedError says that something is there and the journal takes no record of it.
type notRecordedError struct {
	what string
	err  error
}

func (e *notRecordedError) Error() string {
	return fmt.Sprintf("%s, but it could not be recorded (%v). The next apply goes on from there", e.what, e.err)
}

func (e *notRecordedError) Unwrap() error { return e.err }

// noJournal says that nothing new is begun since the journal takes no record.
func noJournal(err error) error {
	if ofDisk(err) {
		return &DiskError{What: "the journal cannot be written", Err: err}
	}
	return fmt.Errorf("the journal cannot be written: %w", err)
}

// record journals what was done, and says what that was where the journal takes no record of it.
func (f *files) record(what string, record state.Record) error {
	err := f.journal.Append(record)
	switch {
	case err == nil:
		return nil
	case ofDisk(err):
		kept := strings.ToUpper(what[:1]) + what[1:] + ", and the next apply goes on from there"
		return &DiskError{What: "the journal cannot be written", Kept: kept, Err: err}
	default:
		return &notRecordedError{what, err}
	}
}

// outputOf is where a node's image is to be.
func (r *run) outputOf(n *node) string {
	if n.desired != nil {
		return n.desired.Output
	}
	return n.record.Path
}
