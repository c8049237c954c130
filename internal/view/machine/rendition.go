package machine

import (
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// resourceOfRendition names a rendition or a sheet.
func resourceOfRendition(a addrs.Rendition) messageResource {
	within := a
	within.Of.Module = ""
	kind, name := typeOfRendition(a)
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
		if e.Because != "" {
			h.Because = e.Because
		}
	}
	j.emit(hookMessage{j.header(level, addr.String()+": "+text), h, kind})
	if e, ok := e.(executor.RenditionDone); ok && e.Told != "" {
		j.diagnostic(tfjson.Diagnostic{Severity: tfjson.DiagnosticSeverityWarning, Address: addr.String(), Summary: "Rendition to look at", Detail: e.Told})
	}
	if failed != nil {
		j.diagnostic(tfjson.Diagnostic{
			Severity: tfjson.DiagnosticSeverityError, Address: addr.String(),
			Summary: "Rendition failed", Detail: layout.Sentence(strings.TrimSpace(layout.ErrorText(failed))),
		})
	}
}

// typeOfRendition is the type of its resource, and nameOfRendition its name.
func typeOfRendition(a addrs.Rendition) (kind, name string) {
	if a.Kind == addrs.Sheet {
		return "sheet", a.Of.Name
	}
	return "rendition", a.Name
}

// renditionValues are those of a resource that is made here.
func renditionValues(r *state.Rendition) object {
	f := r.Picture()
	values := object{"path": f.Path, "sha256": f.SHA256, "width": f.Width, "height": f.Height, "format": f.Format, "from": r.From}
	if atlases := r.Atlases(); len(atlases) > 0 {
		values["atlas"] = atlases[0]
	}
	if pages := r.Pages(); len(pages) > 1 {
		values["pages"], values["atlases"] = pages, r.Atlases()
	}
	return values
}

// renditionResource is what is on record of something that was made here.
func renditionResource(a addrs.Rendition, r *state.Rendition) *tfjson.StateResource {
	kind, name := typeOfRendition(a)
	resource := &tfjson.StateResource{
		Address: a.String(), Mode: tfjson.ManagedResourceMode, Type: kind, Name: name, Index: keyValue(a.Of.Key),
		ProviderName: renditionProvider, AttributeValues: renditionValues(r), SensitiveValues: []byte("{}"),
	}
	if a.Kind == addrs.OfImage {
		resource.DependsOn = []string{a.Of.String()}
	}
	return resource
}

// renditionChange is what a plan does with something that is made here.
func renditionChange(c *planner.RenditionChange) *tfjson.ResourceChange {
	kind, name := typeOfRendition(c.Address)
	change := &tfjson.Change{AfterUnknown: object{}, BeforeSensitive: object{}, AfterSensitive: object{}}
	if c.Prior != nil {
		change.Before = renditionValues(c.Prior)
	}
	switch c.Action {
	case planner.Create:
		change.Actions, change.Before = tfjson.Actions{tfjson.ActionCreate}, nil
	case planner.Replace:
		change.Actions = tfjson.Actions{tfjson.ActionDelete, tfjson.ActionCreate}
	case planner.Destroy:
		change.Actions = tfjson.Actions{tfjson.ActionDelete}
	case planner.Forget:
		change.Actions = tfjson.Actions{tfjson.ActionForget}
	default:
		change.Actions, change.After = tfjson.Actions{tfjson.ActionNoop}, change.Before
	}
	if c.Makes() {
		after := object{"path": c.Output, "format": c.Recipe.Format}
		if c.Atlas != "" {
			after["atlas"] = c.Atlas
		}
		change.After, change.AfterUnknown = after, object{"sha256": true}
	}
	resource := &tfjson.ResourceChange{
		Address: c.Address.String(), ModuleAddress: string(c.Address.Of.Module), Mode: tfjson.ManagedResourceMode, Type: kind, Name: name,
		Index: keyValue(c.Address.Of.Key), ProviderName: renditionProvider, Change: change,
	}
	if c.From != nil {
		resource.PreviousAddress = c.From.String()
	}
	return resource
}

// renditionProvider is what makes renditions: this program.
const renditionProvider = "registry.fluxbatch.dev/fluxbatch/here"
