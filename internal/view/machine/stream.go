package machine

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	tfjson "github.com/hashicorp/terraform-json"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// StreamOptions say where a JSON stream goes.
type StreamOptions struct {
	Stdout io.Writer
	// Version is the program's own, such as "0.1.0".
	Version string
	// Now tells the time for "@timestamp"; nil stands for time.Now.
	Now func() time.Time
}

// Stream writes one JSON object a line for machines, all to stdout: the messages of Terraform's
// machine-readable UI, as README.md documents them. It is safe for concurrent use.
type Stream struct {
	opts StreamOptions

	// mu guards all below, and the order of writes.
	mu      sync.Mutex
	out     *bufio.Writer
	enc     *json.Encoder // to out
	changes map[addrs.Image]*planner.Change
	// said is as in applyLog.
	said map[addrs.Image]time.Duration
	// moved is as in progress.
	moved int
}

var _ view.Operation = (*Stream)(nil)

// NewStream returns a JSON stream, and writes its "version" message.
func NewStream(o StreamOptions) *Stream {
	if o.Now == nil {
		o.Now = time.Now
	}
	j := &Stream{opts: o, out: bufio.NewWriterSize(o.Stdout, documentBuffer)}
	j.encode()
	j.emit(versionMessage{j.header("info", "fluxbatch "+o.Version), o.Version, "version", StreamVersion})
	return j
}

// emit writes a message at once.
func (j *Stream) emit(message any) {
	j.put(message)
	j.flush()
}

// put writes a message to the buffer.
func (j *Stream) put(message any) {
	err := j.enc.Encode(message)
	if unsupported, ok := errors.AsType[*json.UnsupportedTypeError](err); ok {
		// Messages are types of this package, all of which encode.
		panic(fmt.Sprintf("machine: encoding a %T: %v", message, unsupported))
	}
}

// encode begins with an encoder that knows of no failed write, as it would for good.
func (j *Stream) encode() {
	j.enc = json.NewEncoder(seenJSON{j.out})
	j.enc.SetEscapeHTML(false)
}

// seenJSON takes a whole message at a time.
type seenJSON struct{ out *bufio.Writer }

// Write implements io.Writer.
func (w seenJSON) Write(p []byte) (int, error) {
	if _, err := w.out.Write(layout.VisibleJSON(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush writes the buffer out. A reader that went away must not stop an apply from recording what
// it has paid for, so that what cannot be written is dropped.
func (j *Stream) flush() {
	if j.out.Flush() != nil {
		j.out.Reset(j.opts.Stdout)
		j.encode()
	}
}

func (j *Stream) header(level, message string) header {
	return header{Level: level, Message: message, Module: messageModule, Timestamp: j.opts.Now().UTC().Truncate(time.Microsecond)}
}

// Diagnostics writes a "diagnostic" message for each.
func (j *Stream) Diagnostics(diags hcl.Diagnostics, files map[string]*hcl.File) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, d := range view.Ordered(diags) {
		j.diagnostic(jsonDiagnostic(d, files))
	}
}

// Error writes an error as a "diagnostic" message; of several joined errors, one for each. It does
// nothing for nil.
func (j *Stream) Error(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range view.Flatten(err) {
		if diags, ok := errors.AsType[hcl.Diagnostics](e); ok {
			for _, d := range diags {
				j.diagnostic(jsonDiagnostic(d, nil))
			}
			continue
		}
		summary, detail := layout.Message(e.Error())
		j.diagnostic(tfjson.Diagnostic{Severity: tfjson.DiagnosticSeverityError, Summary: summary, Detail: detail})
	}
}

func (j *Stream) diagnostic(d tfjson.Diagnostic) {
	level, word := "error", "Error"
	if d.Severity == tfjson.DiagnosticSeverityWarning {
		level, word = "warn", "Warning"
	}
	j.emit(diagnosticMessage{j.header(level, word+": "+d.Summary), d, "diagnostic"})
}

// Plan writes a "planned_change" for each change, the "outputs" that change, and a
// "change_summary".
func (j *Stream) Plan(p *planner.Plan, info view.PlanInfo) {
	j.mu.Lock()
	defer j.mu.Unlock()
	repetition := newRepetition(p)
	defer j.flush()
	for _, c := range p.Changes {
		if c.Action == planner.NoOp && !c.Frozen {
			continue
		}
		j.put(plannedChangeMessage{
			j.header("info", c.Address.String()+": "+view.ChangeText(c)), newPlannedChange(c, repetition), "planned_change",
		})
	}
	made, removed := 0, 0
	for _, c := range p.Renditions {
		j.put(plannedChangeMessage{j.header("info", c.Address.String()+": "+view.RenditionText(c)), newPlannedRendition(c), "planned_change"})
		if c.Makes() {
			made++
		} else if c.Action == planner.Destroy {
			removed++
		}
	}
	t := view.TallyOf(p)
	j.put(changeSummaryMessage{j.header("info", view.PlanSummary(p)), changeSummary{
		Add: t.Create + t.Replace, Change: t.Update, Import: t.Imported, Remove: t.Destroy + t.Replace, Operation: "plan",
		Create: t.Create, Replace: t.Replace, Update: t.Update, Destroy: t.Destroy,
		Restored: t.Restored, Resumed: t.Resumed, Abandoned: len(p.Unsettled()), AbandonedTasks: abandonedTasks(p),
		Conditional: t.Conditional, Refused: t.Refused, Rejected: t.Rejected, Waiting: t.Waiting, Skipped: t.Skipped, Frozen: t.Frozen,
		MayHaveBeenCharged: t.Uncertain, UncertainCost: t.Charged.USD(), Moved: t.Moved, Forgotten: t.Forgotten,
		EstimatedCost: new(t.Cost.USD()), EstimatedCostIsMinimum: t.CostUnknown, PriceUnknown: t.Unpriced, Simulated: info.Simulated,
		RenditionsMade: made, RenditionsRemoved: removed,
	}, "change_summary"})
	if outputs := plannedOutputs(p); len(outputs) > 0 {
		j.put(outputsMessage{j.header("info", fmt.Sprintf("Outputs: %d", len(outputs))), outputs, "outputs"})
	}
}

// abandonedTasks returns the tasks that no image takes up.
func abandonedTasks(p *planner.Plan) []abandonedTask {
	var all []abandonedTask
	for _, a := range p.Unsettled() {
		task := abandonedTask{Addr: a.Address.String(), TaskID: a.Task.ID, Cost: a.Task.Cost.USD(), Fate: "fetched", Reason: a.Task.Lost}
		switch {
		case a.Task.Lost != "":
			task.Fate = "lost"
		case !a.Task.Answered():
			task.Fate = "unanswered"
		case a.GivenUp:
			task.Fate = "given_up"
		}
		all = append(all, task)
	}
	return all
}

func newPlannedChange(c *planner.Change, r repetition) plannedChange {
	change := plannedChange{
		Resource: resourceOf(c.Address), Action: plannedAction(c), Reason: messageReason(c, r),
		Frozen: c.Frozen, Conditional: view.MayStay(c), Origin: c.Origin.String(), ModerationReasons: c.ModerationReasons(),
		MayHaveBeenCharged: c.MayHaveBeenCharged(), RecordedSeed: c.RecordedSeed(),
		EstimatedCost: estimatedUSD(c), EstimatedCostIsMinimum: c.CostUnknown, PriceUnknown: c.PriceUnknown,
	}
	if change.MayHaveBeenCharged {
		change.UncertainCost = c.Uncertain().USD()
	}
	if c.From() != nil {
		change.PreviousResource = new(resourceOf(*c.From()))
	}
	switch {
	case c.Twin() != nil:
		change.PictureOf = c.Twin().String()
	case c.Donor() != nil:
		change.PictureOf = c.Donor().String()
	}
	if c.Origin == planner.Skipped {
		change.Because = c.Lacks().String()
	}
	if c.Import() != nil {
		change.Importing = &messageImport{c.Import().Name}
	}
	change.choice(c)
	for _, r := range c.Reasons {
		reason := plannedReason{Kind: string(r.Kind)}
		if r.Upstream != (addrs.Image{}) {
			reason.Upstream = &r.Upstream
		}
		if r.Kind == planner.RenditionChanges {
			reason.Rendition = &r.Rendition
		}
		change.Reasons = append(change.Reasons, reason)
	}
	return change
}

// choice adds what is to be known of an image with candidates, and of one that was edited by hand.
func (change *plannedChange) choice(c *planner.Change) {
	change.Edited = c.Prior != nil && c.Prior.Made != nil
	change.Candidates = len(c.Candidates())
	if c.Judges {
		change.Retries, change.RetryCost = c.More(), c.MoreCost().USD()
	}
	if c.Desired != nil && !c.Judges && !c.Withheld() {
		change.Candidate, change.Picked = c.Desired.Candidate, c.Desired.Picked
	}
}

// plannedAction returns Terraform's word for what will be done: nothing for an image that is
// withheld.
func plannedAction(c *planner.Change) string {
	if c.Withheld() {
		return messageAction(planner.NoOp)
	}
	return messageAction(c.Action)
}

// StartApply prepares for the events of an apply.
func (j *Stream) StartApply(p *planner.Plan) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.changes, j.said = map[addrs.Image]*planner.Change{}, map[addrs.Image]time.Duration{}
	j.moved = 0
	for _, c := range p.Changes {
		if c.From() != nil {
			j.moved++
		}
		if c.Action != planner.NoOp {
			j.changes[c.Address] = c
		}
	}
}

// FinishApply writes a "change_summary", and the "outputs".
func (j *Stream) FinishApply(s executor.Summary, outputs []config.Output, info view.ApplyInfo) {
	j.mu.Lock()
	defer j.mu.Unlock()
	operation := "apply"
	if info.Destroy {
		operation = "destroy"
	}
	level, text, moved := "info", view.CompleteLine(s), j.moved
	if s.Failed+s.Skipped+s.RenditionsFailed+s.RenditionsSkipped > 0 {
		// Whether the moves were carried out is not known then.
		level, text, moved = "error", view.IncompleteLine(s), 0
	}
	j.emit(changeSummaryMessage{j.header(level, text), changeSummary{
		Add: s.Created + s.Replaced, Change: s.Updated, Import: s.Imported, Remove: s.Destroyed + s.Replaced, Operation: operation,
		Create: s.Created, Replace: s.Replaced, Update: s.Updated, Destroy: s.Destroyed,
		Moved: moved, Forgotten: s.Forgotten, Unchanged: s.Unchanged, Failed: s.Failed, Skipped: s.Skipped, Cost: new(s.Cost.USD()), Simulated: info.Simulated,
		RenditionsMade: s.RenditionsMade, RenditionsRemoved: s.RenditionsRemoved, RenditionsFailed: s.RenditionsFailed, RenditionsSkipped: s.RenditionsSkipped,
	}, "change_summary"})
	all := map[string]outputMessage{}
	for _, o := range outputs {
		all[o.Name] = messageOutput(o)
	}
	j.emit(outputsMessage{j.header("info", fmt.Sprintf("Outputs: %d", len(all))), all, "outputs"})
}

// Close does nothing: a stream has no display.
func (j *Stream) Close() {}

// plannedOutputs returns the outputs of a plan with what happens to them.
func plannedOutputs(p *planner.Plan) map[string]outputMessage {
	all := map[string]outputMessage{}
	for _, o := range p.Outputs {
		var m outputMessage
		switch {
		case o.After == nil:
			m = outputMessage{Sensitive: o.Before.Sensitive, Action: "delete"}
		case !o.Changed:
			m = messageOutput(*o.After)
			m.Action = "noop"
		default:
			m = messageOutput(*o.After)
			m.Action = "update"
			if o.Before == nil {
				m.Action = "create"
			}
		}
		all[o.Name] = m
	}
	return all
}

// messageOutput returns an output with its value as far as that is known and may be shown.
func messageOutput(o config.Output) outputMessage {
	m := outputMessage{Sensitive: o.Sensitive}
	value, _ := o.Whole().UnmarkDeep()
	if value == cty.NilVal || !value.IsWhollyKnown() {
		return m
	}
	// Values of outputs are data, which encodes; one that does not is left out like one that is not
	// known.
	if t, err := ctyjson.MarshalType(value.Type()); err == nil {
		m.Type = t
	}
	if o.Sensitive {
		return m
	}
	if v, err := ctyjson.Marshal(value, value.Type()); err == nil {
		m.Value = v
	}
	return m
}
