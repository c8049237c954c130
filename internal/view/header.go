package view

import (
	"fmt"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// commentLead begins the lines above a change.
const commentLead = "  # "

// heading is what a plan says first of a change: "image.logo will be created", "image.a has moved
// to image.b". subject and object are never broken in two.
type heading struct{ subject, phrase, object string }

func headingOf(c *planner.Change) heading {
	h := heading{subject: c.Address.String(), phrase: lookOf(c).will}
	switch {
	case c.Action == planner.Move && c.From() != nil:
		h.subject, h.object = c.From().String(), c.Address.String()
	case c.Origin == planner.Skipped:
		h.object = c.Lacks().String()
	case c.Action == planner.Import && c.Import() != nil:
		h.object = layout.Quoted(c.Import().Name)
	}
	return h
}

// header writes the comment lines above a change.
func (pp *planPage) header(c *planner.Change) {
	h := headingOf(c)
	spans := []layout.Span{{Text: h.subject, Style: &pp.colours.Strong, Solid: true}, {Text: " " + h.phrase}}
	if h.object != "" {
		spans = append(spans, layout.Span{Text: " "}, layout.Span{Text: h.object, Style: &pp.colours.Strong, Solid: true})
	}
	pp.comment(commentLead, spans...)
	for _, why := range whyOf(c, pp.downstream) {
		pp.note("("+why+")", commentLead)
	}
	for _, candidate := range unansweredCandidates(c) {
		text := fmt.Sprintf("Candidate %d %s.", candidate.Address.Candidate, chargedPhrase(candidate))
		pp.comment(commentLead, layout.Span{Text: text, Style: &pp.colours.Warning})
	}
	if c.MayHaveBeenCharged() {
		pp.comment(commentLead, layout.Span{Text: "It " + chargedPhrase(c) + ".", Style: &pp.colours.Warning})
	}
	if c.RecordedSeed() != nil {
		pp.note(fmt.Sprintf("It is requested with seed %d, which made the lost one.", *c.RecordedSeed()), commentLead)
	}
	if c.Origin == planner.Refused {
		pp.refusedNotes(c)
	}
	pp.advice(c)
	if c.Withheld() {
		return
	}
	pp.drags(c)
}

// whyOf says in phrases why a change is planned, and where its image was before.
func whyOf(c *planner.Change, all *cascade) []string {
	var phrases []string
	switch why := because(c, all); {
	case c.Origin == planner.Refused:
		if len(c.ModerationReasons()) > 0 {
			phrases = append(phrases, "moderation said: "+layout.Harmless(layout.List(c.ModerationReasons())))
		}
	case c.Origin == planner.Skipped:
	case c.Action == planner.Forget && !c.Lost():
		phrases = append(phrases, "a removed block with destroy = false names it")
	case c.Frozen && why != "":
		phrases = append(phrases, "it would be replaced "+why)
	case why != "":
		phrases = append(phrases, why)
	}
	if c.From() != nil && c.Action != planner.Move {
		phrases = append(phrases, "moved from "+layout.Unbroken(c.From().String()))
	}
	return phrases
}

// chargedPhrase warns that an image may be paid for a second time.
func chargedPhrase(c *planner.Change) string {
	amount := ""
	if sum := c.Uncertain(); sum > 0 {
		amount = " " + sum.Dollars()
	}
	if c.Fingerprint == "" {
		return "may have been charged" + amount + " by an interrupted run, and is sent again if it turns out to be the same request"
	}
	return "may have been charged" + amount + " by an interrupted run, and is sent again"
}

// refusedNotes says what follows from a refusal, and the way out.
func (pp *planPage) refusedNotes(c *planner.Change) {
	pp.note("The request is not sent again until it changes, or with -retry-moderated.", commentLead)
	switch n := pp.downstream.needing(c); n {
	case 0:
	case 1:
		pp.note("1 image that needs it will be skipped.", commentLead)
	default:
		pp.note(fmt.Sprintf("%d images that need it will be skipped.", n), commentLead)
	}
}

// drags writes how many images change because these do.
func (pp *planPage) drags(changes ...*planner.Change) {
	if n, cost := pp.downstream.dragged(changes...); n > 0 {
		pp.printf("%s+ %s downstream, %s\n", commentLead, layout.Count(n, "image"), cost)
	}
}

// note writes text as wrapped lines that begin with lead.
func (pp *planPage) note(text, lead string) { pp.comment(lead, layout.Span{Text: text}) }

// comment writes spans as wrapped lines that begin with lead.
func (pp *planPage) comment(lead string, spans ...layout.Span) {
	pp.write(lead)
	f := pp.flow.Restart(pp.out, pp.opts.Width, len(lead), len(lead))
	f.Lead = lead
	f.Add(spans...)
	f.End()
}

// text returns the line that stands for folded changes.
func (f *fold) text() string {
	instances := "more instances"
	if f.count == 1 {
		instances = "more instance"
	}
	c := f.first
	line := fmt.Sprintf("and %d %s of %s %s", f.count, instances, f.block, f.will())
	switch {
	case f.isPaid():
		line += ", " + f.cost.String()
	case priceText(c) != "":
		line += ", " + priceText(c)
	}
	if c.MayHaveBeenCharged() {
		line += ". They may have been charged " + f.charged.Dollars() + " by an interrupted run, and are sent again: " + f.names(layout.Unbroken)
	}
	return line
}

// names lists what is folded. Who is to pay twice for images is told for which.
func (f *fold) names(show func(string) string) string {
	all := make([]string, len(f.changes))
	for i, c := range f.changes {
		all[i] = show(c.Address.String())
	}
	return strings.Join(all, ", ")
}

// isPaid reports whether the changes cost anything at all.
func (f *fold) isPaid() bool { return f.first.Makes() && f.first.Origin == planner.Generate }

// will is what is said of the instances: their own phrase, as far as it can be said of many.
func (f *fold) will() string {
	c := f.first
	switch {
	case c.Frozen && c.Lost():
		return "are frozen and stay missing"
	case c.Frozen:
		return "are frozen and stay as they are"
	case c.Origin == planner.Refused:
		return "stay refused by moderation"
	case c.Origin == planner.Rejected:
		return "have no candidate that passes their gates"
	case c.NotPicked:
		return "wait until somebody has picked " + blockName(*c.Lacks())
	case c.Origin == planner.Skipped:
		return "will be skipped, since they need " + blockName(*c.Lacks())
	case c.Action == planner.Move && c.From() != nil:
		return "have moved from " + blockName(*c.From())
	case c.Action == planner.Import:
		return "will be imported"
	case c.Action == planner.Forget && !c.Lost():
		return "will no longer be managed by fluxbatch, but their files stay"
	default:
		return lookOf(c).will
	}
}

// ChangeText says in a few words what is planned for an image.
func ChangeText(c *planner.Change) string {
	switch {
	case c.Frozen:
		return "Frozen, stays as it is"
	case c.Origin == planner.Refused:
		return "Stays refused by moderation"
	case c.Origin == planner.Rejected:
		return "Has no candidate that passes its gates"
	case c.NotPicked:
		return "Waits until somebody has picked " + c.Lacks().String()
	case c.Origin == planner.Skipped:
		return "Skipped, since it needs " + c.Lacks().String()
	case c.Action == planner.Destroy:
		return "Plan to delete"
	default:
		return "Plan to " + c.Action.String()
	}
}

// Reasons returns a function that says why an image of a plan changes, in phrases.
func Reasons(p *planner.Plan) func(*planner.Change) []string {
	downstream := newCascade(p)
	return func(c *planner.Change) []string { return whyOf(c, downstream) }
}

// PriceText says what a change costs, "" for what has no price.
func PriceText(c *planner.Change) string { return priceText(c) }
