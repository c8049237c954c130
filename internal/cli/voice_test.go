package cli

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
)

// root is the module's directory.
const root = "../.."

// text is a string literal of the program that people may read.
type text struct{ place, words string }

// silentRooms are packages whose literals are no words of the program: what the API answers, which
// the simulator repeats as it is, and what only tests call.
var silentRooms = []string{"internal/view/viewtest", "internal/cli/clitest", "internal/porttest"}

// programTexts lists the literals of every package that contain words, in the order of packages,
// files and lines. Literals that are added to each other are one, with the other operands in
// angle brackets. A text without a space, which is a name or a symbol, is not listed.
func programTexts(t *testing.T) []text {
	t.Helper()
	var all []text
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if name == "testdata" || name != ".." && strings.HasPrefix(name, ".") && file != root {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		room := path.Dir(filepath.ToSlash(rel))
		if slices.Contains(silentRooms, room) {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return err
		}
		for _, words := range literals(syntax) {
			all = append(all, text{place: room, words: words})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// literals returns the texts of a file.
func literals(file *ast.File) []string {
	var found []string
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			// The tag is for encoders.
			if n.Type != nil {
				ast.Inspect(n.Type, visit)
			}
			return false
		case *ast.BinaryExpr:
			if words, ok := sum(n, visit); ok {
				if worded(words) {
					found = append(found, words)
				}
				return false
			}
		case *ast.BasicLit:
			if words, ok := literal(n); ok && worded(words) {
				found = append(found, words)
			}
		}
		return true
	}
	ast.Inspect(file, visit)
	return found
}

// sum returns the text that operands make together; other tells of literals inside of those that
// are none.
func sum(e ast.Expr, other func(ast.Node) bool) (string, bool) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return sum(e.X, other)
	case *ast.BasicLit:
		return literal(e)
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "", false
		}
		left, isLeft := sum(e.X, other)
		right, isRight := sum(e.Y, other)
		if !isLeft && !isRight {
			return "", false
		}
		if !isLeft {
			ast.Inspect(e.X, other)
			left = "<" + operand(e.X) + ">"
		}
		if !isRight {
			ast.Inspect(e.Y, other)
			right = "<" + operand(e.Y) + ">"
		}
		return left + right, true
	default:
		return "", false
	}
}

// operand names what is added to a text.
func operand(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.CallExpr:
		return operand(e.Fun)
	default:
		return "..."
	}
}

func literal(lit *ast.BasicLit) (string, bool) {
	if lit.Kind != token.STRING {
		return "", false
	}
	words, err := strconv.Unquote(lit.Value)
	return words, err == nil
}

// twoWords matches what a person would read.
var twoWords = regexp.MustCompile(`[A-Za-z%>"'.,:)] +[A-Za-z%<"'(]`)

func worded(s string) bool { return twoWords.MatchString(s) && !strings.HasPrefix(s, "(?") }

// banned are phrases that our voice does not have, with what it says instead.
var banned = []struct{ phrase, instead string }{
	{`made again`, "replaced, or generated again"},
	{`from 1 on`, "1 or more"},
	{`is no selector`, "is not a selector"},
	{`nobody to answer`, "nobody can answer"},
	{`, and .* is none\b`, "say what it is instead"},
	{`!$`, "a full stop"},
	{`; [a-z]`, "two sentences"},
	{`\bis no (?:PNG|JSON|URL|valid URL|image|selector|value|address|folder|terminal)\b`, "is not a"},
	{`\banew\b`, "again, or replace"},
	{`goes on with`, "continues with"},
	{`[^ ]\(can be`, "a space before the bracket"},
}

// exempt are literals that hold no words of the program.
func exempt(s string) bool {
	return strings.HasPrefix(s, "text/html") || strings.Contains(s, "script-src") || strings.Contains(s, "charset=")
}

// The voice has one form. The rules stand at the top of this package.
func TestVoiceKeepsItsRules(t *testing.T) {
	t.Parallel()
	for _, text := range programTexts(t) {
		if strings.HasPrefix(text.place, "internal/simulator") || exempt(text.words) {
			continue
		}
		for _, b := range banned {
			if regexp.MustCompile(b.phrase).MatchString(text.words) {
				t.Errorf("%s says %q, which matches %q. Say: %s.", text.place, text.words, b.phrase, b.instead)
			}
		}
	}
}

// TestVoice holds everything that the program can say against testdata/voice.txt: what people read
// is reviewed there like code. With -update it writes the file.
func TestVoice(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("Everything that fluxbatch can say, written by TestVoice. Read it as a stranger would.\n")
	configurations(t, &b)
	helps(t, &b)
	b.WriteString("\n==== Every text of every package\n")
	place := ""
	for _, text := range programTexts(t) {
		if text.place != place {
			place = text.place
			b.WriteString("\n== " + place + "\n")
		}
		b.WriteString("- " + strings.ReplaceAll(strings.Trim(text.words, "\n"), "\n", "\n  ") + "\n")
	}
	file := filepath.Join(root, "internal/view/testdata/voice.txt")
	if viewtest.Update() {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("the program says something else than testdata/voice.txt. Read the difference, and write it with -update (-want +got):\n%s", diff)
	}
}

// configurations writes what is said of the mistakes in config's fixtures.
func configurations(t *testing.T, b *strings.Builder) {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(root, "config/testdata/fixtures/*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	b.WriteString("\n==== Of configurations, as the fixtures of config provoke it\n")
	said := map[string]bool{}
	for _, dir := range dirs {
		b.WriteString("\n== " + filepath.Base(dir) + "\n")
		for _, d := range diagnose(dir) {
			words := d.Summary + "\n" + indent(d.Detail)
			if !said[words] {
				said[words] = true
				b.WriteString(severity(d) + ": " + strings.ReplaceAll(words, dir, "DIR") + "\n")
			}
		}
	}
}

func severity(d *hcl.Diagnostic) string {
	if d.Severity == hcl.DiagWarning {
		return "Warning"
	}
	return "Error"
}

// diagnose does what a plan does with a configuration, and returns what it says about it.
func diagnose(dir string) hcl.Diagnostics {
	c, diags := config.Load(dir, config.Options{Version: "0.3.1"})
	diags = append(diags, c.Evaluate(func(*image.Image) *image.Result { return nil })...)
	_, more := c.Outputs(nil)
	return view.Ordered(append(diags, more...))
}

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }

// helps writes the help of every command.
func helps(t *testing.T, b *strings.Builder) {
	t.Helper()
	b.WriteString("\n==== Help\n")
	a := &app{}
	eachCommand(a.command(nil), func(cmd *cobra.Command) {
		var out bytes.Buffer
		view.New(view.Options{Stdout: &out}).Help(a.helpOf(cmd))
		b.WriteString("\n== " + cmd.CommandPath() + "\n" + out.String())
	})
}
