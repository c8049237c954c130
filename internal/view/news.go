package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/state"
)

// newsListed bounds how many images are listed of each run.
const newsListed = 20

// News writes what others did to the state since this machine last looked: all of it where it was
// asked for, and otherwise that there is something.
func (v *View) News(runs []state.PastRun, asked bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case len(runs) == 0 && asked:
		v.stdout("Nobody else has changed the state since you last looked.\n\n")
	case len(runs) == 0:
	case !asked:
		v.stderr(layout.Wrap(NewsLine(runs)+" See what changed with -since-mine.", v.opts.Width) + "\n\n")
	default:
		v.stdout(newsText(runs, v.opts.Width))
	}
}

// NewsLine says in a sentence that others changed the state. Runs list only some of many images, which
// may be the same in several runs.
func NewsLine(runs []state.PastRun) string {
	images, most, atLeast := map[addrs.Image]bool{}, 0, ""
	var who []string
	for i := range runs {
		for a := range runs[i].Did {
			images[a] = true
		}
		most = max(most, len(runs[i].Did)+runs[i].More)
		if runs[i].More > 0 && len(runs) > 1 {
			atLeast = "at least "
		}
		if !slices.Contains(who, runs[i].Who) {
			who = append(who, runs[i].Who)
		}
	}
	return fmt.Sprintf("The state moved on since you last looked: %s%s changed by %s.", atLeast, layout.Count(max(len(images), most), "image"), layout.List(who))
}

func newsText(runs []state.PastRun, width int) string {
	var b strings.Builder
	b.WriteString(layout.Wrap("Since you last looked, others have changed the state:", width) + "\n\n")
	for i := range runs {
		r := &runs[i]
		fmt.Fprintf(&b, "  %s, fluxbatch %s, %s\n", r.Who, r.Operation, r.At.Local().Format(time.DateTime))
		addresses := slices.SortedFunc(maps.Keys(r.Did), addrs.Image.Compare)
		for _, a := range addresses[:min(len(addresses), newsListed)] {
			fmt.Fprintf(&b, "    %s was %s\n", a, r.Did[a])
		}
		if more := max(0, len(addresses)-newsListed) + r.More; more > 0 {
			fmt.Fprintf(&b, "    and %s\n", layout.Count(more, "more image"))
		}
		b.WriteString("\n")
	}
	return b.String()
}
