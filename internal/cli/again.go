package cli

import (
	"strconv"
	"strings"
)

// program returns the words that begin a command which is to run where this one does.
func (a *app) program() []string {
	if a.chdir == "" {
		return []string{"fluxbatch"}
	}
	return []string{"fluxbatch", "-chdir=" + a.chdir}
}

// toApply returns the command, as it is typed in a shell, that carries out what was planned with o.
func (w *workspace) toApply(o *planOptions) string {
	if o.out != "" {
		return typed(append(w.app.program(), "apply", o.out))
	}
	words := append(w.app.program(), "apply")
	words = append(words, w.scope(o)...)
	for _, address := range o.replace {
		words = append(words, "-replace", address)
	}
	for _, address := range o.abandon {
		words = append(words, "-abandon", address)
	}
	for _, flag := range []struct {
		given bool
		word  string
	}{
		{o.refreshOnly, "-refresh-only"}, {o.noRefresh, "-refresh=false"}, {o.retryModerated, "-retry-moderated"},
	} {
		if flag.given {
			words = append(words, flag.word)
		}
	}
	return typed(w.inDirectory(words))
}

// again returns the command that goes on with what an apply left. What the apply made anew on request is not to be made anew again.
func (w *workspace) again(o *planOptions) string {
	return typed(w.inDirectory(append(append(w.app.program(), "apply"), w.scope(o)...)))
}

// scope returns the flags that say what is worked on, and with which values. Sensitive values are left to the user.
func (w *workspace) scope(o *planOptions) []string {
	var words []string
	if o.destroy {
		words = append(words, "-destroy")
	}
	if o.simulate {
		words = append(words, "-simulate")
	}
	sensitive := w.sensitiveVariables()
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
	for _, text := range o.targets {
		words = append(words, "-target", text)
	}
	for _, file := range o.targetFiles {
		words = append(words, "-target-file", file)
	}
	for _, text := range o.excludes {
		words = append(words, "-exclude", text)
	}
	if o.statePath != "" {
		words = append(words, "-state", o.statePath)
	}
	if o.maxCost.credits != nil {
		words = append(words, "-max-cost", strconv.FormatFloat(o.maxCost.credits.USD(), 'f', -1, 64))
	}
	return words
}

// sensitiveVariables returns the declared variables by name, and of each whether its value is not to be shown or kept.
func (w *workspace) sensitiveVariables() map[string]bool {
	sensitive := map[string]bool{}
	for _, v := range w.config.Variables() {
		sensitive[v.Name] = v.Sensitive
	}
	return sensitive
}

func (w *workspace) inDirectory(words []string) []string {
	switch {
	case w.dir == ".":
		return words
	case strings.HasPrefix(w.dir, "-"):
		return append(words, "./"+w.dir)
	default:
		return append(words, w.dir)
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
func shellWord(word string) string {
	plain := strings.IndexFunc(word, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-", r)
	}) < 0
	if plain && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
