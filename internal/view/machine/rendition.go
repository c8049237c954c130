package machine

import (
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// resourceOfRendition names a rendition or a sheet.
func resourceOfRendition(a addrs.Rendition) messageResource {
	within := a
	within.Of.Module = ""
	kind, name := "rendition", a.Name
	if a.Kind == addrs.Sheet {
		kind, name = "sheet", a.Of.Name
	}
	return messageResource{
		Addr: a.String(), Module: string(a.Of.Module), Resource: within.String(), ImpliedProvider: "fluxbatch",
		ResourceType: kind, ResourceName: name, ResourceKey: keyValue(a.Of.Key),
	}
}

func newPlannedRendition(c *planner.RenditionChange) plannedChange {
	change := plannedChange{Resource: resourceOfRendition(c.Address), Action: messageAction(c.Action), Path: c.Output, EstimatedCost: new(0.0)}
	if c.Reason != "" {
		change.Reasons = []plannedReason{{Kind: string(c.Reason)}}
	}
	if c.From != nil {
		change.PreviousResource = new(resourceOfRendition(*c.From))
	}
	return change
}

// rendition writes what happened to something that is made here.
func (j *Stream) rendition(e executor.Event) {
	addr, text := view.RenditionEventText(e)
	level, kind, h := "info", "apply_complete", hook{Resource: resourceOfRendition(addr)}
	var failed error
	switch e := e.(type) {
	case executor.RenditionDone:
		h.Action, h.ElapsedSeconds = messageAction(e.Action), seconds(e.Elapsed)
		if e.Rendition != nil {
			h.Path, h.SHA256 = e.Rendition.Picture().Path, e.Rendition.Picture().SHA256
		}
	case executor.RenditionFailed:
		level, kind, failed = "error", "apply_errored", e.Err
		h.Action, h.Status, h.Error = messageAction(planner.Create), "failed", layout.OneLine(e.Err)
	case executor.RenditionSkipped:
		level, kind = "error", "apply_errored"
		h.Action, h.Status = messageAction(planner.Create), "skipped"
		if e.Because != (addrs.Image{}) {
			h.Because = e.Because.String()
		}
	}
	j.emit(hookMessage{j.header(level, addr.String()+": "+text), h, kind})
	if failed != nil {
		j.diagnostic(tfjson.Diagnostic{
			Severity: tfjson.DiagnosticSeverityError, Address: addr.String(),
			Summary: "Rendition failed", Detail: layout.Sentence(strings.TrimSpace(layout.ErrorText(failed))),
		})
	}
}
