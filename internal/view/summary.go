package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

const (
	noChanges   = "No changes. Every image matches the configuration."
	noneLimited = "No changes. The images that this plan is limited to match the configuration."
	noneRefresh = "No changes. -refresh-only finds nothing to put on record, and does not look at the configuration."
	onlyOutputs = "You can apply this plan to save these new output values to the state, without making or removing any image."
	// Candidates that an image has left behind are told with none.
	onlyCandidates = "You can apply this plan to put candidates where they belong, without making or removing any image."
	apartTitle     = "The following images will not be what the configuration says:"
)

// Tally is what a plan's summary says besides the planner's own counts.
type Tally struct {
	planner.Summary
	// Frozen counts images that lifecycle.frozen alone keeps as they are, Conditional those
	// replacements that upstream images decide on.
	Frozen, Conditional int
	// Uncertain counts images that an interrupted run may have been charged for, and Charged is how
	// much.
	Uncertain int
	Charged   bfl.Credits
}

// TallyOf counts what a plan does.
func TallyOf(p *planner.Plan) Tally {
	t := Tally{Summary: p.Summary()}
	for _, c := range p.Changes {
		switch {
		case c.Frozen:
			t.Frozen++
		case c.MayHaveBeenCharged():
			t.Uncertain++
			t.Charged += c.Uncertain()
		}
		if c.Address.Candidate == 0 && MayStay(c) {
			t.Conditional++
		}
	}
	return t
}

// sorted returns the changes that a plan carries out, and those of images that will not be what the
// configuration says.
func sorted(p *planner.Plan) (acts, apart []*planner.Change) {
	n := 0
	for _, c := range p.Changes {
		if c.Action != planner.NoOp {
			n++
		}
	}
	acts = slices.Grow(acts, n)
	for _, c := range p.Changes {
		switch {
		case c.Address.Candidate > 0:
			// It is told with its image.
		case c.Frozen || c.Withheld():
			apart = append(apart, c)
		case c.Action != planner.NoOp:
			acts = append(acts, c)
		}
	}
	return acts, apart
}

// idle reports whether a plan carries nothing out. Images that stay refused make a plan that is
// neither idle nor empty: apply fails for them.
func idle(p *planner.Plan) bool {
	for _, c := range p.Changes {
		if !c.Withheld() && (c.From() != nil || c.Action != planner.NoOp && !c.Frozen) {
			return false
		}
	}
	return len(p.Renditions) == 0 && len(p.Unsettled()) == 0 && !savesOutputs(p)
}

func savesOutputs(p *planner.Plan) bool {
	return slices.ContainsFunc(p.Outputs, func(o planner.OutputChange) bool { return o.Changed })
}

// summaryOf returns the sentence that sums a plan up, those on what is free, which follow it, and
// those with what it does not say.
func summaryOf(p *planner.Plan) (line string, free, notes []string) {
	t := TallyOf(p)
	acts, apart := sorted(p)
	switch nothing := idle(p); {
	case nothing && len(apart) == 0:
		return nothingOf(p), nil, nil
	case nothing && t.Refused+t.Rejected == 0:
		return "No changes. " + strings.Join(t.sentences(), " "), nil, nil
	case len(acts) == 0 && len(p.Renditions) == 0 && len(p.Unsettled()) == 0 && t.Refused+t.Rejected == 0 && t.Moved == 0:
		if !savesOutputs(p) {
			return onlyCandidates, nil, t.sentences()
		}
		return onlyOutputs, nil, t.sentences()
	}
	cost := t.Cost.Dollars()
	if t.Unpriced > 0 {
		cost += " plus " + unpricedText(t.Unpriced)
	}
	line = fmt.Sprintf("Plan: %d to create, %d to replace, %d to update, %d to destroy. Estimated cost: %s.",
		t.Create, t.Replace, t.Update, t.Destroy, cost)
	free = t.free()
	if text := plannedRenditions(p); text != "" {
		free = append(free, text)
	}
	return line, free, t.sentences()
}

// nothingOf says that a plan has nothing to do, and no more than it looked at.
func nothingOf(p *planner.Plan) string {
	switch {
	case p.RefreshOnly:
		return noneRefresh
	case p.Limited():
		return noneLimited
	default:
		return noChanges
	}
}

// free are the sentences on what costs nothing.
func (t *Tally) free() []string {
	var all []string
	if free := counted(amount{t.Restored, "restored from the store"}, amount{t.Resumed, "resumed from an interrupted run"}); free != "" {
		all = append(all, "Of these, "+free+", free of charge.")
	}
	if free := freeSentence(t.Moved, t.Imported, t.Forgotten); free != "" {
		all = append(all, free)
	}
	return all
}

// sentences are what the counts do not say.
func (t *Tally) sentences() []string {
	var all []string
	say := func(n int, one, many string, args ...any) {
		switch {
		case n == 1:
			all = append(all, fmt.Sprintf(one, args...))
		case n > 1:
			all = append(all, fmt.Sprintf("%d ", n)+fmt.Sprintf(many, args...))
		}
	}
	if t.CostUnknown {
		all = append(all, "The estimate is the least it will cost, since some sizes are known only after apply.")
	}
	howMuch := ""
	if t.Charged > 0 {
		howMuch = " " + t.Charged.Dollars()
	}
	say(t.Uncertain, "1 image may have been charged%s by an interrupted run, and is sent again.",
		"images may have been charged%s by an interrupted run, and are sent again.", howMuch)
	say(t.Conditional, "1 of the replacements happens only if what the image is made from turns out different.",
		"of the replacements happen only if what the images are made from turns out different.")
	say(t.Refused, "1 image stays refused by moderation. It is not requested again until it changes, or with -retry-moderated.",
		"images stay refused by moderation. They are not requested again until they change, or with -retry-moderated.")
	say(t.Rejected, "1 image has no candidate that passes its gates. Its candidates are kept, and no more are bought. Pick one, change its gates, or ask for more with fluxbatch pick -reroll.",
		"images have no candidate that passes their gates. Their candidates are kept, and no more are bought. Pick one of each, change their gates, or ask for more with fluxbatch pick -reroll.")
	say(t.Waiting, "1 image waits until somebody has picked what it is made from.",
		"images wait until somebody has picked what they are made from.")
	say(t.Skipped, "1 image that needs a refused one will be skipped, at no cost.",
		"images that need a refused one will be skipped, at no cost.")
	say(t.Frozen, "1 frozen image stays as it is, although it does not match the configuration.",
		"frozen images stay as they are, although they do not match the configuration.")
	return all
}

// amount is a number with what it counts.
type amount struct {
	n    int
	what string
}

// counted lists the counts that are not zero: "2 moved and 1 imported".
func counted(counts ...amount) string {
	var parts []string
	for _, c := range counts {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return layout.List(parts)
}

// freeSentence says what a plan or an apply does on record alone, "" for nothing.
func freeSentence(moved, imported, forgotten int) string {
	free := counted(amount{moved, "moved"}, amount{imported, "imported"}, amount{forgotten, "forgotten"})
	if free == "" {
		return ""
	}
	return free + ", free of charge."
}

// PlanSummary returns the whole summary on one line.
func PlanSummary(p *planner.Plan) string {
	line, free, notes := summaryOf(p)
	return strings.Join(slices.Concat([]string{line}, free, notes), " ")
}

// summary writes the whole summary. The sentence with the counts comes last, but for what of it is
// free, and is never broken, since scripts look for it.
func (pp *planPage) summary() {
	line, free, notes := summaryOf(pp.plan)
	f := layout.NewFlow(pp.out, pp.opts.Width, 0, 0)
	for _, sentence := range notes {
		f.Add(layout.Span{Text: sentence})
		f.Newline()
	}
	switch counts, cost, ok := strings.Cut(line, " Estimated cost:"); {
	case !strings.HasPrefix(line, "Plan:") || !ok:
		f.Add(layout.Span{Text: line})
	case pp.oneLine:
		f.Add(layout.Span{Text: line, Solid: true})
	default:
		f.Add(layout.Span{Text: counts + " "}, layout.Span{Text: "Estimated cost:" + cost, Solid: true})
	}
	for _, sentence := range free {
		f.Add(layout.Span{Text: " " + sentence})
	}
	f.End()
}

// CompleteLine returns the line that ends an apply in which nothing went wrong.
func CompleteLine(s executor.Summary) string {
	return fmt.Sprintf("Apply complete: %d created, %d replaced, %d updated, %d destroyed. Cost: %s.",
		s.Created, s.Replaced, s.Updated, s.Destroyed, s.Cost.Dollars())
}

// IncompleteLine returns the line that ends an apply in which something went wrong.
func IncompleteLine(s executor.Summary) string {
	return fmt.Sprintf("Apply incomplete: %d created, %d replaced, %d updated, %d destroyed, %d failed, %d skipped. Cost: %s.",
		s.Created, s.Replaced, s.Updated, s.Destroyed, s.Failed, s.Skipped, s.Cost.Dollars())
}

// lastLine breaks a line that ends an apply before its cost, where a terminal would break it
// inside.
func (v *View) lastLine(line string) string {
	if v.oneLine || layout.Width(line) <= v.opts.Width {
		return line
	}
	return strings.Replace(line, " Cost: ", "\nCost: ", 1)
}

// applySentences returns what the line that ends an apply does not say, a line each. moved is how
// many images have other addresses now.
func applySentences(s executor.Summary, moved int, t *renditionTally) string {
	lines := ""
	if free := freeSentence(moved, s.Imported, s.Forgotten); free != "" {
		lines = free + "\n"
	}
	if text := t.text("made", "removed", "moved"); text != "" {
		lines += text + ".\n"
	}
	switch s.Unchanged {
	case 0:
	case 1:
		lines += "1 image turned out to need no change.\n"
	default:
		lines += fmt.Sprintf("%d images turned out to need no change.\n", s.Unchanged)
	}
	return lines
}
