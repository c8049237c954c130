package cli

import (
	"bytes"
	"cmp"
	_ "embed" // the scripts for bash
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/suggest"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

// shells are those that a completion script can be had for.
var shells = []string{"bash", "zsh", "fish", "powershell"}

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "completion SHELL", Short: "Print a script that completes commands in a shell", Args: cobra.ExactArgs(1),
		Long: `Prints a script that teaches a shell to complete commands, flags, the addresses of images and the names of models. SHELL is bash, zsh, fish or
powershell.

Once for the present shell:

  source <(fluxbatch completion bash)
  source <(fluxbatch completion zsh)
  fluxbatch completion fish | source
  fluxbatch completion powershell | Out-String | Invoke-Expression

For all shells to come:

  fluxbatch completion bash > /etc/bash_completion.d/fluxbatch
  fluxbatch completion zsh > "${fpath[1]}/_fluxbatch"
  fluxbatch completion fish > ~/.config/fish/completions/fluxbatch.fish
  fluxbatch completion powershell >> $PROFILE`,
		Example: "  source <(fluxbatch completion bash)",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.runCompletion(cmd.Root(), args[0]) },
		ValidArgsFunction: firstArgument(func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return shells, cobra.ShellCompDirectiveNoFileComp
		}),
	}
}

// bashShim stands in for the package bash-completion where it is not there.
//
//go:embed bashshim.sh
var bashShim string

// bashQuotes completes inside of quotes.
//
//go:embed bashquotes.sh
var bashQuotes string

func (a *app) runCompletion(root *cobra.Command, shell string) error {
	var script bytes.Buffer
	var err error
	switch strings.ToLower(filepath.Base(shell)) {
	case "bash":
		script.WriteString(bashShim)
		err = root.GenBashCompletionV2(&script, true)
		script.WriteString(bashQuotes)
	case "zsh":
		err = root.GenZshCompletion(&script)
	case "fish":
		err = root.GenFishCompletion(&script, true)
	case "powershell", "pwsh":
		err = root.GenPowerShellCompletionWithDesc(&script)
	}
	if script.Len() > 0 || err != nil {
		_, _ = a.out.Write(script.Bytes()) // as in checkResults
		return err
	}
	hint := ""
	if near := suggest.Nearest(shell, shells); near != "" {
		hint = " Did you mean " + near + "?"
	}
	return explain("There is no completion for the shell %q. Use %s.%s", shell, strings.Join(shells, ", "), hint)
}

// completionRequests are the commands that the scripts ask for completions with.
var completionRequests = []string{cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}

// completionOutput returns where the answer to a request for completions goes; for other command
// lines it is out itself.
func completionOutput(args []string, out io.Writer) io.Writer {
	if len(args) < 2 || !slices.Contains(completionRequests, args[0]) {
		return out
	}
	return completionWriter{out, isLongFlag(args[len(args)-1])}
}

// completionWriter writes completions as a shell wants them: long flags with one dash where they
// were begun with one, since shells keep only what goes on with what was typed, and descriptions
// without the quotes that name a flag's value.
type completionWriter struct {
	out    io.Writer
	single bool
}

// Write implements io.Writer.
func (w completionWriter) Write(p []byte) (int, error) {
	var b bytes.Buffer
	for line := range bytes.Lines(p) {
		if w.single && bytes.HasPrefix(line, []byte("--")) {
			line = line[1:]
		}
		b.Write(bytes.ReplaceAll(line, []byte("`"), nil))
	}
	if _, err := w.out.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// firstArgument completes the first argument of a command and no other.
func firstArgument(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, text)
	}
}

func completeDirectories(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeFlag completes the value of a flag.
func completeFlag(cmd *cobra.Command, name string, complete cobra.CompletionFunc) {
	if cmd.Flags().Lookup(name) == nil {
		return
	}
	// It fails for a flag that is not there, which was just looked at, and for one that has a
	// completion already, which may stay.
	_ = cmd.RegisterFlagCompletionFunc(name, complete)
}

// setCompletions completes the values of the flags that commands share.
func (a *app) setCompletions(root *cobra.Command) {
	eachCommand(root, func(cmd *cobra.Command) {
		for _, name := range []string{"target", "exclude"} {
			completeFlag(cmd, name, a.completeSelectors)
		}
		completeFlag(cmd, "replace", a.completeAddresses)
		completeFlag(cmd, "reroll", a.completeAddresses)
		completeFlag(cmd, "target-file", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		})
		completeFlag(cmd, "state", cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveFilterFileExt))
		completeFlag(cmd, "var-file", cobra.FixedCompletions([]string{"hcl", "json"}, cobra.ShellCompDirectiveFilterFileExt))
	})
	// Chdir is a flag of all commands, and kept by the root.
	_ = root.RegisterFlagCompletionFunc("chdir", completeDirectories) // as in completeFlag
}

// completeAddresses completes an address of an image: of those on record, and of those that the
// files of the root module declare. It says nothing of what goes wrong, and evaluates nothing.
func (a *app) completeAddresses(cmd *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
	dir := a.completionDir(args)
	found := slices.Concat(recordedNames(cmd, dir), declaredNames(dir))
	return matching(found, text)
}

// completeSelectors completes what -target takes: an address, a label, or the file of an image on
// record; behind a comma, another one.
func (a *app) completeSelectors(cmd *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
	dir := a.completionDir(args)
	before := text[:strings.LastIndex(text, ",")+1]
	found := slices.Concat(recordedNames(cmd, dir), declaredNames(dir), declaredLabels(dir))
	if s := recordedState(cmd, dir); s != nil {
		for _, img := range s.Images.All() {
			for key, value := range img.Labels {
				found = append(found, "label."+key+"="+value)
			}
			if strings.Contains(text, "/") {
				found = append(found, img.Output.Path)
			}
		}
	}
	for i := range found {
		found[i] = before + found[i]
	}
	return matching(found, text)
}

// completeRecorded completes the address of an image on record.
func (a *app) completeRecorded(cmd *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
	found := recordedNames(cmd, a.completionDir(nil))
	return matching(slices.DeleteFunc(found, func(name string) bool { return slices.Contains(args, name) }), text)
}

// completeImport completes the address of an image that is declared, and after it a file.
func (a *app) completeImport(_ *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return []string{"png", "jpg", "jpeg", "webp"}, cobra.ShellCompDirectiveFilterFileExt
	}
	return matching(declaredNames(a.completionDir(nil)), text)
}

func matching(names []string, text string) ([]string, cobra.ShellCompDirective) {
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, text) })
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
}

// completionDir is the root module of a command line that is still being typed.
func (a *app) completionDir(args []string) string {
	dir := a.chdir
	if len(args) > 0 {
		if info, err := os.Stat(filepath.Join(a.chdir, args[0])); err == nil && info.IsDir() {
			dir = filepath.Join(a.chdir, args[0])
		}
	}
	if dir == "" {
		return "."
	}
	return dir
}

// completionState returns the state of a command line that is still being typed, or nil. No
// configuration is evaluated for it.
func completionState(dir string, o *stateOptions) *state.State {
	declared, ok := workspace.DeclaredState(dir)
	if !ok {
		declared = workspace.StateName
	}
	path := cmp.Or(o.StatePath, workspace.StatePath(dir, declared, o.Simulate))
	// A state that cannot be read completes nothing. The command itself says why.
	s, _ := state.Read(path)
	return s
}

// recordedState returns the state that a command line is about, nil where there is none.
func recordedState(cmd *cobra.Command, dir string) *state.State {
	var o stateOptions
	if f := cmd.Flags().Lookup("simulate"); f != nil {
		o.Simulate = f.Value.String() == "true"
	}
	if f := cmd.Flags().Lookup("state"); f != nil {
		o.StatePath = f.Value.String()
	}
	return completionState(dir, &o)
}

// recordedNames lists the addresses of the images on record. Few commands take candidates, and those
// complete them behind a whole address.
func recordedNames(cmd *cobra.Command, dir string) []string {
	s := recordedState(cmd, dir)
	if s == nil {
		return nil
	}
	names := make([]string, 0, s.Images.Len())
	for addr := range s.Images.Addresses() {
		if addr.Candidate == 0 {
			names = append(names, addr.String())
		}
	}
	return names
}

// completeShown completes the address of an image on record, and behind one those of its
// candidates.
func (a *app) completeShown(cmd *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
	dir := a.completionDir(nil)
	found := recordedNames(cmd, dir)
	if s := recordedState(cmd, dir); s != nil {
		for addr := range s.Images.Addresses() {
			if addr.Candidate > 0 && strings.HasPrefix(text, addr.Of().String()) {
				found = append(found, addr.String())
			}
		}
	}
	return matching(found, text)
}

// completeMade completes as completeShown does, and what was made here: sheets and what is made of
// assets, and behind the address of an image its renditions.
func (a *app) completeMade(cmd *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
	found, directive := a.completeShown(cmd, args, text)
	if s := recordedState(cmd, a.completionDir(nil)); s != nil {
		for addr := range s.Renditions {
			if addr.Kind != addrs.OfImage || strings.HasPrefix(text, addr.Source()) {
				found = append(found, addr.String())
			}
		}
	}
	found, _ = matching(found, text)
	return found, directive
}

// completeOutputs lists the outputs on record.
func (a *app) completeOutputs(o *stateOptions) []string {
	s := completionState(a.completionDir(nil), o)
	if s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.Outputs))
}
