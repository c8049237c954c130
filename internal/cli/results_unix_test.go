//go:build unix

package cli_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
)

// Results that could not be written are a failure: with a message, unless a reader went away. What
// a command does besides, it does.
func TestLostResults(t *testing.T) {
	t.Parallel()
	_, url := clitest.Simulator(t, 0)
	env := []string{"FLUXBATCH_VAR_endpoint=" + url, "BFL_API_KEY=test"}
	dir := t.TempDir()
	clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte(twoImages+"\noutput \"o\" { value = image.a.path }\n"))
	if err := os.Mkdir(filepath.Join(dir, "untidy"), 0o755); err != nil {
		t.Fatal(err)
	}
	clitest.Write(t, filepath.Join(dir, "untidy", "u.flux.hcl"), []byte("locals {\na=1\n}\n"))
	if out, errs, status := clitest.Run(t, append(os.Environ(), env...), "apply", "-auto-approve", dir); status != 0 {
		t.Fatal(out, errs)
	}
	if out, errs, status := clitest.Run(t, append(os.Environ(), env...), "plan", "-destroy", "-out", filepath.Join(dir, "p.fluxplan"), dir); status != 0 {
		t.Fatal(out, errs)
	}
	for _, args := range []string{
		"plan", "plan -json", "plan -concise", "plan -detailed-exitcode", "plan -destroy -detailed-exitcode", "plan -out q.fluxplan", "show", "show -json", "show p.fluxplan",
		"show -json p.fluxplan", "show -markdown p.fluxplan", "output", "output -json", "output o", "output -raw o", "output -json o", "graph", "graph -type mermaid",
		"models", "models -json", "models flux-2-pro", "state list", "state show image.a", "state pull", "console", "version", "version -json", "completion bash",
		"completion zsh", "completion fish", "completion powershell", "credits", "credits -json", "validate", "validate -json", "verify", "fmt -check=false untidy",
		"fmt -diff -write=false untidy", "fmt -", "apply -auto-approve", "apply -auto-approve -json", "help", "plan -h", "__complete plan -",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			input := "1 + 1\n"
			if args == "fmt -" {
				input = "a=1\n"
			}
			for name, open := range map[string]func() (*os.File, error){
				"full": func() (*os.File, error) { return os.OpenFile("/dev/full", os.O_WRONLY, 0) },
				"closed": func() (*os.File, error) {
					r, w, err := os.Pipe()
					if err == nil {
						err = r.Close()
					}
					return w, err
				},
			} {
				stdout, err := open()
				if err != nil {
					t.Skip(err)
				}
				place := t.TempDir()
				if err := os.CopyFS(place, os.DirFS(dir)); err != nil {
					t.Fatal(err)
				}
				cmd := process(t, env, append([]string{"-chdir=" + place}, strings.Fields(args)...)...)
				if strings.HasPrefix(args, "__complete") {
					cmd = process(t, env, strings.Fields(args)...)
				}
				var stderr bytes.Buffer
				cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), stdout, &stderr
				err = cmd.Run()
				_ = stdout.Close() // nothing was written
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != 1 {
					t.Errorf("%s: the command ends with %v:\n%s", name, err, stderr.String())
				}
				if said := strings.Contains(stderr.String(), "could not be written"); said != (name == "full") {
					t.Errorf("%s: it says so: %v\n%s", name, said, stderr.String())
				}
			}
		})
	}
}

// An apply whose reader went away has all that it paid for on record.
func TestApplyWithoutAReader(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte(strings.Replace(twoImages, "variable \"endpoint\" { type = string }\nprovider \"bfl\" { endpoint = var.endpoint }\n", "", 1)))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := process(t, nil, "apply", "-simulate", "-auto-approve", dir)
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if status := exitStatus(t, cmd); status != 1 {
		t.Errorf("the exit status is %d", status)
	}
	if out, errs, status := clitest.Run(t, os.Environ(), "plan", "-simulate", "-detailed-exitcode", dir); status != 0 {
		t.Errorf("not all is on record:\n%s%s", out, errs)
	}
}
