package state

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// storeDir has the bytes of images, each as <first two digits>/<SHA-256>, and the file of recipes.
const storeDir = localDir + "/store"

// Store keeps the images that were replaced or destroyed, by content, so that they can be had again
// without paying. It is safe for concurrent use.
type Store struct {
	root    *safefile.Dir
	index   *Index
	recipes *recipes
	// shared is nil where no other machine has a part in it.
	shared *shared

	mu  sync.Mutex
	err error // of the first image that could not be looked at
	// damaged are the images that were looked at and whose bytes are not what they were, with
	// whether Damaged has told.
	damaged map[string]bool
}

// BlobError says that an image in the store is no good: the hash of its bytes is no longer the one that
// it has it under, or it cannot be read while others can.
type BlobError struct {
	SHA256 string
	// Path is the file of the store, or the object that other machines have as well.
	Path string
	// Shared says that it is an object. Nothing is written over there, so that it stays in the way
	// of a whole one until somebody deletes it.
	Shared bool
	// Err is why it cannot be read, nil where it can. That of an object names it.
	Err error
}

func (e *BlobError) Error() string {
	const then = "the next plan then says what it costs to generate"
	text := fmt.Sprintf("the store's copy of image %.12s ", e.SHA256)
	switch {
	case e.Err != nil && e.Shared:
		return text + fmt.Sprintf("cannot be read (%v). If that is so of this image alone, put it back from a copy, or delete it: %s", strings.TrimRight(e.Err.Error(), "."), then)
	case e.Err != nil:
		return text + fmt.Sprintf("cannot be read (%s: %v). Make it readable again, or remove it: %s", e.Path, e.Err, then)
	}
	text += fmt.Sprintf("was changed or damaged since it was put there, so it is not used (%s)", e.Path)
	if e.Shared {
		text += ". Put it back from a copy, or delete it: " + then
	}
	return text
}

func (e *BlobError) Unwrap() error { return e.Err }

// unreadable says that a file of the store cannot be read. It says nothing of the folder that the image
// is to go to, and so it has not the type of an error of the file system.
func unreadable(sum string, err error) *BlobError {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = failed.Err
	}
	return &BlobError{SHA256: sum, Path: blobName(sum), Err: err}
}

func openStore(root *safefile.Dir, index *Index) (*Store, error) {
	s := &Store{root: root, index: index, recipes: newRecipes(root), damaged: map[string]bool{}}
	if err := s.recipes.load(); err != nil {
		return s, unreachable(err)
	}
	return s, nil
}

func (s *Store) close() error { return s.recipes.close() }

func blobName(sum string) string { return path.Join(storeDir, sum[:2], sum) }

// Put moves the file of an image into the store, by the hash of what the file holds now: when
// somebody edited it, the edited bytes are kept, and found through History. Afterwards there is no
// file at img.Output.Path in dir. A file that is gone is an error that wraps fs.ErrNotExist, unless
// the store has the image.
//
// A crash at any point leaves the bytes under at least one of the two names, and Put can be called
// again.
func (s *Store) Put(dir *safefile.Dir, a addrs.Image, img *Image) error {
	return s.PutFile(dir, img.Output.Path, a, img)
}

// PutFile is Put for an image whose bytes are in another file.
func (s *Store) PutFile(dir *safefile.Dir, name string, a addrs.Image, img *Image) error {
	err := s.keep(dir, name, a, img, s.moveBlob)
	if errors.Is(err, fs.ErrNotExist) && s.Has(img.Output.SHA256) {
		return nil
	}
	if err != nil {
		return err
	}
	// The store's copy and its recipe are durable. A crash before the removal leaves the file under
	// both names.
	if err := dir.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("moving %s into the store: %w", name, err)
	}
	return nil
}

// KeepFile does what PutFile does but leaves the file, so that there is one under its name at every
// instant. The store has a copy: a program that edits the file in its place, rather than replace
// it, must not change what is kept.
func (s *Store) KeepFile(dir *safefile.Dir, name string, a addrs.Image, img *Image) error {
	return s.keep(dir, name, a, img, s.copyBlob)
}

// bring gives the bytes of a file their name in the store, durably.
type bring func(dir *safefile.Dir, name, blob, sum string) error

func (s *Store) keep(dir *safefile.Dir, name string, a addrs.Image, img *Image, bring bring) error {
	sum, size, err := hashFile(dir, name)
	if err == nil {
		err = s.keepBlob(dir, name, sum, bring)
	}
	if err == nil {
		err = s.recipes.add(recipeOf(a, img, sum, size))
	}
	if err != nil {
		return fmt.Errorf("keeping %s in the store: %w", name, err)
	}
	s.index.note(s.root, blobName(sum), sum)
	return nil
}

// keepBlob has a file brought into the store, unless it is there.
func (s *Store) keepBlob(dir *safefile.Dir, name, sum string, bring bring) error {
	blob := blobName(sum)
	found, _, err := hashFile(s.root, blob)
	if err == nil && found == sum {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		// A damaged one is replaced, which a link cannot do.
		return copyVerified(dir, name, s.root, blob, sum)
	}
	if err := ensureLocal(s.root); err != nil {
		return err
	}
	if err := s.root.MkdirAll(path.Dir(blob), 0o777); err != nil {
		return err
	}
	return bring(dir, name, blob, sum)
}

// moveBlob brings a file whose name goes away: it only gets another name, where that is possible.
func (s *Store) moveBlob(dir *safefile.Dir, name, blob, sum string) error {
	if dir.SameTree(s.root) && s.linkBlob(name, blob) == nil {
		return nil
	}
	// Links are not everywhere, and not across file systems. Copying works there, and otherwise
	// says what is wrong.
	return copyVerified(dir, name, s.root, blob, sum)
}

// copyBlob brings a file that stays. What a crash leaves of the copy is in the folder that is swept
// before each run, and in none of the many below it.
func (s *Store) copyBlob(dir *safefile.Dir, name, blob, sum string) error {
	p, err := copyPending(dir, name, s.root, path.Join(localDir, sum), sum)
	if err != nil {
		return err
	}
	err = s.linkBlob(p.Temporary(), blob)
	// The copy has its name now, or gets none. A file that cannot be removed is swept.
	_ = p.Abort()
	if err != nil {
		return copyVerified(dir, name, s.root, blob, sum) // as in moveBlob
	}
	return nil
}

// linkBlob gives a file a second name. Its bytes are made durable first: this file may have been
// written by another program.
func (s *Store) linkBlob(name, blob string) error {
	info, err := s.root.Lstat(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.ErrUnsupported
	}
	if err := s.root.SyncFile(name); err != nil {
		return err
	}
	err = s.root.Link(name, blob)
	if errors.Is(err, fs.ErrExist) {
		// Another goroutine has put the same bytes there; its name is durable when this one's is.
		return s.root.SyncDir(path.Dir(blob))
	}
	return err
}

// Has reports whether the store has an image, going by the name of its file.
func (s *Store) Has(sum string) bool {
	if !isHash(sum) {
		return false
	}
	info, err := s.root.Lstat(blobName(sum))
	return err == nil && info.Mode().IsRegular()
}

// whole reports whether the store has an image and its bytes are what they were. They are read
// unless the index knows the file.
func (s *Store) whole(sum string) bool {
	found, err := s.index.Hash(s.root, blobName(sum))
	if err == nil && found == sum {
		return true
	}
	if elsewhere, sharedErr := s.shared.has(sum); elsewhere {
		return true
	} else if sharedErr != nil {
		s.fail(s.shared.unreachable(sharedErr))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		if !s.damaged[sum] {
			s.damaged[sum] = false
		}
	case safefile.Gone(err) || s.err != nil:
	case s.Has(sum):
		s.err = unreadable(sum, err)
	default:
		s.err = unreachable(err)
	}
	return false
}

// fail notes an error for Err.
func (s *Store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

// Whole reports whether the store has an image whose bytes are what they were.
func (s *Store) Whole(sum string) bool { return isHash(sum) && s.whole(sum) }

// Damaged returns the images that were passed over because their bytes are not what they were, each
// once, sorted by hash.
func (s *Store) Damaged() []*BlobError {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*BlobError
	for _, sum := range slices.Sorted(maps.Keys(s.damaged)) {
		if !s.damaged[sum] {
			s.damaged[sum] = true
			all = append(all, &BlobError{SHA256: sum, Path: blobName(sum)})
		}
	}
	return all
}

// Err returns an error where an image that the store has could not be looked at: what was found in
// it is then not all that there is.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// TakeErr is Err, which then tells of what is looked at later.
func (s *Store) TakeErr() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.err
	s.err = nil
	return err
}

// Restore copies an image out of the store to a path in dir, which must be free unless it has these
// very bytes: what else is there has to be put into the store first. The copy is checked before it
// gets its name. The error wraps fs.ErrNotExist where the store does not have the image,
// fs.ErrExist where the path is taken, and a BlobError where the store's bytes are not what they
// were, or cannot be read.
func (s *Store) Restore(sum string, dir *safefile.Dir, name string) error {
	if !isHash(sum) {
		return fmt.Errorf("restoring %s: %q is not a SHA-256", name, sum)
	}
	there, _, err := hashFile(dir, name)
	switch {
	case err == nil && there == sum:
		return nil
	case err == nil:
		return fmt.Errorf("restoring %s: %w", name, fs.ErrExist)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("restoring %s: %w", name, err)
	}
	p, err := s.Take(sum, dir, name)
	if err != nil {
		return err
	}
	if err := p.Commit(); err != nil {
		return fmt.Errorf("restoring %s: %w", name, err)
	}
	if dir.SameTree(s.root) {
		s.index.note(dir, name, sum)
	}
	return nil
}

// Take copies an image out of the store for a path in dir, and checks the copy, which gets its name
// when the caller commits it: what is at the path until then is the caller's to keep. Its errors
// are those of Restore.
func (s *Store) Take(sum string, dir *safefile.Dir, name string) (*safefile.Pending, error) {
	if !isHash(sum) {
		return nil, fmt.Errorf("restoring %s: %q is not a SHA-256", name, sum)
	}
	p, err := copyPending(s.root, blobName(sum), dir, name, sum)
	if source, ok := errors.AsType[*sourceError](err); ok && !errors.Is(err, fs.ErrNotExist) {
		err = unreadable(sum, source.err)
	}
	_, isBad := errors.AsType[*BlobError](err)
	if s.shared != nil && (isBad || errors.Is(err, fs.ErrNotExist)) {
		here := err
		if p, err = s.shared.take(sum, dir, name); isBad && errors.Is(err, fs.ErrNotExist) {
			err = here
		}
	}
	if err != nil {
		return nil, fmt.Errorf("restoring %s: %w", name, err)
	}
	return p, nil
}

// copyVerified copies a file whose content has a known hash. The new name appears only when all of
// it is durable and has that hash.
func copyVerified(from *safefile.Dir, source string, to *safefile.Dir, name, sum string) error {
	p, err := copyPending(from, source, to, name, sum)
	if err != nil {
		return err
	}
	return p.Commit()
}

// copyPending does what copyVerified does but for giving the copy its name.
func copyPending(from *safefile.Dir, source string, to *safefile.Dir, name, sum string) (*safefile.Pending, error) {
	in, err := from.Open(source)
	if err != nil {
		return nil, &sourceError{err}
	}
	defer closeRead(in)
	p, err := to.Create(name, 0o644)
	if err != nil {
		return nil, err
	}
	hashed := newHashingWriter(p)
	if _, err = io.Copy(hashed, sourceReader{in}); err == nil && hashed.hex() != sum {
		err = &BlobError{SHA256: sum, Path: source}
	}
	if err == nil {
		err = errors.Join(p.Settle(), p.Sync())
	}
	if err != nil {
		return nil, errors.Join(err, p.Abort())
	}
	return p, nil
}

// sourceError says that what is to be copied cannot be read.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }

func (e *sourceError) Unwrap() error { return e.err }

type sourceReader struct{ io.Reader }

func (r sourceReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &sourceError{err}
	}
	return n, err
}

// hashFile returns the SHA-256 of a regular file, and its size.
func hashFile(dir *safefile.Dir, name string) (sum string, size int64, err error) {
	// Looked at before it is opened, which waits for ever on a pipe.
	if info, err := dir.Stat(name); err != nil {
		return "", 0, err
	} else if !info.Mode().IsRegular() {
		return "", 0, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := dir.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer closeRead(f)
	buffer, _ := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(buffer)
	h := sha256.New()
	// Of the file only Read is shown: its WriteTo would bring a buffer of its own.
	if size, err = io.CopyBuffer(h, struct{ io.Reader }{f}, buffer[:]); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

const copyBuffer = 256 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}
