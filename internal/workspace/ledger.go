package workspace

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/costs"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// LedgerPath is where the ledger of costs of a root module is.
func LedgerPath(dir string, simulate bool) string {
	return filepath.Join(Base(dir, simulate), costs.FileName)
}

// chargeRecovered writes into the ledger what an interrupted run was charged and did not come to tell:
// an image, or a task that was paid for in vain, is on record before its line is in the ledger.
func (w *Workspace) chargeRecovered() {
	var entries []costs.Entry
	for _, made := range w.session.Recovered() {
		entries = append(entries, recoveredEntry(made.Address, made.Image))
	}
	for _, task := range w.session.State().Tasks {
		if task.Lost != "" {
			entries = append(entries, lostEntry(task))
		}
	}
	ledger := costs.Ledger{Path: LedgerPath(w.Dir, w.options.Simulate)}
	defer func() { _ = ledger.Close() }() // each line is in the file already
	for _, entry := range entries {
		if err := ledger.AppendOnce(entry); err != nil {
			w.env.OnDiagnostics(ledgerFailed(err))
			return
		}
	}
}

// lostEntry is the entry of a task that was paid for in vain, as recoveredEntry is that of an image.
func lostEntry(task *state.Task) costs.Entry {
	outcome := costs.Lost
	if task.Lost == state.LostToModeration {
		outcome = costs.Moderated
	}
	return costs.Entry{
		Time: time.Now().UTC().Truncate(time.Second), Address: task.Address, Model: task.Model, TaskID: task.ID,
		Outcome: outcome, Estimated: task.Cost, Charged: task.Cost, Labels: task.Labels,
	}
}

// recoveredEntry is the entry of an image that an interrupted run had paid for. What a plan once said
// of it is lost with that run, so that its estimate is what was charged.
func recoveredEntry(addr addrs.Image, img *state.Image) costs.Entry {
	return costs.Entry{
		Time: time.Now().UTC().Truncate(time.Second), Address: addr, Model: img.Model, TaskID: img.Result.TaskID,
		Outcome: costs.Made, Estimated: img.Result.Cost, Charged: img.Result.Cost, Labels: img.Labels,
	}
}

// ledgerFailed warns of a ledger that cannot be kept.
func ledgerFailed(err error) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagWarning, Summary: "Costs are not in the ledger", Detail: err.Error() + ". The images are on record all the same.",
	}}
}

// charge writes into the ledger what an event tells of a charge. What cannot be written is told
// once: the image is paid for and on record all the same. Of a task that an interrupted run had
// submitted, that run may have told.
func (r *applying) charge(e executor.Event) {
	entry, ok := r.entryOf(e)
	if !ok || r.ledgerFails {
		return
	}
	add := r.ledger.Append
	if r.before[entry.TaskID] {
		add = r.ledger.AppendOnce
	}
	if err := add(entry); err != nil {
		r.ledgerFails = true
		r.env.OnDiagnostics(ledgerFailed(err))
	}
}

// entryOf returns what an event tells of a charge, false where it tells of none.
func (r *applying) entryOf(e executor.Event) (costs.Entry, bool) {
	switch e := e.(type) {
	case executor.Completed:
		if e.Image == nil || e.Origin == planner.Restore || e.Action != planner.Create && e.Action != planner.Replace {
			return costs.Entry{}, false
		}
		return r.madeEntry(e.Address, e.Image), true
	case executor.Salvaged:
		return recoveredEntry(e.Address, e.Image), true
	case executor.Unrecorded:
		return r.madeEntry(e.Address, e.Image), true
	case executor.Failed:
		entry := r.entry(e.Address)
		if lost, ok := errors.AsType[*executor.TaskError](e.Err); ok && lost.Lost > 0 {
			entry.TaskID, entry.Charged, entry.Outcome = lost.TaskID, lost.Lost, costs.Lost
			return entry, true
		}
		if refused, ok := errors.AsType[*executor.ModeratedError](e.Err); ok && refused.Cost > 0 {
			entry.TaskID, entry.Charged, entry.Outcome = refused.TaskID, refused.Cost, costs.Moderated
			return entry, true
		}
	}
	return costs.Entry{}, false
}

// madeEntry is the entry of an image that a task of this run made.
func (r *applying) madeEntry(addr addrs.Image, img *state.Image) costs.Entry {
	entry := r.entry(addr)
	entry.Model, entry.TaskID, entry.Charged, entry.Labels = img.Model, img.Result.TaskID, img.Result.Cost, img.Labels
	return entry
}

// entry begins an entry with what the plan says of an image.
func (r *applying) entry(addr addrs.Image) costs.Entry {
	entry := costs.Entry{Time: time.Now().UTC().Truncate(time.Second), Address: addr, Outcome: costs.Made}
	c := r.planned[addr]
	if c == nil && addr.Candidate > 0 {
		// One that gates asked for besides costs what each of the others does.
		if of := r.planned[addr.Of()]; of != nil {
			entry.Estimated = of.MoreCost()
		}
	}
	if c != nil {
		entry.Estimated = c.Price
		if c.Desired != nil {
			entry.Model, entry.Labels = c.Desired.Model.Name, c.Desired.Labels
		}
	}
	return entry
}
