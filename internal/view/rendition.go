package view

import (
	"fmt"
	"strings"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
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

// renditionCounts says how many files are to be made here and removed, "" for none.
func renditionCounts(made, removed, moved int) string {
	return counted(amount{made, renditionsOf(made) + " made here"}, amount{removed, renditionsOf(removed) + " removed"}, amount{moved, renditionsOf(moved) + " moved"})
}

func renditionsOf(n int) string {
	if n == 1 {
		return "rendition or sheet"
	}
	return "renditions and sheets"
}

// plannedRenditions is renditionCounts of a plan.
func plannedRenditions(p *planner.Plan) string {
	var made, removed, moved int
	for _, c := range p.Renditions {
		switch {
		case c.Makes():
			made++
		case c.Action == planner.Move:
			moved++
		default:
			removed++
		}
	}
	if text := renditionCounts(made, removed, moved); text != "" {
		return "Besides, " + text + ", free of charge."
	}
	return ""
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
		if e.Because != (addrs.Image{}) {
			return e.Address, "Skipped: it needs " + e.Because.String() + ", which was not made"
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
	if e.Told != "" {
		text += ". " + e.Told
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
	case executor.RenditionFailed:
		a.renditionFailures = append(a.renditionFailures, e)
		text = v.colours.Failure.Styled("Failed:") + strings.TrimPrefix(text, "Failed:")
	case executor.RenditionSkipped:
		if e.Because == (addrs.Image{}) {
			return "" // The summary says it once.
		}
	}
	return v.colours.Strong.Styled(addr.String()+": ") + text
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
