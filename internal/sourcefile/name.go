package sourcefile

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Named returns the path under which a file can be opened that a configuration names, which may be
// another one than it is written. What was committed on a Mac is often decomposed (NFD), and the
// texts of a configuration are composed (NFC). Where nothing has a name exactly as it is written,
// the entry is meant whose name is the same characters; of several such, the first in the order of
// their bytes. A path to nothing stays as it is.
func Named(path string) string {
	if isASCII(path) || exists(path) {
		return path
	}
	volume := filepath.VolumeName(path)
	rest, rooted := strings.CutPrefix(path[len(volume):], string(filepath.Separator))
	at := volume
	if rooted {
		at += string(filepath.Separator)
	}
	for element := range strings.SplitSeq(rest, string(filepath.Separator)) {
		found, ok := entryNamed(at, element)
		if !ok {
			return path
		}
		at = filepath.Join(at, found)
	}
	return at
}

// entryNamed finds an entry of a folder, "" for the current one, by its name in any form.
func entryNamed(dir, name string) (string, bool) {
	if isASCII(name) || exists(filepath.Join(dir, name)) {
		return name, true
	}
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", false // Whoever opens the path is told why.
	}
	want := norm.NFC.String(name)
	i := slices.IndexFunc(entries, func(entry os.DirEntry) bool { return norm.NFC.String(entry.Name()) == want })
	if i < 0 {
		return "", false
	}
	return entries[i].Name(), true
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
