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

// StorageError says that nothing more is taken: what is bought could be put nowhere, or could not be
// recorded. Its text is the same for all images that fail like that.
type StorageError struct {
	// What says what cannot be done, and Folder names where, as in "the folder images"; "" for that of
	// the state.
	What, Folder string
	// Kept says what became of the image that was to go there, "" where there was none.
	Kept string
	Err  error
}

func (e *StorageError) Error() string {
	text := fmt.Sprintf("%s: %v", e.What, cause(e.Err))
	if e.Kept != "" {
		text += ". " + e.Kept
	}
	return text
}

func (e *StorageError) Unwrap() error { return e.Err }

// IsPermission reports whether it is that nobody may write there.
func (e *StorageError) IsPermission() bool {
	return isOneOf(e.Err, []error{fs.ErrPermission, syscall.EROFS})
}

// IsFile reports whether a file is where the folder is to be.
func (e *StorageError) IsFile() bool { return isOneOf(e.Err, []error{syscall.ENOTDIR}) }

// IsFull reports whether there is no room.
func (e *StorageError) IsFull() bool {
	return isOneOf(e.Err, noRoom)
}

// IsBroken reports whether the disk fails.
func (e *StorageError) IsBroken() bool { return isOneOf(e.Err, brokenDisk) }

// isOneOf reports whether an error of the file system is of some kinds. Errors of calls are none,
// whatever they wrap: a firewall denies permission as well.
func isOneOf(err error, kinds []error) bool {
	_, isLocal := errors.AsType[*fs.PathError](err)
	return isLocal && slices.ContainsFunc(kinds, func(one error) bool { return errors.Is(err, one) })
}

// ofAll returns the error without what became of one image, which says nothing of the others.
func (e *StorageError) ofAll() *StorageError {
	return &StorageError{What: e.What, Folder: e.Folder, Err: e.Err}
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
// either.
func ofDisk(err error) bool {
	failed, isLocal := errors.AsType[*fs.PathError](err)
	if !isLocal {
		return false
	}
	if failed.Op == safefile.OpRead.String() {
		return false // What one file cannot be read for says nothing of what can be written.
	}
	if isOneOf(err, noRoom) || isOneOf(err, brokenDisk) {
		return true
	}
	return errors.Is(err, fs.ErrPermission) && slices.ContainsFunc(writing, func(op safefile.Op) bool { return op.String() == failed.Op })
}

// brokenDisk are the errors of a disk that fails, that takes nothing, or that is gone.
var brokenDisk = []error{syscall.EIO, syscall.EROFS, syscall.ESTALE, syscall.ENXIO, syscall.ENODEV, syscall.ENOTCONN}

// noFolder returns a StorageError where an error of making a new file says that its folder takes none,
// and nil for other errors. A folder that cannot be looked into counts, and a file in its place.
func noFolder(output string, err error) *StorageError {
	_, isLocal := errors.AsType[*fs.PathError](err)
	if ofDisk(err) || isLocal && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR)) {
		return folderTakesNone(output, err)
	}
	return nil
}

// noPlace returns a StorageError where an error of giving an image its place says that no other image
// could be given one either, and nil for other errors.
func noPlace(output string, err error) *StorageError {
	if disk, isOne := errors.AsType[*StorageError](err); isOne {
		return disk
	}
	if ofDisk(err) {
		return folderTakesNone(output, err)
	}
	return nil
}

func folderTakesNone(output string, err error) *StorageError {
	folder := "the folder " + path.Dir(output)
	if path.Dir(output) == "." {
		folder = "the folder of the configuration"
	}
	return &StorageError{What: "no image can be written to " + folder, Folder: folder, Err: err}
}

// notKept returns an error of keeping something in the store, as a StorageError where the store takes
// nothing more.
func notKept(err error) error {
	if ofDisk(err) {
		return &StorageError{What: "no image can be kept in the store", Folder: "the folder of the store", Err: err}
	}
	return err
}

// aside is where an image is downloaded to whose folder takes none.
func aside(output string) string { return path.Join(image.CandidateDir, output) }

// unplaced ends a node whose image could not be given its place.
func (r *run) unplaced(n *node, err error) {
	if storage := noPlace(r.outputOf(n), err); storage != nil {
		r.noneTaken(n, storage)
		return
	}
	r.fail(n, err)
}

// noneTaken ends a node whose image could not be given its place, where no other image could be given
// one either: nothing more is bought.
func (r *run) noneTaken(n *node, storage *StorageError) {
	if storage.Kept == "" && n.task.ID != "" {
		storage.Kept = onRecord
	}
	r.fail(n, storage)
	r.stopNew(storage)
}

// onRecord says what became of an image that could not be kept anywhere.
const onRecord = "The image is paid for, and the next apply continues with its task"

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

// noJournal says that nothing new is begun since the journal takes no record.
func noJournal(err error) *StorageError {
	return &StorageError{What: "the journal cannot be written", Err: err}
}

// record journals what was done, and says what that was where the journal takes no record of it.
func (f *files) record(what string, record state.Record) error {
	err := f.journal.Append(record)
	if err == nil {
		return nil
	}
	failed := noJournal(err)
	failed.Kept = strings.ToUpper(what[:1]) + what[1:] + ", and the next apply goes on from there"
	return failed
}

// outputOf is where a node's image is to be.
func (r *run) outputOf(n *node) string {
	if n.desired != nil {
		return n.desired.Output
	}
	return n.record.Path
}
