package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// redrawEvery is the pace of the progress display.
const redrawEvery = 100 * time.Millisecond

// live is the progress display at the bottom of a terminal: a block of lines that is written again
// in place. It never changes a mode of the terminal. All but its goroutine's own loop runs under
// the View's mutex.
type live struct {
	view *View
	// widths are those of the lines on the screen. Should the terminal be made narrower, they tell
	// how many rows the lines take then.
	widths []int
	stop   chan struct{}
	ended  chan struct{}
}

// startLive shows the display and keeps it up to date until end. The caller holds the View's mutex.
func startLive(v *View) *live {
	l := &live{view: v, stop: make(chan struct{}), ended: make(chan struct{})}
	l.draw("")
	go l.run()
	return l
}

func (l *live) run() {
	defer close(l.ended)
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			l.view.mu.Lock()
			// The display may have ended between the tick and the lock.
			if l.view.apply != nil && l.view.apply.live == l {
				l.draw("")
			}
			l.view.mu.Unlock()
		}
	}
}

// above writes text that stays, and the display below it.
func (l *live) above(text string) { l.draw(text) }

const (
	clearLine  = "\x1b[2K"
	cursorDown = "\x1b[B"
	// Between these two, terminals that know them show nothing, so that a redraw never flickers.
	// Others ignore them.
	beginUpdate = "\x1b[?2026h"
	endUpdate   = "\x1b[?2026l"
)

// draw replaces the display, with text above it. The cursor ends on the line below.
func (l *live) draw(text string) {
	columns, rows := l.view.screen()
	var b strings.Builder
	b.WriteString(beginUpdate)
	l.erase(&b, columns)
	b.WriteString(l.view.seen(text))
	l.widths = l.widths[:0]
	for _, line := range l.lines(columns, rows) {
		b.WriteString(l.view.seen(line.painted) + "\n")
		l.widths = append(l.widths, line.width)
	}
	b.WriteString(endUpdate)
	l.view.screenText(b.String())
}

// erase clears the display's rows, and that of the cursor, where a Ctrl-C may have been echoed. The
// cursor ends where the display began. Rows are cleared one by one, since clearing from the top of
// the screen makes some terminals keep what was there in their history.
func (l *live) erase(b *strings.Builder, columns int) {
	rows := 0
	for _, w := range l.widths {
		rows += max(1, (w+columns-1)/columns)
	}
	up := ""
	if rows > 0 {
		up = fmt.Sprintf("\x1b[%dA", rows)
	}
	b.WriteString("\r" + up + clearLine)
	for range rows {
		b.WriteString(cursorDown + clearLine)
	}
	b.WriteString(up)
}

// end takes the display off the screen.
func (l *live) end() {
	columns, _ := l.view.screen()
	var b strings.Builder
	l.erase(&b, columns)
	l.view.screenText(b.String())
	l.widths = nil
	close(l.stop)
}

// liveLine is a line of the display and how many columns it takes.
type liveLine struct {
	painted string
	width   int
}

const (
	// failuresShown is how many of the last failures the display repeats.
	failuresShown = 3
	// shortName is the least that is shown of an address.
	shortName = 12
	// margin keeps lines shorter than the screen, so that none wraps.
	margin = 1
)

// lines returns the display for a screen: a bar, the lanes, the money and the last failures, as far
// as there is room.
func (l *live) lines(columns, rows int) []liveLine {
	a := l.view.apply
	p := &a.progress
	room := columns - margin
	plain := func(text string) liveLine {
		text = layout.Shorten(text, room)
		return liveLine{text, layout.Width(text)}
	}
	lines := []liveLine{plain(""), l.bar(p, room), plain(laneText(p)), plain(moneyText(p))}
	for _, f := range a.failures[max(0, len(a.failures)-failuresShown):] {
		name := layout.Middle(layout.Visible(f.Address.String()), max(room/2, shortName))
		text := layout.Shorten(name+" failed: "+layout.OneLine(f.Err), room)
		lines = append(lines, liveLine{l.view.colours.Failure.Styled(text), layout.Width(text)})
	}
	// One row stays for the cursor. What matters most is at the top.
	return lines[:max(0, min(len(lines), rows-1))]
}

// bar returns the overall progress, "[=====>     ]  96/200", of what is done: what failed or was
// skipped is not.
func (l *live) bar(p *progress, room int) liveLine {
	ready := p.counts[done]
	numbers := fmt.Sprintf(" %d/%d  %3d%%", ready, p.total, 100*ready/max(p.total, 1))
	cells := room - layout.Width(numbers) - len("[]")
	if cells < 8 {
		text := layout.Shorten(strings.TrimSpace(numbers), room)
		return liveLine{text, layout.Width(text)}
	}
	full := cells * ready / max(p.total, 1)
	partly := cells * (p.counts[inFlight] + p.counts[downloading]) / max(p.total, 1)
	if p.counts[inFlight] > 0 && full+partly < cells {
		partly = max(partly, 1)
	}
	painted := "[" + l.view.colours.Create.Styled(strings.Repeat("=", full)) + strings.Repeat("-", partly) +
		strings.Repeat(" ", cells-full-partly) + "]" + numbers
	return liveLine{painted, cells + len("[]") + layout.Width(numbers)}
}

// laneText says how many changes are where.
func laneText(p *progress) string {
	parts := []string{
		fmt.Sprintf("%d waiting", p.counts[waiting]),
		fmt.Sprintf("%d in flight", p.counts[inFlight]),
		fmt.Sprintf("%d downloading", p.counts[downloading]),
		fmt.Sprintf("%d done", p.counts[done]),
	}
	if n := p.counts[failed]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", n))
	}
	if n := p.counts[skipped]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", n))
	}
	return strings.Join(parts, ", ")
}

// moneyText says what has been spent and how long the rest will take.
func moneyText(p *progress) string {
	text := fmt.Sprintf("%s of about %s spent", p.spent.Dollars(), p.estimate.Dollars())
	if left, ok := p.left(); ok && left >= time.Second {
		text += ", about " + layout.Duration(left.Round(time.Second)) + " left"
	}
	return text
}

// endLive takes the display away. The caller holds the mutex.
func (v *View) endLive() {
	if v.apply == nil || v.apply.live == nil {
		return
	}
	v.apply.live.end()
	v.apply.live = nil
}

// Leave takes a progress display off the screen when the process is ended from outside. It does
// nothing where the view is just writing, since that may go on for ever.
func (v *View) Leave() {
	if v.mu.TryLock() {
		defer v.mu.Unlock()
		v.endLive()
	}
}

// Close takes away a progress display that is still shown. It may be called at any time, more than
// once.
func (v *View) Close() {
	v.mu.Lock()
	l := (*live)(nil)
	if v.apply != nil {
		l = v.apply.live
	}
	v.endLive()
	v.mu.Unlock()
	if l != nil {
		<-l.ended
	}
}
