package safefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// openTemp returns a Dir on a fresh directory.
func openTemp(t *testing.T) *Dir {
	t.Helper()
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// tree returns the files below a directory with their content.
func tree(t *testing.T, d *Dir) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(d.Path(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		rel, relErr := filepath.Rel(d.Path(), path)
		files[filepath.ToSlash(rel)] = string(content)
		return errors.Join(err, relErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestWriteFile(t *testing.T) {
	t.Parallel()
	d := openTemp(t)
	for _, content := range []string{"old", "new content", ""} {
		if err := d.WriteFile("a/b/c.txt", 0o640, text(content)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"a/b/c.txt": content}, tree(t, d)); diff != "" {
			t.Error(diff)
		}
	}
	info, err := d.Stat("a/b/c.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o640 {
		t.Errorf("permissions are %v, want 0640", got)
	}
}

// The order is what makes it safe, so it is spelled out.
func TestOrderOfOperations(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		step func(*Dir) error
		want []string
	}{
		"write": {
			func(d *Dir) error { return d.WriteFile("a", 0o644, text("new")) },
			[]string{"open .", "stat .", "create TEMP", "write TEMP", "sync TEMP", "close TEMP", "rename a", "sync directory ."},
		},
		"write in a new directory": {
			func(d *Dir) error { return d.WriteFile("new/a", 0o644, text("new")) },
			[]string{
				"open new", "stat new", "mkdir new", "sync directory .", "open new", "stat new", "create new/TEMP", "write new/TEMP", "sync new/TEMP",
				"close new/TEMP", "rename new/a", "sync directory new",
			},
		},
		"rename": {
			func(d *Dir) error { return d.Rename("a", "sub/a") },
			[]string{"rename sub/a", "sync directory sub", "sync directory ."},
		},
		"link":   {func(d *Dir) error { return d.Link("a", "sub/a") }, []string{"link sub/a", "sync directory sub"}},
		"remove": {func(d *Dir) error { return d.Remove("a") }, []string{"remove a", "sync directory ."}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openTemp(t)
			if err := errors.Join(d.WriteFile("a", 0o644, text("old")), d.MkdirAll("sub", 0o755)); err != nil {
				t.Fatal(err)
			}
			var got []string
			err := test.step(d.WithFaults(func(op Op, name string) error {
				if dir, base := path.Split(name); isTemp(base, "a") {
					name = dir + "TEMP"
				}
				got = append(got, op.String()+" "+name)
				return nil
			}))
			if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPendingIsUnseenUntilCommit(t *testing.T) {
	t.Parallel()
	d := openTemp(t)
	if err := d.WriteFile("x", 0o644, text("old")); err != nil {
		t.Fatal(err)
	}
	p, err := d.Create("x", 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if err := text("new")(p); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"x": "old", p.Temporary(): "new"}, tree(t, d)); diff != "" {
		t.Errorf("before Commit:\n%s", diff)
	}
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"x": "new"}, tree(t, d)); diff != "" {
		t.Errorf("after Commit:\n%s", diff)
	}
	if err := p.Abort(); err != nil {
		t.Errorf("Abort after Commit: %v", err)
	}
	if err := p.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("second Commit: %v, want ErrClosed", err)
	}
	if diff := cmp.Diff(map[string]string{"x": "new"}, tree(t, d)); diff != "" {
		t.Errorf("after Abort:\n%s", diff)
	}
}

func TestAbortLeavesTheOldFile(t *testing.T) {
	t.Parallel()
	d := openTemp(t)
	if err := d.WriteFile("x", 0o644, text("old")); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("no more input")
	err := d.WriteFile("x", 0o644, func(w io.Writer) error { return errors.Join(text("ne")(w), failure) })
	if !errors.Is(err, failure) {
		t.Errorf("error is %v, want %v", err, failure)
	}
	if diff := cmp.Diff(map[string]string{"x": "old"}, tree(t, d)); diff != "" {
		t.Error(diff)
	}
}

// A fault at each operation in turn leaves the old or the new content under the final name, and is
// reported. With every operation after it failing too, as after a crash, what is found later is
// still one of the two.
func TestFaultsNeverMixContents(t *testing.T) {
	t.Parallel()
	const oldContent, newContent = "the old content", "something new that is longer"
	steps := map[string]func(*Dir) error{
		"write":         func(d *Dir) error { return d.WriteFile("x", 0o644, text(newContent)) },
		"write in dirs": func(d *Dir) error { return d.WriteFile("a/b/x", 0o644, text(newContent)) },
		"settle": func(d *Dir) error {
			p, err := d.Create("x", 0o644)
			if err != nil {
				return err
			}
			if err := errors.Join(text(newContent)(p), p.Settle(), p.Sync()); err != nil {
				return errors.Join(err, p.Abort())
			}
			return p.Commit()
		},
		"rename": func(d *Dir) error { return d.Rename("new", "x") },
		"link": func(d *Dir) error {
			if err := d.Remove("x"); err != nil {
				return err
			}
			return d.Link("new", "x")
		},
	}
	// failing are the operations whose faults cannot go unnoticed.
	failing := map[Op]bool{OpCreate: true, OpWrite: true, OpSync: true, OpClose: true, OpRename: true, OpSyncDir: true, OpLink: true, OpTouch: true}
	for name, step := range steps {
		for _, crash := range []bool{false, true} {
			for n := 0; ; n++ {
				d := openTemp(t)
				for file, content := range map[string]string{"x": oldContent, "new": newContent} {
					if err := d.WriteFile(file, 0o644, text(content)); err != nil {
						t.Fatal(err)
					}
				}
				failure := fmt.Errorf("operation %d fails", n)
				seen, failed := 0, Op(-1)
				err := step(d.WithFaults(func(op Op, _ string) error {
					seen++
					if seen-1 == n {
						failed = op
					}
					if seen-1 == n || crash && seen > n {
						return failure
					}
					return nil
				}))
				if failed < 0 {
					if err != nil {
						t.Fatalf("%s without a fault: %v", name, err)
					}
					break
				}
				files := tree(t, d)
				final, there := files["x"]
				if name == "write in dirs" {
					final, there = files["a/b/x"]
				}
				what := fmt.Sprintf("%s, fault at operation %d (%v), crash %v, error %v", name, n, failed, crash, err)
				switch {
				case there && final != oldContent && final != newContent:
					t.Errorf("%s: the file holds %q", what, final)
				case !there && name != "write in dirs" && name != "link":
					t.Errorf("%s: the file is gone", what)
				case err == nil && final != newContent:
					t.Errorf("%s: success is reported, and the file holds %q", what, final)
				case failing[failed] && !errors.Is(err, failure):
					t.Errorf("%s: the fault is not reported", what)
				case files["new"] != newContent && name != "rename":
					t.Errorf("%s: another file was touched: %q", what, files["new"])
				}
				if crash {
					continue
				}
				for file := range files {
					if strings.Contains(file, tempPrefix) && failed != OpRemove {
						t.Errorf("%s: %s is left over", what, file)
					}
				}
			}
		}
	}
}

func TestNamesCannotLeave(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := openTemp(t)
	for link, target := range map[string]string{
		"absolute": outside, "relative": "../" + filepath.Base(outside), "file": filepath.Join(outside, "secret"), "inside": "real",
	} {
		if err := os.Symlink(target, filepath.Join(d.Path(), link)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	if err := d.MkdirAll("real", 0o755); err != nil {
		t.Fatal(err)
	}
	bad := []string{"..", "../x", "a/../../x", "/etc/passwd", "", "a//b", "./x", "a/", "absolute/secret", "relative/secret", "file"}
	for _, name := range bad {
		if _, err := d.Open(name); !errors.Is(err, ErrOutside) {
			t.Errorf("Open(%q): %v, want ErrOutside", name, err)
		}
		if _, err := d.Stat(name); !errors.Is(err, ErrOutside) {
			t.Errorf("Stat(%q): %v, want ErrOutside", name, err)
		}
		if name == "file" {
			continue // replacing the link itself stays inside
		}
		if err := d.WriteFile(name, 0o644, text("overwritten")); !errors.Is(err, ErrOutside) {
			t.Errorf("WriteFile(%q): %v, want ErrOutside", name, err)
		}
		if err := d.Rename("real", name); !errors.Is(err, ErrOutside) {
			t.Errorf("Rename to %q: %v, want ErrOutside", name, err)
		}
		if err := d.Remove(name); !errors.Is(err, ErrOutside) {
			t.Errorf("Remove(%q): %v, want ErrOutside", name, err)
		}
	}
	if err := d.WriteFile("file", 0o644, text("harmless")); err != nil {
		t.Errorf("replacing a link: %v", err)
	}
	if err := d.WriteFile("inside/x", 0o644, text("through a link that stays inside")); err != nil {
		t.Errorf("writing through a link that stays inside: %v", err)
	}
	content, err := os.ReadFile(filepath.Join(outside, "secret"))
	if string(content) != "secret" || err != nil {
		t.Errorf("the file outside holds %q, %v", content, err)
	}
}

// Somebody who replaces the directory by a link while a file is pending does not get the file
// elsewhere.
func TestDirectorySwappedWhilePending(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	d := openTemp(t)
	p, err := d.Create("out/x", 0o644)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(d.Path(), "out")
	if err := errors.Join(os.Rename(dir, dir+"-moved"), os.Symlink(outside, dir)); err != nil {
		t.Skipf("cannot swap directories here: %v", err)
	}
	if err := errors.Join(text("content")(p), p.Commit()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) > 0 {
		t.Errorf("outside there are %v, %v", entries, err)
	}
	if content, err := os.ReadFile(filepath.Join(dir+"-moved", "x")); string(content) != "content" {
		t.Errorf("the file holds %q, %v", content, err)
	}
}

func TestReadFileLimit(t *testing.T) {
	t.Parallel()
	d := openTemp(t)
	if err := d.WriteFile("x", 0o644, text("12345")); err != nil {
		t.Fatal(err)
	}
	if content, err := d.ReadFile("x", 5); string(content) != "12345" || err != nil {
		t.Errorf("at the limit: %q, %v", content, err)
	}
	if _, err := d.ReadFile("x", 4); !errors.Is(err, ErrTooLarge) {
		t.Errorf("over the limit: %v, want ErrTooLarge", err)
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	d := openTemp(t)
	for _, line := range []string{"one\n", "two\n"} {
		f, err := d.Append("logs/x", 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(line)); err != nil {
			t.Error(err)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(map[string]string{"logs/x": "one\ntwo\n"}, tree(t, d)); diff != "" {
		t.Error(diff)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	d := openTemp(t)
	long := strings.Repeat("ü", 120) + "x.png"
	keep := map[string]string{
		"x.png":                               "",
		tempPrefix + "x.png":                  "", // no digits: not ours
		tempPrefix + "x.png-0123456789abcdeg": "",
		"sub/" + tempName("x.png"):            "",
		tempName("spared.png"):                "",
		tempName("x.png-y"):                   "", // of another file
	}
	var spared []string
	write := func(name string) {
		t.Helper()
		if err := d.WriteFile(name, 0o644, text("")); err != nil {
			t.Fatal(err)
		}
	}
	for name := range keep {
		write(name)
		if strings.Contains(name, "spared") {
			spared = append(spared, name)
		}
	}
	write(tempName("x.png"))
	write(tempName(long))
	if err := errors.Join(d.SweepFor(".", "x.png", long), d.SweepFor("missing", "x")); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(keep, tree(t, d)); diff != "" {
		t.Errorf("after SweepFor:\n%s", diff)
	}
	if err := d.Sweep(".", spared...); err != nil {
		t.Error(err)
	}
	for name := range keep {
		if isTemp(name, "x.png-y") {
			delete(keep, name)
		}
	}
	if diff := cmp.Diff(keep, tree(t, d)); diff != "" {
		t.Errorf("after Sweep:\n%s", diff)
	}
}

func TestOpenAll(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	for range 2 {
		d, err := OpenAll(filepath.Join(base, "a", "b", "c"), 0o777)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(d.WriteFile("x", 0o644, text("")), d.Close()); err != nil {
			t.Error(err)
		}
	}
	if err := os.WriteFile(filepath.Join(base, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAll(filepath.Join(base, "file", "x"), 0o777); err == nil {
		t.Error("a directory below a file was opened")
	}
}

func TestConcurrentCreate(t *testing.T) {
	t.Parallel()
	d := openTemp(t)
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			if err := d.WriteFile(fmt.Sprintf("a/b/%d/x", n%4), 0o644, text("same")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	want := map[string]string{"a/b/0/x": "same", "a/b/1/x": "same", "a/b/2/x": "same", "a/b/3/x": "same"}
	if diff := cmp.Diff(want, tree(t, d)); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkWriteFile(b *testing.B) {
	d, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			b.Error(err)
		}
	}()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if err := d.WriteFile(fmt.Sprintf("images/%d.png", n), 0o644, text("content")); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

// Peek tells of regular files in the directory itself what Stat tells, and of nothing else.
func TestPeek(t *testing.T) {
	t.Parallel()
	at := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	for _, name := range []string{outside, filepath.Join(at, "file")} {
		if err := os.WriteFile(name, []byte("four"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{
		os.Mkdir(filepath.Join(at, "folder"), 0o700), os.WriteFile(filepath.Join(at, "folder", "in"), nil, 0o600),
		os.Symlink("file", filepath.Join(at, "link")), os.Symlink(outside, filepath.Join(at, "leak")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := Open(at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }() // It was only read.
	for _, name := range []string{"folder", "folder/in", "link", "leak", "missing", ".", "..", "../" + filepath.Base(at) + "/file", ""} {
		if _, _, ok := d.Peek(name); ok {
			t.Errorf("Peek tells of %q", name)
		}
	}
	info, err := d.Stat("file")
	if err != nil {
		t.Fatal(err)
	}
	size, modTime, ok := d.Peek("file")
	if runtime.GOOS == "linux" && !ok || ok && (size != info.Size() || modTime != info.ModTime().UnixNano()) {
		t.Errorf("Peek tells %d, %d, %v of %v", size, modTime, ok, info)
	}
}
