package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/view"
)

// Every command says what it does, shows how it is used, and stands under a heading; and its help
// fits on a narrow terminal.
func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	a := &app{}
	root := a.command(nil)
	root.InitDefaultHelpCmd()
	eachCommand(root, func(cmd *cobra.Command) {
		// Not in parallel: to ask a command for its flags changes the commands above it.
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			if cmd.Short == "" || cmd.HasParent() && cmd.Example == "" {
				t.Error("lacks a summary or an example")
			}
			if strings.HasSuffix(cmd.Short, ".") {
				t.Errorf("the summary %q ends in a full stop", cmd.Short)
			}
			for line := range strings.Lines(cmd.Example) {
				if !strings.Contains(line, cmd.Name()) {
					t.Errorf("the example %q does not show the command", line)
				}
			}
			var out bytes.Buffer
			h := a.helpOf(cmd)
			h.Examples = "" // a command line is not cut in two
			view.New(view.Options{Stdout: &out}).Help(h)
			for line := range strings.Lines(out.String()) {
				if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
					t.Errorf("longer than 80 columns: %s", line)
				}
			}
		})
	})
}
