package config

import (
	"fmt"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// expectation finds the comments in fixtures that say which diagnostic starts at their line.
var expectation = regexp.MustCompile(`# (ERROR|WARNING): ([^#"]+)`)

// TestFixtures loads each directory of testdata/fixtures and holds the diagnostics against the
// comments in its files:
//
//	width = 1000 # ERROR: Unsupported size
func TestFixtures(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("testdata/fixtures/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			want := expectations(t, dir)
			got := []string{}
			for _, d := range diagnose(t, dir) {
				got = append(got, line(t, dir, d))
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
		})
	}
}

// diagnose does all that a plan does with a configuration, and returns what it says about it.
func diagnose(t *testing.T, dir string) hcl.Diagnostics {
	t.Helper()
	c, diags := Load(dir, Options{Version: "0.3.1"})
	diags = append(diags, c.Evaluate(func(img *image.Image) *image.Result {
		if prompt, _ := img.Request().Value("prompt").(string); strings.HasPrefix(prompt, "Made: ") {
			return &image.Result{SHA256: "00", Width: 512, Height: 512, Format: "jpeg"}
		}
		return nil
	})...)
	_, more := c.Outputs(nil)
	diags = append(diags, more...)
	for _, imp := range c.Imports() {
		if imp.Problem != nil {
			diags = append(diags, imp.Problem)
		}
	}
	return diags
}

func expectations(t *testing.T, dir string) []string {
	t.Helper()
	want := []string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.Contains(path, ".flux") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, text := range strings.Split(string(src), "\n") {
			for _, match := range expectation.FindAllStringSubmatch(text, -1) {
				name, err := filepath.Rel(dir, path)
				if err != nil {
					return err
				}
				want = append(want, fmt.Sprintf("%s:%d %s: %s", filepath.ToSlash(name), i+1, match[1], strings.TrimSpace(match[2])))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	return want
}

func line(t *testing.T, dir string, d *hcl.Diagnostic) string {
	t.Helper()
	severity := "ERROR"
	if d.Severity == hcl.DiagWarning {
		severity = "WARNING"
	}
	if d.Subject == nil {
		return severity + ": " + d.Summary
	}
	name, err := filepath.Rel(dir, d.Subject.Filename)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(d.Detail, ".") && !strings.Contains(d.Detail, "\n") && !strings.HasSuffix(d.Detail, "?") && !strings.HasSuffix(d.Detail, ")") {
		t.Errorf("%s: the detail is not a sentence: %s", d.Summary, d.Detail)
	}
	return fmt.Sprintf("%s:%d %s: %s", filepath.ToSlash(name), d.Subject.Start.Line, severity, d.Summary)
}

// elsewhere are summaries of diagnostics that no fixture can cause; the tests named do.
var elsewhere = map[string]string{
	"No configuration files":     "TestLoadNothing",
	"Image cannot be evaluated":  "TestResolveRefuses",
	"Cannot read file":           "TestValueErrors",
	"Invalid -var option":        "TestValueErrors",
	"Modules nested too deep":    "TestModuleDepth",
	"File is not in UTF-8":       "TestOtherEncodings",
	"Placeholder in a prompt":    "TestStrangeRows",
	"Row of blanks":              "TestStrangeRows",
	"Very long prompt":           "TestStrangeRows",
	"YAML key is a boolean":      "TestStrangeRows",
	"YAML number lost its zeros": "TestStrangeRows",
}

// TestEveryDiagnosticHasAFixture looks for summaries in the source of the package, and of those
// that it is made of.
func TestEveryDiagnosticHasAFixture(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	dirs, err := filepath.Glob("testdata/fixtures/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		for _, want := range expectations(t, dir) {
			_, summary, _ := strings.Cut(want, ": ")
			covered[summary] = true
		}
	}
	for summary, at := range summariesInSource(t) {
		if !covered[summary] && elsewhere[summary] == "" {
			t.Errorf("%s: no fixture has %q", at, summary)
		}
	}
}

// sourceDirs are where diagnostics are written.
var sourceDirs = []string{".", "../internal/diag", "../internal/lang", "../internal/modelblock", "../internal/schema"}

// summariesInSource finds the strings that are used as summaries: the second argument of
// diag.Problem and diag.Warning, that of local functions called wrong, and fields called Summary.
func summariesInSource(t *testing.T) map[string]string {
	t.Helper()
	var files []string
	for _, dir := range sourceDirs {
		in, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(in) == 0 {
			t.Fatalf("no source in %s: %v", dir, err)
		}
		files = append(files, in...)
	}
	found := map[string]string{}
	fset := token.NewFileSet()
	note := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && !strings.ContainsAny(s, "%.") {
				found[s] = fset.Position(lit.Pos()).String()
			}
		}
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := goparser.ParseFile(fset, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				name := ""
				switch f := n.Fun.(type) {
				case *ast.Ident:
					name = f.Name
				case *ast.SelectorExpr:
					name = f.Sel.Name
				}
				switch {
				case (name == "Error" && len(n.Args) > 1):
					note(n.Args[0])
				case (name == "Problem" || name == "Warning" || name == "wrong" || name == "trouble") && len(n.Args) > 1:
					note(n.Args[1])
					if name == "wrong" {
						note(n.Args[0])
					}
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Summary" {
					note(n.Value)
				}
				if sel, ok := n.Key.(*ast.SelectorExpr); ok && strings.HasPrefix(sel.Sel.Name, "Rule") {
					note(n.Value)
				}
			case *ast.AssignStmt:
				if sel, ok := n.Lhs[0].(*ast.SelectorExpr); ok && sel.Sel.Name == "Summary" {
					note(n.Rhs[0])
				}
			}
			return true
		})
	}
	return found
}

// parseAddr reads an address that a test knows to be right.
func parseAddr(t *testing.T, s string) addrs.Image {
	t.Helper()
	a, err := addrs.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
