package machine

import (
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
)

// How images appear to tools that know Terraform.
const (
	resourceType = "image"
	providerName = "registry.fluxbatch.dev/bfl/flux"
	// planFormat and stateFormat are the versions of Terraform's formats that are written.
	planFormat     = "1.2"
	stateFormat    = "1.0"
	validateFormat = "1.0"
)

// repetition knows with what keys a plan's blocks still have instances.
type repetition map[addrs.Image]addrs.Key

func newRepetition(p *planner.Plan) repetition {
	r := repetition{}
	for unchanged := range p.Unchanged.All() {
		addr := unchanged.Address()
		r[addr.Block()] = addr.Key
	}
	for _, c := range p.Changes {
		if c.Desired != nil {
			r[c.Address.Block()] = c.Address.Key
		}
	}
	return r
}

// whyDeleted says why an image is no longer in the configuration.
func (r repetition) whyDeleted(a addrs.Image) tfjson.ActionReason {
	key, ok := r[a.Block()]
	_, wasNumber := a.Key.Int()
	_, isNumber := key.Int()
	switch {
	case !ok:
		return tfjson.ActionReasonDeleteBecauseNoResourceConfig
	case key.IsNone() != a.Key.IsNone(), wasNumber != isNumber:
		return tfjson.ActionReasonDeleteBecauseWrongRepetition
	case isNumber:
		return tfjson.ActionReasonDeleteBecauseCountIndex
	default:
		return tfjson.ActionReasonDeleteBecauseEachKey
	}
}

// actionReason returns Terraform's nearest word for why an image changes.
func actionReason(c *planner.Change, r repetition) tfjson.ActionReason {
	has := func(kinds ...planner.ReasonKind) bool {
		return slices.ContainsFunc(c.Reasons, func(r planner.Reason) bool { return slices.Contains(kinds, r.Kind) })
	}
	switch {
	case c.Action == planner.Destroy && has(planner.NotInConfiguration):
		return r.whyDeleted(c.Address)
	case c.Action != planner.Replace, c.Withheld():
		return tfjson.ActionReasonNone
	case has(planner.Requested), has(planner.Marked):
		return tfjson.ActionReasonReplaceByRequest
	case has(planner.Triggered):
		return tfjson.ActionReasonReplaceByTriggers
	case has(planner.FileChanged, planner.FileMissing, planner.FileOutdated, planner.WasSimulated):
		return tfjson.ActionReasonReplaceBecauseTainted
	default:
		return tfjson.ActionReasonReplaceBecauseCannotUpdate
	}
}

// messageReason is actionReason in the words of the JSON stream.
func messageReason(c *planner.Change, r repetition) string {
	switch reason := actionReason(c, r); reason {
	case tfjson.ActionReasonReplaceByRequest:
		return "requested"
	case tfjson.ActionReasonReplaceByTriggers:
		return "replace_triggered_by"
	default:
		return strings.TrimPrefix(string(reason), "replace_because_")
	}
}

// lineage returns the paths of a module and of all those around it, the outermost first; nothing
// for the root.
func lineage(m addrs.Module) []addrs.Module {
	var all []addrs.Module
	var path addrs.Module
	for name, key := range m.Steps() {
		path = path.Child(name, key)
		all = append(all, path)
	}
	return all
}
