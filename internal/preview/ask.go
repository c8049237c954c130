package preview

import (
	"bytes"
	"image"
	"io"
	"strconv"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// Way is how a terminal draws pictures.
type Way int

// The ways, the better ones last.
const (
	// Blocks are half blocks, which need nothing but colours.
	Blocks Way = iota
	Sixel
	ITerm
	Kitty
)

// Terminal is what a terminal can.
type Terminal struct {
	Way Way
	// Cell is the extent of a character in pixels, as far as the terminal told; zero otherwise.
	Cell image.Point
	// Columns is how many characters a line has.
	Columns int
	// TrueColor says that half blocks may have any colour, and NoColor that they have none.
	TrueColor, NoColor bool
}

// The questions. The last one is answered by every terminal, so that who has its answer has all.
const (
	askKitty = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
	askITerm = "\x1b]1337;ReportCellSize\x1b\\"
	askCell  = "\x1b[16t"
	askKind  = "\x1b[c"
)

// The answers.
var (
	kittyAnswer = []byte("\x1b_Gi=31;OK")
	itermAnswer = lazyregexp.New(`\x1b\]1337;ReportCellSize=([\d.]+);([\d.]+)`)
	cellAnswer  = lazyregexp.New(`\x1b\[6;(\d+);(\d+)t`)
	kindAnswer  = lazyregexp.New(`\x1b\[\?([\d;]*)c`)
)

// maxAnswer bounds what is read.
const maxAnswer = 4 << 10

// Ask asks a terminal in raw mode what it can. One that does not answer in time gets half blocks.
// Where it is told nothing, a read of tty may be left waiting: the caller closes tty.
func Ask(tty io.ReadWriter, timeout time.Duration) Terminal {
	if _, err := io.WriteString(tty, askKitty+askITerm+askCell+askKind); err != nil {
		return Terminal{}
	}
	pieces := make(chan []byte)
	done := make(chan struct{})
	defer close(done)
	go func() {
		defer close(pieces)
		for {
			piece := make([]byte, maxAnswer)
			n, err := tty.Read(piece)
			if err != nil {
				return
			}
			select {
			case pieces <- piece[:n]:
			case <-done:
				return
			}
		}
	}()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	var answer []byte
	for !kindAnswer().Match(answer) && len(answer) < maxAnswer {
		select {
		case piece, ok := <-pieces:
			if !ok {
				return understand(answer)
			}
			answer = append(answer, piece...)
		case <-timer.C:
			return understand(answer)
		}
	}
	return understand(answer)
}

// understand reads what a terminal answered.
func understand(answer []byte) Terminal {
	var t Terminal
	number := func(text []byte) int {
		n, err := strconv.ParseFloat(string(text), 64)
		if err != nil || n < 1 || n > 1000 {
			return 0
		}
		return int(n)
	}
	if m := cellAnswer().FindSubmatch(answer); m != nil {
		t.Cell = image.Pt(number(m[2]), number(m[1]))
	}
	switch kind := kindAnswer().FindSubmatch(answer); {
	case bytes.Contains(answer, kittyAnswer):
		t.Way = Kitty
	case itermAnswer().Match(answer):
		t.Way = ITerm
	case kind != nil && hasSixel(kind[1]):
		t.Way = Sixel
	}
	if t.Cell.X == 0 || t.Cell.Y == 0 {
		t.Cell = image.Point{}
	}
	return t
}

// hasSixel reports whether the attributes of a terminal have the one for sixels, 4.
func hasSixel(attributes []byte) bool {
	for i, a := range bytes.Split(attributes, []byte(";")) {
		if i > 0 && string(a) == "4" {
			return true
		}
	}
	return false
}
