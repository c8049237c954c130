package view

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

const renditionsTitle = "Files that are made here, free of charge:"

// renditions writes what a plan does with files that are made here, a line each.
func (pp *planPage) renditions() {
	if len(pp.plan.Renditions) == 0 {
		return
	}
	pp.printf("%s\n\n", renditionsTitle)
	for _, group := range renditionGroups(pp.plan.Renditions, pp.opts.Unfolded) {
		for _, c := range group.shown {
			pp.renditionLine(c)
		}
		if group.more > 0 {
			f := layout.NewFlow(pp.out, pp.opts.Width, 0, conciseHang)
			f.Add(layout.Span{Text: fmt.Sprintf("    (and %d more of %s)", group.more, group.block)})
			f.End()
		}
	}
	pp.printf("\n")
}

func (pp *planPage) renditionLine(c *planner.RenditionChange) {
	symbol := renditionSymbol(c)
	pp.write(paintSymbol(pp.colours, symbol), " ")
	f := layout.NewFlow(pp.out, pp.opts.Width, layout.Width(symbol)+1, conciseHang)
	f.Add(layout.Span{Text: c.Address.String(), Style: &pp.colours.Strong, Solid: true}, layout.Span{Text: " "}, layout.Span{Text: RenditionText(c)})
	f.End()
}

func renditionSymbol(c *planner.RenditionChange) string {
	for _, l := range looks {
		if l.action == c.Action {
			return l.symbol
		}
	}
	return "   "
}

// RenditionText says what is planned for a file that is made here, and why, behind its address.
func RenditionText(c *planner.RenditionChange) string {
	switch c.Action {
	case planner.Move:
		return "has moved from " + c.From.String()
	case planner.Destroy:
		return "will be removed with " + filesOfRendition(c.Prior)
	case planner.Forget:
		return "will no longer be managed by fluxbatch, but its file stays"
	}
	text := "will be made as " + c.Output
	if c.Atlas != "" {
		text += " with " + c.Atlas
	}
	if pages := c.Pages(); pages > 1 {
		text += fmt.Sprintf(", and %s as its name goes on", layout.Count(pages-1, "more page"))
	}
	switch c.Reason {
	case planner.PictureChanged:
		text += ", since what it is made from changes"
	case planner.ArgumentsChanged:
		text += ", since its arguments changed"
	case planner.MakerChanged:
		text += ", since this version of fluxbatch makes it otherwise"
	case planner.PathChanged:
		text += ", and no longer as " + c.Prior.Picture().Path
	case planner.FileMissing:
		text += " again, since its file is gone"
	case planner.FileChanged:
		text += " again, since its file was changed. The changed one goes into the store"
	}
	return text
}

func filesOfRendition(r *state.Rendition) string {
	var paths []string
	for i := range r.Files {
		paths = append(paths, r.Files[i].Path)
	}
	return layout.List(paths)
}

// renditionGroup are changes of one block with one action for one reason.
type renditionGroup struct {
	block string
	shown []*planner.RenditionChange
	more  int
}

// renditionGroups puts the changes of each block together, in the order of the first of each, and
// shows few of many that are alike.
func renditionGroups(changes []*planner.RenditionChange, unfolded bool) []*renditionGroup {
	type kind struct {
		block  string
		action planner.Action
		reason planner.ReasonKind
	}
	groups, counts := map[kind]*renditionGroup{}, map[kind]int{}
	kinds := make([]kind, len(changes))
	for i, c := range changes {
		kinds[i] = kind{renditionBlock(c.Address), c.Action, c.Reason}
		counts[kinds[i]]++
	}
	var all []*renditionGroup
	for i, c := range changes {
		g := groups[kinds[i]]
		if g == nil {
			g = &renditionGroup{block: kinds[i].block}
			groups[kinds[i]] = g
			all = append(all, g)
		}
		if unfolded || counts[kinds[i]] <= foldAbove || len(g.shown) < foldShows {
			g.shown = append(g.shown, c)
		} else {
			g.more++
		}
	}
	return all
}

// renditionBlock is the address that the renditions of all instances of a block share.
func renditionBlock(a addrs.Rendition) string {
	a.Of.Module, a.Of.Key = a.Of.Module.Unkeyed(), addrs.NoKey
	return a.String()
}

// renditionTally counts what is made here by what happens to it: renditions, and sheets.
type renditionTally struct{ made, removed, moved [2]int }

func (t *renditionTally) add(a addrs.Rendition, action planner.Action) {
	i := 0
	if a.Kind == addrs.Sheet {
		i = 1
	}
	switch action {
	case planner.Create, planner.Replace:
		t.made[i]++
	case planner.Move:
		t.moved[i]++
	default:
		t.removed[i]++
	}
}

// text lists the counts behind which each of the words stands, "" for none.
func (t *renditionTally) text(made, removed, moved string) string {
	var parts []string
	for _, p := range []struct {
		counts [2]int
		word   string
	}{{t.made, made}, {t.removed, removed}, {t.moved, moved}} {
		var counts []string
		for i, noun := range []string{"rendition", "sheet"} {
			if p.counts[i] > 0 {
				counts = append(counts, layout.Count(p.counts[i], noun))
			}
		}
		if len(counts) > 0 {
			parts = append(parts, layout.List(counts)+" "+p.word)
		}
	}
	return strings.Join(parts, ", ")
}

// plannedRenditions counts what a plan does with files that are made here.
func plannedRenditions(p *planner.Plan) string {
	var t renditionTally
	for _, c := range p.Renditions {
		t.add(c.Address, c.Action)
	}
	if text := t.text("to make", "to remove", "to move"); text != "" {
		return "Besides, " + text + ", free of charge."
	}
	return ""
}

// Rendition writes what is on record of something that was made here.
func (v *View) Rendition(addr addrs.Rendition, r *state.Rendition) {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s:\n%s {\n", v.colours.Strong.Styled(addr.String()), kindOfRendition(addr))
	f := r.Picture()
	fmt.Fprintf(&b, "    path   = %s\n    width  = %d\n    height = %d\n    format = %s\n    sha256 = %s\n",
		layout.Quoted(f.Path), f.Width, f.Height, layout.Quoted(f.Format), layout.Quoted(f.SHA256))
	if pages := r.Pages(); len(pages) > 1 {
		writeList(&b, "pages ", pages)
	}
	if atlases := r.Atlases(); len(atlases) > 1 {
		writeList(&b, "atlases", atlases)
	} else if len(atlases) == 1 {
		fmt.Fprintf(&b, "    atlas  = %s\n", layout.Quoted(atlases[0]))
	}
	writeList(&b, "from  ", r.From)
	b.WriteString("}\n")
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}

func writeList(b *strings.Builder, name string, texts []string) {
	fmt.Fprintf(b, "    %s = [\n", name)
	for _, text := range texts {
		fmt.Fprintf(b, "        %s,\n", layout.Quoted(text))
	}
	b.WriteString("    ]\n")
}

func kindOfRendition(addr addrs.Rendition) string {
	if addr.Kind == addrs.Sheet {
		return "sheet " + layout.Quoted(addr.Of.Name)
	}
	return "rendition " + layout.Quoted(addr.Name)
}

// renditionMismatches says of each file that is made here and is not as it should be why.
func renditionMismatches(plan *planner.Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, c := range plan.Renditions {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "Rendition does not match", Detail: c.Address.String() + " " + renditionMismatch(c) + " " + renditionWay(c),
			Extra: diag.Case{Subject: c.Address.String(), Cause: c.Action.String() + " " + string(c.Reason)},
		})
	}
	return diags
}

// renditionWay says how a file that is made here becomes what it should be.
func renditionWay(c *planner.RenditionChange) string {
	switch {
	case c.Makes():
		return "Run fluxbatch apply, which makes it for free."
	case c.Action == planner.Destroy:
		return "Run fluxbatch apply, which removes it, or declare it again."
	default:
		return "Run fluxbatch apply, which costs nothing."
	}
}

func renditionMismatch(c *planner.RenditionChange) string {
	switch {
	case c.Action == planner.Move:
		return "has another address on record than in the configuration."
	case !c.Makes():
		return "is on record but no longer declared."
	}
	switch c.Reason {
	case planner.NotInState:
		return "is declared but was not made yet."
	case planner.PictureChanged:
		return "was made from another picture than there is now, or will be."
	case planner.ArgumentsChanged:
		return "was made with other arguments."
	case planner.MakerChanged:
		return "was made by another version of fluxbatch, which made it otherwise."
	case planner.PathChanged:
		return "has another path in the configuration."
	case planner.FileMissing:
		return fmt.Sprintf("is on record, but %s is missing.", filesOfRendition(c.Prior))
	default:
		return fmt.Sprintf("is on record, but %s was changed.", filesOfRendition(c.Prior))
	}
}

// LostMark says of a file that was made here and lost its mark how it gets it again.
func LostMark(addr addrs.Rendition, path string) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Mark lost",
		Detail: fmt.Sprintf("%s of %s does not say any more that it was generated. Run fluxbatch apply, which makes it again for free and keeps the present one "+
			"in the store.", path, addr),
		Extra: diag.Case{Subject: addr.String(), Cause: "mark lost"},
	}
}

// RenditionEventText says what happened to a file that is made here, on one line that stands behind
// its address; "" where the event is another.
func RenditionEventText(e executor.Event) (addrs.Rendition, string) {
	switch e := e.(type) {
	case executor.RenditionDone:
		return e.Address, doneText(e)
	case executor.RenditionFailed:
		return e.Address, "Failed: " + layout.OneLine(e.Err)
	case executor.RenditionSkipped:
		if e.Because != "" {
			return e.Address, "Skipped: it needs " + e.Because + ", which was not made"
		}
		return e.Address, "Skipped: " + layout.OneLine(e.Err)
	}
	return addrs.Rendition{}, ""
}

func doneText(e executor.RenditionDone) string {
	text := "Removed"
	switch {
	case e.Rendition != nil:
		f := e.Rendition.Picture()
		text = fmt.Sprintf("Made after %s [%s, %dx%d]", layout.Duration(e.Elapsed), f.Path, f.Width, f.Height)
	case e.Action == planner.Move:
		text = "Moved"
	case e.Action == planner.Forget:
		text = "No longer managed"
	}
	return text
}

// renditionLine is the log's line for an event of a file that is made here, "" for another event.
func (v *View) renditionLine(a *applyLog, e executor.Event) string {
	addr, text := RenditionEventText(e)
	if text == "" {
		return ""
	}
	switch e := e.(type) {
	case executor.RenditionDone:
		a.renditions.add(addr, e.Action)
	case executor.RenditionFailed:
		a.renditionFailures = append(a.renditionFailures, e)
		text = v.colours.Failure.Styled("Failed:") + strings.TrimPrefix(text, "Failed:")
	case executor.RenditionSkipped:
		if e.Because == "" {
			return "" // The summary says it once.
		}
	}
	subject := v.colours.Strong.Styled(addr.String() + ": ")
	if e, ok := e.(executor.RenditionDone); ok && e.Told != "" {
		text += "\n" + subject + v.colours.Warning.Styled("Warning:") + " " + layout.Harmless(e.Told)
	}
	return subject + text
}

// renditionFailureParts are those of the frame that ends an apply.
func renditionFailureParts(failures []executor.RenditionFailed, skipped, width int) []string {
	var parts []string
	for _, f := range failures[:min(len(failures), failuresListed)] {
		parts = append(parts, layout.Wrap(f.Address.String()+": "+layout.Stopped(layout.Sentence(layout.Harmless(layout.ErrorText(f.Err)))), width))
	}
	if more := len(failures) - failuresListed; more > 0 {
		parts = append(parts, fmt.Sprintf("(and %s more)", layout.Count(more, "rendition")))
	}
	if skipped > 0 {
		parts = append(parts, layout.Count(skipped, "rendition")+" not made. The next apply makes what can be made, free of charge.")
	}
	return parts
}
