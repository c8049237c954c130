package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

func testSeal(tb testing.TB, secret byte) seal {
	tb.Helper()
	key, err := newSeal(bytes.Repeat([]byte{secret}, 32))
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// records returns what is remembered of a state, in three segments.
func records(tb testing.TB, st *State, key seal) []byte {
	tb.Helper()
	text := written(tb, st)
	sum := sha256.Sum256([]byte(text))
	r := remember(st, hex.EncodeToString(sum[:]))
	var b tableBuilder
	n := 0
	for a, img := range st.Images.All() {
		if b.add(a, img); n%(1+st.Images.Len()/3) == 0 {
			b.seal()
		}
		n++
	}
	r.table = b.done()
	var out bytes.Buffer
	if err := r.write(&out, key); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func TestRecords(t *testing.T) {
	t.Parallel()
	key := testSeal(t, 1)
	for seed := range uint64(20) {
		st := fullState(t)
		clear(st.Outputs) // People may have laid out theirs.
		st.Images = ImagesOf(someImages{rand.New(rand.NewPCG(seed, 3))}.records())
		r, err := parseRecords(records(t, st, key), key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.state()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(st, got, sameState); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if r.sum != sha256.Sum256([]byte(written(t, st))) {
			t.Fatal("they are those of another file")
		}
	}
}

// Nothing but what was written with the machine's secret is believed: no other bit, no end that is
// torn, no block of another state, or in another order, or twice, and nothing that another machine
// made.
func TestRecordsAreNotBelieved(t *testing.T) {
	t.Parallel()
	key := testSeal(t, 1)
	small := newState("small")
	for i := range 4 {
		small.Images.Set(addrs.Image{Name: "a", Key: addrs.IntKey(i)}, testImage(i))
	}
	good := records(t, small, key)
	refuse := func(data []byte, why string) {
		t.Helper()
		if r, err := parseRecords(data, key); err == nil {
			t.Fatalf("believed although %s: %d images", why, r.table.len())
		}
	}
	bad := bytes.Clone(good)
	for i := range 8 * len(bad) {
		bad[i/8] ^= 1 << (i % 8)
		refuse(bad, fmt.Sprintf("bit %d is another", i))
		bad[i/8] ^= 1 << (i % 8)
	}
	for n := range good {
		refuse(good[:n], fmt.Sprintf("%d bytes are left", n))
	}
	other := small.Images.Clone()
	other.Set(addrs.Image{Name: "b"}, testImage(5))
	theirs := blocksOf(t, records(t, &State{Lineage: "small", Images: other}, key))
	blocks := blocksOf(t, good)
	for i := range blocks {
		refuse(slices.Concat(slices.Delete(slices.Clone(blocks), i, i+1)...), "a block is missing")
		refuse(slices.Concat(slices.Insert(slices.Clone(blocks), i, blocks[i])...), "a block is there twice")
		mixed := slices.Clone(blocks)
		mixed[i] = theirs[i]
		refuse(slices.Concat(mixed...), "a block is another state's")
		mixed = slices.Clone(blocks)
		mixed[0], mixed[i] = mixed[i], mixed[0]
		if i > 0 {
			refuse(slices.Concat(mixed...), "two blocks changed places")
		}
	}
	refuse(append(bytes.Clone(good), 0), "something follows")
	refuse(records(t, small, testSeal(t, 2)), "another machine made them")
}

func blocksOf(t *testing.T, data []byte) [][]byte {
	t.Helper()
	blocks, err := cutBlocks(data)
	if err != nil || len(blocks) < 4 {
		t.Fatalf("%d blocks, %v", len(blocks), err)
	}
	return blocks
}

// A row that is laid out otherwise, or has other fields, needs another recordsVersion: what an older
// program wrote would be misread.
func TestRowLayout(t *testing.T) {
	t.Parallel()
	var b tableBuilder
	for a, img := range fullState(t).Images.All() {
		b.add(a, img)
	}
	table := b.done()
	sum := sha256.Sum256(table.segments[0].data)
	if got, want := fmt.Sprintf("%d %x", recordsVersion, sum[:8]), "2 8ab96c0933bc33e7"; got != want {
		t.Errorf("the layout is %s, and was %s. If it is another on purpose, raise recordsVersion", got, want)
	}
}

// A session never takes records for those of another file, whatever happened to the file and to
// them since they were written, and however alike it looks.
func TestRememberedState(t *testing.T) {
	t.Parallel()
	r := someImages{rand.New(rand.NewPCG(4, 4))}
	d := rememberedDir{t: t, dir: t.TempDir()}
	d.path = filepath.Join(d.dir, "fluxbatch.state.json")
	d.write(testState(3))
	believed := 0
	var earlier [][]byte
	for step := range 150 {
		s, closeAll := d.open()
		if s.remember == nil {
			believed++
		}
		st, err := Read(d.path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(st, s.State(), sameState); diff != "" {
			t.Fatalf("step %d (-file +session):\n%s", step, diff)
		}
		switch r.IntN(3) {
		case 0:
			appendAll(t, s, Stored{Address: r.address(), Image: r.image()})
			if r.IntN(2) == 0 { // Else it stays in the journal.
				if err := s.Commit(nil); err != nil {
					t.Fatal(err)
				}
			}
		case 1:
			if err := s.Commit(map[string]OutputValue{"n": {Value: fmt.Append(nil, step), Type: []byte(`"number"`)}}); err != nil {
				t.Fatal(err)
			}
		}
		closeAll()
		if r.IntN(3) == 0 {
			d.edit(r)
		}
		file := filepath.Join(d.dir, recordsFile)
		if data, err := os.ReadFile(file); err == nil {
			earlier = append(earlier, data)
		}
		if len(earlier) > 0 && r.IntN(4) == 0 {
			if err := os.WriteFile(file, earlier[r.IntN(len(earlier))], 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if believed < 40 || believed > 140 {
		t.Errorf("records were believed %d times of 150: this tests nothing", believed)
	}
}

// rememberedDir is a project whose state is remembered however short it is.
type rememberedDir struct {
	t         *testing.T
	dir, path string
}

func (d *rememberedDir) open() (s *Session, closeAll func()) {
	d.t.Helper()
	root, err := safefile.Open(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	local, err := OpenLocal(root)
	if err != nil {
		d.t.Fatal(err)
	}
	s, err = Open(d.t.Context(), d.path, Options{Local: local, Secret: func() []byte { return make([]byte, 32) }, remembered: 1})
	if err != nil {
		d.t.Fatal(err)
	}
	return s, func() {
		for _, err := range []error{s.Close(), local.Close(), root.Close()} {
			if err != nil {
				d.t.Error(err)
			}
		}
	}
}

func (d *rememberedDir) write(st *State) {
	d.t.Helper()
	if err := os.WriteFile(d.path, []byte(written(d.t, st)), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// edit changes one number in the state file, and neither its size nor its time.
func (d *rememberedDir) edit(r someImages) {
	d.t.Helper()
	info, err := os.Stat(d.path)
	if err != nil {
		return
	}
	if _, err := os.Stat(d.path + ".journal"); err == nil {
		return // It would contradict the file.
	}
	data, err := os.ReadFile(d.path)
	if err != nil {
		d.t.Fatal(err)
	}
	if at := bytes.LastIndex(data, []byte(`"width": 10`)); at >= 0 {
		data[at+len(`"width": 10`)] = byte('0' + r.IntN(10))
	}
	if err := os.WriteFile(d.path, data, 0o600); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Chtimes(d.path, info.ModTime(), info.ModTime()); err != nil {
		d.t.Fatal(err)
	}
}

// What is no record at all is refused without harm, and whatever is believed is what was written.
func FuzzRecords(f *testing.F) {
	key := testSeal(f, 1)
	st := newState("x")
	for i := range 3 {
		st.Images.Set(addrs.Image{Name: "a", Key: addrs.IntKey(i)}, testImage(i))
	}
	good := records(f, st, key)
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRecords(data, key)
		if err != nil {
			return
		}
		got, err := r.state()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(maps.Collect(st.Images.All()), maps.Collect(got.Images.All()), sameState); diff != "" {
			t.Fatalf("believed, and is another (-want +got):\n%s", diff)
		}
	})
}
