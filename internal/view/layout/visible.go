package layout

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// All text for people passes Visible on its way out, and what a machine reads passes VisibleJSON.
// What cannot be seen, or changes how other text is seen, is written out as it would stand in a
// string literal, \u202e or \xff: control characters of both sets, marks that turn the direction of
// text, characters without width, separators of lines, tags, private use, and bytes that are no
// UTF-8. In an address that is how the key could be typed.
//
// Characters that others need to look right stay with these: combining marks; a joiner or a
// selector in an emoji or behind a Han character; joiners between letters of scripts that are
// written with them, of Indic ones behind a virama. Anywhere else they are invisible, and are
// written out.

// Visible returns text in which everything can be seen. Newlines and tabs stay.
func Visible(s string) string { return VisibleBut(s, nil) }

// VisibleBut is like Visible, and leaves the sequences that the caller writes itself, such as those
// of a palette.
func VisibleBut(s string, own []string) string {
	at := firstUnplain(s)
	if at < 0 {
		return s
	}
	var b strings.Builder
	done := 0
	for at < len(s) {
		r, size := utf8.DecodeRuneInString(s[at:])
		if sequence := ownSequence(s[at:], own); sequence != "" {
			at += len(sequence)
			continue
		}
		if r != '\n' && r != '\t' && isUnseen(s, at, r, size) {
			b.WriteString(s[done:at])
			b.WriteString(spelt(r, s[at:at+size]))
			done = at + size
		}
		at += size
	}
	b.WriteString(s[done:])
	return b.String()
}

// firstUnplain returns where text has something else than the printable characters of ASCII, spaces
// and newlines, -1 for nowhere.
func firstUnplain(s string) int {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c > '~') && c != '\n' && c != '\t' {
			return i
		}
	}
	return -1
}

func ownSequence(s string, own []string) string {
	for _, sequence := range own {
		if strings.HasPrefix(s, sequence) {
			return sequence
		}
	}
	return ""
}

// VisibleJSON returns JSON with the same meaning in which everything can be seen. What is not ASCII
// stands in strings there.
func VisibleJSON(text []byte) []byte {
	s := string(text)
	if firstUnplain(s) < 0 {
		return text
	}
	var b strings.Builder
	for at := 0; at < len(s); {
		r, size := utf8.DecodeRuneInString(s[at:])
		switch {
		case r < utf8.RuneSelf && r != 0x7f, !isUnseen(s, at, r, size):
			b.WriteString(s[at : at+size])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r) // A byte that is no UTF-8 is U+FFFD, as encoding/json has it.
		}
		at += size
	}
	return []byte(b.String())
}

// spelt returns a character, or the byte that is none, as it is written in a string literal.
func spelt(r rune, text string) string {
	switch {
	case r == utf8.RuneError && len(text) == 1:
		return fmt.Sprintf(`\x%02x`, text[0])
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	default:
		return fmt.Sprintf(`\u%04x`, r)
	}
}

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
	textSelector       = '\ufe0e'
	emojiSelector      = '\ufe0f'
)

// isUnseen reports whether the character of size bytes at a place of a text must be written out.
func isUnseen(s string, at int, r rune, size int) bool {
	switch {
	case r == utf8.RuneError:
		return size == 1
	case r >= ' ' && r <= '~':
		return false
	case r == zeroWidthJoiner || r == zeroWidthNonJoiner:
		return !joins(s, at, r, size)
	case unicode.Is(unicode.Variation_Selector, r):
		return !selects(s, at, r)
	case r >= 0xe0020 && r <= 0xe007f:
		return !inFlag(s, at)
	case unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
		return true // Fillers count as letters, and some joiners as marks.
	case unicode.IsPrint(r), unicode.Is(unicode.Zs, r):
		return false
	default:
		return !isPictograph(r) // Of those, new ones come each year.
	}
}

// isPictograph reports whether a character is in the planes of emoji.
func isPictograph(r rune) bool { return r >= 0x1f000 && r <= 0x1faff }

// isEmoji reports whether a character can be a part of a sequence of emoji.
func isEmoji(r rune) bool {
	return isPictograph(r) || r >= 0x2190 && r <= 0x2bff || r >= 0x3030 && r <= 0x3299 && unicode.Is(unicode.So, r)
}

func before(s string, at int) rune {
	r, _ := utf8.DecodeLastRuneInString(s[:at])
	return r
}

// joined are scripts whose letters have other forms beside a joiner, viramas those marks of Indic
// scripts behind which one means something.
var (
	joined  = []*unicode.RangeTable{unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Nko}
	viramas = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u1039\u103a\u17d2"
)

// joins reports whether a joiner does something where it stands.
func joins(s string, at int, r rune, size int) bool {
	last, next := before(s, at), ' '
	if at+size < len(s) {
		next, _ = utf8.DecodeRuneInString(s[at+size:])
	}
	switch {
	case r == zeroWidthJoiner && (isEmoji(last) || last == emojiSelector) && isEmoji(next):
		return true
	case strings.ContainsRune(viramas, last):
		return unicode.IsLetter(next)
	default:
		return unicode.In(last, joined...) && unicode.In(next, joined...) && unicode.IsLetter(next)
	}
}

// selects reports whether a variation selector does something where it stands.
func selects(s string, at int, r rune) bool {
	last := before(s, at)
	switch r {
	case textSelector, emojiSelector:
		return isEmoji(last) || strings.ContainsRune("#*0123456789\u00a9\u00ae\u203c\u2049\u2122\u2139", last)
	default:
		return r >= 0xe0100 && unicode.Is(unicode.Han, last)
	}
}

// flags are the flags that are written with tags.
var flags = []string{tagged("gbeng"), tagged("gbsct"), tagged("gbwls")}

func tagged(region string) string {
	tag := func(r rune) rune { return 0xe0000 + r }
	return "\U0001f3f4" + strings.Map(tag, region) + "\U000e007f"
}

// inFlag reports whether the tag at a place is one of a flag's.
func inFlag(s string, at int) bool {
	start := strings.LastIndex(s[:at], "\U0001f3f4")
	if start < 0 {
		return false
	}
	flag := ownSequence(s[start:], flags)
	return flag != "" && at < start+len(flag)
}
