package costs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), FileName)
	logo, err := addrs.Parse("module.brand.image.logo")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	ledger := Ledger{Path: path}
	for _, e := range []Entry{
		{Time: at.AddDate(0, 1, 0), Address: logo, Model: "flux-2-pro", TaskID: "b", Outcome: Lost, Estimated: 3000, Charged: 3000},
		{Time: at, Address: logo, Model: "flux-2-pro", TaskID: "a", Outcome: Made, Estimated: 3000, Charged: 4500, Labels: map[string]string{"team": "shop"}},
		// As a merge by union can leave it.
		{Time: at, Address: logo, Model: "flux-2-pro", TaskID: "a", Outcome: Made, Estimated: 3000, Charged: 4500},
		{Time: at, Address: addrs.Image{Name: "hero"}, Model: "flux-2-max", TaskID: "c", Outcome: Moderated, Charged: 7000},
	} {
		if err := ledger.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := Read(path)
	if err != nil || len(entries) != 3 {
		t.Fatalf("read %v, %v", entries, err)
	}
	for by, want := range map[Grouping][]string{
		"month": {"2026-02", "2026-03"}, "model": {"flux-2-max", "flux-2-pro"}, "module": {"(root)", "module.brand"}, "label.team": {"(none)", "shop"},
	} {
		sums, total := Add(entries, by)
		var got []string
		for _, s := range sums {
			got = append(got, s.Key)
		}
		if diff := cmp.Diff(want, got); diff != "" || !by.Valid() {
			t.Errorf("by %s (-want +got):\n%s", by, diff)
		}
		if want := (Sum{Key: "total", Images: 1, Estimated: 6000, Charged: 14500, Lost: 3000, Moderated: 7000}); total != want {
			t.Errorf("the total is %+v", total)
		}
	}
	if Grouping("label.").Valid() || Grouping("colour").Valid() {
		t.Error("there is a grouping that is none")
	}
	if entries, err := Read(path + ".nowhere"); entries != nil || err != nil {
		t.Errorf("a ledger that is not there has %v, %v", entries, err)
	}
}

// A ledger that is replaced between two entries, as by version control, gets those that follow.
func TestLedgerReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), FileName)
	l := Ledger{Path: path}
	add := func(id string) {
		t.Helper()
		if err := l.Append(Entry{Address: addrs.Image{Name: "hero"}, TaskID: id, Outcome: Made}); err != nil {
			t.Fatal(err)
		}
	}
	add("a")
	add("b")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Skipf("an open file cannot be renamed here: %v", err)
	}
	add("c")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]int{path: 1, path + ".old": 2} {
		if entries, err := Read(name); err != nil || len(entries) != want {
			t.Errorf("%s has %v, %v", name, entries, err)
		}
	}
}

// A line that is torn, or has no end, takes no other with it.
func TestLedgerTorn(t *testing.T) {
	t.Parallel()
	for _, end := range []string{`{"time":"2026-01-02T03:0`, `{"task_id":"first","outcome":"made","charged_credits":3}`} {
		path := filepath.Join(t.TempDir(), FileName)
		if err := os.WriteFile(path, []byte(end), 0o600); err != nil {
			t.Fatal(err)
		}
		l := Ledger{Path: path}
		for _, id := range []string{"second", "third"} {
			if err := l.Append(Entry{Address: addrs.Image{Name: "a"}, TaskID: id, Outcome: Made, Charged: 3000}); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		var ids []string
		entries, err := Read(path)
		for _, e := range entries {
			ids = append(ids, e.TaskID)
		}
		if err != nil || !slices.Contains(ids, "second") || !slices.Contains(ids, "third") || strings.Contains(end, "first") != slices.Contains(ids, "first") {
			t.Errorf("after %s there are %q, %v", end, ids, err)
		}
	}
}

// A charge of which an earlier run may have told is there once, also where version control puts
// another file in the ledger's place.
func TestLedgerOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), FileName)
	l := Ledger{Path: path}
	entry := func(id string) Entry { return Entry{Address: addrs.Image{Name: "hero"}, TaskID: id, Outcome: Made} }
	once := func(ids ...string) {
		t.Helper()
		for _, id := range ids {
			if err := l.AppendOnce(entry(id)); err != nil {
				t.Fatal(err)
			}
		}
	}
	count := func(name string, want int) {
		t.Helper()
		content, err := os.ReadFile(name)
		if n := strings.Count(string(content), "\n"); err != nil || n != want {
			t.Errorf("%s has %d lines, %v; want %d", name, n, err, want)
		}
	}
	if err := l.Append(entry("a")); err != nil {
		t.Fatal(err)
	}
	once("a", "b", "b")
	if err := l.Append(entry("c")); err != nil {
		t.Fatal(err)
	}
	once("c")
	count(path, 3)
	if err := os.Rename(path, path+".old"); err != nil {
		t.Skipf("an open file cannot be renamed here: %v", err)
	}
	once("a", "a")
	count(path, 1)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
