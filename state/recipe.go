package state

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"sync"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// recipesFile has a line for each image that was put into the store, in the order in which that
// happened.
const recipesFile = storeDir + "/recipes"

// recipe says what the bytes in the store are. Its first field is the first thing on its line,
// which load relies on.
type recipe struct {
	// Fingerprint is "" for bytes that no request made: somebody edited the file.
	Fingerprint string      `json:"fingerprint"`
	SHA256      string      `json:"sha256"`
	Address     addrs.Image `json:"address"`
	Image       *Image      `json:"image"`
}

func recipeOf(a addrs.Image, img *Image, sum string, size int64) *recipe {
	r := &recipe{Fingerprint: img.Fingerprint, SHA256: sum, Address: a, Image: img}
	if sum != img.Output.SHA256 {
		edited := *img
		edited.Output.SHA256, edited.Output.Bytes, edited.Output.Content = sum, size, ""
		r.Fingerprint, r.Image = "", &edited
	}
	return r
}

// recipes is the file of recipes with an index by fingerprint in memory: a hundred bytes or so
// each, so that a hundred thousand load in a tenth of a second. The rest of a recipe is read when
// it is asked for. A line that is not whole is passed over: it costs one image that could have been
// had for free. It is safe for concurrent use.
type recipes struct {
	root *safefile.Dir
	log  *groupLog

	mu sync.Mutex
	// file is nil until there is something to read.
	file *os.File
	// last is the place in entries of the newest recipe of a fingerprint.
	last    map[[32]byte]int
	entries []recipeEntry
}

// recipeEntry is where a recipe is in the file.
type recipeEntry struct {
	offset int64
	length int
	// before is the place of the recipe with the same fingerprint before this one, -1 for none.
	before int
}

func newRecipes(root *safefile.Dir) *recipes {
	r := &recipes{root: root, last: map[[32]byte]int{}}
	r.log = newGroupLog(r.open)
	return r
}

// open readies the file for the first new recipe.
func (r *recipes) open() (logFile, int64, []byte, error) {
	if err := ensureLocal(r.root); err != nil {
		return nil, 0, nil, err
	}
	f, err := r.root.Append(recipesFile, 0o644)
	if err != nil {
		return nil, 0, nil, err
	}
	size, head, err := endOf(f)
	if err != nil {
		// Nothing was written.
		_ = f.Close()
		return nil, 0, nil, err
	}
	return f, size, head, nil
}

func (r *recipes) close() error {
	return r.log.exclusive(func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		closeRead(r.file)
		r.file = nil
		return r.log.close()
	})
}

// load reads the index.
func (r *recipes) load() error {
	f, err := openIfThere(r.root, recipesFile)
	if f == nil || err != nil {
		return err
	}
	r.file = f
	in := bufio.NewReaderSize(f, 256<<10)
	var line []byte
	for offset := int64(0); ; offset += int64(len(line)) {
		line, err = readLine(in, line[:0])
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading the store's recipes: %w", err)
		}
		if len(line) == 0 {
			return nil
		}
		if rec, ok := cutLine(line); ok {
			r.note(rec, offset, len(line))
		}
	}
}

// note puts a recipe into the index. The caller has mu, or is alone.
func (r *recipes) note(rec []byte, offset int64, length int) {
	const digits = 2 * 32
	var fingerprint [32]byte
	text, ok := bytes.CutPrefix(rec, []byte(`{"fingerprint":"`))
	if !ok || len(text) < digits {
		return
	}
	if _, err := hex.Decode(fingerprint[:], text[:digits]); err != nil {
		return // an edited image, which no request finds
	}
	before, ok := r.last[fingerprint]
	if !ok {
		before = -1
	}
	r.last[fingerprint] = len(r.entries)
	r.entries = append(r.entries, recipeEntry{offset, length, before})
}

// add appends a recipe durably.
func (r *recipes) add(rec *recipe) error {
	return withLine(rec, func(line []byte) error {
		return r.log.append(line, func(offset int64, err error) {
			if err == nil {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.note(line[recStart:], offset, len(line))
			}
		})
	})
}

// find yields the recipes of a fingerprint, the newest first. Those that cannot be read are passed
// over.
func (r *recipes) find(fingerprint string) iter.Seq[*recipe] {
	return func(yield func(*recipe) bool) {
		var key [32]byte
		if n, err := hex.Decode(key[:], []byte(fingerprint)); err != nil || n != len(key) {
			return
		}
		r.mu.Lock()
		at, ok := r.last[key]
		r.mu.Unlock()
		for ok && at >= 0 {
			r.mu.Lock()
			e := r.entries[at]
			r.mu.Unlock()
			if rec, err := r.read(e); err == nil && rec.Fingerprint == fingerprint && !yield(rec) {
				return
			}
			at = e.before
		}
	}
}

func (r *recipes) read(e recipeEntry) (*recipe, error) {
	f, err := r.reader()
	if err != nil {
		return nil, err
	}
	line := make([]byte, e.length)
	if _, err := f.ReadAt(line, e.offset); err != nil {
		return nil, err
	}
	return decodeRecipe(line)
}

func decodeRecipe(line []byte) (*recipe, error) {
	rec, ok := cutLine(line)
	if !ok {
		return nil, errors.New("the line is not whole")
	}
	r := &recipe{}
	if err := decodeStrict(rec, r); err != nil {
		return nil, err
	}
	if r.Image == nil || !isHash(r.SHA256) {
		return nil, errors.New("the recipe is incomplete")
	}
	return r, nil
}

// reader returns the file for reading; recipes may have been added since load found none.
func (r *recipes) reader() (*os.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		f, err := r.root.Open(recipesFile)
		if err != nil {
			return nil, err
		}
		r.file = f
	}
	return r.file, nil
}

// of yields all recipes of an address, the oldest first.
func (r *recipes) of(a addrs.Image) ([]*recipe, error) {
	f, err := r.root.Open(recipesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closeRead(f)
	quoted, err := encode(a.String())
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(f, 256<<10)
	var line []byte
	var all []*recipe
	for {
		line, err = readLine(in, line[:0])
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if len(line) == 0 {
			return all, nil
		}
		// Most lines are of other addresses; this spares decoding them.
		if !bytes.Contains(line, quoted) {
			continue
		}
		if rec, err := decodeRecipe(line); err == nil && rec.Address == a {
			all = append(all, rec)
		}
	}
}
