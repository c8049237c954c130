package machine

import (
	"strings"
	"time"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// Event writes what happened to an image during an apply. What failed is an "apply_errored" and
// then a "diagnostic" with the cause.
func (j *Stream) Event(e executor.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch e := e.(type) {
	case executor.Started:
		j.hook("info", "apply_start", e.Address, e, hook{Action: messageAction(e.Action)})
	case executor.Submitted:
		j.progress("info", e.Address, e, hook{Status: "submitted", IDKey: "id", IDValue: e.TaskID, Cost: new(e.Cost.USD())})
	case executor.Progressed:
		j.still(e)
	case executor.Retrying:
		j.progress("warn", e.Address, e, hook{Status: "retrying", RetryInSeconds: e.After.Seconds(), Error: layout.OneLine(e.Err)})
	case executor.Completed:
		j.completed(e)
	case executor.Unchanged:
		j.hook("info", "apply_complete", e.Address, e, hook{Action: "noop"})
	case executor.Failed:
		j.hook("error", "apply_errored", e.Address, e,
			hook{Action: messageAction(e.Action), Status: "failed", ElapsedSeconds: seconds(e.Elapsed), Error: layout.OneLine(e.Err)})
		j.diagnostic(tfjson.Diagnostic{
			Severity: tfjson.DiagnosticSeverityError, Address: e.Address.String(),
			Summary: "Image failed", Detail: layout.Sentence(strings.TrimSpace(layout.ErrorText(e.Err))),
		})
	case executor.Skipped:
		j.skipped(e)
	case executor.Judged:
		j.progress("info", e.Address, e, hook{Status: "judged", Verdicts: e.Verdicts})
	case executor.RenditionDone, executor.RenditionFailed, executor.RenditionSkipped:
		j.rendition(e)
	case executor.Uploaded:
		j.emit(uploadMessage{j.header("info", view.UploadText(e)), upload{e.Images, e.Of, e.Bytes}, "upload_progress"})
	case executor.LookedUp:
		j.emit(lookupMessage{j.header("info", view.LookupText(e)), lookup{e.Store, e.Images, e.Of}, "lookup_progress"})
	case executor.Transferred:
		j.emit(transferMessage{j.header("info", view.TransferText(e)), transfer{e.Object, e.Upload, e.Bytes, e.Size}, "transfer_progress"})
	case executor.Waiting:
		j.emit(waitMessage{j.header("info", view.WaitText(e)), wait{e.Path, holderOf(e.Holder), e.Lapses.Seconds()}, "lock_wait"})
	case executor.Unanswered:
		j.emit(silenceMessage{j.header("warn", view.UnansweredText(e)), silence{e.Store, e.For.Seconds()}, "store_silent"})
	case executor.Undelivered:
		j.emit(outageMessage{j.header("warn", view.UndeliveredText(e)), outageOf(e), "delivery_down"})
	case executor.Delivered:
		j.emit(deliveredMessage{j.header("info", view.DeliveredText(e)), delivered{e.Host, what(e.Looks), e.After.Seconds(), e.Buys}, "delivery_back"})
	case executor.Behind:
		j.diagnostic(tfjson.Diagnostic{Severity: tfjson.DiagnosticSeverityWarning, Summary: "Pictures come faster than they are fetched", Detail: view.BehindText(e)})
	case executor.Warned:
		j.diagnostic(tfjson.Diagnostic{
			Severity: tfjson.DiagnosticSeverityWarning, Address: e.Address.String(), Summary: "Image to look at", Detail: e.Message,
		})
	}
}

// hook writes a message about an event. Its text is what people would read of it.
func (j *Stream) hook(level, kind string, a addrs.Image, e executor.Event, h hook) {
	h.Resource = resourceOf(a)
	j.emit(hookMessage{j.header(level, a.String()+": "+view.EventText(e, j.changes[a])), h, kind})
}

func (j *Stream) progress(level string, a addrs.Image, e executor.Event, h hook) {
	h.Action = messageAction(j.action(a))
	j.hook(level, "apply_progress", a, e, h)
}

// action returns what is planned for an image.
func (j *Stream) action(a addrs.Image) planner.Action {
	if c := j.changes[a]; c != nil {
		return c.Action
	}
	return planner.NoOp
}

// still says that a task is under way, at most once in StillEvery.
func (j *Stream) still(e executor.Progressed) {
	step := e.Elapsed.Truncate(view.StillEvery)
	if j.said == nil || step <= j.said[e.Address] {
		return
	}
	j.said[e.Address] = step
	j.progress("info", e.Address, e, hook{Status: e.Status, Progress: e.Progress, ElapsedSeconds: seconds(e.Elapsed)})
}

func (j *Stream) completed(e executor.Completed) {
	h := hook{Action: messageAction(e.Action), ElapsedSeconds: seconds(e.Elapsed)}
	if e.Image != nil {
		if id := e.Image.Result.TaskID; id != "" {
			// An image that was imported never was a task.
			h.IDKey, h.IDValue = "id", id
		}
		h.Path, h.SHA256 = e.Image.Output.Path, e.Image.Output.SHA256
		if c := j.changes[e.Address]; c != nil && c.Makes() {
			h.Origin = e.Origin.String()
			if e.Origin != planner.Restore && e.Origin != planner.Resume {
				h.Cost = new(e.Image.Result.Cost.USD())
			}
		}
	}
	j.hook("info", "apply_complete", e.Address, e, h)
}

func (j *Stream) skipped(e executor.Skipped) {
	h := hook{Action: messageAction(j.action(e.Address)), Status: "skipped"}
	if h.Because = e.Lack(); h.Because == "" && e.Err != nil {
		h.Error = layout.OneLine(e.Err)
	}
	j.hook("error", "apply_errored", e.Address, e, h)
}

// seconds returns a duration in seconds, to the millisecond.
func seconds(d time.Duration) *float64 { return new(d.Round(time.Millisecond).Seconds()) }

// messageAction returns Terraform's word for an action.
func messageAction(a planner.Action) string {
	switch a {
	case planner.Destroy:
		return "delete"
	case planner.Forget:
		return "remove"
	case planner.NoOp, 0:
		return "noop"
	default:
		return a.String()
	}
}

// resourceOf names an image as a resource. The provider of all images is the one that Terraform
// would imply from an address such as bfl_image.
func resourceOf(a addrs.Image) messageResource {
	return messageResource{
		Addr: a.String(), Module: string(a.Module), Resource: addrs.Image{Name: a.Name, Key: a.Key}.String(),
		ImpliedProvider: "bfl", ResourceType: resourceType, ResourceName: a.Name, ResourceKey: keyValue(a.Key),
	}
}

// keyValue returns an instance key as JSON has it: a number, a string or null.
func keyValue(k addrs.Key) any {
	if n, ok := k.Int(); ok {
		return n
	}
	if s, ok := k.Text(); ok {
		return s
	}
	return nil
}
