package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
)

// stillEvery is how often the log says that a task is still under way.
const stillEvery = 10 * time.Second

// applyLog is what a View remembers of an apply that is under way. It is guarded by the View's mutex.
type applyLog struct {
	progress progress
	// said is the time, in steps of stillEvery, at which the log last said of a task that it is still under way.
	said map[addrs.Image]time.Duration
	// failures are the events that the summary repeats.
	failures []executor.Failed
	skipped  []executor.Skipped
	// live is the progress display, nil without a terminal.
	live *live
}

// StartApply prepares for the events of an apply. On a terminal it starts the progress display, which goes on until FinishApply or Close.
func (v *View) StartApply(p *planner.Plan) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.endLive()
	v.apply = &applyLog{progress: newProgress(p), said: map[addrs.Image]time.Duration{}}
	if v.apply.progress.total == 0 {
		return
	}
	v.stderr("\n")
	if v.opts.Terminal && v.canRedraw() {
		v.apply.live = startLive(v)
	}
}

// Event writes what happened during an apply. Without a terminal that is a line an event. On a terminal the display follows, and only
// what is done or went wrong scrolls by above it. It must come after StartApply.
func (v *View) Event(e executor.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.apply
	if a == nil {
		return
	}
	a.progress.event(e)
	line, lasting := v.eventLine(a, e)
	if line == "" || a.live != nil && !lasting || v.opts.Concise && !lasting {
		return
	}
	v.aboveProgress(line + "\n")
}

// aboveProgress writes text to stderr, above the progress display if one is shown.
func (v *View) aboveProgress(text string) {
	if v.apply != nil && v.apply.live != nil {
		v.apply.live.above(text)
		return
	}
	v.stderr(text)
}

// eventLine returns the log's line for an event, "" for none, and whether the line is of lasting interest: something is done or went wrong.
func (v *View) eventLine(a *applyLog, e executor.Event) (line string, lasting bool) {
	subject := func(addr addrs.Image) string { return v.colours.strong.Styled(addr.String() + ": ") }
	switch e := e.(type) {
	case executor.Started:
		return subject(e.Address) + deedOf(e.Action).begins + "...", false
	case executor.Submitted:
		return subject(e.Address) + fmt.Sprintf("Submitted [id=%s, %s]", harmless(e.TaskID), e.Cost.Dollars()), false
	case executor.Progressed:
		return v.stillLine(a, e), false
	case executor.Retrying:
		return subject(e.Address) + fmt.Sprintf("Retrying the %s in %s: %s", callName(e.Call), wait(e.After), oneLineError(e.Err)), false
	case executor.Ready:
		return "", false
	case executor.Completed:
		return subject(e.Address) + deedOf(e.Action).ends + " after " + duration(e.Elapsed) + completedDetail(e, a.progress.changes[e.Address]), true
	case executor.Unchanged:
		return subject(e.Address) + "Unchanged [what it is made from came out the same]", true
	case executor.Failed:
		a.failures = append(a.failures, e)
		return subject(e.Address) + v.colours.failure.Styled("Failed after "+duration(e.Elapsed)+":") + " " + oneLineError(e.Err), true
	case executor.Skipped:
		a.skipped = append(a.skipped, e)
		if isEnding(e) {
			// When a run ends early, that is thousands of images; the summary says it once.
			return "", false
		}
		return subject(e.Address) + "Skipped: " + lackOf(e), true
	case executor.Warned:
		return subject(e.Address) + v.colours.warning.Styled("Warning:") + " " + strings.ReplaceAll(harmless(e.Message), "\n", " "), true
	default:
		return "", false
	}
}

// stillLine says that a task is still under way, at most once in stillEvery.
func (v *View) stillLine(a *applyLog, e executor.Progressed) string {
	step := e.Elapsed.Truncate(stillEvery)
	if step <= a.said[e.Address] {
		return ""
	}
	a.said[e.Address] = step
	details := duration(e.Elapsed) + " elapsed"
	if e.Progress > 0 {
		details = fmt.Sprintf("%d%%, %s", int(e.Progress*100), details)
	}
	deed := deedOf(a.progress.action(e.Address))
	return v.colours.strong.Styled(e.Address.String()+": ") + "Still " + strings.ToLower(deed.begins) + "... [" + details + "]"
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

// wait returns a pause with tenths of a second, since most are short.
func wait(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return duration(d)
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
	case e.Action == planner.Import && planned != nil && planned.Import != nil:
		details += ", from " + planned.Import.Name
	case e.Action != planner.Create && e.Action != planner.Replace:
	case e.Origin == planner.Restore:
		details += ", restored from the store"
	case e.Origin == planner.Resume:
		details += ", already paid"
	default:
		details += ", " + e.Image.Result.Cost.Dollars()
	}
	return " [" + details + "]"
}

// oneLineError returns an error's text on one line, for a log of lines.
func oneLineError(err error) string {
	return strings.Join(strings.Fields(harmless(errorText(err))), " ")
}

// errorText returns an error's text, also for an event that came without one.
func errorText(err error) string {
	if err == nil {
		return "the cause is not known"
	}
	return err.Error()
}
