package executor

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
)

// A file that cannot be read is no fault of the folder where its image is to be: that image fails,
// and others are bought.
func TestFileCannotBeImported(t *testing.T) {
	t.Parallel()
	folder := t.TempDir() // It can be opened, and not be read.
	_, err := os.ReadFile(folder)
	tests := []struct{ name, file, reason string }{
		{"a file that cannot be read", folder, cause(err).Error()},
		{"a file that is gone", "gone.png", "no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				r.image(t, "a")
				r.image(t, "b")
				plan := r.plan(t)
				c := plan.Changes[slices.IndexFunc(plan.Changes, func(c *planner.Change) bool { return c.Address == addrs.Image{Name: "a"} })]
				c.Action, c.Origin = planner.Import, planner.Origin(0)
				c.Rare().Import = &config.Import{To: c.Address, File: tt.file, Name: "refs/a.png", SHA256: "x"}
				o := r.opts
				o.OnEvent = func(e Event) { r.events = append(r.events, e) }
				if summary, err := Apply(t.Context(), plan, o); !errors.Is(err, ErrIncomplete) || summary.Failed != 1 || summary.Created != 1 {
					t.Errorf("Apply = %+v, %v; want one image that failed and one that was made", summary, err)
				}
				if err := r.failures()["image.a"]; err == nil || err.Error() != "the file refs/a.png cannot be imported: "+tt.reason {
					t.Errorf("it was told that %v", err)
				}
			})
		})
	}
}

// A disk that fails where a file is imported from is not the one on which the image is to be.
func TestImportedFromABrokenDisk(t *testing.T) {
	t.Parallel()
	broken := &fs.PathError{Op: "open", Path: "refs/a.png", Err: syscall.EIO}
	_, err := io.ReadAll(source{iotest.ErrReader(broken), "refs/a.png"})
	if err == nil || err.Error() != "the file refs/a.png cannot be imported: input/output error" {
		t.Errorf("it is told that %v", err)
	}
	if disk := noPlace("images/a.png", err); disk != nil {
		t.Errorf("it is taken for the fault of the image's folder: %v", disk)
	}
}
