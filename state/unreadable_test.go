package state

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// An image of the store that cannot be read is told with its name, the reason and the way out, and as no
// error of the folder that it was to go to. Where it can be had elsewhere, it comes from there.
func TestStoreUnreadableBlob(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		shared  bool
		fails   error // of the bucket
		without bool  // nothing is in the bucket
		want    []string
	}{
		"here alone":             {want: []string{".fluxbatch/store/", "input/output error", "remove it"}},
		"here, not in a bucket":  {shared: true, without: true, want: []string{".fluxbatch/store/", "input/output error", "remove it"}},
		"here, and in a bucket":  {shared: true},
		"neither here nor there": {shared: true, fails: errors.New("memory/x: internal error"), want: []string{"memory/x: internal error", "delete it"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, shelf := newProject(t), newShelf()
			img := p.image(t, 1, "whole")
			sum := img.Output.SHA256
			p.local.Store().Share(t.Context(), shelf)
			if !tt.without {
				if err := p.local.Store().Publish(p.dir, img.Output.Path, nth(0), img); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.local.Store().Put(p.dir, nth(0), img); err != nil {
				t.Fatal(err)
			}
			shelf.fails = tt.fails
			faulty := p.dir.WithFaults(func(op safefile.Op, name string) error {
				if op == safefile.OpOpen && name == blobName(sum) {
					return syscall.EIO
				}
				return nil
			})
			local, err := OpenLocal(faulty)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = local.Close() }()
			if tt.shared {
				local.Store().Share(t.Context(), shelf)
			}
			err = local.Store().Restore(sum, faulty, img.Output.Path)
			if len(tt.want) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				wantTree(t, p, map[string]string{blobName(sum): "whole", img.Output.Path: "whole"})
				return
			}
			_, isBlob := errors.AsType[*BlobError](err)
			if _, isFile := errors.AsType[*fs.PathError](err); !isBlob || isFile {
				t.Fatalf("Restore returns %v, want a BlobError and none of the file system", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Restore returns %q, want %q in it", err, want)
				}
			}
			if tt.shared {
				return
			}
			if local.Store().Whole(sum) || !strings.Contains(local.Store().Err().Error(), blobName(sum)) {
				t.Errorf("a plan is told %v, want the name of the file", local.Store().Err())
			}
		})
	}
}
