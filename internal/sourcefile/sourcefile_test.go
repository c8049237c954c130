package sourcefile

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
)

// write makes a folder of files, each given by its path and its content.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Of two files whose names look alike, the one is meant whose name is exactly what is written.
func TestNamedExactly(t *testing.T) {
	t.Parallel()
	composed, decomposed := norm.NFC.String("tür.txt"), norm.NFD.String("tür.txt")
	dir := write(t, composed, "composed", decomposed, "decomposed")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) < 2 {
		t.Skip("this file system takes the two names for one")
	}
	for _, name := range []string{composed, decomposed, "no" + composed, "nö/" + composed} {
		if got, want := Named(filepath.Join(dir, name)), filepath.Join(dir, name); got != want {
			t.Errorf("%+q is read from %+q", want, got)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	dir := write(t, "a.png", "", "b.txt", "", "sub/c.png", "", "sub/deep/d.png", "", ".hidden/e.png", "")
	for link, target := range map[string]string{"loop": ".", "sub/up": "..", "nowhere": "gone", "link.png": "a.png"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here")
		}
	}
	for _, tt := range []struct {
		pattern string
		want    []string
	}{
		{"*.png", []string{"a.png", "link.png"}},
		{"**/*.png", []string{".hidden/e.png", "a.png", "link.png", "sub/c.png", "sub/deep/d.png"}},
		{"sub/**", []string{"sub/c.png", "sub/deep/d.png", "sub/up/.hidden/e.png", "sub/up/a.png", "sub/up/b.txt", "sub/up/link.png"}},
		{"*/*.png", []string{".hidden/e.png", "sub/c.png"}},
		{"sub/../a.*", []string{"a.png"}},
		{"{sub/deep,.hidden}/*", []string{".hidden/e.png", "sub/deep/d.png"}},
		{"/b.txt", []string{"b.txt"}},
		{"none/*", nil},
		{"a.png/*", nil},
	} {
		got, err := List(dir, tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.pattern, diff)
		}
	}
	if got, err := List(filepath.Join(dir, "sub"), "../*.txt"); err != nil || !slices.Equal(got, []string{"../b.txt"}) {
		t.Errorf("above the folder there is %q, %v", got, err)
	}
}

// A name that is no text would be another one in the state.
func TestListNeedsText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a\xff.png"), nil, 0o600); err != nil {
		t.Skip("this file system takes only names that are text")
	}
	if got, err := List(dir, "*.png"); err == nil {
		t.Errorf("listed %+q", got)
	}
	if got, err := List(dir, "*.txt"); err != nil || len(got) > 0 {
		t.Errorf("listed %+q, %v", got, err)
	}
}
