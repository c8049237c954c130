package executor

import (
	"context"
	"errors"
	"time"
)

// maxDownloads bounds how many images are fetched at once.
const maxDownloads = 16

// loop runs until every change is over and every worker has come back.
func (r *run) loop() {
	drained, doorbell := r.opts.Drain.Done(), r.opts.Doorbell
	for r.unfinished > 0 || r.workers > 0 || len(r.renders.queue) > 0 {
		r.launch()
		r.unwaited()
		if r.unfinished == 0 && r.workers == 0 {
			return
		}
		wake := r.timer()
		select {
		case do := <-r.told:
			r.workers--
			do()
		case id, open := <-doorbell:
			if !open {
				doorbell = nil
				break
			}
			r.rung(id)
		case <-wake.C:
			r.keepAppointments()
		case <-drained:
			drained = nil
			r.stopNew(context.Cause(r.opts.Drain))
		case <-r.ctx.Done():
			r.abandon()
		}
		wake.Stop()
	}
}

// timer fires when the next entry of the agenda is due.
func (r *run) timer() *time.Timer {
	at, ok := r.agenda.next()
	if !ok {
		return time.NewTimer(time.Hour)
	}
	return time.NewTimer(time.Until(at))
}

func (r *run) keepAppointments() {
	for {
		do, ok := r.agenda.due(time.Now())
		if !ok {
			return
		}
		do()
	}
}

// launch begins as much as the limits allow.
func (r *run) launch() {
	for r.stop == nil && r.bringing < mostSalvaging && len(r.homeless) > 0 {
		n := r.homeless[0]
		r.homeless = r.homeless[1:]
		if n.phase == over {
			continue // It had its time.
		}
		r.bringing++
		r.begin(n)
	}
	for n := r.take(); n != nil; n = r.take() {
		r.begin(n)
	}
	r.prepare()
	for r.downloading < maxDownloads && len(r.downloads) > 0 {
		n := r.downloads[0]
		r.downloads = r.downloads[1:]
		if n.phase != over {
			r.download(n)
		}
	}
	r.launchRenders()
}

// spawn makes a call beside the coordinator, which then does what the call returns.
func (r *run) spawn(call func() func()) {
	r.workers++
	select {
	case r.calls <- call:
	default:
		go r.work(call)
	}
}

// work makes a call, and after it others, until the run is over.
func (r *run) work(call func() func()) {
	for isOne := true; isOne; call, isOne = <-r.calls {
		r.told <- call()
	}
}

// later puts an appointment on the agenda.
func (r *run) later(delay time.Duration, do func()) { r.agenda.add(time.Now().Add(delay), do) }

// stopNew ends the beginning of new work: what has not been submitted is skipped.
func (r *run) stopNew(cause error) {
	if r.isStopped {
		return
	}
	r.isStopped = true
	r.stopAsking(cause)
	cause = ofRun(cause)
	r.endTaking(cause)
	for _, n := range r.sorted() {
		if n.phase == waiting || n.salvages() && n.phase == active {
			r.skip(n, Skipped{Address: n.address(), Err: cause})
		}
	}
}

// stopAsking ends the beginning of new work, but for what has its part of the budget already, and waits
// for no more than a slot.
func (r *run) stopAsking(cause error) {
	if r.stop != nil {
		return
	}
	r.stop = ofRun(cause)
	for _, n := range r.sorted() {
		if n.phase == waiting && !n.asks && !n.ahead || n.salvages() && n.phase == active {
			r.skip(n, Skipped{Address: n.address(), Err: r.stop})
		}
	}
}

// ofRun is why nothing new is begun, without what it says of one image.
func ofRun(cause error) error {
	if disk, isDisk := errors.AsType[*StorageError](cause); isDisk {
		return disk.ofAll()
	}
	return cause
}

// abandon leaves all that is under way to a later run. Workers still come back, soon, since their
// calls are broken off.
func (r *run) abandon() {
	r.stopNew(context.Cause(r.ctx))
	r.agenda.clear()
	r.downloads = nil
	// What a worker finishes all the same, such as an image that is being put in place, is done,
	// and counts as that.
	r.comeBack()
	for _, n := range r.sorted() {
		if n.phase != over {
			r.skip(n, Skipped{Address: n.address(), Err: context.Cause(r.ctx)})
		}
	}
	r.comeBack()
}

// comeBack waits for the workers that are under way, and for those that they call for.
func (r *run) comeBack() {
	for r.workers > 0 {
		do := <-r.told
		r.workers--
		do()
	}
	r.launchRenders() // Nothing new is begun any more; they are skipped.
}
