package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
)

// TestWorkflowLosesNoImages runs the steps of examples/ci that guard what was paid for, with
// repositories of their own: a bare one in the place of the server's, and the clones of a runner
// and of somebody who merges something while the runner makes images.
func TestWorkflowLosesNoImages(t *testing.T) {
	t.Parallel()
	look, push := workflowScript(t, "apply", "look"), workflowScript(t, "apply", "push")
	const state, image, journal = "fluxbatch.state.json", "images/logo.png", "fluxbatch.state.json.journal"
	const branch = "images-rescued/7-1"
	tests := []struct {
		name string
		// made are the files that an apply leaves on the runner, merged those that somebody pushes
		// meanwhile.
		made, merged map[string]string
		protected    bool // main takes no push
		fails        bool
		want         map[string]string // of the branches that have more than they began with, the files that main did not have
	}{
		{name: "nothing was made"},
		{
			name: "images were made", made: map[string]string{state: "{}", image: "png"},
			want: map[string]string{"main:" + state: "{}", "main:" + image: "png"},
		},
		{
			name: "something else was merged", made: map[string]string{state: "{}", image: "png"}, merged: map[string]string{"other.txt": "x"},
			want: map[string]string{"main:" + state: "{}", "main:" + image: "png", "main:other.txt": "x"},
		},
		{
			name: "another state was merged", made: map[string]string{state: "{1}", image: "png"}, merged: map[string]string{state: "{2}"}, fails: true,
			want: map[string]string{"main:" + state: "{2}", branch + ":" + state: "{1}", branch + ":" + image: "png"},
		},
		{
			name: "main is protected", made: map[string]string{state: "{}", image: "png"}, protected: true, fails: true,
			want: map[string]string{branch + ":" + state: "{}", branch + ":" + image: "png"},
		},
		{
			name: "the apply was cut off", made: map[string]string{journal: "paid", image: "png"},
			want: map[string]string{"main:" + journal: "paid", "main:" + image: "png"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newRepositories(t)
			g.must(g.runner, look)
			g.write(g.runner, tt.made)
			if len(tt.merged) > 0 {
				g.write(g.author, tt.merged)
				g.must(g.author, "git add --all && git commit --quiet -m merged && git push --quiet origin HEAD:main")
			}
			if tt.protected {
				g.write(g.server, map[string]string{"hooks/update": "#!/bin/sh\n[ \"$1\" != refs/heads/main ]\n"})
			}
			output, err := g.run(g.runner, push)
			if (err != nil) != tt.fails || tt.fails != strings.Contains(output, "::error::") {
				t.Errorf("pushing: %v\n%s", err, output)
			}
			if diff := cmp.Diff(tt.want, g.files()); diff != "" {
				t.Errorf("the server has other files (-want +got):\n%s", diff)
			}
			// As long as images wait in a branch, nothing is made that could be among them.
			if output, err := g.run(g.runner, look); (err != nil) != tt.fails {
				t.Errorf("looking for rescued images: %v\n%s", err, output)
			}
		})
	}
}

// TestWorkflowDropsTheJournal makes sure that the journal of an apply that was cut off leaves the
// repository once the next one has gone on from it.
func TestWorkflowDropsTheJournal(t *testing.T) {
	t.Parallel()
	push := workflowScript(t, "apply", "push")
	g := newRepositories(t)
	const journal = "fluxbatch.state.json.journal"
	g.write(g.runner, map[string]string{journal: "paid"})
	g.must(g.runner, push)
	if err := os.Remove(filepath.Join(g.runner, journal)); err != nil {
		t.Fatal(err)
	}
	g.write(g.runner, map[string]string{"fluxbatch.state.json": "{}"})
	g.must(g.runner, push)
	if diff := cmp.Diff(map[string]string{"main:fluxbatch.state.json": "{}"}, g.files()); diff != "" {
		t.Errorf("the server has other files (-want +got):\n%s", diff)
	}
}

// repositories are a server's bare repository and two clones of its main branch.
type repositories struct {
	t                      *testing.T
	server, author, runner string
}

func newRepositories(t *testing.T) *repositories {
	t.Helper()
	for _, program := range []string{"git", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the workflow's steps need %s", program)
		}
	}
	dir := t.TempDir()
	g := &repositories{t, filepath.Join(dir, "server"), filepath.Join(dir, "author"), filepath.Join(dir, "runner")}
	g.must(dir, "git init --quiet --bare --initial-branch main server && git clone --quiet server author")
	g.write(g.author, map[string]string{"main.flux.hcl": "", ".gitignore": ".fluxbatch/\n*.state.json.journal\n*.state.json.lock\n"})
	g.must(g.author, "git add --all && git commit --quiet -m manifest && git push --quiet origin HEAD:main")
	// As actions/checkout does it.
	g.must(dir, "git clone --quiet --depth 1 --branch main file://"+filepath.ToSlash(g.server)+" runner")
	return g
}

// run runs a script as a step of a workflow is run.
func (g *repositories) run(dir, script string) (string, error) {
	cmd := exec.CommandContext(g.t.Context(), "bash", "-e", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+filepath.Dir(g.server), "GIT_CONFIG_GLOBAL=", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=author", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_COMMITTER_NAME=author", "GIT_COMMITTER_EMAIL=author@example.com",
		"GITHUB_SHA=0123456789abcdef", "GITHUB_RUN_ID=7", "GITHUB_RUN_ATTEMPT=1")
	output, err := cmd.CombinedOutput()
	return string(output), err
}

func (g *repositories) must(dir, script string) string {
	g.t.Helper()
	output, err := g.run(dir, script)
	if err != nil {
		g.t.Fatalf("%s: %v\n%s", script, err, output)
	}
	return output
}

func (g *repositories) write(dir string, files map[string]string) {
	g.t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			g.t.Fatal(err)
		}
		clitest.WriteProgram(g.t, path, content)
	}
}

// files returns what the server's branches have beside the manifest, as "branch:path".
func (g *repositories) files() map[string]string {
	g.t.Helper()
	var files map[string]string
	for branch := range strings.FieldsSeq(g.must(g.server, "git for-each-ref --format='%(refname:lstrip=2)' refs/heads")) {
		for name := range strings.FieldsSeq(g.must(g.server, "git ls-tree -r --name-only "+branch)) {
			if name == "main.flux.hcl" || name == ".gitignore" {
				continue
			}
			if files == nil {
				files = map[string]string{}
			}
			files[branch+":"+name] = g.must(g.server, "git show "+branch+":"+name)
		}
	}
	return files
}

// TestWorkflowPlansWithoutSecrets holds the job that evaluates pull requests to having nothing that
// file() could read.
func TestWorkflowPlansWithoutSecrets(t *testing.T) {
	t.Parallel()
	checkouts := 0
	for _, step := range workflowSteps(t, "plan") {
		env := cty.EmptyObjectVal
		if step.Type().HasAttribute("env") {
			env = step.GetAttr("env")
		}
		if run := attribute(step, "run"); strings.Contains(run, "fluxbatch ") && env.LengthInt() > 0 {
			t.Errorf("%q has an environment", run)
		}
		for name, value := range env.Elements() {
			if strings.Contains(value.AsString(), "secrets.") {
				t.Errorf("%s is a secret", name.AsString())
			}
		}
		if strings.HasPrefix(attribute(step, "uses"), "actions/checkout@") {
			checkouts++
			if !step.GetAttr("with").GetAttr("persist-credentials").RawEquals(cty.False) {
				t.Error("the checkout leaves its token in .git/config")
			}
		}
	}
	if checkouts != 1 {
		t.Errorf("there are %d checkouts", checkouts)
	}
}

// TestWorkflowCommentsWithThumbnails makes the report of a pull request as the workflow does, and its
// comment, whose pictures have to be where it says.
func TestWorkflowCommentsWithThumbnails(t *testing.T) {
	t.Parallel()
	script := workflowScript(t, "comment", "thumbnails")
	g := newRepositories(t)
	temp := t.TempDir()
	report := filepath.Join(temp, "images", "report")
	for name, content := range map[string]string{
		"report.md":           "**Plan: 1 to replace.**\n\n| `-/+` | <code>image.a</code> | ![before](thumbs/0a.jpg) | ![after](thumbs/0b.jpg) |\n",
		"thumbs/0a.jpg":       "a",
		"thumbs/0b.jpg":       "b",
		"thumbs/0c.jpg":       "of an image that stays",
		"pictures/0a0a0a.jpg": "in full",
	} {
		g.write(report, map[string]string{name: content})
	}
	long := strings.Repeat("| `-/+` | <code>image.long</code> | ![before](thumbs/0a.jpg) |\n", 2000)
	for _, extra := range []string{"", long} {
		g.write(report, map[string]string{"more.md": extra})
		g.must(report, "cat more.md >> report.md")
		g.must(g.runner, "git switch --quiet main; git branch --quiet -D images-report/12 || true")
		g.must(g.runner, "export BRANCH=images-report/12 RUN_URL=https://example.com/run REPOSITORY_URL=https://example.com/r RUNNER_TEMP="+filepath.ToSlash(temp)+"\n"+script)
		want := map[string]string{"images-report/12:thumbs/0a.jpg": "a", "images-report/12:thumbs/0b.jpg": "b"}
		if diff := cmp.Diff(want, g.files()); diff != "" {
			t.Errorf("the server has other files (-want +got):\n%s", diff)
		}
		comment, err := os.ReadFile(filepath.Join(temp, "comment.md"))
		if err != nil {
			t.Fatal(err)
		}
		at := strings.TrimSpace(g.must(g.server, "git rev-parse images-report/12"))
		if link := "![before](https://example.com/r/blob/" + at + "/thumbs/0a.jpg?raw=true)"; !strings.Contains(string(comment), link) || len(comment) > 65_000 {
			t.Errorf("the comment has %d bytes, and %s is not in\n%.600s", len(comment), link, comment)
		}
	}
}

// TestWorkflowKeepsTokensFromManifests holds the job with a token that writes to running nothing of
// a pull request.
func TestWorkflowKeepsTokensFromManifests(t *testing.T) {
	t.Parallel()
	for _, step := range workflowSteps(t, "comment") {
		if strings.Contains(attribute(step, "run"), "fluxbatch ") {
			t.Errorf("%q evaluates the manifest", attribute(step, "run"))
		}
		if strings.HasPrefix(attribute(step, "uses"), "actions/checkout@") && step.GetAttr("with").GetAttr("ref").AsString() != "main" {
			t.Error("the checkout is of the pull request")
		}
	}
}

// workflowScript returns the script of a step of the example's workflow.
func workflowScript(t *testing.T, job, id string) string {
	t.Helper()
	for _, step := range workflowSteps(t, job) {
		if attribute(step, "id") == id {
			return attribute(step, "run")
		}
	}
	t.Fatalf("the workflow's job %s has no step %s", job, id)
	return ""
}

func workflowSteps(t *testing.T, job string) []cty.Value {
	t.Helper()
	text, err := os.ReadFile("../../examples/ci/.github/workflows/images.yml")
	if err != nil {
		t.Fatal(err)
	}
	ty, err := ctyyaml.Standard.ImpliedType(text)
	if err != nil {
		t.Fatal(err)
	}
	workflow, err := ctyyaml.Standard.Unmarshal(text, ty)
	if err != nil {
		t.Fatal(err)
	}
	return workflow.GetAttr("jobs").GetAttr(job).GetAttr("steps").AsValueSlice()
}

// attribute returns a string of a step, "" where it has none of that name.
func attribute(step cty.Value, name string) string {
	if !step.Type().HasAttribute(name) {
		return ""
	}
	return step.GetAttr(name).AsString()
}
