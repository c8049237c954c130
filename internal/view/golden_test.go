package view

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/planner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// screenOf is what a View wrote.
type screenOf struct{ out, err bytes.Buffer }

// String returns both streams, each under its name.
func (s *screenOf) String() string {
	text := ""
	if s.out.Len() > 0 {
		text += "=== stdout\n" + s.out.String()
	}
	if s.err.Len() > 0 {
		text += "=== stderr\n" + s.err.String()
	}
	return text
}

// newTestView returns a View that writes to the returned screen.
func newTestView(o Options) (*View, *screenOf) {
	s := &screenOf{}
	o.Stdout, o.Stderr = &s.out, &s.err
	return New(o), s
}

// lineAnEvent matches lines that are never broken: an event of the log, and the sentences that
// scripts look for.
var lineAnEvent = regexp.MustCompile(`^(Plan|Apply complete|Apply incomplete): [^$]*\$\d+\.\d\d+\.$|^(module|image)\.\S+: `)

// No line of a page for 80 columns is wider, but for those that are never broken, and words that
// cannot be.
func TestPagesFit(t *testing.T) {
	t.Parallel()
	styles := regexp.MustCompile(`␛\[[0-9;]*m`)
	var paths []string
	for _, pattern := range []string{"*.golden", "plan/*.golden", "apply/*.golden", "state/*.golden", "diagnostics/*.golden"} {
		found, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) < 20 {
		t.Fatalf("found only %d pages", len(paths))
	}
	for _, path := range paths {
		if slices.ContainsFunc([]string{"200", "wide", "live", "piped"}, func(s string) bool { return strings.Contains(path, s) }) {
			continue
		}
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(styles.ReplaceAllString(string(page), "")) {
			line = strings.TrimRight(line, "\n")
			if layout.Width(line) > defaultWidth && breakable(line) && !lineAnEvent.MatchString(line) {
				t.Errorf("%s has a line of %d columns:\n%s", path, layout.Width(line), line)
			}
		}
	}
}

// leadOfLine matches what no line is broken within: its indent, its symbol, and the name of an
// argument.
var leadOfLine = regexp.MustCompile(`^[ #│+~-]*(\S+ *= )?`)

// breakable reports whether a line could end earlier: whether it has a space before the page's
// edge, besides those of its lead.
func breakable(line string) bool {
	start := len(leadOfLine.FindString(line))
	return strings.Contains(line[start:max(start, min(len(line), defaultWidth+1))], " ")
}

// everyFree is a plan of what costs nothing.
func everyFree() *planner.Plan {
	return &planner.Plan{Changes: []*planner.Change{viewtest.UpdateBanner(), viewtest.DestroyOld()}}
}
