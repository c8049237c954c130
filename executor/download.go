package executor

import (
	"context"
	"errors"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

const (
	// downloadTimeout bounds the fetching of one image.
	downloadTimeout = 5 * time.Minute
	// oldAge is how long after it was accepted a task is given up whose image cannot be had where
	// the API still says that it is, after oldAttempts.
	oldAge      = 24 * time.Hour
	oldAttempts = 3
	// maxImageBytes bounds an image's file. Four megapixels take some 50 MB as the worst PNG.
	maxImageBytes = 64 << 20
)

// download fetches, checks and puts in place one image.
func (r *run) download(n *node) {
	r.downloading++
	r.backlog.begin(n)
	ctx, job := r.ctx, r.fetchOf(n)
	r.spawn(func() func() {
		ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
		defer cancel()
		img, told, err := job.run(ctx)
		return func() {
			r.downloading--
			r.backlog.end(n)
			r.fetched(n, img, told, err)
		}
	})
}

// fetched decides what follows a download.
func (r *run) fetched(n *node, img *state.Image, told string, err error) {
	switch {
	case n.phase == over:
	case img != nil && err != nil:
		r.delivered()
		r.unrecorded(n, img, err)
	case img != nil:
		r.delivered()
		for _, what := range r.deviations(n, img) {
			r.emit(Warned{n.address(), what})
		}
		r.brought(n, img, told)
	case r.ctx.Err() != nil:
		// Left to a later run; abandon says so.
	default:
		r.downloadFailed(n, err)
	}
}

// deviations says in which ways an image is not what was asked for.
func (r *run) deviations(n *node, img *state.Image) []string {
	if n.request == nil || len(n.desired.Sensitive()) > 0 {
		return planner.Deviations(img) // The record has nothing that is not to be shown.
	}
	return planner.DeviationsFrom(n.request, img)
}

// downloadFailed tries again what can pass: the bytes were paid for.
func (r *run) downloadFailed(n *node, err error) {
	if storage := noPlace(r.outputOf(n), err); storage != nil {
		r.noneTaken(n, storage)
		return
	}
	if _, isHeld := errors.AsType[*heldError](err); isHeld {
		r.fail(n, err)
		return
	}
	n.fetches++
	isRefused := errors.Is(err, bfl.ErrExpired)
	if isRefused && n.fetches >= oldAttempts && !n.accepted.IsZero() && time.Since(n.accepted) >= oldAge {
		const reason = "is more than a day old, and its image can no longer be downloaded"
		r.lost(n, reason, &TaskError{n.task.ID, reason, n.cost})
		return
	}
	if speaksOfAll(n, err) {
		r.delivery.failing[n] = true
		r.outageGoesOn(hostOf(n.sample.SampleURL), false, err)
	}
	if n.fetches >= maxAttempts {
		if !r.mayCome(n, err) {
			r.undelivered(n, err)
			return
		}
		if r.spend(n, err); n.phase == over {
			return
		}
	}
	delay := backoff(n.fetches, jitter(), 0)
	if !n.salvages() {
		r.emit(Retrying{n.address(), "download", err, delay})
	}
	r.later(delay, func() {
		switch {
		case n.phase == over:
		case isRefused:
			// Asking for the result again gives a fresh URL, as long as the API remembers the task.
			r.poll(n)
		default:
			r.downloads = append(r.downloads, n)
		}
	})
}
