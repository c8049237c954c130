package state

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// recordsFile has the images of the state file in the form in which they are used, so that a plan
// need not parse them again.
const recordsFile = localDir + "/records"

// recordsLeast is how long a state file is whose parsing takes long enough.
const recordsLeast = 1 << 20

// maxRecords bounds the file.
const maxRecords = 8 << 30

// The file is believed for exactly the bytes of the state file that it was made from, and only if
// this machine made it. It consists of blocks: what the state has besides images, as a snapshot
// without any, and then a block for each segment of the table. Each block carries the SHA-256 of
// the state file, its own number and how many there are, and ends with a code that only the
// machine's secret can make of all that (AES-GCM over data that is not encrypted). So whatever is
// torn, damaged, put together from two files, left from another state or made elsewhere fails the
// check, and the state file, which is hashed in any case, is parsed as if nothing were there.

// sealed is the length of what a block has besides its content.
const sealed = blockHead + blockTag

const (
	blockHead = 4 + nonceSize + sha256.Size + 4 + 4 + 8 // version, nonce, state file, number, count, length
	nonceSize = 12
	blockTag  = 16
	// recordsVersion is that of the format of blocks and rows.
	recordsVersion = 2
)

var errRecords = errors.New("these are not the records of this state")

// remembered is what the file of records says: a snapshot, as it is in the state file with a hash.
type remembered struct {
	table table
	// rest is the snapshot without the images.
	rest []byte
	sum  [sha256.Size]byte
}

// remember returns what is to be remembered of a snapshot whose file has a hash.
func remember(st *State, sum string) *remembered {
	rest := *st
	rest.Images = nil
	var text bytes.Buffer
	if rest.Write(&text) != nil {
		return nil
	}
	r := &remembered{table: st.Images.compact(), rest: text.Bytes()}
	if _, err := hex.Decode(r.sum[:], []byte(sum)); err != nil {
		return nil
	}
	return r
}

// state returns the snapshot.
func (r *remembered) state() (*State, error) {
	st, err := parseSnapshot(bytes.NewReader(r.rest))
	if err != nil {
		return nil, err
	}
	st.Images = &Images{table: r.table}
	return st, nil
}

// seal is what blocks are sealed with.
type seal struct{ cipher.AEAD }

// newSeal returns a seal with a machine's secret, of 32 bytes.
func newSeal(secret []byte) (seal, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return seal{}, err
	}
	gcm, err := cipher.NewGCM(block)
	return seal{gcm}, err
}

// write writes the records.
func (r *remembered) write(w io.Writer, key seal) error {
	count := 1 + len(r.table.segments)
	var block []byte
	for i := range count {
		block = r.head(block[:0], i, count)
		if i == 0 {
			block = append(block, r.rest...)
		} else {
			block = r.table.segments[i-1].appendTo(block)
		}
		binary.LittleEndian.PutUint64(block[blockHead-8:], uint64(len(block)-blockHead)) //nolint:gosec // not negative
		tag := key.Seal(nil, block[4:4+nonceSize], nil, block)
		if _, err := w.Write(block); err != nil {
			return err
		}
		if _, err := w.Write(tag); err != nil {
			return err
		}
	}
	return nil
}

// head appends what a block begins with, less its length.
func (r *remembered) head(b []byte, number, count int) []byte {
	b = binary.LittleEndian.AppendUint32(b, recordsVersion)
	var nonce [nonceSize]byte
	// crypto/rand.Read never returns an error; it ends the program where there is no randomness.
	_, _ = rand.Read(nonce[:])
	b = append(append(b, nonce[:]...), r.sum[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(number)) //nolint:gosec // far fewer
	b = binary.LittleEndian.AppendUint32(b, uint32(count))  //nolint:gosec // far fewer
	return append(b, make([]byte, 8)...)
}

// parseRecords returns what records say, or an error for anything that is not wholly what write
// wrote with the same key. The table shares the data's memory, which must not be written to any
// more.
func parseRecords(data []byte, key seal) (*remembered, error) {
	blocks, err := cutBlocks(data)
	if err != nil {
		return nil, err
	}
	r := new(remembered)
	copy(r.sum[:], blocks[0][4+nonceSize:])
	r.table.segments = make([]*segment, len(blocks)-1)
	group, ctx := errgroup.WithContext(context.Background())
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, block := range blocks {
		group.Go(func() error {
			if ctx.Err() != nil || !r.isSealed(block, i, len(blocks), key) {
				return errRecords
			}
			content := block[blockHead : len(block)-blockTag]
			if i == 0 {
				r.rest = content
			} else {
				r.table.segments[i-1] = readSegment(content)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, s := range r.table.segments {
		r.table.count += len(s.starts)
	}
	return r, nil
}

// cutBlocks returns the blocks, of which there is one at least. Their lengths are believed for that
// only.
func cutBlocks(data []byte) ([][]byte, error) {
	var blocks [][]byte
	for len(data) > 0 {
		if len(data) < sealed {
			return nil, errRecords
		}
		length := binary.LittleEndian.Uint64(data[blockHead-8:])
		if length > uint64(len(data)-sealed) { //nolint:gosec // not negative
			return nil, errRecords
		}
		end := sealed + int(length) //nolint:gosec // no more than the data
		blocks = append(blocks, data[:end:end])
		data = data[end:]
	}
	if len(blocks) == 0 {
		return nil, errRecords
	}
	return blocks, nil
}

// isSealed reports whether a block is what write wrote at its place.
func (r *remembered) isSealed(block []byte, number, count int, key seal) bool {
	head, tag := block[:len(block)-blockTag], block[len(block)-blockTag:]
	place := head[4+nonceSize+sha256.Size:]
	_, err := key.Open(nil, head[4:4+nonceSize], tag, head)
	return err == nil && binary.LittleEndian.Uint32(head) == recordsVersion &&
		bytes.Equal(head[4+nonceSize:4+nonceSize+sha256.Size], r.sum[:]) &&
		binary.LittleEndian.Uint32(place) == uint32(number) && //nolint:gosec // far fewer
		binary.LittleEndian.Uint32(place[4:]) == uint32(count) //nolint:gosec // far fewer
}

// appendTo appends the segment as readSegment reads it.
func (s *segment) appendTo(b []byte) []byte {
	text := func(t string) { b = append(binary.AppendUvarint(b, uint64(len(t))), t...) }
	b = binary.AppendUvarint(b, uint64(len(s.words)))
	for _, w := range s.words {
		text(w)
	}
	b = binary.AppendUvarint(b, uint64(len(s.labels)))
	for _, labels := range s.labels {
		b = binary.AppendUvarint(b, uint64(len(labels)))
		for name, value := range labels {
			text(name)
			text(value)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(s.starts)))
	for _, start := range s.starts {
		b = binary.LittleEndian.AppendUint32(b, start)
	}
	return append(b, s.data...)
}

// readSegment reads a segment, which has to be one that appendTo wrote.
func readSegment(b []byte) *segment {
	s := &segment{}
	r := rowReader{segment: s, rest: b}
	s.words = make([]string, r.uint())
	for i := range s.words {
		s.words[i] = r.string()
	}
	s.labels = make([]map[string]string, r.uint())
	for i := range s.labels {
		n := r.uint()
		s.labels[i] = make(map[string]string, n)
		for range n {
			name := r.string()
			s.labels[i][name] = r.string()
		}
	}
	s.starts = make([]uint32, r.uint())
	for i := range s.starts {
		s.starts[i] = binary.LittleEndian.Uint32(r.rest[4*i:])
	}
	s.data = r.rest[4*len(s.starts):]
	s.first = Ref{s, 0}.Address()
	return s
}

// recordsCache is the file of records; the nil one has none.
type recordsCache struct {
	root   *safefile.Dir
	secret func() []byte
	// least is the length of state files for which it is worth while.
	least int64
}

// isFor reports whether a state file of a size is remembered.
func (c *recordsCache) isFor(size int64) bool { return c != nil && size >= c.least }

// read returns the state that a state file has, with its hash, where the records are those of that
// file; else nil.
func (c *recordsCache) read(f *os.File, size int64) (*State, string) {
	if !c.isFor(size) {
		return nil, ""
	}
	key, err := newSeal(c.secret())
	if err != nil {
		return nil, ""
	}
	var known *remembered
	sum := sha256.New()
	var group errgroup.Group
	group.Go(func() error {
		data, err := c.root.ReadFile(recordsFile, maxRecords)
		if err == nil {
			known, err = parseRecords(data, key)
		}
		return err
	})
	group.Go(func() error {
		_, err := io.CopyBuffer(sum, struct{ io.Reader }{f}, make([]byte, 256<<10))
		return err
	})
	if group.Wait() != nil || !bytes.Equal(known.sum[:], sum.Sum(nil)) {
		return nil, ""
	}
	st, err := known.state()
	if err != nil {
		return nil, ""
	}
	return st, hex.EncodeToString(known.sum[:])
}

// write writes what is to be remembered, if anything is. Where that fails, the state is parsed the
// next time.
func (c *recordsCache) write(r *remembered) {
	if c == nil || r == nil {
		return
	}
	key, err := newSeal(c.secret())
	if err == nil && ensureLocal(c.root) == nil {
		_ = c.root.WriteCache(recordsFile, 0o600, func(w io.Writer) error { return r.write(w, key) })
	}
}
