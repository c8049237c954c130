package view

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// golden compares got with testdata/name.golden. Escape sequences are written as ␛, so that the files can be read and diffed.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\x1b", "␛")
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the tests with -update to write it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

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

// lineAnEvent matches lines that are never broken: an event of the log, and the sentences that scripts look for.
var lineAnEvent = regexp.MustCompile(`^(Plan|Apply complete|Apply incomplete): [^$]*\$\d+\.\d\d\.$|^(module|image)\.\S+: `)

// No line of a page for 80 columns is wider, but for those that are never broken, and words that cannot be.
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
			if width(line) > defaultWidth && breakable(line) && !lineAnEvent.MatchString(line) {
				t.Errorf("%s has a line of %d columns:\n%s", path, width(line), line)
			}
		}
	}
}

// leadOfLine matches what no line is broken within: its indent, its symbol, and the name of an argument.
var leadOfLine = regexp.MustCompile(`^[ #│+~-]*(\S+ *= )?`)

// breakable reports whether a line could end earlier: whether it has a space before the page's edge, besides those of its lead.
func breakable(line string) bool {
	start := len(leadOfLine.FindString(line))
	return strings.Contains(line[start:max(start, min(len(line), defaultWidth+1))], " ")
}
