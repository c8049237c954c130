package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// namesListed is how many names a reason lists before it only counts the rest.
const namesListed = 3

// because says why an image changes, as in "because its prompt changed", or "" where the action
// says it all.
func because(c *planner.Change, all *cascade) string {
	var phrases []string
	var upstream, triggers []addrs.Image
	var renditions []addrs.Rendition
	for _, r := range c.Reasons {
		switch r.Kind {
		case planner.NotInState, planner.DestroyRequested:
		case planner.UpstreamChanges:
			upstream = append(upstream, r.Upstream)
		case planner.RenditionChanges:
			renditions = append(renditions, r.Rendition)
		case planner.Triggered:
			triggers = append(triggers, r.Upstream)
		case planner.RequestChanged:
			if phrase := changedPhrase(c); phrase != "" {
				phrases = append(phrases, phrase)
			} else if len(c.Reasons) == 1 {
				phrases = append(phrases, "its request changed")
			}
		case planner.FileMissing:
			phrases = append(phrases, "its file is gone")
		case planner.FileChanged:
			phrases = append(phrases, "its file was changed")
		case planner.FileOutdated:
			phrases = append(phrases, "another machine has made a newer picture")
		case planner.Requested:
			phrases = append(phrases, "-replace asks for it")
		case planner.Marked:
			phrases = append(phrases, "somebody marked it in review")
		case planner.Picked:
			phrases = append(phrases, fmt.Sprintf("candidate %d is picked", c.Desired.Candidate))
		case planner.Unjudged:
			phrases = append(phrases, "gates have to judge its candidates")
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
	if len(renditions) > 0 {
		phrases = append(phrases, names(renditions, "rendition")+" will change")
	}
	if len(triggers) > 0 {
		phrases = append(phrases, "replace_triggered_by names "+imageNames(triggers))
	}
	if len(phrases) == 0 {
		return ""
	}
	return "because " + layout.List(phrases)
}

// changedPhrase names the arguments that make a new image necessary. Where none is certain to
// differ, it names those that are known only after apply, and is "" where the images upstream are
// all there is to say.
func changedPhrase(c *planner.Change) string {
	var changed, open []string
	name := func(names []string, a *image.Attribute) []string {
		if name, _, _ := strings.Cut(a.Name, "["); !slices.Contains(names, name) {
			return append(names, name)
		}
		return names
	}
	all := c.Attributes()
	for i := range all {
		switch a := &all[i]; {
		case !a.Forces:
		case certain(c, a):
			changed = name(changed, a)
		case a.Unknown && !isReference(a), a.Changed() && isReference(a) && openReferences(c):
			open = name(open, a)
		}
	}
	switch {
	case len(changed) > 0:
		return "its " + firstNames(changed) + " changed"
	case len(open) == 1 && open[0] != "references" && open[0] != "inputs":
		return "its " + open[0] + " is known only after apply"
	case len(open) > 0:
		return "its " + firstNames(open) + " are known only after apply"
	default:
		return ""
	}
}

// firstNames lists arguments, and only counts what would be too many.
func firstNames(names []string) string {
	if more := len(names) - namesListed; more > 0 {
		names = append(names[:namesListed], layout.Count(more, "other argument"))
	}
	return layout.List(names)
}

// upstreamPhrase names the images whose making anew is the reason.
func upstreamPhrase(upstream []addrs.Image, all *cascade) string {
	verb := "generated"
	for _, u := range upstream {
		switch c := all.change(u); {
		case c != nil && c.Withheld():
			return imageNames(upstream) + " will not be there"
		case c != nil && c.Judges && !slices.ContainsFunc(c.Candidates(), isBought):
			return "gates will choose the picture of " + imageNames(upstream)
		case c == nil || c.Action != planner.Create:
			verb = "regenerated"
		}
	}
	return imageNames(upstream) + " will be " + verb
}

// imageNames lists images, and only counts what would be too many.
func imageNames(upstream []addrs.Image) string { return names(upstream, "image") }

// names lists addresses of a kind, and only counts what would be too many.
func names[A fmt.Stringer](all []A, kind string) string {
	listed := make([]string, 0, namesListed)
	for _, a := range all[:min(len(all), namesListed)] {
		listed = append(listed, layout.Unbroken(a.String()))
	}
	if more := len(all) - namesListed; more > 0 {
		listed = append(listed, layout.Count(more, "other "+kind))
	}
	return layout.List(listed)
}
