package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// StillEvery is how often the log says that a task is still under way.
const StillEvery = 10 * time.Second

// applyLog is what a View remembers of an apply that is under way. It is guarded by the View's
// mutex.
type applyLog struct {
	progress progress
	// said is the time, in steps of StillEvery, at which the log last said of a task that it is
	// still under way.
	said map[addrs.Image]time.Duration
	// failures are the events that the summary repeats.
	failures []executor.Failed
	skipped  []executor.Skipped
	// renditionFailures are those of files that are made here.
	renditionFailures []executor.RenditionFailed
	renditions        renditionTally
	// retried says that the log told already that a call is made again.
	retried bool
	// live is the progress display, nil without a terminal.
	live *live
}

// StartApply prepares for the events of an apply. On a terminal it starts the progress display,
// which goes on until FinishApply or Close.
func (v *View) StartApply(p *planner.Plan) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.endLive()
	v.apply = &applyLog{progress: newProgress(p), said: map[addrs.Image]time.Duration{}}
	if v.apply.progress.total == 0 && len(p.Renditions) == 0 {
		return
	}
	if v.opts.Terminal && v.canRedraw() {
		v.stderr("\n")
		v.apply.live = startLive(v)
		return
	}
	v.stdout("\n")
}

// Event writes what happened during an apply. Without a terminal that is a line an event. On a
// terminal the display follows, and only what is done or went wrong scrolls by above it. It must
// come after StartApply.
func (v *View) Event(e executor.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e := e.(type) {
	case executor.Uploaded:
		v.aboveProgress(UploadText(e) + "\n")
		return
	case executor.LookedUp:
		v.aboveProgress(LookupText(e) + "\n")
		return
	case executor.Transferred:
		v.aboveProgress(TransferText(e) + "\n")
		return
	case executor.Unanswered:
		v.aboveProgress(layout.Wrap(UnansweredText(e), v.opts.Width) + "\n")
		return
	case executor.Behind:
		v.aboveProgress(layout.Wrap(BehindText(e), v.opts.Width) + "\n")
		return
	case executor.Undelivered:
		v.aboveProgress(layout.Wrap(UndeliveredText(e), v.opts.Width) + "\n")
		return
	case executor.Delivered:
		v.aboveProgress(layout.Wrap(DeliveredText(e), v.opts.Width) + "\n")
		return
	case executor.Waiting:
		v.aboveProgress(layout.Wrap(WaitText(e), v.opts.Width) + "\n")
		return
	}
	a := v.apply
	if a == nil {
		return
	}
	a.progress.event(e)
	line, lasting := v.eventLine(a, e)
	if line == "" || a.live != nil && !lasting || v.opts.Concise && !lasting {
		return
	}
	if a.live != nil {
		a.live.above(line + "\n")
		return
	}
	v.stdout(line + "\n")
}

// UploadText says how far the uploads are.
func UploadText(u executor.Uploaded) string {
	return fmt.Sprintf("Uploaded for other machines: %d of %s, %s", u.Images, layout.Count(u.Of, "image"), sizeText(u.Bytes))
}

// LookupText says how far the looking for images is.
func LookupText(l executor.LookedUp) string {
	return fmt.Sprintf("Looking in %s for pictures that are not here: %d of %d", layout.Visible(l.Store), l.Images, l.Of)
}

// TransferText says how far one object is on its way.
func TransferText(t executor.Transferred) string {
	object, done, size := layout.Visible(t.Object), sizeText(t.Bytes), sizeText(t.Size)
	if t.Upload {
		return fmt.Sprintf("Uploading %s: %s of %s", object, done, size)
	}
	return fmt.Sprintf("Downloading %s: %s of %s", object, done, size)
}

// WaitText says what is waited for.
func WaitText(w executor.Waiting) string { return layout.Sentence(layout.Visible(w.String())) }

// UnansweredText says which store is waited for.
func UnansweredText(u executor.Unanswered) string {
	return fmt.Sprintf("The store %s has not answered for %.0f seconds. It is asked again.", layout.Visible(u.Store), u.For.Seconds())
}

// BehindText says why nothing is submitted for now.
func BehindText(b executor.Behind) string {
	return layout.Count(b.Results, "picture") + " wait to be fetched. They come faster than they can be brought here and kept, and can be had for ten minutes only, so nothing new is asked for until fewer wait."
}

// UndeliveredText says what cannot be fetched, and how long it can still be had.
func UndeliveredText(u executor.Undelivered) string {
	what, one := "picture can be fetched", "one can be fetched"
	if u.Looks {
		what, one = "task can be looked at", "one can be looked at"
	}
	text := fmt.Sprintf("Since %s no %s%s: %s.", u.Since.Format(time.TimeOnly), what, atHost(u.Host), layout.OneLine(u.Err))
	if u.Buys {
		text += " Nothing new is asked for until " + one + "."
	}
	if !u.Until.IsZero() {
		text += fmt.Sprintf(" The first of those that are made can be had until %s.", u.Until.Format(time.TimeOnly))
	}
	return text
}

// DeliveredText says that pictures are fetched again.
func DeliveredText(d executor.Delivered) string {
	text := "After " + layout.Duration(d.After) + " a picture was fetched" + atHost(d.Host) + " again."
	if d.Looks {
		text = "After " + layout.Duration(d.After) + " a task was looked at" + atHost(d.Host) + " again."
	}
	if d.Buys {
		text += " New ones are asked for."
	}
	return text
}

func atHost(host string) string {
	if host == "" {
		return ""
	}
	return " at " + layout.Visible(host)
}

// aboveProgress writes text to stderr, above the progress display if one is shown.
func (v *View) aboveProgress(text string) {
	if v.apply != nil && v.apply.live != nil {
		v.apply.live.above(text)
		return
	}
	v.stderr(text)
}

// eventLine returns the log's line for an event, "" for none, and whether the line is of lasting
// interest: something is done or went wrong.
func (v *View) eventLine(a *applyLog, e executor.Event) (line string, lasting bool) {
	if line := v.renditionLine(a, e); line != "" {
		return line, true
	}
	subject := func(addr addrs.Image) string { return v.colours.Strong.Styled(v.name(a, addr) + ": ") }
	switch e := e.(type) {
	case executor.Started:
		return subject(e.Address) + EventText(e, nil), false
	case executor.Submitted:
		return subject(e.Address) + EventText(e, nil), false
	case executor.Progressed:
		return v.stillLine(a, e), false
	case executor.Retrying:
		// The first one is told at once and everywhere: what follows may be a long wait.
		isFirst := !a.retried
		a.retried = true
		return subject(e.Address) + EventText(e, nil), isFirst
	case executor.Ready:
		return "", false
	case executor.Completed:
		return subject(e.Address) + EventText(e, a.progress.changes[e.Address]), true
	case executor.Unchanged:
		return subject(e.Address) + EventText(e, nil) + " [what it is made from came out the same]", true
	case executor.Failed:
		a.failures = append(a.failures, e)
		return subject(e.Address) + v.colours.Failure.Styled("Failed after "+layout.Duration(e.Elapsed)+":") + " " + layout.OneLine(e.Err), true
	case executor.Skipped:
		a.skipped = append(a.skipped, e)
		if isEnding(e) {
			// When a run ends early, that is thousands of images; the summary says it once.
			return "", false
		}
		return subject(e.Address) + EventText(e, nil), true
	case executor.Judged:
		return subject(e.Address) + EventText(e, nil), true
	case executor.Warned:
		return subject(e.Address) + v.colours.Warning.Styled("Warning:") + " " + strings.ReplaceAll(layout.Harmless(e.Message), "\n", " "), true
	default:
		return "", false
	}
}

// name is how the log calls an image: on a terminal no longer than half a line, so that it is cut
// in the middle rather than wrapped.
func (v *View) name(a *applyLog, addr addrs.Image) string {
	if a.live == nil {
		return addr.String()
	}
	columns, _ := v.screen()
	return layout.Middle(addr.String(), max(columns/2, shortName))
}

// stillLine says that a task is still under way, at most once in StillEvery.
func (v *View) stillLine(a *applyLog, e executor.Progressed) string {
	step := e.Elapsed.Truncate(StillEvery)
	if step <= a.said[e.Address] {
		return ""
	}
	a.said[e.Address] = step
	details := layout.Duration(e.Elapsed) + " elapsed"
	if e.Progress > 0 {
		details = fmt.Sprintf("%d%%, %s", int(e.Progress*100), details)
	}
	return v.colours.Strong.Styled(v.name(a, e.Address)+": ") + stillText(a.progress.changes[e.Address], details)
}

// EventText says what happened to an image, on one line that stands behind its address; planned is
// what was planned for it, nil where nothing was.
func EventText(e executor.Event, planned *planner.Change) string {
	switch e := e.(type) {
	case executor.Started:
		return deedOf(e.Action).begins + "..."
	case executor.Submitted:
		return fmt.Sprintf("Submitted [id=%s, %s]", layout.Harmless(e.TaskID), e.Cost.Dollars())
	case executor.Progressed:
		return stillText(planned, layout.Duration(e.Elapsed)+" elapsed")
	case executor.Judged:
		return "Candidate " + Verdicts(e.Verdicts)
	case executor.Retrying:
		return fmt.Sprintf("Retrying the %s in %s: %s", callName(e.Call), layout.Wait(e.After), layout.OneLine(e.Err))
	case executor.Completed:
		return deedOf(e.Action).ends + " after " + layout.Duration(e.Elapsed) + completedDetail(e, planned)
	case executor.Unchanged:
		return "Unchanged"
	case executor.Failed:
		return "Failed after " + layout.Duration(e.Elapsed) + ": " + layout.OneLine(e.Err)
	case executor.Skipped:
		return skipText(e)
	default:
		return ""
	}
}

// stillText says that the work on an image goes on.
func stillText(planned *planner.Change, details string) string {
	action := planner.NoOp
	if planned != nil {
		action = planned.Action
	}
	return "Still " + strings.ToLower(deedOf(action).begins) + "... [" + details + "]"
}

// skipText says why an image was not made, and what becomes of its task.
func skipText(e executor.Skipped) string {
	switch text := "Skipped: "; {
	case !isEnding(e):
		return text + lackOf(e)
	case e.Err == nil:
		return "Skipped"
	case e.Submitted:
		return text + layout.OneLine(e.Err) + ". The next apply continues with its task"
	case e.Sent:
		return text + layout.OneLine(e.Err) + ". Its request was on the way and may have been charged"
	default:
		return text + layout.OneLine(e.Err)
	}
}

// deed is how the log speaks of an action.
type deed struct{ begins, ends string }

func deedOf(a planner.Action) deed {
	switch a {
	case planner.Create:
		return deed{"Creating", "Creation complete"}
	case planner.Replace:
		return deed{"Replacing", "Replacement complete"}
	case planner.Update:
		return deed{"Updating", "Update complete"}
	case planner.Destroy:
		return deed{"Destroying", "Destruction complete"}
	case planner.Import:
		return deed{"Importing", "Import complete"}
	case planner.Forget:
		return deed{"Forgetting", "Forgotten"}
	case planner.Move:
		return deed{"Moving", "Move complete"}
	case planner.NoOp:
	}
	return deed{"Working", "Complete"}
}

func callName(call string) string {
	switch call {
	case "submit":
		return "submission"
	default:
		return call
	}
}

// completedDetail says what was made, and at what price: "[images/logo.png, 1024x1024, $0.03]".
func completedDetail(e executor.Completed, planned *planner.Change) string {
	if e.Action == planner.Forget && planned != nil && planned.Prior != nil {
		if planned.Lost() {
			return " [" + planned.Prior.Output.Path + " is gone]"
		}
		return " [" + planned.Prior.Output.Path + " stays]"
	}
	if e.Image == nil {
		return ""
	}
	out := e.Image.Output
	details := out.Path
	if out.Width > 0 {
		details += fmt.Sprintf(", %dx%d", out.Width, out.Height)
	}
	switch {
	case e.Action == planner.Import && planned != nil && planned.Import() != nil:
		details += ", from " + planned.Import().Name
	case e.Action != planner.Create && e.Action != planner.Replace:
	case planned != nil && len(planned.Candidates()) > 0:
		details += fmt.Sprintf(", candidate %d", e.Image.Candidate)
	case e.Origin == planner.Restore:
		details += ", restored from the store"
	case e.Origin == planner.Resume:
		details += ", already paid"
	default:
		details += ", " + e.Image.Result.Cost.Dollars()
	}
	return " [" + details + "]"
}
