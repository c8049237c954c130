package state

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// The order is what makes it safe: bytes and name and recipe are durable before the file goes.
func TestOrderOfPut(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	if err := p.local.Store().Put(p.dir, nth(0), p.image(t, 0, "makes the directories")); err != nil {
		t.Fatal(err)
	}
	img := p.image(t, 1, "moves")
	if err := p.dir.MkdirAll(filepath.Dir(blobName(img.Output.SHA256)), 0o755); err != nil {
		t.Fatal(err)
	}
	var got []string
	faulty := p.dir.WithFaults(func(op safefile.Op, name string) error {
		switch op {
		case safefile.OpOpen, safefile.OpStat, safefile.OpRead, safefile.OpClose:
		default:
			got = append(got, op.String()+" "+name)
		}
		return nil
	})
	local, err := OpenLocal(faulty)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(local.Store().Put(faulty, nth(1), img), local.Close()); err != nil {
		t.Fatal(err)
	}
	blob := blobName(img.Output.SHA256)
	want := []string{
		"sync " + img.Output.Path, "link " + blob, "sync directory " + filepath.Dir(blob),
		"write " + recipesFile, "sync " + recipesFile,
		"remove " + img.Output.Path, "sync directory images",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A fault at each operation loses no byte: they are under the output's name or under the store's,
// and doing it again completes it.
func TestStoreFaults(t *testing.T) {
	t.Parallel()
	steps := map[string]func(*Local, *safefile.Dir, *Image) error{
		"put": func(l *Local, d *safefile.Dir, img *Image) error { return l.Store().Put(d, nth(0), img) },
		"keep": func(l *Local, d *safefile.Dir, img *Image) error {
			return l.Store().KeepFile(d, img.Output.Path, nth(0), img)
		},
		"put where links fail": func(l *Local, d *safefile.Dir, img *Image) error {
			return l.Store().Put(d, nth(0), img)
		},
	}
	for name, step := range steps {
		for _, crash := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, crash %v", name, crash), func(t *testing.T) {
				t.Parallel()
				for n := 0; ; n++ {
					p := newProject(t)
					img := p.image(t, 1, "precious")
					fault := newFault(n, crash)
					faulty := p.dir.WithFaults(func(op safefile.Op, name string) error {
						if op == safefile.OpLink && strings.Contains(t.Name(), "links_fail") {
							return errors.ErrUnsupported
						}
						return fault.hook(op, name)
					})
					local, err := OpenLocal(faulty)
					if err == nil {
						err = step(local, faulty, img)
						// Closing reads nothing and loses nothing; in a crash it fails.
						_ = local.Close()
					}
					if fault.op < 0 {
						if err != nil {
							t.Fatalf("without a fault: %v", err)
						}
						return
					}
					if err != nil && !errors.Is(err, fault.err) {
						t.Fatalf("%v: %v", fault, err)
					}
					checkPrecious(t, fault, p, img, err)
					p.reopen(t)
					if err := p.local.Store().Put(p.dir, nth(0), img); err != nil {
						t.Fatalf("%v: doing it again: %v", fault, err)
					}
					wantFound(t, p, img, true)
					if err := p.local.Store().Restore(img.Output.SHA256, p.dir, img.Output.Path); err != nil {
						t.Fatalf("%v: restoring: %v", fault, err)
					}
				}
			})
		}
	}
}

// checkPrecious makes sure that the bytes are under one of their names, and under no name are
// others.
func checkPrecious(t *testing.T, fault *faultAt, p *project, img *Image, err error) {
	t.Helper()
	files := p.tree(t)
	blob, output := files[blobName(img.Output.SHA256)], files[img.Output.Path]
	if blob != "precious" && output != "precious" {
		t.Fatalf("%v: the bytes are lost: %v", fault, files)
	}
	if blob != "" && blob != "precious" || output != "" && output != "precious" {
		t.Fatalf("%v: a name has half the bytes: %v", fault, files)
	}
	if err == nil && blob != "precious" {
		t.Fatalf("%v: success is reported, and the store has nothing", fault)
	}
}

func TestRestoreFaults(t *testing.T) {
	t.Parallel()
	for _, crash := range []bool{false, true} {
		for n := 0; ; n++ {
			p := newProject(t)
			img := p.image(t, 1, "precious")
			if err := p.local.Store().Put(p.dir, nth(0), img); err != nil {
				t.Fatal(err)
			}
			fault := newFault(n, crash)
			faulty := p.dir.WithFaults(fault.hook)
			err := p.local.Store().Restore(img.Output.SHA256, faulty, "a/b.png")
			if fault.op < 0 {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			if got, there := p.tree(t)["a/b.png"]; there && got != "precious" || err == nil && !there {
				t.Fatalf("%v: the file has %q, %v", fault, got, err)
			}
			if err := p.local.Store().Restore(img.Output.SHA256, p.dir, "a/b.png"); err != nil {
				t.Fatalf("%v: doing it again: %v", fault, err)
			}
		}
	}
}
