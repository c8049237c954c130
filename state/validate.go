package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// The methods called invalid return why a value can be in no state, as a clause, or "" where it
// can. They judge what comes from files that people and merge tools edit, and what the program
// itself is about to record.

func (img *Image) invalid() string {
	switch {
	case img.Provider == "":
		return "its provider is missing"
	case img.Model == "":
		return "its model is missing"
	case !isHash(img.Fingerprint):
		return fmt.Sprintf("its fingerprint %.80q is not a SHA-256 in lower-case hexadecimal", img.Fingerprint)
	case !isObject(img.Request):
		return "its request is not a JSON object in UTF-8"
	case img.Candidate < 0 || img.More < 0:
		return "a number of candidates is negative"
	}
	if reason := img.Output.invalid(); reason != "" {
		return reason
	}
	if img.Made != nil {
		if reason := img.Made.invalid(); reason != "" {
			return reason
		}
	}
	return img.Result.invalid()
}

func (f *File) invalid() string {
	switch {
	case !validPath(f.Path):
		return fmt.Sprintf("its output path %.200q is not a clean relative path with forward slashes", f.Path)
	case !isHash(f.SHA256):
		return fmt.Sprintf("its output's hash %.80q is not a SHA-256 in lower-case hexadecimal", f.SHA256)
	case f.Content != "" && !isHash(f.Content):
		return fmt.Sprintf("its output's content %.80q is not a SHA-256 in lower-case hexadecimal", f.Content)
	case f.Bytes < 0 || f.Width < 0 || f.Height < 0:
		return "a size of its output is negative"
	}
	return ""
}

func (r *Result) invalid() string {
	switch {
	case strings.Contains(r.TaskID, "://"):
		// Signed URLs are secrets for as long as they live; states are committed.
		return "its task id is a URL"
	case r.Cost < 0:
		return "its cost is negative"
	}
	return ""
}

func (t *Task) invalid() string {
	switch {
	case t.Key == "":
		return "its task's key is missing"
	case t.Address == (addrs.Image{}):
		return "its task's address is missing"
	case t.Provider == "":
		return "its task's provider is missing"
	case t.Model == "":
		return "its task's model is missing"
	case !isHash(t.Fingerprint):
		return fmt.Sprintf("its task's fingerprint %.80q is not a SHA-256 in lower-case hexadecimal", t.Fingerprint)
	case !isObject(t.Request):
		return "its task's request is not a JSON object in UTF-8"
	case !validPath(t.Path):
		return fmt.Sprintf("its task's path %.200q is not a clean relative path with forward slashes", t.Path)
	case t.Fetched != nil:
		return t.Fetched.invalid()
	}
	return ""
}

func (f *Fetch) invalid() string {
	if !validPath(f.Temporary) {
		return fmt.Sprintf("its temporary file %.200q is not a clean relative path with forward slashes", f.Temporary)
	}
	if reason := f.Output.invalid(); reason != "" {
		return reason
	}
	return f.Result.invalid()
}

// validPath accepts the paths that mean the same file on every system: relative, clean, inside the
// directory.
func validPath(p string) bool {
	return p != "." && fs.ValidPath(p) && !strings.ContainsAny(p, "\\\x00")
}

// isHash reports whether s is a SHA-256 in lower-case hexadecimal.
func isHash(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if !hexDigit[s[i]] {
			return false
		}
	}
	return true
}

// hexDigit are the digits of a hash.
var hexDigit = func() (t [256]bool) {
	for _, c := range "0123456789abcdef" {
		t[c] = true
	}
	return t
}()

// isObject reports whether data, if it is JSON at all, is an object in UTF-8. encoding/json passes
// on other bytes as they are, and a snapshot with them could not be read again.
func isObject(data json.RawMessage) bool {
	return bytes.HasPrefix(data, []byte("{")) && utf8.Valid(data)
}
