package cli

import (
	_ "embed" // the scaffold
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/costs"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

// scaffold is the manifest that init writes. It plans at once.
//
//go:embed scaffold.flux.hcl
var scaffold string

const (
	scaffoldName = "main.flux.hcl"
	ignoreName   = ".gitignore"
	// attributesName tells git how to merge the ledger of costs: by keeping the lines of both
	// sides.
	attributesName = ".gitattributes"
	attributes     = costs.FileName + " merge=union\n"
	// ignored is what belongs to one machine alone: kept images, simulations, and what stands
	// beside the state while a command runs.
	ignored = ".fluxbatch/\n*.state.json.journal\n*.state.json.lock\n*.fluxplan\n"
)

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use: "init [DIRECTORY]", Short: "Begin a manifest", Args: cobra.MaximumNArgs(1),
		Long: `Writes a small manifest, main.flux.hcl, a .gitignore and a .gitattributes into DIRECTORY (the current one by default, made where it is missing). The manifest can be planned and
simulated at once. Nothing that is there is overwritten.`,
		Example: `  fluxbatch init
  fluxbatch init brand`,
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return a.runInit(dir)
		},
		ValidArgsFunction: completeDirectories,
	}
}

func (a *app) runInit(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil { //nolint:gosec // a directory of the project, for whom umask lets
		return fmt.Errorf("making the directory %s: %w", dir, err)
	}
	if found := workspace.Manifests(dir); len(found) > 0 {
		return explain("The directory %s has a configuration already: %s.\nNothing was written. Plan it with%s", dir, strings.Join(found, ", "), toType("fluxbatch plan"+argument(dir)))
	}
	manifest, ignore := filepath.Join(dir, scaffoldName), filepath.Join(dir, ignoreName)
	if err := writeNew(manifest, scaffold); err != nil {
		return err
	}
	lines := []string{manifest + " is written: a logo, and two images made from it."}
	switch err := writeNew(ignore, ignored); {
	case err == nil:
		lines = append(lines, ignore+" is written, for what belongs to this machine alone.")
	case !errors.Is(err, fs.ErrExist):
		return err
	default:
		lines = append(lines, ignoreNote(ignore)...)
	}
	noted, err := noteAttributes(filepath.Join(dir, attributesName))
	if err != nil {
		return err
	}
	lines = append(lines, noted...)
	a.viewer().Say(strings.Join(append(lines,
		"", "See what would be made, and at what price:", "", "  fluxbatch plan -simulate"+argument(dir),
		"", "Make it with the built-in simulator, without a key, a network or money:", "", "  fluxbatch apply -simulate"+argument(dir),
		"", "Make it with the API, once BFL_API_KEY has your key:", "", "  fluxbatch apply"+argument(dir)), "\n"))
	return nil
}

// noteAttributes writes the file that says how git merges the ledger, or says which line an
// existing one lacks.
func noteAttributes(path string) ([]string, error) {
	err := writeNew(path, attributes)
	if err == nil {
		return []string{path + " is written, so that git merges the ledger of costs."}, nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	content, readErr := os.ReadFile(path)
	if readErr == nil && strings.Contains(string(content), costs.FileName) {
		return nil, nil
	}
	return []string{path + " exists and was left alone. Add this line to it:", "", "  " + strings.TrimSpace(attributes)}, nil
}

// writeNew writes a file that must not exist.
func writeNew(path, content string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // a file of the project, for whom umask lets
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.WriteString(content)
	return err
}

// ignoreNote says which lines an existing .gitignore lacks.
func ignoreNote(path string) []string {
	content, err := os.ReadFile(path)
	if err != nil {
		return []string{path + " exists and cannot be read, so it was left alone."}
	}
	present := strings.Fields(string(content))
	lines := []string{path + " exists and was left alone. Add these lines to it:", ""}
	head := len(lines)
	for line := range strings.FieldsSeq(ignored) {
		if !slices.Contains(present, line) && !slices.Contains(present, "/"+line) && !slices.Contains(present, strings.TrimSuffix(line, "/")) {
			lines = append(lines, "  "+line)
		}
	}
	if len(lines) == head {
		return []string{path + " exists and has all that it needs."}
	}
	return lines
}

// argument returns a directory as it follows a command, "" for the current one.
func argument(dir string) string {
	if filepath.Clean(dir) == "." {
		return ""
	}
	return " " + shellWord(dir)
}
