package bfl

import (
	"bytes"
	"encoding/json"
	"html"
	"maps"
	"slices"
	"strings"
	"time"
)

// Refusals come in several shapes. BFL's documents show
//
//	{"detail": "..."}
//	{"detail": [{"loc": ["body", "width"], "msg": "...", "type": "..."}]}
//	{"error": "code", "message": "...", "details": {...}}
//
// and gateways in front of it answer with web pages, plain text, or nothing.

// maxFields bounds how many field errors are kept.
const maxFields = 50

// parseErrorBody reads what a refusal's body says into e, and returns how long it asks to wait.
func parseErrorBody(e *APIError, body []byte) (wait time.Duration) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	switch {
	case len(body) == 0:
	case body[0] == '{':
		// A body that was cut off still has its first fields.
		fields, _ := partialObject(body)
		e.readObject(fields, 0, &wait)
	case body[0] == '[':
		e.readFields(jsonList(body))
	case body[0] == '"':
		e.Message = jsonText(body)
	case body[0] == '<':
		e.Message = pageTitle(body)
	default:
		e.Message = string(body)
	}
	return wait
}

// readObject reads an error object. Some nest another one.
func (e *APIError) readObject(fields map[string]json.RawMessage, depth int, wait *time.Duration) {
	if depth > 2 {
		return
	}
	if seconds, ok := jsonNumber(fields["retry_after"]); ok {
		*wait = seconds2duration(seconds)
	}
	code, message := jsonText(fields["error"]), jsonText(fields["message"])
	if message == "" && strings.ContainsAny(code, " .") {
		// A sentence, not the name of an error.
		code, message = "", code
	}
	set(&e.Code, code, jsonText(fields["code"]))
	set(&e.Message, message, jsonText(fields["detail"]), jsonText(fields["msg"]), jsonText(fields["title"]))
	if isNotFound(jsonText(fields["status"])) || isNotFound(e.Message) || isNotFound(e.Code) {
		e.saysNotFound = true
	}
	for _, name := range []string{"detail", "errors"} {
		e.readFields(jsonList(fields[name]))
	}
	for _, name := range []string{"detail", "error"} {
		if nested := jsonObject(fields[name]); nested != nil {
			e.readObject(nested, depth+1, wait)
		}
	}
	e.readDetails(fields["details"], wait)
}

// readDetails reads the third shape's "details": texts by the name of a field, or further remarks.
func (e *APIError) readDetails(raw json.RawMessage, wait *time.Duration) {
	e.readFields(jsonList(raw))
	if text := jsonText(raw); text != "" {
		e.addField(FieldError{Message: text})
	}
	details := jsonObject(raw)
	for _, name := range sortedKeys(details) {
		if name == "retry_after" {
			if seconds, ok := jsonNumber(details[name]); ok {
				*wait = seconds2duration(seconds)
			}
		} else if text := jsonText(details[name]); text != "" {
			e.addField(FieldError{Field: name, Message: text})
		}
	}
}

// readFields reads the second shape's list.
func (e *APIError) readFields(list []json.RawMessage) {
	for _, element := range list {
		if text := jsonText(element); text != "" {
			e.addField(FieldError{Message: text})
			continue
		}
		fields := jsonObject(element)
		f := FieldError{Type: jsonText(fields["type"])}
		set(&f.Message, jsonText(fields["msg"]), jsonText(fields["message"]), f.Type)
		set(&f.Field, location(jsonList(fields["loc"])), jsonText(fields["field"]))
		if f.Message != "" {
			e.addField(f)
		}
	}
}

func (e *APIError) addField(f FieldError) {
	if len(e.Fields) < maxFields {
		e.Fields = append(e.Fields, f)
	}
}

// location writes the place of a mistake, without the leading "body" that all of them have.
func location(loc []json.RawMessage) string {
	parts := make([]string, 0, len(loc))
	for i, raw := range loc {
		part := jsonText(raw)
		if i == 0 && (part == "body" || part == "query") {
			continue
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ".")
}

// isNotFound recognises the status that the API has for a task that it does not know, which also
// comes as an error's text.
func isNotFound(text string) bool { return parseStatus(strings.TrimSuffix(text, ".")) == NotFound }

// pageTitle returns the title of a web page, "" where it has none.
func pageTitle(page []byte) string {
	const tag = "<title"
	for rest := string(page); ; {
		start := strings.IndexByte(rest, '<')
		if start < 0 {
			return ""
		}
		rest = rest[start:]
		if len(rest) > len(tag) && strings.EqualFold(rest[:len(tag)], tag) {
			_, title, _ := strings.Cut(rest, ">")
			title, _, _ = strings.Cut(title, "<")
			return html.UnescapeString(title)
		}
		rest = rest[1:]
	}
}

// set gives a text that is still empty the first value that is not.
func set(text *string, values ...string) {
	for _, value := range values {
		if *text == "" {
			*text = value
		}
	}
}

func sortedKeys(fields map[string]json.RawMessage) []string { return slices.Sorted(maps.Keys(fields)) }
