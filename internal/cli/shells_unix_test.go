//go:build unix

package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
)

// shellScripts load the completion script in a shell, complete "fluxbatch pla", and print what
// comes of it. PowerShell only reads the script.
var shellScripts = map[string]string{
	"bash": `source "$1"
COMP_WORDS=(fluxbatch pla) COMP_CWORD=1 COMP_LINE="fluxbatch pla" COMP_POINT=13 COMP_TYPE=9
__start_fluxbatch
printf '%s\n' "${COMPREPLY[@]}"`,
	"zsh":  `autoload -Uz compinit && compinit -u && source "$1" && print loaded $_comps[fluxbatch] && fluxbatch __complete pla`,
	"fish": `source "$argv[1]"; complete -C "fluxbatch pla"`,
	"pwsh": `$mistakes = $null
[System.Management.Automation.Language.Parser]::ParseFile($args[0], [ref]$null, [ref]$mistakes) | Out-Null
if ($mistakes) { $mistakes; exit 1 }
"plan"`,
}

// The completion scripts work in their shells, bash also without the package bash-completion.
func TestCompletionInShells(t *testing.T) {
	t.Parallel()
	for shell, script := range shellScripts {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("%s is not installed; .ci/run installs it", shell)
			}
			dir := t.TempDir()
			out, errs, status := clitest.Run(t, os.Environ(), "completion", shell)
			if status != 0 {
				t.Fatal(errs)
			}
			file := filepath.Join(dir, "completion."+shell)
			clitest.Write(t, file, []byte(out))
			// The script asks the program by its name.
			program := "#!/bin/bash\nexec -a fluxbatch " + os.Args[0] + " \"$@\"\n"
			clitest.WriteProgram(t, filepath.Join(dir, "fluxbatch"), program)
			args := []string{"-c", script, shell, file}
			switch shell {
			case "fish":
				args = []string{"-c", script, file}
			case "pwsh":
				args = []string{"-NoProfile", "-Command", "& {" + script + "}", file}
			case "bash":
				args = append([]string{"--norc", "--noprofile"}, args...)
			}
			cmd := exec.CommandContext(t.Context(), path, args...)
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir)
			said, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(said), "plan") || strings.Contains(string(said), "not found") {
				t.Errorf("%s completes to %q (%v)", shell, said, err)
			}
		})
	}
}

// Addresses have brackets and quotes, so people type them inside of quotes.
func TestBashCompletesInsideQuotes(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	dir := t.TempDir()
	clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte(`image "card" { labels = { kind = "mark" } }`))
	out, errs, status := clitest.Run(t, os.Environ(), "completion", "bash")
	if status != 0 {
		t.Fatal(errs)
	}
	clitest.Write(t, filepath.Join(dir, "completion"), []byte(out))
	program := "#!/bin/bash\nexec -a fluxbatch " + os.Args[0] + " \"$@\"\n"
	clitest.WriteProgram(t, filepath.Join(dir, "fluxbatch"), program)
	for line, want := range map[string]string{
		"fluxbatch plan -target 'image.c":  "image.card",
		`fluxbatch plan -target "image.c`:  "image.card",
		"fluxbatch plan -target='image.c":  "image.card",
		"fluxbatch plan -target 'label.k":  "label.kind=mark",
		"fluxbatch plan -target 'image.xx": "",
		"fluxbatch plan -target image.c":   "image.card",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			at := strings.LastIndexAny(line, " =") + 1
			script := `source ./completion
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_CWORD=3 COMP_WORDS=(fluxbatch plan -target "$2")
__fluxbatch_complete fluxbatch
printf '%s' "${COMPREPLY[*]}"`
			cmd := exec.CommandContext(t.Context(), bash, "--norc", "--noprofile", "-c", script, "bash", line, line[at:])
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
			got, err := cmd.Output() // outside of a completion, bash complains of compopt
			if err != nil || string(got) != want {
				t.Errorf("%s completes to %q (%v), want %q", line, got, err, want)
			}
		})
	}
}
