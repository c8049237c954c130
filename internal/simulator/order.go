package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// order is a checked request.
type order struct {
	model *bfl.Model
	// request holds the parameters; its inputs are named but have no hash.
	request bfl.Request
	// inputs are in the order of the model's fields, with the mask last.
	inputs []input
	// seed is the number as it was written, "" where none was given.
	seed          string
	webhookURL    string
	webhookSecret string
	// digest identifies what is asked for: equal orders have equal digests, however their bodies
	// are written.
	digest string
	// marked are the faults that the prompt asks for.
	marked []Fault
	// tooLarge, when not "", says that an image is larger or smaller than the model takes. All else
	// is looked at first.
	tooLarge string
}

// maxURL is the length of a webhook's URL that the schema allows, in characters.
const maxURL = 2083

// orderReader collects what is wrong with a body, field by field.
type orderReader struct {
	fields fields
	body   json.RawMessage
	errs   []fieldError
	order  *order
}

// readOrder checks a body against a model's rules. All errors are returned, in the order of the
// model's fields.
func readOrder(m *bfl.Model, f fields, body json.RawMessage, strict bool) (*order, []fieldError) {
	r := &orderReader{fields: f, body: body, order: &order{model: m, request: bfl.Request{Model: m}}}
	r.params(m)
	r.inputs(m)
	r.webhook()
	r.rules()
	r.marks()
	if strict || m.Strict {
		r.unknown(m)
	}
	if len(r.errs) > 0 {
		r.sort(m)
		return nil, r.errs
	}
	r.order.digest = r.order.hash()
	return r.order, nil
}

func (r *orderReader) fail(e fieldError) { r.errs = append(r.errs, e) }

func (r *orderReader) params(m *bfl.Model) {
	for i := range m.Params {
		p := &m.Params[i]
		raw, ok := r.fields[p.Name]
		switch {
		case !ok && p.Required:
			r.fail(missing(p.Name, r.body))
			continue
		case !ok, p.Nullable && string(raw) == "null":
			continue
		}
		value, wrong := scalar(p, raw)
		if wrong != nil {
			r.fail(*wrong)
			continue
		}
		if p.Name == "seed" {
			r.order.seed = string(raw)
			if n, ok := value.(int64); ok { // 7.0 and 7e0 are 7
				r.order.seed = strconv.FormatInt(n, 10)
			}
		}
		r.order.request.Arguments = append(r.order.request.Arguments, bfl.Argument{Name: p.Name, Value: value})
	}
	slices.SortFunc(r.order.request.Arguments, func(a, b bfl.Argument) int { return strings.Compare(a.Name, b.Name) })
}

func (r *orderReader) inputs(m *bfl.Model) {
	names := m.Inputs.References
	if m.Inputs.List != "" {
		r.list(m)
		names = nil
	}
	names = slices.Concat(names, m.Inputs.Roles)
	if m.Inputs.Mask != "" {
		names = append(names, m.Inputs.Mask)
	}
	for i, name := range names {
		raw, ok := r.fields[name]
		required := i < m.Inputs.Required || slices.Contains(m.Inputs.Roles, name) || name == m.Inputs.Mask && m.Inputs.MaskRequired
		switch {
		case !ok && required:
			r.fail(missing(name, r.body))
			continue
		case !ok, !required && string(raw) == "null":
			continue
		}
		value, ok := text(raw)
		if !ok {
			r.fail(wrongType(name, bfl.String, raw))
			continue
		}
		in, err := readInput(name, value)
		if err != nil {
			r.refuse(m, valueError(name, err.Error(), raw), err)
			continue
		}
		r.take(in)
	}
	r.mask(m)
	r.limits(m)
}

func (r *orderReader) take(in input) {
	r.order.inputs = append(r.order.inputs, in)
	r.order.request.Inputs = append(r.order.request.Inputs, bfl.Input{Field: in.field, URL: in.url, Size: in.size})
}

// mask makes sure that a mask fits its image, as the schema promises.
func (r *orderReader) mask(m *bfl.Model) {
	if m.Inputs.Mask == "" {
		return
	}
	image, mask := r.order.input(m.Inputs.References[0]), r.order.input(m.Inputs.Mask)
	if image == nil || mask == nil || image.url != "" || mask.url != "" {
		return
	}
	if unreadable := (bfl.Size{}); image.size == unreadable || mask.size == unreadable || image.size == mask.size {
		return
	}
	r.fail(valueError(mask.field, fmt.Sprintf("the mask is %d x %d, but the image is %d x %d",
		mask.size.Width, mask.size.Height, image.size.Width, image.size.Height), nil))
}

// limits refuses images of an extent that the model does not take.
func (r *orderReader) limits(m *bfl.Model) {
	for _, v := range r.order.request.CheckExtents() {
		if v.Field != m.Inputs.Mask && r.order.tooLarge == "" {
			r.order.tooLarge = v.Reason
		}
	}
}

// refuse says what is wrong with an image. Models with limits of their own answer status 400 to one
// with too many pixels.
func (r *orderReader) refuse(m *bfl.Model, e fieldError, err error) {
	if errors.Is(err, errTooManyPixels) && m.Inputs.Limits.MaxPixels > 0 {
		r.order.tooLarge = err.Error()
		return
	}
	r.fail(e)
}

// input returns the input of that field, or nil.
func (o *order) input(field string) *input {
	for i := range o.inputs {
		if o.inputs[i].field == field {
			return &o.inputs[i]
		}
	}
	return nil
}

func (r *orderReader) webhook() {
	if r.order.model.NoWebhook {
		return
	}
	if r.fields.given("webhook_url") {
		raw := r.fields["webhook_url"]
		value, ok := text(raw)
		if !ok {
			r.fail(newFieldError("webhook_url", "url_type", "URL input should be a string or URL", raw))
		} else if e := checkURL("webhook_url", value, raw); e != nil {
			r.fail(*e)
		}
		r.order.webhookURL = value
	}
	if r.fields.given("webhook_secret") {
		raw := r.fields["webhook_secret"]
		value, ok := text(raw)
		if !ok {
			r.fail(wrongType("webhook_secret", bfl.String, raw))
		}
		r.order.webhookSecret = value
	}
}

func checkURL(field, value string, raw json.RawMessage) *fieldError {
	var e fieldError
	u, err := url.Parse(value)
	switch {
	case value == "":
		e = newFieldError(field, "url_parsing", "Input should be a valid URL, input is empty", raw)
	case utf8.RuneCountInString(value) > maxURL:
		e = newFieldError(field, "url_too_long", fmt.Sprintf("URL should have at most %d characters", maxURL), raw).
			with("max_length", maxURL)
	case err != nil || u.Scheme == "":
		e = newFieldError(field, "url_parsing", "Input should be a valid URL, relative URL without a base", raw)
	case u.Scheme != "http" && u.Scheme != "https":
		e = newFieldError(field, "url_scheme", "URL scheme should be 'http' or 'https'", raw)
	case u.Hostname() == "":
		e = newFieldError(field, "url_parsing", "Input should be a valid URL, empty host", raw)
	default:
		return nil
	}
	return &e
}

// rules adds what the catalogue finds wrong with values of the right type.
func (r *orderReader) rules() {
	for _, v := range r.order.request.Check() {
		said := len(r.errs) > 0 || r.order.tooLarge != ""
		if v.Rule == bfl.RuleMissing || (v.Rule == bfl.RuleReferences || v.Rule == bfl.RuleRole || v.Rule == bfl.RuleMask) && said {
			continue // said already, in the API's words
		}
		r.fail(fromViolation(v, r.fields[v.Field]))
	}
	r.checkDeclared()
	if len(r.errs) == 0 && r.order.isTooLarge() {
		r.fail(valueError("", fmt.Sprintf("the image would have more than %d pixels", r.order.model.MaxPixels), nil))
	}
}

// marks reads the faults that the prompt asks for.
func (r *orderReader) marks() {
	var err error
	if r.order.marked, err = markedFaults(r.order.text("prompt")); err != nil {
		r.fail(valueError("prompt", err.Error(), r.fields["prompt"]))
	}
}

// unknown refuses fields that the model does not have.
func (r *orderReader) unknown(m *bfl.Model) {
	for _, name := range slices.Sorted(maps.Keys(r.fields)) {
		isWebhook := !m.NoWebhook && (name == "webhook_url" || name == "webhook_secret")
		if m.Param(name) == nil && !m.IsInput(name) && !isWebhook && !slices.Contains(m.Fields, name) {
			r.fail(newFieldError(name, "extra_forbidden", "Extra inputs are not permitted", r.fields[name]))
		}
	}
}

// sort puts the errors into the order of the model's fields, as the API lists them.
func (r *orderReader) sort(m *bfl.Model) {
	rank := func(e fieldError) int {
		if len(e.Loc) < 2 {
			return len(m.Params) + len(m.Inputs.References) + 1
		}
		name := e.Loc[1]
		if i := slices.IndexFunc(m.Params, func(p bfl.Param) bool { return p.Name == name }); i >= 0 {
			return i
		}
		fields := slices.Concat(m.Inputs.References, m.Inputs.Roles)
		if i := slices.IndexFunc(fields, func(s string) bool { return s == name }); i >= 0 {
			return len(m.Params) + i
		}
		return len(m.Params) + len(fields)
	}
	slices.SortStableFunc(r.errs, func(a, b fieldError) int { return rank(a) - rank(b) })
}

// hash computes the digest: SHA-256 of the path, the parameters by name, and the inputs by their
// picture.
func (o *order) hash() string {
	h := sha256.New()
	put := func(parts ...string) {
		for _, part := range parts {
			// A hash takes everything.
			_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
		}
	}
	put(o.model.Endpoint)
	for _, a := range o.request.Arguments {
		put(a.Name, string(encode(a.Value)))
	}
	for _, in := range o.inputs {
		put(in.field, string(in.sum[:]))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// text returns a string argument, "" where it is absent.
func (o *order) text(name string) string {
	s, _ := o.request.Value(name).(string)
	return s
}

// whole returns an integer argument, or what it is by default.
func (o *order) whole(name string) int {
	if n, ok := o.request.Value(name).(int64); ok {
		return int(n)
	}
	if p := o.model.Param(name); p != nil {
		if n, ok := p.Default.(int); ok {
			return n
		}
	}
	return 0
}

// format returns the file format to make.
func (o *order) format() string {
	if f := o.text("output_format"); f != "" {
		return f
	}
	return o.model.DefaultFormat()
}

// style tells apart what shows in the picture beside the prompt, the seed and the inputs: all other
// parameters.
func (o *order) style() string {
	var b strings.Builder
	for _, a := range o.request.Arguments {
		switch a.Name {
		case "prompt", "seed", "width", "height", "output_format", "safety_tolerance":
		default:
			fmt.Fprintf(&b, "%s=%s;", a.Name, encode(a.Value))
		}
	}
	return b.String()
}
