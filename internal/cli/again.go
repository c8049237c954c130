package cli

import (
	"strconv"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

// program returns the words that begin a command which is to run where this one does.
func (a *app) program() []string {
	if a.chdir == "" {
		return []string{"fluxbatch"}
	}
	return []string{"fluxbatch", "-chdir=" + a.chdir}
}

// toApply returns the command, as it is typed in a shell, that carries out what was planned with o.
func (a *app) toApply(w *workspace.Workspace, o *planOptions) string {
	if o.out != "" {
		return typed(append(a.program(), "apply", o.out))
	}
	words := append(a.program(), "apply")
	words = append(words, scope(w, o)...)
	for _, address := range o.Replace {
		words = append(words, "-replace", address)
	}
	for _, address := range o.Reroll {
		words = append(words, "-reroll", address)
	}
	for _, address := range o.Abandon {
		words = append(words, "-abandon", address)
	}
	for _, flag := range []struct {
		given bool
		word  string
	}{
		{o.RefreshOnly, "-refresh-only"}, {o.NoRefresh, "-refresh=false"}, {o.RetryModerated, "-retry-moderated"},
	} {
		if flag.given {
			words = append(words, flag.word)
		}
	}
	return typed(inDirectory(w.Dir, words))
}

// again returns the command that goes on with what an apply left. What the apply made anew on
// request is not to be made anew again.
func (a *app) again(w *workspace.Workspace, o *planOptions) string {
	return typed(inDirectory(w.Dir, append(append(a.program(), "apply"), scope(w, o)...)))
}

// scope returns the flags that say what is worked on, and with which values. Sensitive values are
// left to the user.
func scope(w *workspace.Workspace, o *planOptions) []string {
	var words []string
	if o.Destroy {
		words = append(words, "-destroy")
	}
	if o.Simulate {
		words = append(words, "-simulate")
	}
	sensitive := w.Sensitive()
	for _, v := range o.values {
		name, _, _ := strings.Cut(v.Assignment, "=")
		switch name = strings.TrimSpace(name); {
		case v.File != "":
			words = append(words, "-var-file", v.File)
		case sensitive[name]:
			words = append(words, "-var", name+"=...")
		default:
			words = append(words, "-var", v.Assignment)
		}
	}
	for _, text := range o.Targets {
		words = append(words, "-target", text)
	}
	for _, file := range o.targetFiles {
		words = append(words, "-target-file", file)
	}
	for _, text := range o.Excludes {
		words = append(words, "-exclude", text)
	}
	if o.StatePath != "" {
		words = append(words, "-state", o.StatePath)
	}
	if o.MaxCost != nil {
		words = append(words, "-max-cost", strconv.FormatFloat(o.MaxCost.USD(), 'f', -1, 64))
	}
	return words
}

func inDirectory(dir string, words []string) []string {
	switch {
	case dir == ".":
		return words
	case strings.HasPrefix(dir, "-"):
		return append(words, "./"+dir)
	default:
		return append(words, dir)
	}
}

// typed returns words as they are typed in a shell.
func typed(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = shellWord(word)
	}
	return strings.Join(quoted, " ")
}

// shellWord returns a word as it is typed in a shell.
func shellWord(word string) string { return layout.ShellWord(word) }
