package workspace

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/s3"
	"github.com/fluxbatch/fluxbatch/state"
)

// maxUploads is how many images are put where other machines find them at once.
const maxUploads = 16

// commit writes the state, with what other machines need of it there before: images that were not
// bought by this very apply are imported, edited, restored or older than the bucket. What cannot be
// put there now is put there by the next commit.
func (w *Workspace) commit(outputs map[string]state.OutputValue) error {
	published := w.publish()
	if err := w.session.Commit(outputs); err != nil {
		return err
	}
	return published
}

// publish puts all images there that are on record, are as recorded, and are not there yet.
func (w *Workspace) publish() error {
	store := w.local.Store()
	if !store.IsShared() {
		return nil
	}
	images := w.session.State().Images
	var missing []addrs.Image
	for addr, f := range images.Files() {
		published, err := store.Elsewhere(f.SHA256)
		if err != nil {
			return fmt.Errorf("the images are here, but other machines cannot have them yet: %w", err)
		}
		if !published {
			missing = append(missing, addr)
		}
	}
	uploads := newMeter(w.env.OnEvent, uploadsEvery, executor.Uploaded{Of: len(missing)})
	defer uploads.end()
	var group errgroup.Group
	group.SetLimit(maxUploads)
	for _, addr := range missing {
		group.Go(func() error {
			img := images.Get(addr)
			if !w.holds(img.Output.Path, img.Output.SHA256) {
				return nil // Somebody changed it; there is nothing to put there.
			}
			if err := store.Publish(w.outputs, img.Output.Path, addr, img); err != nil {
				return err
			}
			uploads.add(time.Now(), func(u *executor.Uploaded) {
				u.Images++
				u.Bytes += img.Output.Bytes
			})
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("the images are here, but other machines cannot have all of them yet: %w. The next apply continues with it", err)
	}
	return nil
}

// Reporting returns a context whose transfers to buckets and from there, and waits for a state, are
// told while they take long, and stores that do not answer. tell may be called by several goroutines at once.
func Reporting(ctx context.Context, tell func(executor.Event)) context.Context {
	ctx = state.ReportWaits(ctx, func(w state.Wait) { tell(executor.Waiting{Wait: w}) })
	ctx = s3.ReportSilence(ctx, func(silence s3.Silence) { tell(executor.Unanswered(silence)) })
	return s3.ReportTransfers(ctx, func(t s3.Transfer) {
		tell(executor.Transferred{Object: t.Object, Upload: t.Upload, Bytes: t.Done, Size: t.Size})
	})
}

// findAbsent asks for the images on record whose files are not here as they were made, where the
// listing of what other machines put there does not have them.
func (w *Workspace) findAbsent(files map[addrs.Image]state.FileStatus) error {
	store := w.local.Store()
	if !store.IsShared() {
		return nil
	}
	var sums []string
	for addr, status := range files {
		if status == state.Missing || status == state.Changed {
			sums = append(sums, w.session.State().Images.Get(addr).Output.SHA256)
		}
	}
	lookups := newMeter(w.env.OnEvent, lookupsEvery, executor.LookedUp{Store: store.SharedIn(), Of: len(sums)})
	defer lookups.end()
	return store.LookFor(sums, func() {
		lookups.add(time.Now(), func(l *executor.LookedUp) { l.Images++ })
	})
}

// findOutdated tells files that nobody edited from those that somebody did: another machine has
// made a newer picture, and this one still has a former one.
func (w *Workspace) findOutdated(files map[addrs.Image]state.FileStatus) error {
	store := w.local.Store()
	if !store.IsShared() {
		return nil
	}
	for addr, status := range files {
		if status != state.Changed {
			continue
		}
		sum, err := w.local.Index().Hash(w.outputs, w.session.State().Images.Get(addr).Output.Path)
		if err != nil {
			continue // What is no file is no picture.
		}
		switch former, err := store.Elsewhere(sum); {
		case err != nil:
			return err
		case former:
			files[addr] = state.Outdated
		}
	}
	return nil
}
