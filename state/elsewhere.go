package state

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
)

// OpenElsewhere returns the bytes of an image that is where other machines find it, for looking at:
// nothing of them is kept here. The error wraps fs.ErrNotExist where it is not there.
func (s *Store) OpenElsewhere(sum string) (io.ReadCloser, error) {
	if s.shared == nil || !isHash(sum) {
		return nil, fmt.Errorf("%q is kept nowhere else: %w", sum, fs.ErrNotExist)
	}
	var data bytes.Buffer
	hashed := newHashingWriter(&data)
	if err := s.shared.blobs.Get(s.shared.ctx, sum, hashed); err != nil {
		return nil, err
	}
	if hashed.hex() != sum {
		return nil, s.shared.damaged(sum)
	}
	return io.NopCloser(&data), nil
}
