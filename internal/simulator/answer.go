package simulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// problem is an answer that refuses a request.
type problem struct {
	status int
	// body is the answer's JSON.
	body any
	// page, when not empty, is a page of HTML in the place of the body.
	page string
	// headers are set on the answer, as name and value pairs.
	headers []string
}

// detail is the shape of most of the API's errors.
type detail struct {
	Detail any `json:"detail"`
}

// refuse returns a problem with a sentence for people.
func refuse(status int, text string, headers ...string) *problem {
	return &problem{status: status, body: detail{text}, headers: headers}
}

// refuseFields returns the problem that the API answers for bodies and queries that break its
// schema.
func refuseFields(errs ...fieldError) *problem {
	return &problem{status: http.StatusUnprocessableEntity, body: detail{errs}}
}

func (p *problem) write(w http.ResponseWriter) {
	for i := 0; i+1 < len(p.headers); i += 2 {
		w.Header().Set(p.headers[i], p.headers[i+1])
	}
	if p.page == "" {
		answer(w, p.status, p.body)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.status)
	// A client that went away does not need the answer.
	_, _ = w.Write([]byte(p.page))
}

// answer writes a value as JSON.
func answer(w http.ResponseWriter, status int, value any) {
	text := encode(value)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	// A client that went away is no concern of ours: the task, if there is one, is charged and goes
	// on, as at the API.
	_, _ = w.Write(text)
}

// encode returns a value as one line of JSON without HTML escapes, as the API writes it.
func encode(value any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic("simulator: an answer that is no JSON: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
