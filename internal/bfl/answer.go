package bfl

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// AnswerError is an answer that reports success and cannot be understood.
type AnswerError struct {
	// Reason says why, as a clause about "it", the answer.
	Reason string
	// Err is the cause, if there is one.
	Err error
}

func (e *AnswerError) Error() string { return "the API's answer cannot be read: " + e.Reason }

// Unwrap returns the cause.
func (e *AnswerError) Unwrap() error { return e.Err }

// partialObject reads the fields of a JSON object. Of one that is cut off or breaks in the middle
// it returns the fields before that, and the error.
func partialObject(data []byte) (map[string]json.RawMessage, error) {
	// Most are whole, and read three times as fast at once as token by token.
	if fields := jsonObject(data); fields != nil {
		return fields, nil
	}
	fields := map[string]json.RawMessage{}
	dec := json.NewDecoder(bytes.NewReader(data))
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return fields, unreadable(data, err)
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return fields, unreadable(data, err)
		}
		key, ok := name.(string)
		if !ok {
			return fields, unreadable(data, nil)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return fields, unreadable(data, err)
		}
		// Only what follows a number tells that it was whole.
		if isNumber(value) && len(bytes.TrimSpace(data[dec.InputOffset():])) == 0 {
			return fields, unreadable(data, io.ErrUnexpectedEOF)
		}
		fields[key] = value
	}
	if _, err := dec.Token(); err != nil {
		return fields, unreadable(data, err)
	}
	return fields, nil
}

func isNumber(value json.RawMessage) bool {
	return len(value) > 0 && (value[0] == '-' || value[0] >= '0' && value[0] <= '9')
}

// unreadable says what a body is instead of a JSON object.
func unreadable(data []byte, err error) error {
	data = bytes.TrimSpace(data)
	reason := "it is not a JSON object"
	switch {
	case len(data) == 0:
		reason = "it is empty"
	case data[0] == '<':
		reason = "it is a web page"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		reason = "it ends too early"
	case data[0] == '{':
		reason = "it is damaged JSON"
	}
	return &AnswerError{Reason: reason, Err: err}
}

// jsonText returns a JSON string or number as text, "" for everything else.
func jsonText(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	switch {
	case begins(raw, '"'):
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	case isNumber(raw):
		var n json.Number
		if json.Unmarshal(raw, &n) == nil {
			return n.String()
		}
	}
	return ""
}

// begins tells what a value is by its first byte. Where it is something else, or not there, the
// library would make an error that says so, which costs more than to read it.
func begins(raw json.RawMessage, first byte) bool { return len(raw) > 0 && raw[0] == first }

// jsonNumber returns a JSON number, or a string that holds one.
func jsonNumber(raw json.RawMessage) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(jsonText(raw)), 64)
	if err != nil || n != n || n > 1e18 || n < -1e18 {
		return 0, false
	}
	return n, true
}

// maxCost is more credits than any image costs. What is beyond, or negative, is no price.
const maxCost = 1_000_000

// jsonCost returns the amount of credits that an answer names as its price.
func jsonCost(raw json.RawMessage) (Credits, bool) {
	credits, ok := jsonNumber(raw)
	if !ok || credits < 0 || credits > maxCost {
		return 0, false
	}
	return CreditsOf(credits), true
}

// jsonInt returns a JSON integer, exactly, or nil.
func jsonInt(raw json.RawMessage) *int64 {
	if n, err := strconv.ParseInt(jsonText(raw), 10, 64); err == nil {
		return &n
	}
	if n, ok := jsonNumber(raw); ok && n == float64(int64(n)) {
		return new(int64(n))
	}
	return nil
}

// jsonObject returns the fields of a JSON object, none for everything else.
func jsonObject(raw json.RawMessage) map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	if raw = bytes.TrimSpace(raw); !begins(raw, '{') || json.Unmarshal(raw, &fields) != nil {
		return nil
	}
	return fields
}

// jsonList returns the elements of a JSON array, none for everything else.
func jsonList(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if raw = bytes.TrimSpace(raw); !begins(raw, '[') || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}
