package simulator

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// fieldError is one entry of the list that the API answers with status 422, in the words of
// pydantic, which checks its requests. The schema has loc, msg and type; pydantic adds input and
// ctx.
type fieldError struct {
	Type  string          `json:"type"`
	Loc   []any           `json:"loc"`
	Msg   string          `json:"msg"`
	Input json.RawMessage `json:"input"`
	Ctx   map[string]any  `json:"ctx,omitempty"`
}

// maxEcho bounds the input that an error repeats. The API repeats all of it, which for an image is
// megabytes.
const maxEcho = 1 << 10

func newFieldError(field, kind, msg string, input json.RawMessage) fieldError {
	loc := []any{"body"}
	if field != "" {
		loc = append(loc, field)
	}
	if len(input) == 0 || len(input) > maxEcho {
		input = json.RawMessage("null")
	}
	return fieldError{Type: kind, Loc: loc, Msg: msg, Input: input}
}

func (e fieldError) with(key string, value any) fieldError {
	e.Ctx = map[string]any{key: value}
	return e
}

func missing(field string, body json.RawMessage) fieldError {
	return newFieldError(field, "missing", "Field required", body)
}

func valueError(field, reason string, input json.RawMessage) fieldError {
	return newFieldError(field, "value_error", "Value error, "+reason, input).with("error", struct{}{})
}

// kindNames are pydantic's names of the kinds: in an error's type, in a message, and with an
// article.
var kindNames = map[bfl.Kind][3]string{
	bfl.String:  {"string", "string", "a string"},
	bfl.Integer: {"int", "integer", "an integer"},
	bfl.Number:  {"float", "number", "a number"},
	bfl.Boolean: {"bool", "boolean", "a boolean"},
}

// wrongType returns the error for a value that is not of the parameter's type.
func wrongType(field string, kind bfl.Kind, input json.RawMessage) fieldError {
	names := kindNames[kind]
	wanted := "Input should be a valid " + names[1]
	if s, ok := text(input); ok {
		_, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		switch {
		case kind == bfl.Boolean:
			return newFieldError(field, "bool_parsing", wanted+", unable to interpret input", input)
		case err != nil:
			return newFieldError(field, names[0]+"_parsing", wanted+", unable to parse string as "+names[2], input)
		}
	}
	return newFieldError(field, names[0]+"_type", wanted, input)
}

// fromViolation puts a broken rule of the catalogue into the API's words.
func fromViolation(v bfl.Violation, input json.RawMessage) fieldError {
	p := v.Param
	switch v.Rule {
	case bfl.RuleMin:
		return newFieldError(v.Field, "greater_than_equal",
			"Input should be greater than or equal to "+number(p.Min), input).with("ge", p.Min)
	case bfl.RuleMax:
		return newFieldError(v.Field, "less_than_equal",
			"Input should be less than or equal to "+number(p.Max), input).with("le", p.Max)
	case bfl.RuleMultiple:
		return newFieldError(v.Field, "multiple_of",
			fmt.Sprintf("Input should be a multiple of %d", p.MultipleOf), input).with("multiple_of", p.MultipleOf)
	case bfl.RuleEnum:
		expected := expectation(p.Enum)
		return newFieldError(v.Field, "enum", "Input should be "+expected, input).with("expected", expected)
	case bfl.RulePixels:
		// Both sides are in range, so the error is the body's and not a field's.
		return valueError("", v.Reason, nil)
	case bfl.RuleURL:
		return valueError(v.Field, "the image is not valid Base64", input)
	default:
		return valueError(v.Field, v.Reason, input)
	}
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// expectation lists strings as pydantic does: 'a', 'b' or 'c'.
func expectation(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + w + "'"
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
