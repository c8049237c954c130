package addrs

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// quote writes s as an HCL string literal, so that an address can be pasted into a configuration.
func quote(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case (r == '$' || r == '%') && strings.HasPrefix(s[i+1:], "{"):
			b.WriteRune(r)
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// unquote reads the string literal at the start of s and returns what follows it.
func unquote(s string) (value, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); {
		c := s[i]
		switch {
		case c == '"':
			return b.String(), s[i+1:], nil
		case c == '\\':
			n, err := unescape(&b, s[i:])
			if err != nil {
				return "", "", err
			}
			i += n
		case (c == '$' || c == '%') && strings.HasPrefix(s[i+1:], string(c)+"{"):
			b.WriteByte(c)
			b.WriteByte('{')
			i += 3
		case (c == '$' || c == '%') && strings.HasPrefix(s[i+1:], "{"):
			return "", "", fmt.Errorf("a key cannot hold a template. Write %c%c{ for the characters themselves", c, c)
		default:
			b.WriteByte(c)
			i++
		}
	}
	return "", "", fmt.Errorf("the key lacks its closing quote")
}

// unescape writes the character of the escape sequence at the start of s and returns the sequence's
// length.
func unescape(b *strings.Builder, s string) (int, error) {
	if len(s) < 2 {
		return 0, fmt.Errorf("the key ends in a backslash")
	}
	switch s[1] {
	case '"', '\\':
		b.WriteByte(s[1])
		return 2, nil
	case 'n':
		b.WriteByte('\n')
		return 2, nil
	case 'r':
		b.WriteByte('\r')
		return 2, nil
	case 't':
		b.WriteByte('\t')
		return 2, nil
	case 'u', 'U':
		size := 4
		if s[1] == 'U' {
			size = 8
		}
		if len(s) < 2+size {
			return 0, fmt.Errorf("the key ends inside a \\%c escape", s[1])
		}
		code, err := strconv.ParseInt(s[2:2+size], 16, 32)
		if err != nil || !utf8.ValidRune(rune(code)) {
			return 0, fmt.Errorf("the key has a bad \\%c escape", s[1])
		}
		b.WriteRune(rune(code))
		return 2 + size, nil
	default:
		return 0, fmt.Errorf(`the key has an unknown escape \%c`, s[1])
	}
}
