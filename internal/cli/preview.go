package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/fluxbatch/fluxbatch/internal/picture"
	"github.com/fluxbatch/fluxbatch/internal/preview"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// askTimeout is how long a terminal has to say what it can, over a slow connection too.
const askTimeout = 500 * time.Millisecond

// The extent of previews, in characters.
const (
	previewColumns, previewRows = 60, 30
	smallColumns, smallRows     = 32, 12
)

// previewTerminal returns what the terminal can, and refuses where there is none.
func (a *app) previewTerminal() (preview.Terminal, error) {
	o := a.viewOptions()
	if _, isTerminal := terminal(a.env.Stdout); !isTerminal {
		return preview.Terminal{}, explain("-preview draws in a terminal, and the output goes to a file or a pipe.\nFor pictures in a file, write a report:%s", toType("fluxbatch report -out report"))
	}
	var t preview.Terminal
	name := a.getenv("TERM")
	multiplexed := a.getenv("TMUX") != "" || strings.HasPrefix(name, "tmux") || strings.HasPrefix(name, "screen")
	if !multiplexed && name != "dumb" {
		t = a.askTerminal()
	}
	t.Columns, t.NoColor = o.Width, !o.Color
	depth := a.getenv("COLORTERM")
	t.TrueColor = depth == "truecolor" || depth == "24bit"
	return t, nil
}

// askTerminal asks the terminal what it can. One that cannot be asked can nothing.
func (a *app) askTerminal() preview.Terminal {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return preview.Terminal{}
	}
	defer func() { _ = tty.Close() }() // nothing is kept in it
	fd := int(tty.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return preview.Terminal{}
	}
	// A terminal that went away needs no mode.
	restore := func() { _ = term.Restore(fd, before) }
	a.restoring(restore)
	defer restore()
	return preview.Ask(tty, askTimeout)
}

// showPicture draws the picture of an image on record.
func (a *app) showPicture(dir, address string, simulate bool) error {
	t, err := a.previewTerminal()
	if err != nil {
		return err
	}
	record, price, file, err := a.recordedFile(dir, address, simulate)
	if err != nil {
		return err
	}
	img, err := picture.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return explain("The file of %s is gone.\nSee what brings it back:%s", address, toType("fluxbatch plan"))
	}
	if err != nil {
		return fmt.Errorf("%s cannot be shown: %w", filepath.ToSlash(file), err)
	}
	if _, err := io.WriteString(a.out, t.Draw(img, previewColumns, previewRows)); err != nil {
		return err
	}
	a.viewer().Say(fmt.Sprintf("%s: %s, %dx%d, %s", address, record.Path, record.Width, record.Height, price))
	return nil
}

// mostPreviewed is how many images of a plan are drawn.
const mostPreviewed = 12

// previewPlan draws what a plan changes, as far as there are pictures: what is there now, and what
// comes in its place where that is there already.
func (a *app) previewPlan(t preview.Terminal, w *workspace.Workspace, plan *planner.Plan) error {
	left := 0
	for _, c := range plan.Changes {
		if c.Action == planner.NoOp || c.Address.Candidate > 0 {
			continue
		}
		drawn := ""
		if c.Prior != nil {
			if now, ok := w.Stands(c.Prior); ok {
				drawn += a.drawn(t, w, "now", now)
			}
		}
		if c.Kept() != nil && (c.Prior == nil || c.Kept().Output.Identity() != c.Prior.Output.Identity()) {
			drawn += a.drawn(t, w, "after the apply", c.Kept().Output)
		}
		if drawn == "" {
			continue
		}
		if left++; left > mostPreviewed {
			continue
		}
		if _, err := io.WriteString(a.out, c.Address.String()+"\n"+drawn+"\n"); err != nil {
			return err
		}
	}
	if left > mostPreviewed {
		a.viewer().Note(fmt.Sprintf("%s not drawn. See all of them on a page:%s", layout.Count(left-mostPreviewed, "more image"), toType("fluxbatch report -out report")))
	}
	return nil
}

// drawn returns a picture for the terminal, "" for one that is not there or cannot be read.
func (*app) drawn(t preview.Terminal, w *workspace.Workspace, when string, f state.File) string {
	in, err := w.OpenPicture(f)
	if err != nil {
		return ""
	}
	defer func() { _ = in.Close() }() // only read
	data, err := io.ReadAll(in)
	if err != nil {
		return ""
	}
	img, err := picture.Decode(data)
	if err != nil {
		return ""
	}
	return "  " + when + ":\n" + t.Draw(img, smallColumns, smallRows)
}
