package state

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Former returns the image that was put into the store last under each address: of all addresses at
// once what History says of one. Its bytes may be gone; see Has.
func (s *Store) Former() (map[addrs.Image]*Image, error) {
	f, err := s.root.Open(recipesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what the store has: %w", err)
	}
	defer closeRead(f)
	former := map[addrs.Image]*Image{}
	in := bufio.NewReaderSize(f, 256<<10)
	var line []byte
	for {
		line, err = readLine(in, line[:0])
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("reading what the store has: %w", err)
		}
		if len(line) == 0 {
			return former, nil
		}
		// A line that is not whole is passed over, as everywhere.
		if r, err := decodeRecipe(line); err == nil {
			former[r.Address] = r.Image
		}
	}
}

// OpenBlob opens the bytes that the store has under a hash. The error wraps fs.ErrNotExist where it
// has none.
func (s *Store) OpenBlob(sum string) (io.ReadCloser, error) {
	if !isHash(sum) {
		return nil, fmt.Errorf("%q is not a SHA-256: %w", sum, fs.ErrNotExist)
	}
	return s.root.Open(blobName(sum))
}
