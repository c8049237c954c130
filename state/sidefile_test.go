package state

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// What a crash left of a line, wherever it was cut off, takes nothing of those that are noted later,
// and counts itself where only its line break is missing.
func TestNotesAfterATornOne(t *testing.T) {
	t.Parallel()
	line := func(n int) []byte {
		e, err := encode(&entry{Type: entrySubmitted, Key: key(n), ID: "task"})
		if err != nil {
			t.Fatal(err)
		}
		return appendLine(nil, e)
	}
	whole := line(1)
	for cut := range len(whole) + 1 {
		root, err := safefile.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root.Path(), sideName)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		side := &sideFile{root: root}
		for n := range 2 {
			if err := side.note(line(2 + n)); err != nil {
				t.Fatal(err)
			}
		}
		noted, err := side.lines()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range noted {
			if k := submittedKey(l); k != "" {
				got = append(got, k)
			}
		}
		want := []string{key(2), key(3)}
		if cut >= len(whole)-1 {
			want = append([]string{key(1)}, want...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("cut after %d bytes, the keys are %v, want %v", cut, got, want)
		}
		if err := side.close(); err != nil {
			t.Fatal(err)
		}
		if err := root.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
