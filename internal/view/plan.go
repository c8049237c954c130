package view

import (
	"bufio"
	"fmt"
	"math"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// Plan writes what a plan would do. Its last paragraph is the summary.
func (v *View) Plan(p *planner.Plan, info PlanInfo) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.planned = info
	out := bufio.NewWriterSize(v.opts.Stdout, pageBuffer)
	page := planPage{out: seenWriter{out, v}, colours: &v.colours, opts: v.opts, plan: p, downstream: newCascade(p), oneLine: v.oneLine}
	page.all(info)
	_ = out.Flush() // As in stdout.
	switch {
	case info.Again == "":
	case info.SavedAs != "":
		v.next(info.Again, layout.Span{Text: "The plan is saved in "}, layout.Span{Text: layout.Quoted(info.SavedAs), Solid: true}, layout.Span{Text: ". To carry out exactly this, run:"})
	case info.Command == commandPlan && !v.opts.Concise && !idle(p):
		v.next(info.Again, layout.Span{Text: "Nothing was made and nothing was spent. To carry this out, run:"})
	}
}

// next says what to type to go on. Neither the command nor a path is ever broken, so that they can
// be copied.
func (v *View) next(command string, why ...layout.Span) {
	v.stderr("\n" + layout.WrapSpans(v.opts.Width, why...) + "\n\n    " + command + "\n")
}

// pageBuffer is how much of a plan is written at a time.
const pageBuffer = 64 << 10

// seenWriter is a buffer that takes only what can be seen. What is written at a time has whole
// characters.
type seenWriter struct {
	out  *bufio.Writer
	view *View
}

// WriteString implements io.StringWriter.
func (w seenWriter) WriteString(s string) (int, error) {
	if _, err := w.out.WriteString(w.view.seen(s)); err != nil {
		return 0, err
	}
	return len(s), nil
}

// Write implements io.Writer.
func (w seenWriter) Write(p []byte) (int, error) { return w.WriteString(string(p)) }

// WriteByte implements io.ByteWriter. It is for newlines and spaces.
func (w seenWriter) WriteByte(c byte) error { return w.out.WriteByte(c) }

// planPage is the text of one plan under way.
type planPage struct {
	out        layout.Writer
	flow       layout.Flow // of comments and attributes, one after the other
	colours    *layout.Palette
	opts       Options
	plan       *planner.Plan
	downstream *cascade
	oneLine    bool // as in View
	simulated  bool // as in PlanInfo
}

func (pp *planPage) all(info PlanInfo) {
	pp.simulated = info.Simulated
	acts, apart := sorted(pp.plan)
	if shown := foldChanges(acts, pp.opts.Unfolded); len(shown) > 0 {
		pp.legend(acts)
		pp.printf("fluxbatch will perform the following actions:\n\n")
		pp.items(shown)
	}
	if shown := foldChanges(apart, pp.opts.Unfolded); len(shown) > 0 {
		pp.printf("%s\n\n", layout.Wrap(apartTitle, pp.opts.Width))
		pp.items(shown)
	}
	pp.renditions()
	pp.outputs()
	pp.abandoned()
	if info.Simulated && !idle(pp.plan) {
		pp.printf("This is a simulation. Prices are shown as they would be, and nothing is charged.\n\n")
	}
	if info.Costs {
		pp.costsByModel()
	}
	pp.summary()
}

// items writes changes, or what stands for those that are folded.
func (pp *planPage) items(shown []planItem) {
	for _, item := range shown {
		pp.item(item)
	}
	if pp.opts.Concise {
		pp.printf("\n")
	}
}

// abandonedListed bounds how many tasks a plan lists that no image wants.
const abandonedListed = 10

// abandoned writes which tasks of interrupted runs no change takes up, and what becomes of them.
func (pp *planPage) abandoned() {
	tasks := pp.plan.Unsettled()
	if len(tasks) == 0 {
		return
	}
	pp.printf("Tasks of earlier runs that no image takes up:\n")
	for i := range tasks[:min(len(tasks), abandonedListed)] {
		pp.note(layout.Unbroken(tasks[i].Address.String())+": "+fateOf(&tasks[i]), "    ")
	}
	if more := len(tasks) - abandonedListed; more > 0 {
		pp.printf("    (and %d more)\n", more)
	}
	pp.printf("\n")
}

// fateOf says what became of a task that no change takes up, and what becomes of it now.
func fateOf(a *planner.Abandoned) string {
	sum := a.Task.Cost.Dollars()
	switch {
	case a.Task.Lost != "":
		return fmt.Sprintf("%s was paid for task %s, and is lost: it %s", sum, a.Task.ID, strings.TrimRight(layout.Harmless(a.Task.Lost), "."))
	case !a.Task.Answered():
		return "a request got no answer, may have been charged " + sum + ", and is forgotten"
	case a.GivenUp:
		return "task " + a.Task.ID + " is given up, and with it what was paid for it: " + sum
	case a.MayBeWanted:
		return "its task is paid for, " + sum + ". The image is taken from it if its request turns out to be the same, and goes into the store otherwise"
	default:
		return "its image goes into the store when it can be had, and was paid for: " + sum
	}
}

func (pp *planPage) write(texts ...string) {
	for _, text := range texts {
		_, _ = pp.out.WriteString(text) // As in View.stdout.
	}
}

func (pp *planPage) printf(format string, args ...any) { _, _ = fmt.Fprintf(pp.out, format, args...) }

// look is how an action is shown.
type look struct {
	symbol string
	// legend explains the symbol.
	legend string
	// will follows an address.
	will string
}

// looks are those of the actions that have a symbol, in the legend's order.
var looks = []struct {
	action planner.Action
	look
}{
	{planner.Create, look{"  +", "create", "will be created"}},
	{planner.Replace, look{"-/+", "replace (generate again)", "must be replaced"}},
	{planner.Update, look{"  ~", "update in place", "will be updated in place"}},
	{planner.Destroy, look{"  -", "destroy", "will be destroyed"}},
	{planner.Forget, look{"  .", "forget (no file is removed)", "will no longer be managed by fluxbatch, but its file stays"}},
}

// lookOf returns how a change is shown. What neither makes nor removes anything has no symbol, as
// in Terraform.
func lookOf(c *planner.Change) look {
	const none = "   "
	switch {
	case isEdited(c):
		return look{symbol: none, will: "was edited by hand and stays as it is"}
	case c.Frozen && c.Lost():
		return look{symbol: none, will: "is frozen and stays missing"}
	case c.Frozen:
		return look{symbol: none, will: "is frozen and stays as it is"}
	case c.Origin == planner.Refused:
		return look{symbol: none, will: "stays refused by moderation"}
	case c.Origin == planner.Rejected:
		return look{symbol: none, will: "has no candidate that passes its gates"}
	case c.NotPicked:
		return look{symbol: none, will: "waits until somebody has picked"}
	case c.Origin == planner.Skipped:
		return look{symbol: none, will: "will be skipped, since it needs"}
	case c.Action == planner.Move:
		return look{symbol: none, will: "has moved to"}
	case c.Action == planner.Import:
		return look{symbol: none, will: "will be imported from"}
	case c.Lost():
		return look{symbol: "  .", will: "will no longer be managed by fluxbatch"}
	case c.Action == planner.Create && c.Prior != nil:
		return look{symbol: "  +", will: "will be created again"}
	}
	for _, l := range looks {
		if l.action == c.Action {
			return l.look
		}
	}
	return look{symbol: none, will: "is planned: " + c.Action.String()}
}

// symbol returns the action's sign, in colour.
func (pp *planPage) symbol(l look) string { return paintSymbol(pp.colours, l.symbol) }

// paintSymbol paints each sign of a symbol as what it stands for: of "-/+", the minus is a removal.
func paintSymbol(colours *layout.Palette, symbol string) string {
	if !colours.Diffs {
		return symbol
	}
	var b strings.Builder
	for _, r := range symbol {
		switch s := string(r); s {
		case "+":
			b.WriteString(colours.Create.Styled(s))
		case "-":
			b.WriteString(colours.Destroy.Styled(s))
		case "~", ".":
			b.WriteString(colours.Update.Styled(s))
		default:
			b.WriteString(s)
		}
	}
	return b.String()
}

// legend explains the symbols that changes use.
func (pp *planPage) legend(changes []*planner.Change) {
	used := map[planner.Action]bool{}
	for _, c := range changes {
		used[c.Action] = true
	}
	var lines strings.Builder
	for _, l := range looks {
		if used[l.action] {
			fmt.Fprintf(&lines, "%s %s\n", pp.symbol(l.look), l.legend)
		}
	}
	if lines.Len() > 0 {
		pp.printf("Actions are indicated with the following symbols:\n%s\n", lines.String())
	}
}

// item writes one change, or the line that stands for folded ones.
func (pp *planPage) item(it planItem) {
	if it.folded != nil {
		pp.foldedLine(it.folded)
		return
	}
	if pp.opts.Concise {
		pp.conciseLine(it.change)
		return
	}
	pp.header(it.change)
	pp.block(it.change)
	pp.printf("\n")
}

func (pp *planPage) block(c *planner.Change) {
	pp.printf("%s image %s {%s\n", pp.symbol(lookOf(c)), layout.Quoted(c.Address.Name), pp.price(c))
	shown, hidden := shownAttributes(c)
	names := 0
	for _, a := range shown {
		names = max(names, layout.Width(a.Name))
	}
	for _, a := range shown {
		pp.attribute(c, a, names)
	}
	if hidden > 0 {
		pp.printf("        %s\n", pp.colours.Faint.Styled(fmt.Sprintf("# (%s hidden)", layout.Count(hidden, "unchanged attribute"))))
	}
	pp.printf("    }\n")
}

// price returns the comment with what a change costs, "" where it makes no image.
func (pp *planPage) price(c *planner.Change) string {
	text := priceText(c)
	if text == "" {
		return ""
	}
	return " " + pp.colours.Faint.Styled("# "+text)
}

// priceText says what a change costs, or why its image is free.
func priceText(c *planner.Change) string {
	switch {
	case c.Action == planner.Import:
		return "free"
	case len(c.Candidates()) > 0 && !c.Withheld():
		return choiceText(c)
	case !c.Makes():
		return ""
	case c.Withheld():
		return "not asked for"
	case c.Twin() != nil:
		return "the same request as " + c.Twin().String() + ", free"
	case c.Donor() != nil:
		return "the picture of " + c.Donor().String() + ", free"
	case c.Origin == planner.Restore:
		return "restored from the store, free"
	case c.Origin == planner.Resume:
		return "resumed, already paid"
	default:
		return estimateOf(c).String()
	}
}

// conciseHang is where a concise line goes on that is too long.
const conciseHang = 8

// conciseLine says all of a change in a line, which is broken only for the eye: see View.oneLine.
func (pp *planPage) conciseLine(c *planner.Change) {
	h := headingOf(c)
	spans := []layout.Span{{Text: h.subject, Style: &pp.colours.Strong, Solid: true}, {Text: " " + h.phrase}}
	if h.object != "" {
		spans = append(spans, layout.Span{Text: " "}, layout.Span{Text: h.object, Solid: true})
	}
	notes := whyOf(c, pp.downstream)
	for _, candidate := range unansweredCandidates(c) {
		notes = append(notes, fmt.Sprintf("candidate %d %s", candidate.Address.Candidate, chargedPhrase(candidate)))
	}
	if c.MayHaveBeenCharged() {
		notes = append(notes, "it "+chargedPhrase(c))
	}
	if len(notes) > 0 {
		spans = append(spans, layout.Span{Text: " (" + strings.Join(notes, "; ") + ")"})
	}
	if text := priceText(c); text != "" {
		spans = append(spans, layout.Span{Text: " "}, layout.Span{Text: "# " + text, Style: &pp.colours.Faint, Solid: true})
	}
	pp.concise(c, spans...)
}

// concise writes a line behind a change's symbol.
func (pp *planPage) concise(c *planner.Change, spans ...layout.Span) {
	l := lookOf(c)
	pp.write(pp.symbol(l), " ")
	columns := pp.opts.Width
	if pp.oneLine {
		columns = math.MaxInt
	}
	f := layout.NewFlow(pp.out, columns, layout.Width(l.symbol)+1, conciseHang)
	f.Add(spans...)
	f.End()
}

// foldedLine stands for the instances of a block that are not shown.
func (pp *planPage) foldedLine(f *fold) {
	line := f.text()
	if pp.opts.Concise {
		pp.concise(f.first, layout.Span{Text: line})
		return
	}
	pp.note(line, commentLead)
	pp.drags(f.changes...)
	pp.printf("\n")
}

// blockName returns the address that all instances of a block share, without keys.
func blockName(a addrs.Image) string {
	return addrs.Image{Module: a.Module.Unkeyed(), Name: a.Name}.String()
}
