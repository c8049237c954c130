package sourcefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar"
	"golang.org/x/text/unicode/norm"
)

// search looks for the regular files below a folder whose path from there matches a pattern, as
// Terraform's fileset does.
type search struct {
	pattern string
	// parts are those of the pattern between slashes, nil where alternatives in it may have slashes
	// themselves.
	parts []string
	// depth is the number of folders that a match can be below the first, -1 where there is no
	// bound.
	depth int
	// above are the folders that are being looked at, by their real paths: a symbolic link may lead
	// back to one of them.
	above []string
	found []string
}

// List lists the regular files below a folder, usable with package os, whose paths from there match
// a pattern with slashes, as Terraform's fileset does. The pattern is matched with names in
// Unicode's composed form, which are also what it answers, sorted. There are no files in a folder
// that does not exist.
func List(dir, pattern string) ([]string, error) {
	if _, err := doublestar.Match(pattern, "x"); err != nil {
		return nil, fmt.Errorf("%q is not a pattern such as **/*.png", pattern)
	}
	// What is written out leads to where the search begins, and may lead out of the folder.
	before, rest := "", strings.TrimLeft(path.Clean(pattern), "/")
	for {
		part, after, more := strings.Cut(rest, "/")
		if !more || strings.ContainsAny(part, `*?[{\`) {
			break
		}
		before, rest = path.Join(before, part), after
	}
	s := &search{pattern: rest, depth: strings.Count(rest, "/")}
	if strings.Contains(rest, "**") {
		s.depth = -1
	}
	if !strings.ContainsAny(rest, `{[\`) {
		s.parts = strings.Split(rest, "/")
	}
	if err := s.folder(Named(filepath.Join(dir, filepath.FromSlash(before))), "", 0); err != nil {
		return nil, err
	}
	for i, file := range s.found {
		s.found[i] = path.Join(before, file)
	}
	slices.Sort(s.found)
	return s.found, nil
}

// folder looks at a folder, which is rel from the first one.
func (s *search) folder(dir, rel string, depth int) error {
	real, err := filepath.EvalSymlinks(dir)
	if err == nil && slices.Contains(s.above, real) {
		return nil
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil
	case err != nil:
		return fmt.Errorf("the folder %q cannot be listed: %s", filepath.ToSlash(dir), Reason(err))
	}
	s.above = append(s.above, real)
	defer func() { s.above = s.above[:len(s.above)-1] }()
	for _, entry := range entries {
		if err := s.entry(entry, dir, rel, depth); err != nil {
			return err
		}
	}
	return nil
}

func (s *search) entry(entry os.DirEntry, dir, rel string, depth int) error {
	at, name := filepath.Join(dir, entry.Name()), path.Join(rel, norm.NFC.String(entry.Name()))
	mode := entry.Type()
	if mode&fs.ModeSymlink != 0 {
		info, err := os.Stat(at)
		if err != nil {
			return nil // It leads nowhere.
		}
		mode = info.Mode().Type()
	}
	switch {
	case mode.IsDir() && s.leads(path.Base(name), depth):
		return s.folder(at, name, depth+1)
	case !mode.IsRegular():
		return nil
	}
	// The pattern was tried before, so that there is no error.
	if ok, _ := doublestar.Match(s.pattern, name); !ok {
		return nil
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("the name of the file %q is not UTF-8 text, so it cannot be a value. Rename the file", at)
	}
	s.found = append(s.found, name)
	return nil
}

// leads reports whether matches may be in a folder of that name.
func (s *search) leads(name string, depth int) bool {
	switch {
	case s.depth >= 0 && depth >= s.depth:
		return false
	case s.parts == nil || slices.Contains(s.parts[:min(depth+1, len(s.parts))], "**"):
		return true
	case depth >= len(s.parts):
		return false
	}
	ok, err := doublestar.Match(s.parts[depth], name)
	return ok || err != nil
}
