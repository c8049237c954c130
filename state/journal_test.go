package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// A journal that is cut off, at the end of a record or anywhere in it, is the state after the
// records that are whole in it. A record is whole without its line break.
func TestReplayOfEveryPrefix(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	s := open(t, path, Options{})
	states := []*State{snapshotOf(s.State())}
	for _, rec := range lifecycle(t) {
		appendAll(t, s, rec)
		states = append(states, snapshotOf(s.State()))
	}
	snapshot, journal := content(t, path), content(t, path+".journal")
	for _, secret := range []string{"x-key", "sig="} {
		if strings.Contains(journal, secret) {
			t.Errorf("the journal has %q", secret)
		}
	}
	copied := filepath.Join(t.TempDir(), "fluxbatch.state.json")
	if err := os.WriteFile(copied, []byte(snapshot), 0o600); err != nil {
		t.Fatal(err)
	}
	records, valid := 0, 0
	for n := range len(journal) + 1 {
		broken, open := n > 0 && journal[n-1] == '\n', n < len(journal) && journal[n] == '\n'
		boundary := broken || open
		if boundary {
			valid = n
			records = strings.Count(strings.TrimSuffix(journal[:n], "\n"), "\n") // the first line is the header
		}
		if n > valid+1 && n < len(journal) && n%7 > 0 {
			continue
		}
		j, err := readJournal(strings.NewReader(journal[:n]), "journal", map[string]Moderation{})
		if err != nil {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
		if j.records != records || j.valid != int64(valid) || j.torn != (n > valid) || j.open != (boundary && open) {
			t.Fatalf("cut after %d bytes: %d records in %d bytes, torn %v, open %v; want %d in %d", n, j.records, j.valid, j.torn, j.open, records, valid)
		}
		if !boundary && n%70 > 0 {
			continue
		}
		if err := os.WriteFile(copied+".journal", []byte(journal[:n]), 0o600); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(states[records], read(t, copied), sameState); diff != "" {
			t.Fatalf("cut after %d bytes, %d records (-want +got):\n%s", n, records, diff)
		}
	}
}

// A run that follows a crash at any byte goes on where the journal ends.
func TestAppendAfterATornLine(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	s := open(t, path, Options{})
	records := lifecycle(t)
	appendAll(t, s, records...)
	want := snapshotOf(s.State())
	snapshot, journal := content(t, path), content(t, path+".journal")
	lines := strings.SplitAfter(journal, "\n")
	copied := filepath.Join(t.TempDir(), "fluxbatch.state.json")
	if err := os.WriteFile(copied, []byte(snapshot), 0o600); err != nil {
		t.Fatal(err)
	}
	for done := range len(records) {
		for _, torn := range []int{0, 1, len(lines[done+1]) / 2, len(lines[done+1]) - 2, len(lines[done+1]) - 1} {
			cut := strings.Join(lines[:done+1], "") + lines[done+1][:torn]
			if done == 0 {
				cut = lines[0][:len(lines[0])/2] // not even the header is whole
			}
			if err := os.WriteFile(copied+".journal", []byte(cut), 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, copied, Options{})
			rest := records[done:]
			if done > 0 && torn == len(lines[done+1])-1 {
				rest = rest[1:] // only the line break is missing
			}
			appendAll(t, s, rest...)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, read(t, copied), sameState); diff != "" {
				t.Fatalf("%d records, then %d bytes (-want +got):\n%s", done, torn, diff)
			}
		}
	}
}

func TestDamagedJournals(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	s := open(t, path, Options{})
	appendAll(t, s, lifecycle(t)...)
	snapshot, journal := content(t, path), content(t, path+".journal")
	lines := strings.SplitAfter(journal, "\n")
	line := func(rec string) string { return string(appendLine(nil, []byte(rec))) }
	with := func(at int, text string) string {
		changed := append([]string{}, lines...)
		changed[at] = text
		return strings.Join(changed, "")
	}
	tests := map[string]struct {
		text   string
		line   int
		reason string
	}{
		"header":            {with(0, strings.Replace(lines[0], "lineage", "linkage", 1)), 1, "its checksum does not match"},
		"no header":         {strings.Join(lines[1:], ""), 1, "not the header of a journal"},
		"header of nothing": {with(0, line(`{}`)), 1, "not the header of a journal"},
		"byte in a record":  {with(3, strings.Replace(lines[3], "t", "T", 1)), 4, "its checksum does not match"},
		"line removed":      {with(1, ""), 3, `there is no task "0000000000000003" that could be submitted`},
		"line break":        {with(5, strings.Replace(lines[5], ",", ",\n", 1)), 6, "its checksum does not match"},
		"empty line":        {with(5, "\n"), 6, "its checksum does not match"},
		"zeros":             {with(5, strings.Repeat("\x00", 4096)+"\n"), 6, "its checksum does not match"},
		"unknown type":      {with(4, line(`{"type":"sold","address":"image.a"}`)), 5, `there is no entry of type "sold"`},
		"unknown field":     {with(4, line(`{"type":"ready","address":"image.a","x":1}`)), 5, "this is not an entry"},
		"more than a value": {with(4, line(`{"type":"removed","address":"image.a"} {}`)), 5, "this is not an entry"},
		"bad address":       {with(4, line(`{"type":"removed","address":"image"}`)), 5, "this is not an entry"},
		"no task":           {with(1, line(`{"type":"intent","address":"image.a"}`)), 2, "an intent lacks its task"},
		"no image":          {with(4, line(`{"type":"stored","address":"image.a"}`)), 5, "a stored image lacks its record"},
		"no destination":    {with(4, line(`{"type":"moved","address":"image.a"}`)), 5, "a move lacks its destination"},
		"path outside":      {with(4, strings.Replace(line(strings.Replace(string(mustCut(t, lines[4])), "moved/a.png", "../a.png", 1)), "", "", 1)), 5, "its output path"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "fluxbatch.state.json")
			if err := errors.Join(os.WriteFile(path, []byte(snapshot), 0o600), os.WriteFile(path+".journal", []byte(test.text), 0o600)); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path)
			var damaged *DamagedError
			if !errors.As(err, &damaged) {
				t.Fatalf("Read returns %v, want a DamagedError", err)
			}
			if damaged.Path != path+".journal" || damaged.Line != test.line || !strings.Contains(damaged.Reason, test.reason) {
				t.Errorf("the error is %v, want line %d: %s", err, test.line, test.reason)
			}
			// The remedy that the message offers works.
			if err := os.WriteFile(path+".journal", []byte(test.text[:damaged.Offset]), 0o600); err != nil {
				t.Fatal(err)
			}
			read(t, path)
		})
	}
	t.Run("newer", func(t *testing.T) {
		t.Parallel()
		_, err := readJournal(strings.NewReader(with(0, line(`{"version":2,"base":"x"}`))), "j", nil)
		var newer *VersionError
		if !errors.As(err, &newer) || newer.Version != 2 {
			t.Errorf("error is %v, want a VersionError", err)
		}
	})
	t.Run("endless line", func(t *testing.T) {
		t.Parallel()
		_, err := readJournal(strings.NewReader(strings.Repeat("x", 2*maxLine)), "j", nil)
		if _, ok := errors.AsType[*DamagedError](err); !ok {
			t.Errorf("error is %v, want a DamagedError", err)
		}
	})
}

func mustCut(t *testing.T, line string) []byte {
	t.Helper()
	rec, ok := cutLine([]byte(line))
	if !ok {
		t.Fatalf("%q is no line", line)
	}
	return rec
}

// The state file was replaced by version control while a journal was left.
func TestJournalOfAnotherSnapshot(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	lineage := read(t, path).Lineage
	s := open(t, path, Options{})
	a, b, c, d := addr(t, "image.a"), addr(t, "image.b"), addr(t, "image.c"), addr(t, "image.d")
	appendAll(t, s,
		Stored{Address: a, Image: testImage(11)}, Removed{b}, Stored{Address: c, Image: testImage(13)}, Stored{Address: c, Image: testImage(14)},
		Intent{testTask(d, 15)}, Submitted{Key: key(15), ID: "task-15", PollingURL: "https://api.bfl.ai/x"},
	)
	journal := content(t, path+".journal")
	images := func(pairs ...any) map[addrs.Image]*Image {
		m := map[addrs.Image]*Image{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(addrs.Image)] = testImage(pairs[i+1].(int))
		}
		return m
	}
	other := addr(t, "image.other")
	after := images(a, 11, c, 14)
	tests := map[string]struct {
		found    map[addrs.Image]*Image
		want     map[addrs.Image]*Image
		conflict []addrs.Image
	}{
		"an image more":      {images(a, 1, b, 2, other, 9), images(a, 11, c, 14, other, 9), nil},
		"partly in it":       {images(a, 11, b, 2, c, 14), after, nil},
		"wholly in it":       {after, after, nil},
		"b removed there":    {images(a, 1), after, nil},
		"a made there":       {images(a, 9, b, 2), nil, []addrs.Image{a}},
		"a removed there":    {images(b, 2), nil, []addrs.Image{a}},
		"c made there":       {images(a, 1, b, 2, c, 13), nil, []addrs.Image{c}},
		"all made elsewhere": {images(a, 7, b, 8, c, 9), nil, []addrs.Image{a, b, c}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "fluxbatch.state.json")
			st := newState(lineage)
			st.Images = ImagesOf(test.found)
			if err := errors.Join(os.WriteFile(path, []byte(written(t, st)), 0o600), os.WriteFile(path+".journal", []byte(journal), 0o600)); err != nil {
				t.Fatal(err)
			}
			got, err := Read(path)
			if test.conflict == nil {
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(ImagesOf(test.want), got.Images, sameState); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if got.Tasks[key(15)] == nil || got.Tasks[key(15)].ID != "task-15" {
					t.Errorf("the open task is lost: %+v", got.Tasks)
				}
				return
			}
			want := &StaleJournalError{Path: path, Journal: path + ".journal", Addresses: test.conflict}
			var stale *StaleJournalError
			if !errors.As(err, &stale) {
				t.Fatalf("Read returns %v, want a StaleJournalError", err)
			}
			if diff := cmp.Diff(want, stale, sameState); diff != "" {
				t.Error(diff)
			}
			for _, part := range []string{test.conflict[0].String(), "mv " + path + ".journal"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the message %q lacks %q", err, part)
				}
			}
		})
	}
}

func TestJournalWithoutItsSnapshot(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	s := open(t, path, Options{})
	appendAll(t, s, Removed{addr(t, "image.a")})
	if err := errors.Join(s.Close(), os.Remove(path)); err != nil {
		t.Fatal(err)
	}
	var stale *StaleJournalError
	if _, err := Read(path); !errors.As(err, &stale) || !stale.Missing {
		t.Errorf("Read returns %v, want a StaleJournalError about a missing file", err)
	}
	if err := os.WriteFile(path, []byte(written(t, newState("another"))), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); !errors.As(err, &stale) || !stale.Lineages {
		t.Errorf("Read returns %v, want a StaleJournalError about lineages", err)
	}
}
