package simulator

import (
	"encoding/json"
	"errors"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// fields are the members of a body by name. Of members with one name the last counts, as in the
// API's JSON reader.
type fields map[string]json.RawMessage

// given reports whether a field is there and not null.
func (f fields) given(name string) bool {
	raw, ok := f[name]
	return ok && string(raw) != "null"
}

// parseBody reads a JSON object.
func parseBody(contentType string, data []byte) (fields, *problem) {
	if !utf8.Valid(data) {
		return nil, refuse(http.StatusBadRequest, "There was an error parsing the body")
	}
	if len(data) == 0 {
		return nil, refuseFields(missing("", nil))
	}
	if !isJSON(contentType) {
		return nil, refuseFields(notAnObject(nil))
	}
	var f fields
	err := json.Unmarshal(data, &f)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		e := newFieldError("", "json_invalid", "JSON decode error", json.RawMessage("{}")).with("error", syntax.Error())
		e.Loc = append(e.Loc, max(syntax.Offset-1, 0))
		return nil, refuseFields(e)
	case errors.As(err, &kind):
		return nil, refuseFields(notAnObject(data))
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "There was an error parsing the body")
	case f == nil: // the body is null
		return nil, refuseFields(missing("", nil))
	}
	return f, nil
}

func notAnObject(input json.RawMessage) fieldError {
	return newFieldError("", "model_attributes_type",
		"Input should be a valid dictionary or object to extract fields from", input)
}

// isJSON reports whether a body of that type is read as JSON. One without a type is.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}

// scalar reads the value of a parameter: a string, bool, int64 or float64. Values of other types
// are not converted, unlike in pydantic, because the published schema does not allow them.
func scalar(p *bfl.Param, raw json.RawMessage) (any, *fieldError) {
	wrong := func() (any, *fieldError) {
		e := wrongType(p.Name, p.Kind, raw)
		return nil, &e
	}
	switch c := raw[0]; p.Kind {
	case bfl.String:
		s, ok := text(raw)
		if !ok {
			return wrong()
		}
		return s, nil
	case bfl.Boolean:
		if c != 't' && c != 'f' {
			return wrong()
		}
		return c == 't', nil
	default:
		if c != '-' && (c < '0' || c > '9') {
			return wrong()
		}
		return numeral(p, raw)
	}
}

// text returns the string that raw is.
func text(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", false
	}
	return s, true
}

func numeral(p *bfl.Param, raw json.RawMessage) (any, *fieldError) {
	if i, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return i, nil
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil:
		e := newFieldError(p.Name, "finite_number", "Input should be a finite number", raw)
		return nil, &e
	case p.Kind == bfl.Number:
		return f, nil
	case f != math.Trunc(f):
		e := newFieldError(p.Name, "int_from_float",
			"Input should be a valid integer, got a number with a fractional part", raw)
		return nil, &e
	case math.Abs(f) < 1<<63:
		return int64(f), nil
	default:
		return f, nil
	}
}
