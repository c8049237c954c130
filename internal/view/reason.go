package view

import (
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
)

// namesListed is how many names a reason lists before it only counts the rest.
const namesListed = 3

// because says why an image changes, as in "because its prompt changed", or "" where the action says it all.
func because(c *planner.Change, all *cascade) string {
	var phrases []string
	var upstream, triggers []addrs.Image
	for _, r := range c.Reasons {
		switch r.Kind {
		case planner.NotInState, planner.DestroyRequested:
		case planner.UpstreamChanges:
			upstream = append(upstream, r.Upstream)
		case planner.Triggered:
			triggers = append(triggers, r.Upstream)
		case planner.RequestChanged:
			phrases = append(phrases, changedPhrase(c))
		case planner.FileMissing:
			phrases = append(phrases, "its file is gone")
		case planner.FileChanged:
			phrases = append(phrases, "its file is not the one that was made")
		case planner.Requested:
			phrases = append(phrases, "-replace asks for it")
		case planner.WasSimulated:
			phrases = append(phrases, "it was made by a simulator")
		case planner.Interrupted:
			phrases = append(phrases, "an interrupted run had asked for it")
		case planner.NotInConfiguration:
			phrases = append(phrases, "it is no longer in the configuration")
		default:
			phrases = append(phrases, "of "+strings.ReplaceAll(string(r.Kind), "_", " "))
		}
	}
	if len(upstream) > 0 {
		phrases = append(phrases, upstreamPhrase(upstream, all))
	}
	if len(triggers) > 0 {
		phrases = append(phrases, "replace_triggered_by names "+imageNames(triggers))
	}
	if len(phrases) == 0 {
		return ""
	}
	return "because " + list(phrases)
}

// changedPhrase names the arguments that make a new image necessary, but for those whose change is that an image upstream changes.
func changedPhrase(c *planner.Change) string {
	var names []string
	all := c.Attributes()
	for i := range all {
		a := &all[i]
		if _, isInput := a.After.(planner.Reference); !a.Forces || !a.Changed() || a.Unknown && isInput {
			continue
		}
		if name, _, _ := strings.Cut(a.Name, "["); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "its request changed"
	}
	if more := len(names) - namesListed; more > 0 {
		names = append(names[:namesListed], count(more, "other argument"))
	}
	return "its " + list(names) + " changed"
}

// upstreamPhrase names the images whose making anew is the reason.
func upstreamPhrase(upstream []addrs.Image, all *cascade) string {
	verb := "generated"
	for _, u := range upstream {
		switch c := all.change(u); {
		case c != nil && c.Origin == planner.Refused:
			return imageNames(upstream) + " will not be there"
		case c == nil || c.Action != planner.Create:
			verb = "regenerated"
		}
	}
	return imageNames(upstream) + " will be " + verb
}

// imageNames lists images, and only counts what would be too many.
func imageNames(upstream []addrs.Image) string {
	names := make([]string, 0, namesListed)
	for _, u := range upstream[:min(len(upstream), namesListed)] {
		names = append(names, u.String())
	}
	if more := len(upstream) - namesListed; more > 0 {
		names = append(names, count(more, "other image"))
	}
	return list(names)
}
