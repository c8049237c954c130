package bfl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The canonical form of values. Fingerprints are made of it, so it is written out here rather than
// left to encoding/json, whose choice of escapes has changed between releases of Go.

// appendValue appends a value of a request as JSON: a string, bool, int64, finite float64 or
// json.RawMessage. Nil, which is a value that is known only later, is null.
func appendValue(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return b, fmt.Errorf("%v is not a value of a request", v)
		}
		// Adding 0 takes the sign from a negative zero.
		return strconv.AppendFloat(b, v+0, 'f', -1, 64), nil
	case string:
		return appendString(b, v), nil
	case json.RawMessage:
		return appendRaw(b, v)
	default:
		return b, fmt.Errorf("a %T is not a value of a request", value)
	}
}

// appendString appends a string with as few escapes as JSON allows, but for U+2028 and U+2029.
// Prompts are read by people in state files and diffs. A byte that is no UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if escape := escapeOf(r, size); escape != "" {
			b = append(b, s[start:i]...)
			b = append(b, escape...)
			start = i + size
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// escapeOf returns what stands for a character that was read from size bytes, "" where it stands
// for itself.
func escapeOf(r rune, size int) string {
	switch r {
	case '"':
		return `\"`
	case '\\':
		return `\\`
	case '\b':
		return `\b`
	case '\f':
		return `\f`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	case '\u2028':
		return `\u2028`
	case '\u2029':
		return `\u2029`
	case utf8.RuneError:
		if size == 1 {
			return "\ufffd"
		}
	}
	if r < ' ' {
		const hexDigits = "0123456789abcdef"
		return `\u00` + string(hexDigits[r>>4]) + string(hexDigits[r&0xf])
	}
	return ""
}

// appendRaw appends JSON with its objects' fields sorted, without white space. Numbers stay as they
// are written.
func appendRaw(b []byte, raw json.RawMessage) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return b, fmt.Errorf("a value of a request is not JSON: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return b, fmt.Errorf("a value of a request goes on after its end")
	}
	return appendDecoded(b, value), nil
}

// appendDecoded appends what a decoder with UseNumber gives.
func appendDecoded(b []byte, value any) []byte {
	switch v := value.(type) {
	case map[string]any:
		b = append(b, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, key), ':')
			b = appendDecoded(b, v[key])
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, element := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendDecoded(b, element)
		}
		return append(b, ']')
	case json.Number:
		return append(b, v...)
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	default:
		return append(b, "null"...)
	}
}
