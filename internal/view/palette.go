package view

import (
	"strings"

	"github.com/muesli/termenv"
)

// style is what stands before and after text to show it in a certain way.
type style struct{ open, close string }

// Styled returns text in the style.
func (s *style) Styled(text string) string {
	if s.open == "" || text == "" {
		return text
	}
	return s.open + text + s.close
}

// palette is a set of styles.
type palette struct {
	// diffs says that deleted and inserted text looks different; if not, it needs marks.
	diffs bool

	// What a plan does.
	create, destroy, update style
	// Words of a prompt that come and go.
	inserted, deleted style
	// How bad a message is.
	failure, warning style
	// Weight.
	strong, faint, marked style

	// sequences are what the styles write.
	sequences []string
}

// newPalette returns the styles for a terminal, or none.
func newPalette(color bool) palette {
	if !color {
		return palette{}
	}
	var sequences []string
	sgr := func(codes ...string) style {
		s := style{termenv.CSI + strings.Join(codes, ";") + "m", termenv.CSI + termenv.ResetSeq + "m"}
		sequences = append(sequences, s.open, s.close)
		return s
	}
	red, green, yellow := termenv.ANSIRed.Sequence(false), termenv.ANSIGreen.Sequence(false), termenv.ANSIYellow.Sequence(false)
	p := palette{
		diffs:   true,
		create:  sgr(green),
		destroy: sgr(red),
		update:  sgr(yellow),
		// Underlined and struck out, so that they are told apart without seeing colours.
		inserted: sgr(green, termenv.UnderlineSeq),
		deleted:  sgr(red, termenv.CrossOutSeq),
		failure:  sgr(red),
		warning:  sgr(yellow),
		strong:   sgr(termenv.BoldSeq),
		faint:    sgr(termenv.FaintSeq),
		marked:   sgr(termenv.BoldSeq, termenv.UnderlineSeq),
	}
	p.sequences = sequences
	return p
}
