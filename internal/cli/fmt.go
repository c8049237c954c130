package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

type fmtOptions struct {
	check, diff, recursive bool
	noWrite, noList        bool
}

func (a *app) fmtCommand() *cobra.Command {
	var o fmtOptions
	cmd := &cobra.Command{
		Use: "fmt [PATH...]", Short: "Bring configuration files into their usual layout",
		Long: `Lays out configuration files as everybody's are: indentation, aligned equals signs, spaces. It changes no meaning. Each PATH is a file, or a directory whose
*.flux.hcl and *.fluxvars.hcl files are meant. It is the current directory by default. With "-" it formats standard input to standard output.

The names of files that change are printed. A file that cannot be parsed is left as it is.`,
		Example: `  fluxbatch fmt
  fluxbatch fmt -check -diff -recursive
  fluxbatch fmt - < main.flux.hcl`,
		RunE: func(_ *cobra.Command, args []string) error { return a.runFmt(args, &o) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"hcl"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.check, "check", false, "write nothing, and exit with 1 if a file would change")
	flags.BoolVar(&o.diff, "diff", false, "print what changes")
	flags.BoolVar(&o.recursive, "recursive", false, "go into the directories below as well, except hidden ones")
	flags.Var((*negated)(&o.noWrite), "write", "write the files")
	flags.Lookup("write").NoOptDefVal = "true"
	flags.Var((*negated)(&o.noList), "list", "print the names of the files that change")
	flags.Lookup("list").NoOptDefVal = "true"
	return cmd
}

func (a *app) runFmt(paths []string, o *fmtOptions) error {
	if slices.Contains(paths, "-") {
		if len(paths) > 1 {
			return explain(`"-" is standard input, and cannot be combined with files`)
		}
		return a.formatStdin(o)
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var files []string
	var failures []error
	for _, path := range paths {
		found, err := formattable(path, o.recursive)
		files, failures = append(files, found...), append(failures, err)
	}
	slices.Sort(files)
	changes, failed := 0, false
	for _, file := range slices.Compact(files) {
		switch changed, err := a.formatFile(file, o); {
		case errors.As(err, new(exitError)):
			failed = true
		case err != nil:
			failures = append(failures, err)
		case changed:
			changes++
		}
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	if failed || o.check && changes > 0 {
		return exitError(exitFailure)
	}
	return nil
}

// formattable lists the files that a path stands for.
func formattable(path string, recursive bool) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the file %s cannot be formatted: %w", path, cause(err))
	case !info.IsDir() && !isFormattable(path):
		return nil, fmt.Errorf("the file %s cannot be formatted: its name ends neither in .flux.hcl nor in .fluxvars.hcl", path)
	case !info.IsDir():
		return []string{filepath.Clean(path)}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(e.Name(), ".") && at != path
		switch {
		case err != nil:
			return err
		case e.IsDir() && at != path && (hidden || !recursive):
			return fs.SkipDir
		case !e.IsDir() && !hidden && isFormattable(at):
			files = append(files, at)
		}
		return nil
	})
	return files, err
}

func isFormattable(path string) bool {
	return strings.HasSuffix(path, ".flux.hcl") || strings.HasSuffix(path, ".fluxvars.hcl")
}

// formatFile formats one file and reports whether that changes it. What cannot be parsed is shown,
// and the error is an exitError.
func (a *app) formatFile(path string, o *fmtOptions) (changed bool, err error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return false, fmt.Errorf("the file %s cannot be formatted: %w", path, cause(err))
	}
	out, err := a.format(src, path)
	if err != nil || bytes.Equal(src, out) {
		return false, err
	}
	if !o.noWrite && !o.check {
		if err := replaceFile(path, out); err != nil {
			return false, fmt.Errorf("the file %s cannot be formatted: %w", path, cause(err))
		}
	}
	if !o.noList {
		a.viewer().Say(path)
	}
	if o.diff {
		a.printDiff(path, src, out)
	}
	return true, nil
}

func (a *app) formatStdin(o *fmtOptions) error {
	src, err := io.ReadAll(a.env.Stdin)
	if err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	const name = "<stdin>"
	out, err := a.format(src, name)
	if err != nil {
		return err
	}
	changed := !bytes.Equal(src, out)
	switch {
	case o.diff && changed:
		a.printDiff(name, src, out)
	case !o.diff && !o.check:
		_, _ = a.out.Write(out) // as in checkResults
	}
	if o.check && changed {
		return exitError(exitFailure)
	}
	return nil
}

// format returns a source in its usual layout, or shows what cannot be parsed in it.
func (a *app) format(src []byte, name string) ([]byte, error) {
	out, diags := config.Format(src, name)
	if diags.HasErrors() {
		files := map[string]*hcl.File{name: {Bytes: src}}
		if config.IsValues(name) {
			files = nil // The line at fault may be that of a secret.
		}
		a.viewer().Diagnostics(diags, files)
		return nil, exitError(exitFailure)
	}
	return out, nil
}

func (a *app) printDiff(name string, before, after []byte) {
	text := string(diff.Diff("old/"+name, before, "new/"+name, after))
	// The first line only repeats the two names.
	_, text, _ = strings.Cut(text, "\n")
	a.viewer().Say(strings.TrimSuffix(text, "\n"))
}

// replaceFile puts new content into an existing file at once, with the mode that it has. A symbolic
// link stays one.
func replaceFile(path string, content []byte) (err error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	// A rename would replace a file that may not be written, too.
	f, err := os.OpenFile(real, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	dir, err := safefile.Open(filepath.Dir(real))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	pending, err := dir.Create(filepath.Base(real), info.Mode().Perm())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pending.Abort()) }()
	if _, err := pending.Write(content); err != nil {
		return err
	}
	// The process's umask may have taken something from the mode.
	if err := os.Chmod(filepath.Join(filepath.Dir(real), filepath.FromSlash(pending.Temporary())), info.Mode().Perm()); err != nil {
		return err
	}
	return pending.Commit()
}
