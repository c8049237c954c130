package layout

import (
	"strings"

	"github.com/muesli/termenv"
)

// Style is what stands before and after text to show it in a certain way.
type Style struct{ Open, Close string }

// Styled returns text in the style.
func (s *Style) Styled(text string) string {
	if s.Open == "" || text == "" {
		return text
	}
	return s.Open + text + s.Close
}

// Palette is a set of styles.
type Palette struct {
	// Diffs says that deleted and inserted text looks different; if not, it needs marks.
	Diffs bool

	// What a plan does.
	Create, Destroy, Update Style
	// Words of a prompt that come and go.
	Inserted, Deleted Style
	// How bad a message is.
	Failure, Warning Style
	// Weight.
	Strong, Faint, Marked Style

	// Sequences are what the styles write.
	Sequences []string
}

// NewPalette returns the styles for a terminal, or none.
func NewPalette(color bool) Palette {
	if !color {
		return Palette{}
	}
	var sequences []string
	sgr := func(codes ...string) Style {
		s := Style{termenv.CSI + strings.Join(codes, ";") + "m", termenv.CSI + termenv.ResetSeq + "m"}
		sequences = append(sequences, s.Open, s.Close)
		return s
	}
	red, green, yellow := termenv.ANSIRed.Sequence(false), termenv.ANSIGreen.Sequence(false), termenv.ANSIYellow.Sequence(false)
	p := Palette{
		Diffs:   true,
		Create:  sgr(green),
		Destroy: sgr(red),
		Update:  sgr(yellow),
		// Underlined and struck out, so that they are told apart without seeing colours.
		Inserted: sgr(green, termenv.UnderlineSeq),
		Deleted:  sgr(red, termenv.CrossOutSeq),
		Failure:  sgr(red),
		Warning:  sgr(yellow),
		Strong:   sgr(termenv.BoldSeq),
		Faint:    sgr(termenv.FaintSeq),
		Marked:   sgr(termenv.BoldSeq, termenv.UnderlineSeq),
	}
	p.Sequences = sequences
	return p
}
