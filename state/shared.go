package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// shared is the part of a store that other machines have as well. All of its methods work on nil,
// which has nothing. It is safe for concurrent use.
type shared struct {
	ctx   context.Context
	blobs Blobs
	// list returns what was there when it was first asked: one listing answers for ten thousand
	// images.
	list func() (*Listing, error)

	mu sync.Mutex
	// known are images that were found or put there since.
	known map[string]bool
	// read are the recipes that were read, by fingerprint.
	read map[string][]*recipe
}

// Share has the store look for images in blobs as well, and Publish put them there. ctx ends its
// calls.
func (s *Store) Share(ctx context.Context, blobs Blobs) {
	s.shared = &shared{
		ctx: ctx, blobs: blobs, known: map[string]bool{}, read: map[string][]*recipe{},
		list: sync.OnceValues(func() (*Listing, error) { return blobs.List(ctx) }),
	}
}

// lookAround begins to list what other machines have put there, if anybody will ask. What goes wrong
// is told to whoever asks.
func (s *Store) lookAround() {
	if s.shared != nil {
		go func() { _, _ = s.shared.list() }()
	}
}

// IsShared reports whether the store has a part that other machines have as well.
func (s *Store) IsShared() bool { return s.shared != nil }

// SharedIn is the address of that part, "" where there is none.
func (s *Store) SharedIn() string {
	if s.shared == nil {
		return ""
	}
	return s.shared.blobs.String()
}

// listed reports whether an image is known to be there, or was when all was listed. It may deny what
// is there.
func (s *shared) listed(sum string) (bool, error) {
	s.mu.Lock()
	known := s.known[sum]
	s.mu.Unlock()
	if known {
		return true, nil
	}
	listing, err := s.list()
	if err != nil {
		return false, err
	}
	_, found := listing.Images[sum]
	return found, nil
}

// has reports whether an image is there. What the listing does not have is asked for by itself,
// since a listing may be behind, and what is not found is paid for.
func (s *shared) has(sum string) (bool, error) {
	if s == nil {
		return false, nil
	}
	if found, err := s.listed(sum); found || err != nil {
		return found, err
	}
	found, err := s.blobs.Stat(s.ctx, sum)
	if found {
		s.know(sum)
	}
	return found, err
}

// LookFor asks by name for images that neither the listing nor this machine has, since a listing may be
// behind and what is not found is paid for. Elsewhere and Candidates know of them then. looked is called
// for each, by several goroutines at once.
func (s *Store) LookFor(sums []string, looked func()) error {
	if s.shared == nil {
		return nil
	}
	group, ctx := errgroup.WithContext(s.shared.ctx)
	group.SetLimit(maxReads)
	for _, sum := range sums {
		group.Go(func() error {
			defer looked()
			if _, err := s.root.Stat(blobName(sum)); err == nil || ctx.Err() != nil {
				return nil // It is here, or another one says what is wrong.
			}
			_, err := s.shared.has(sum)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return s.shared.unreachable(err)
	}
	return nil
}

// since returns when an image was put there, in local time as what this machine keeps, zero where the
// listing does not say.
func (s *shared) since(sum string) time.Time {
	listing, err := s.list()
	if err != nil {
		return time.Time{}
	}
	return listing.Images[sum].Local()
}

func (s *shared) know(sum string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[sum] = true
}

// recipes returns what is known of the images that a request made. A recipe that is not whole is
// passed over, as one in the file is.
func (s *shared) recipes(fingerprint string) ([]*recipe, error) {
	if s == nil || !isHash(fingerprint) {
		return nil, nil
	}
	listing, err := s.list()
	if err != nil {
		return nil, err
	}
	sums := listing.Recipes[fingerprint]
	if len(sums) == 0 {
		return nil, nil
	}
	s.mu.Lock()
	found, isRead := s.read[fingerprint]
	s.mu.Unlock()
	if isRead {
		return found, nil
	}
	for _, sum := range sums {
		line, err := s.blobs.Recipe(s.ctx, fingerprint, sum)
		if errors.Is(err, fs.ErrNotExist) {
			continue // It went since.
		}
		if err != nil {
			return nil, err
		}
		if rec, err := decodeRecipe(line); err == nil && rec.SHA256 == sum && rec.Fingerprint == fingerprint {
			found = append(found, rec)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read[fingerprint] = found
	return found, nil
}

// maxReads is how many recipes are read at a time.
const maxReads = 32

// of returns what is known of the images of an address, those first that were put there first. All
// recipes are read for it.
func (s *shared) of(a addrs.Image) ([]*recipe, error) {
	if s == nil {
		return nil, nil
	}
	listing, err := s.list()
	if err != nil {
		return nil, err
	}
	fingerprints := slices.Sorted(maps.Keys(listing.Recipes))
	found := make([][]*recipe, len(fingerprints))
	var group errgroup.Group
	group.SetLimit(maxReads)
	for i, fingerprint := range fingerprints {
		group.Go(func() (err error) {
			found[i], err = s.recipes(fingerprint)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(slices.Concat(found...), func(r *recipe) bool { return r.Address != a })
	slices.SortStableFunc(all, func(a, b *recipe) int { return listing.Images[a.SHA256].Compare(listing.Images[b.SHA256]) })
	return all, nil
}

// damaged says that the bytes under a name are not those of that hash.
func (s *shared) damaged(sum string) *BlobError {
	return &BlobError{SHA256: sum, Path: s.blobs.String() + "/" + sum, Shared: true}
}

func (s *shared) unreachable(err error) error {
	return fmt.Errorf("%s cannot be asked, and what is in it would be paid for again: %w. Mend the connection or the permissions, or remove the images block to do without", s.blobs, err)
}

// take writes an image into a file that does not have its name yet.
func (s *shared) take(sum string, dir *safefile.Dir, name string) (_ *safefile.Pending, err error) {
	p, err := dir.Create(name, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Abort())
		}
	}()
	hashed := newHashingWriter(p)
	if err := s.blobs.Get(s.ctx, sum, hashed); err != nil {
		_, isLocal := errors.AsType[*fs.PathError](err)
		if isLocal || errors.Is(err, fs.ErrNotExist) || s.ctx.Err() != nil {
			return nil, err
		}
		bad := s.damaged(sum)
		bad.Err = err
		return nil, bad
	}
	if hashed.hex() != sum {
		return nil, s.damaged(sum)
	}
	return p, errors.Join(p.Settle(), p.Sync())
}

// Publish puts the image in a file where other machines find it, by its bytes and by the request
// that made it. It does nothing where nobody else looks. The file must have the bytes that are on
// record, which are checked on the way.
//
// A crash between the two leaves an image that is found by its bytes alone.
func (s *Store) Publish(dir *safefile.Dir, name string, addr addrs.Image, img *Image) error {
	if s.shared == nil {
		return nil
	}
	sum := img.Output.SHA256
	file, err := dir.Open(name)
	if err != nil {
		return err
	}
	defer closeRead(file)
	if err := s.shared.put(file, sum); err != nil {
		return fmt.Errorf("keeping %s in %s: %w", img.Output.Path, s.shared.blobs, err)
	}
	if img.Fingerprint != "" {
		err := withLine(&recipe{Fingerprint: img.Fingerprint, SHA256: sum, Address: addr, Image: img}, func(line []byte) error {
			return s.shared.blobs.PutRecipe(s.shared.ctx, img.Fingerprint, sum, bytes.Clone(line))
		})
		if err != nil {
			return fmt.Errorf("keeping how %s was made in %s: %w", img.Output.Path, s.shared.blobs, err)
		}
	}
	s.shared.know(sum)
	return nil
}

// put uploads a file whose bytes have a known hash.
func (s *shared) put(file *os.File, sum string) error {
	hashed := newHashingWriter(io.Discard)
	size, err := io.Copy(hashed, file)
	if err != nil {
		return err
	}
	if hashed.hex() != sum {
		return errors.New("the file is not the one on record")
	}
	return s.blobs.Put(s.ctx, sum, size, file)
}

// Elsewhere reports whether an image is where other machines find it. It goes by a listing, so that
// it may deny what is there.
func (s *Store) Elsewhere(sum string) (bool, error) {
	if s.shared == nil {
		return false, nil
	}
	return s.shared.listed(sum)
}
