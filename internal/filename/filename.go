// Package filename knows which names a file can have on every system, so that what is made on one
// can be checked out, copied and served on the others.
package filename

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// Longest is how many bytes a name that Fit makes has at most, but for an extension. File systems
// take 255 bytes; temporary names need some of them.
const Longest = 120

var drive = lazyregexp.New(`^[A-Za-z]:`)

// Refused says in a sentence why a path cannot be that of a file below the output folder on every
// system, "" where it can.
func Refused(text string) string {
	switch {
	case text == "":
		return "The path is empty."
	case strings.HasPrefix(text, "/"), strings.HasPrefix(text, "~"):
		return "The path must not be absolute, since nothing may be written outside of the output folder."
	case drive().MatchString(text):
		return "The path must not name a drive, since nothing may be written outside of the output folder."
	case strings.Contains(text, `\`):
		return "The path has a backslash. Use / between folders."
	case strings.HasSuffix(text, "/"):
		return "The path names a folder, not a file."
	case !utf8.ValidString(text):
		return "The path is not valid text."
	}
	for part := range strings.SplitSeq(text, "/") {
		switch {
		case part == "..":
			return "The path must not have .. in it, since nothing may be written outside of the output folder."
		case part == "." || part == "":
			continue
		case strings.EqualFold(part, ".fluxbatch"), strings.EqualFold(part, ".git"):
			return fmt.Sprintf("The folder %s belongs to a tool, which keeps its own files there.", part)
		case len(part) > 255-len(".tmp-0123456789"):
			return fmt.Sprintf("The name %q is too long for a file system.", part[:40]+"...")
		case strings.ContainsFunc(part, isUnsafe):
			return fmt.Sprintf("The name %q has characters that not all systems allow in a file name: control "+
				"characters, or one of < > : \" | ? *.", part)
		case isReserved(part):
			return fmt.Sprintf("The name %q is reserved on Windows.", part)
		case strings.TrimRight(part, ". ") != part:
			return fmt.Sprintf("The name %q ends in a dot or a space, which Windows drops.", part)
		}
	}
	return ""
}

// isUnsafe reports whether a character cannot stand in a file name on every system.
func isUnsafe(r rune) bool {
	if r < utf8.RuneSelf {
		return unsafeASCII[r]
	}
	return r == utf8.RuneError
}

// unsafeASCII are the characters of ASCII that isUnsafe is about: a hundred thousand names are looked
// through.
var unsafeASCII = func() (is [utf8.RuneSelf]bool) {
	for r := range is {
		is[r] = r < ' ' || r == 0x7f || strings.ContainsRune(`<>:"|?*\/`, rune(r))
	}
	return is
}()

// isReserved reports whether a name is that of a device on Windows, whatever its extension.
func isReserved(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	base = strings.TrimRight(base, " ")
	if len(base) < 3 || len(base) > len("com¹") {
		return false
	}
	base = strings.ToLower(base)
	switch base {
	case "con", "prn", "aux", "nul":
		return true
	}
	digit, isPort := strings.CutPrefix(base, "com")
	if !isPort {
		digit, isPort = strings.CutPrefix(base, "lpt")
	}
	return isPort && strings.Contains("0123456789¹²³", digit) && utf8.RuneCountInString(digit) == 1
}

// Fit makes a name fit for every file system. Different names may become the same one, which is for
// the caller to find.
func Fit(name string) string {
	name = strings.Map(func(r rune) rune {
		if isUnsafe(r) {
			return '_'
		}
		return r
	}, name)
	if len(name) > Longest {
		sum := sha256.Sum256([]byte(name))
		cut := Longest - 9
		for !utf8.RuneStart(name[cut]) {
			cut--
		}
		name = name[:cut] + "-" + hex.EncodeToString(sum[:4])
	}
	if trimmed := strings.TrimRight(name, ". "); trimmed != name {
		name = trimmed + "_"
	}
	if isReserved(name) {
		name += "_"
	}
	return name
}
