package state

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/fluxbatch/fluxbatch/internal/hugepage"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// indexFile is the stat cache.
const indexFile = localDir + "/index"

// indexHead is its first line. A file that begins otherwise is from another version, and not used.
const indexHead = "fluxbatch index 1\n"

// Index remembers of files at which size and modification time they had which SHA-256, so that they
// need not be read again. It is a cache: a missing or damaged one costs reading all files once. It
// is safe for concurrent use.
type Index struct {
	root *safefile.Dir

	mu sync.Mutex
	// lines are what the file had, sorted by path. learnt is what was found out since: it counts
	// more than a line, and an entry without a hash says that nothing is known any more.
	lines   []indexLine
	learnt  map[string]indexEntry
	changed bool
	// released says that the lines are in the file alone, and that all of them were asked for.
	released bool
}

type indexEntry struct {
	size    int64
	modTime int64 // nanoseconds since 1970
	sum     string
	// used says that the file was asked for in this run.
	used bool
}

type indexLine struct {
	path string
	indexEntry
}

// find returns what is known of the file at path, nil where that is nothing. The result is good
// until something else is learnt. near is the place of the line that was found last: files are
// mostly asked for in the order of their paths.
func (x *Index) find(path string, near *int) *indexEntry {
	if len(x.learnt) > 0 {
		if e, ok := x.learnt[path]; ok {
			return &e
		}
	}
	x.restore()
	if next := *near + 1; next < len(x.lines) && x.lines[next].path == path {
		*near = next
		return &x.lines[next].indexEntry
	}
	at, found := slices.BinarySearchFunc(x.lines, path, func(l indexLine, path string) int { return strings.Compare(l.path, path) })
	if !found {
		return nil
	}
	*near = at
	return &x.lines[at].indexEntry
}

// all goes through what is known, in the order of the paths.
func (x *Index) all() iter.Seq2[string, *indexEntry] {
	x.restore()
	return func(yield func(string, *indexEntry) bool) {
		learnt := slices.Sorted(maps.Keys(x.learnt))
		one := func(path string, e *indexEntry) bool { return e.sum == "" || yield(path, e) }
		for i := range x.lines {
			l := &x.lines[i]
			for len(learnt) > 0 && learnt[0] < l.path {
				if e := x.learnt[learnt[0]]; !one(learnt[0], &e) {
					return
				}
				learnt = learnt[1:]
			}
			if len(learnt) > 0 && learnt[0] == l.path {
				continue
			}
			if !one(l.path, &l.indexEntry) {
				return
			}
		}
		for _, path := range learnt {
			if e := x.learnt[path]; !one(path, &e) {
				return
			}
		}
	}
}

// A file that is changed twice within one step of its file system's clock has the same modification
// time after both. So a hash says nothing about the file from then on, unless the clock had moved
// on from the modification time when the hash was taken. Git calls entries where it had not "racily
// clean".
const (
	// coarseStep is for times that are whole seconds: FAT's clock has steps of two.
	coarseStep = 2 * time.Second
	// fineStep is for the others: the kernel's tick is 10 ms at most, and Windows' 16.
	fineStep = 20 * time.Millisecond
)

// racy reports whether a file of that modification time, read at now, can change later without its
// time showing it.
func racy(modTime, now time.Time) bool {
	step := fineStep
	if modTime.Nanosecond() == 0 {
		step = coarseStep
	}
	return modTime.Add(step).After(now)
}

// Record remembers that the file at path has a hash and, before its bytes were read or when they
// were written, info. A file that was modified just now is not remembered: it could change again
// unseen (safefile.Pending.Settle spares new files that).
func (x *Index) Record(path string, info fs.FileInfo, sum string) {
	x.record(path, info, sum, time.Now())
}

// note records a file that was just written or read. Without it, or where the file is gone already,
// the file is read again some time.
func (x *Index) note(dir *safefile.Dir, path, sum string) {
	if info, err := dir.Stat(path); err == nil {
		x.Record(path, info, sum)
	}
}

func (x *Index) record(path string, info fs.FileInfo, sum string, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := indexEntry{info.Size(), info.ModTime().UnixNano(), sum, true}
	before := x.find(path, new(int))
	isKnown := before != nil && before.sum != ""
	switch {
	case racy(info.ModTime(), now):
		if isKnown {
			x.learn(path, indexEntry{})
		}
	case isKnown && before.size == e.size && before.modTime == e.modTime && before.sum == sum:
		before.used = true
	default:
		x.learn(path, e)
	}
}

func (x *Index) learn(path string, e indexEntry) {
	if x.learnt == nil {
		x.learnt = map[string]indexEntry{}
	}
	x.learnt[path] = e
	x.changed = true
}

// known returns the hash of the file at path, "" where it has to be read.
func (x *Index) known(path string, size, modTime int64, near *int) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.find(path, near)
	if e == nil || e.size != size || e.modTime != modTime {
		return ""
	}
	e.used = true
	return e.sum
}

// Hash returns the SHA-256 of the file at path in dir, and reads it only where the index does not
// know it. It is for the files that requests are made of.
func (x *Index) Hash(dir *safefile.Dir, path string) (string, error) {
	info, err := dir.Stat(path)
	if err != nil {
		return "", err
	}
	return x.hash(dir, path, path, info)
}

// hash returns the hash of the file called name in dir, which the index knows as path.
func (x *Index) hash(dir *safefile.Dir, name, path string, info fs.FileInfo) (string, error) {
	if sum := x.known(path, info.Size(), info.ModTime().UnixNano(), new(int)); sum != "" {
		return sum, nil
	}
	// The time and info are from before the file is read: a change during the reading must not look
	// old.
	now := time.Now()
	sum, _, err := hashFile(dir, name)
	if err == nil {
		x.record(path, info, sum, now)
	}
	return sum, err
}

// Save writes the index if it changed. Where st is not nil, it keeps only what it knows of the files
// on record there, and of those that were asked for since it was opened.
func (x *Index) Save(st *State) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if st != nil {
		x.prune(st)
	}
	if !x.changed {
		return nil
	}
	err := ensureLocal(x.root)
	if err == nil {
		err = x.root.WriteFile(indexFile, 0o644, x.write)
	}
	if err != nil {
		return fmt.Errorf("saving the index of files: %w", err)
	}
	x.changed = false
	return nil
}

func (x *Index) prune(st *State) {
	if x.released {
		return
	}
	unused := 0
	for _, e := range x.all() {
		if !e.used {
			unused++
		}
	}
	if unused == 0 {
		return
	}
	var gone []string
	keep := make(map[string]bool, st.Images.Len()+len(st.Renditions))
	for _, path := range st.Images.Paths() {
		keep[path] = true
	}
	for _, r := range st.Renditions {
		for i := range r.Files {
			keep[r.Files[i].Path] = true
		}
	}
	for path, e := range x.all() {
		if !e.used && !keep[path] {
			gone = append(gone, path)
		}
	}
	for _, path := range gone {
		x.learn(path, indexEntry{})
	}
}

// Release lets go of the memory of what was read, where all of it was asked for and nothing has to be
// written: of a hundred thousand files, that is as much as the state of a fifth of them. What is
// asked for later is read again.
func (x *Index) Release() {
	x.mu.Lock()
	defer x.mu.Unlock()
	isUnused := func(l indexLine) bool { return !l.used }
	n := len(x.lines)
	if n == 0 || x.changed || len(x.learnt) > 0 || slices.ContainsFunc(x.lines, isUnused) {
		return
	}
	x.lines, x.released = nil, true
	if n >= manyLines {
		// Else it depends on chance whether the collector runs before what comes next takes other
		// memory, or has just run. It runs once about now in any case.
		runtime.GC()
	}
}

// manyLines is how many files make memory worth collecting: two megabytes.
const manyLines = 10_000

// restore reads again what was released. Where that is not possible, nothing is known, and files are
// read.
func (x *Index) restore() {
	if !x.released {
		return
	}
	x.released = false
	if data, err := x.root.ReadFile(indexFile, maxIndex); err == nil {
		x.lines, _ = parseIndex(data)
	}
	for i := range x.lines {
		x.lines[i].used = true
	}
}

// write writes the head, a line for each file, and the CRC-32C of all that as the last line.
func (x *Index) write(w io.Writer) error {
	sum := crc32.New(castagnoli)
	out := bufio.NewWriterSize(io.MultiWriter(w, sum), 256<<10)
	line := []byte(indexHead)
	for path, e := range x.all() {
		if _, err := out.Write(line); err != nil {
			return err
		}
		line = append(line[:0], e.sum...)
		line = append(line, ' ')
		line = strconv.AppendInt(line, e.size, 10)
		line = append(line, ' ')
		line = strconv.AppendInt(line, e.modTime, 10)
		line = append(line, ' ')
		line = append(line, path...)
		line = append(line, '\n')
	}
	if _, err := out.Write(line); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%08x\n", sum.Sum32())
	return err
}

// maxIndex bounds the index file: ten million files.
const maxIndex = 2 << 30

func openIndex(root *safefile.Dir) (*Index, error) {
	x := &Index{root: root}
	if info, err := root.Stat(indexFile); err == nil {
		hugepage.Expect(info.Size() * indexGrowth)
	}
	data, err := root.ReadFile(indexFile, maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return x, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the index of files: %w", err)
	}
	x.mu.Lock() // Whoever needs it waits. Meanwhile the state is read.
	go func() {
		defer x.mu.Unlock()
		x.lines, _ = parseIndex(data)
	}()
	return x, nil
}

// indexGrowth is how much memory a plan needs for each byte of the index.
const indexGrowth = 12

// parseIndex reports false for anything that is not wholly what write wrote. The lines share the
// data's memory, which must not be written to any more.
func parseIndex(data []byte) ([]indexLine, bool) {
	const tail = 9 // the checksum's digits and its line break
	if len(data) < len(indexHead)+tail || !bytes.HasPrefix(data, []byte(indexHead)) {
		return nil, false
	}
	body, sum := data[:len(data)-tail], string(data[len(data)-tail:])
	if fmt.Sprintf("%08x\n", crc32.Checksum(body, castagnoli)) != sum {
		return nil, false
	}
	body = body[len(indexHead):]
	text := unsafe.String(unsafe.SliceData(body), len(body)) //nolint:gosec // Nobody writes to what was read.
	lines := make([]indexLine, 0, strings.Count(text, "\n"))
	for line := range strings.Lines(text) {
		hash, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		size, rest, _ := strings.Cut(rest, " ")
		modTime, path, _ := strings.Cut(rest, " ")
		e := indexEntry{sum: hash}
		var errSize, errTime error
		e.size, errSize = strconv.ParseInt(size, 10, 64)
		e.modTime, errTime = strconv.ParseInt(modTime, 10, 64)
		isSorted := len(lines) == 0 || lines[len(lines)-1].path < path
		if errSize != nil || errTime != nil || !isHash(hash) || path == "" || !isSorted {
			return nil, false
		}
		lines = append(lines, indexLine{path, e})
	}
	return lines, true
}
