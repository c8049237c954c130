package workspace

import (
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"time"

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

// charges are written into the ledger as they come. Those that it does not take are tried again with
// each that follows, and are left to the next command in the end.
type charges struct {
	ledger costs.Ledger
	// isTold reports whether an earlier run may have told of a task.
	isTold func(task string) bool
	// owed are those that are not in the ledger yet, the oldest first.
	owed []costs.Entry
}

func (c *charges) add(e costs.Entry) {
	c.owed = append(c.owed, e)
	_ = c.settle() // The end of the command tells.
}

func (c *charges) settle() error {
	for len(c.owed) > 0 {
		add := c.ledger.Append
		if c.isTold(c.owed[0].TaskID) {
			add = c.ledger.AppendOnce
		}
		if err := add(c.owed[0]); err != nil {
			return err
		}
		c.owed = c.owed[1:]
	}
	return nil
}

// settleUp ends the charges of a command, and leaves to the next one what the ledger does not take.
func (w *Workspace) settleUp(c *charges) {
	err := c.settle()
	_ = c.ledger.Close() // Each line is in the file already.
	if err == nil {
		return
	}
	detail := err.Error() + ". The images are on record all the same"
	if w.leaveCharges(c.owed) == nil {
		detail += ", and the next command that can write the ledger adds the lines"
	}
	w.warn("Costs are not in the ledger", detail+".")
}

// chargesLeftFile has what the ledger did not take.
const chargesLeftFile = machineDir + "/costs.json"

// maxChargesLeft bounds the file.
const maxChargesLeft = 64 << 20

func (w *Workspace) chargesLeft() (all []costs.Entry) {
	data, err := w.outputs.ReadFile(chargesLeftFile, maxChargesLeft)
	if err != nil || json.Unmarshal(data, &all) != nil {
		return nil // What was bought is on record all the same.
	}
	return all
}

// leaveCharges adds to what the ledger did not take.
func (w *Workspace) leaveCharges(owed []costs.Entry) error {
	left := w.chargesLeft()
	known := make(map[string]bool, len(left))
	for i := range left {
		known[left[i].TaskID] = true
	}
	for i := range owed {
		if !known[owed[i].TaskID] {
			left = append(left, owed[i])
		}
	}
	if err := w.local.Ensure(); err != nil {
		return err
	}
	return w.outputs.WriteFile(chargesLeftFile, 0o644, func(f io.Writer) error { return json.NewEncoder(f).Encode(left) })
}

// chargeRecovered writes into the ledger what earlier runs were charged and did not come to tell: what
// the ledger did not take, and what an interrupted run recorded, an image or a task that was paid for
// in vain, before its line was there.
func (w *Workspace) chargeRecovered() {
	c := &charges{ledger: costs.Ledger{Path: LedgerPath(w.Dir, w.options.Simulate)}, isTold: func(string) bool { return true }}
	c.owed = w.chargesLeft()
	isLeft := len(c.owed) > 0
	for _, made := range w.session.Recovered() {
		c.owed = append(c.owed, recoveredEntry(made.Address, made.Image))
	}
	for _, task := range w.session.State().Tasks {
		if task.Lost != "" {
			c.owed = append(c.owed, lostEntry(task))
		}
	}
	w.settleUp(c)
	if isLeft && len(c.owed) == 0 {
		_ = w.outputs.Remove(chargesLeftFile) // A task never has two lines.
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

// charge notes what an event tells of a charge.
func (r *applying) charge(e executor.Event) {
	if entry, ok := r.entryOf(e); ok {
		r.charges.add(entry)
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
