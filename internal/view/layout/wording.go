package layout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Count returns a number with the noun that it counts: "1 image", "2 images".
func Count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// List joins phrases as people do: "a", "a and b", "a, b and c".
func List(phrases []string) string {
	switch n := len(phrases); n {
	case 0:
		return ""
	case 1:
		return phrases[0]
	default:
		return strings.Join(phrases[:n-1], ", ") + " and " + phrases[n-1]
	}
}

// Duration returns a time span in whole seconds: "4s", "1m12s", "2h0m3s".
func Duration(d time.Duration) string {
	s := int64(max(d, 0) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%ds", s/60, s%60)
	default:
		return fmt.Sprintf("%dh%dm%ds", s/3600, s/60%60, s%60)
	}
}

// Quoted returns s as a string literal on one line.
func Quoted(s string) string { return `"` + Escaped(s, false) + `"` }

// Escaped replaces what would end a string literal or would reach the terminal as a command. With
// lines, newlines and quotes stay, as they do in a heredoc.
func Escaped(s string, lines bool) string {
	if firstUnplain(s) < 0 && !strings.ContainsAny(s, "\"\\\n\t") {
		return s
	}
	var b strings.Builder
	for at, r := range s {
		size := 1
		if r != utf8.RuneError {
			size = utf8.RuneLen(r)
		} else if strings.HasPrefix(s[at:], "\uFFFD") {
			size = len("\uFFFD")
		}
		switch {
		case lines && (r == '\n' || r == '"' || r == '\\' || r == '\t'):
			b.WriteRune(r)
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case isUnseen(s, at, r, size), r != ' ' && unicode.IsSpace(r):
			b.WriteString(spelt(r, s[at:at+size]))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Harmless returns text from elsewhere, such as an answer of the API, in which everything can be
// seen, and lines end as they do here.
func Harmless(s string) string { return Visible(strings.ReplaceAll(s, "\r", "")) }

// Sentence begins an error's text with a capital, unless its first word is a name: an address, a
// path, a flag.
func Sentence(s string) string {
	first, _, _ := strings.Cut(s, " ")
	isWord := first != "" && strings.IndexFunc(first, func(r rune) bool { return !unicode.IsLower(r) }) < 0
	if !isWord || first == "fluxbatch" {
		return s
	}
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// Message splits an error's text into a summary, which has no full stop, and the sentences that
// follow it. The first line of a text, or else its first sentence, is the summary.
func Message(text string) (summary, detail string) {
	summary, detail, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if end := sentenceEnd(summary); end >= 0 {
		rest := strings.TrimSpace(summary[end+1:])
		summary = summary[:end]
		if detail != "" {
			rest += "\n" + detail
		}
		detail = rest
	}
	return Sentence(strings.TrimSuffix(summary, ".")), Stopped(strings.Trim(detail, "\n"))
}

// sentenceEnd returns where the full stop of a text's first sentence is, -1 where no other follows.
// What is in quotes or brackets does not end it.
func sentenceEnd(s string) int {
	quoted, depth := false, 0
	for i, r := range s {
		switch r {
		case '"':
			quoted = !quoted
		case '(':
			depth++
		case ')':
			depth--
		case '.':
			if next := strings.TrimPrefix(s[i+1:], " "); !quoted && depth <= 0 && next != s[i+1:] && begins(next) {
				return i
			}
		}
	}
	return -1
}

// begins reports whether a text begins as a sentence does: with a capital, a flag, a quote, or one
// of the names that are never written with one.
func begins(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsUpper(r) || r == '"' || r == '-' || r == '$' || strings.HasPrefix(s, "fluxbatch ") || strings.HasPrefix(s, "image.")
}

// Stopped ends a text with a full stop where it ends in a word. A command that stands at its end on
// a line of its own stays as it is.
func Stopped(s string) string {
	last := s[strings.LastIndexByte(s, '\n')+1:]
	if s == "" || strings.HasPrefix(last, " ") {
		return s
	}
	switch r, _ := utf8.DecodeLastRuneInString(s); r {
	case '.', ':', '?', '!', '…':
		return s
	}
	return s + "."
}

// Shorten cuts s to at most columns columns.
func Shorten(s string, columns int) string {
	if Width(s) <= columns {
		return s
	}
	total := 0
	for i, r := range s {
		w := Width(string(r))
		if total+w > columns-1 {
			return s[:i] + "…"
		}
		total += w
	}
	return s
}

// Indent puts prefix before each line of text that is not empty.
func Indent(text, prefix string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(prefix)
		}
		b.WriteString(line)
	}
	return b.String()
}

// Wait returns a pause with tenths of a second, since most are short.
func Wait(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return Duration(d)
}

// OneLine returns an error's text on one line, for a log of lines.
func OneLine(err error) string {
	return strings.Join(strings.Fields(Harmless(ErrorText(err))), " ")
}

// ErrorText returns an error's text, also for an event that came without one.
func ErrorText(err error) string {
	if err == nil {
		return "the cause is not known"
	}
	return err.Error()
}

// Middle is Shorten for names, which it cuts in the middle: their ends tell them apart.
func Middle(s string, columns int) string {
	if Width(s) <= columns {
		return s
	}
	runes := []rune(s)
	room := max(columns-1, 0)
	head, tail := runes[:0], []rune(nil)
	for left, right, used := 0, len(runes)-1, 0; left <= right; {
		end := len(head) > len(tail)
		r := runes[left]
		if end {
			r = runes[right]
		}
		if used += Width(string(r)); used > room {
			break
		}
		if end {
			tail = append(tail, r)
			right--
		} else {
			head = runes[:left+1]
			left++
		}
	}
	slices.Reverse(tail)
	return string(head) + "…" + string(tail)
}

// ShellWord returns a word as it is typed in a shell.
func ShellWord(word string) string {
	plain := strings.IndexFunc(word, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-", r)
	}) < 0
	if plain && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
