package bfl_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

var (
	hashA = strings.Repeat("a1", 32)
	hashB = strings.Repeat("b2", 32)
)

// fingerprints are fixed for ever: state files have them, and another value would buy every image
// again. A case may be added here; none may be changed.
var fingerprints = []struct {
	name        string
	request     bfl.Request
	canonical   string
	fingerprint string
}{
	{
		"a prompt",
		bfl.Request{Model: bfl.Lookup("flux-2-pro"), Arguments: args("prompt", "A heron")},
		`{"endpoint":"/v1/flux-2-pro","body":{"prompt":"A heron"}}`,
		"a408e80b697c02595c348f02a3136e3306857ddafd56de0ab74be7a341027c05",
	},
	{
		"zero values",
		bfl.Request{Model: bfl.Lookup("flux-2-flex"), Arguments: args(
			"prompt", "", "seed", int64(0), "safety_tolerance", int64(0), "prompt_upsampling", false, "guidance", 0.0)},
		`{"endpoint":"/v1/flux-2-flex","body":{"guidance":0,"prompt":"","prompt_upsampling":false,"safety_tolerance":0,"seed":0}}`,
		"12a9381c825d7cfd8a984cbe14e57893d3905e2ddb2782406fe3a882594b135b",
	},
	{
		"numbers",
		bfl.Request{Model: bfl.Lookup("flux-2-flex"), Arguments: args(
			"prompt", "x", "seed", int64(math.MaxInt64), "guidance", 4.5, "steps", 30.0, "left", -0.25, "top", 1e21, "right", math.Copysign(0, -1))},
		`{"endpoint":"/v1/flux-2-flex","body":{"guidance":4.5,"left":-0.25,"prompt":"x","right":0,"seed":9223372036854775807,` +
			`"steps":30,"top":1000000000000000000000}}`,
		"3c5ed495ccdefd85771e9f44455ae8f082a19e2337633d98fc5b62dddaba41d5",
	},
	{
		"text that needs escapes",
		bfl.Request{Model: bfl.Lookup("flux-dev"), Arguments: args("prompt", "<b> & \"Größe\" \\ \n\r\t\b\f\x00\x1f\x7f\u2028\u2029 \U0001f426\xff")},
		`{"endpoint":"/v1/flux-dev","body":{"prompt":"<b> & \"Größe\" \\ \n\r\t\b\f\u0000\u001f` + "\x7f" + `\u2028\u2029 🐦` + "\ufffd" + `"}}`,
		"a24841261395233e05c74fd679441ae92aab5a939a1b76742142b34151d4b1d2",
	},
	{
		"inputs",
		bfl.Request{
			Model: bfl.Lookup("flux-2-max"), Arguments: args("prompt", "Both", "width", int64(1024)),
			Inputs: []bfl.Input{
				{Field: "input_image", SHA256: hashA},
				{Field: "input_image_2", URL: "https://example.com/a.png?x=1&y=2"},
				{Field: "input_image_3", SHA256: hashB},
			},
		},
		`{"endpoint":"/v1/flux-2-max","body":{"input_image":{"sha256":"` + hashA + `"},"input_image_2":"https://example.com/a.png?x=1&y=2",` +
			`"input_image_3":{"sha256":"` + hashB + `"},"prompt":"Both","width":1024}}`,
		"fc00a771299267b7c0ff33f82a4ff99522172cd0d72ac4a57ced2d668c163d4d",
	},
	{
		"fields that the catalogue does not know",
		bfl.Request{Model: bfl.Lookup("flux-2-pro"), Arguments: args(
			"prompt", "x", "grounding", json.RawMessage(` { "b" : [ 1.50, null, "\u003c\u00e9" ], "a":{"z":true,"y":1e3} } `))},
		`{"endpoint":"/v1/flux-2-pro","body":{"grounding":{"a":{"y":1e3,"z":true},"b":[1.50,null,"<é"]},"prompt":"x"}}`,
		"429064e51c677895519afe6b72899a6f676e159aaea47adc0134b85a6922228e",
	},
	{
		"a declared model with a field for each reference",
		bfl.Request{
			Model: declared(bfl.Inputs{References: []string{"images", "second"}}), Arguments: args("prompt", "Both"),
			Inputs: []bfl.Input{{Field: "images", SHA256: hashA}, {Field: "second", URL: "https://example.com/b.png"}},
		},
		`{"endpoint":"/v1/new","body":{"images":{"sha256":"` + hashA + `"},"prompt":"Both","second":"https://example.com/b.png"}}`,
		"857987386124c3fc87a4a896bef21ced5fe5445a3cdfd998c2df0f66708fd63d",
	},
	{
		"a declared model with a list of references",
		bfl.Request{
			Model: declared(bfl.ReferenceList("images", 3)), Arguments: args("prompt", "Both"),
			Inputs: []bfl.Input{
				{Field: "images[0]", URL: "https://example.com/b.png"}, {Field: "images[1]", SHA256: hashA}, {Field: "images[2]", SHA256: hashB},
			},
		},
		`{"endpoint":"/v1/new","body":{"images":["https://example.com/b.png",{"sha256":"` + hashA + `"},{"sha256":"` + hashB + `"}],"prompt":"Both"}}`,
		"0e76297e624869e8a82f81c10187ac0982060756fe1c65bdcaa2d6a490bb217b",
	},
}

// declared is a model as a model block declares it.
func declared(in bfl.Inputs) *bfl.Model {
	return &bfl.Model{Name: "new", Endpoint: "/v1/new", Custom: true, Inputs: in}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	for _, test := range fingerprints {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			canonical, err := test.request.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.canonical, string(canonical)); diff != "" {
				t.Errorf("canonical form (-want +got):\n%s", diff)
			}
			if !json.Valid(canonical) {
				t.Error("the canonical form is no JSON")
			}
			if got := test.request.Fingerprint(); got != test.fingerprint {
				t.Errorf("fingerprint %s, want %s", got, test.fingerprint)
			}
		})
	}
}

// TestFingerprintTells makes sure that everything that changes the image changes the fingerprint,
// and nothing else does.
func TestFingerprintTells(t *testing.T) {
	t.Parallel()
	request := func() bfl.Request {
		return bfl.Request{
			Model: bfl.Lookup("flux-2-pro"), Arguments: args("prompt", "A heron", "seed", int64(7)),
			Inputs: []bfl.Input{{Field: "input_image", SHA256: hashA}, {Field: "input_image_2", SHA256: hashB}},
		}
	}
	base := request()
	same := map[string]func(*bfl.Request){
		"order of inputs":           func(r *bfl.Request) { slices.Reverse(r.Inputs) },
		"order of arguments":        func(r *bfl.Request) { slices.Reverse(r.Arguments) },
		"a whole number as a float": func(r *bfl.Request) { r.Arguments = args("prompt", "A heron", "seed", 7.0) },
		"a copy of the model":       func(r *bfl.Request) { m := *r.Model; m.Title = "other"; r.Model = &m },
		"a string as raw JSON":      func(r *bfl.Request) { r.Arguments[0].Value = json.RawMessage(`"\u0041 heron"`) },
		"a number as raw JSON, 7":   func(r *bfl.Request) { r.Arguments[1].Value = json.RawMessage(" 7 ") },
	}
	for name, change := range same {
		r := request()
		if change(&r); r.Fingerprint() != base.Fingerprint() {
			t.Errorf("%s changes the fingerprint", name)
		}
	}
	different := map[string]func(*bfl.Request){
		"another model":          func(r *bfl.Request) { r.Model = bfl.Lookup("flux-2-max") },
		"another prompt":         func(r *bfl.Request) { r.Arguments[0].Value = "a heron" },
		"another seed":           func(r *bfl.Request) { r.Arguments[1].Value = int64(8) },
		"no seed":                func(r *bfl.Request) { r.Arguments = r.Arguments[:1] },
		"seed 0":                 func(r *bfl.Request) { r.Arguments[1].Value = int64(0) },
		"a further argument":     func(r *bfl.Request) { r.Arguments = args("prompt", "A heron", "seed", int64(7), "width", int64(64)) },
		"references exchanged":   func(r *bfl.Request) { r.Inputs[0].SHA256, r.Inputs[1].SHA256 = hashB, hashA },
		"a reference less":       func(r *bfl.Request) { r.Inputs = r.Inputs[:1] },
		"a URL":                  func(r *bfl.Request) { r.Inputs[0] = bfl.Input{Field: "input_image", URL: hashA} },
		"a string, not a number": func(r *bfl.Request) { r.Arguments[1].Value = "7" },
	}
	seen := map[string]string{base.Fingerprint(): "the request itself"}
	for name, change := range different {
		r := request()
		change(&r)
		if other, ok := seen[r.Fingerprint()]; ok {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[r.Fingerprint()] = name
	}
}

func TestMarshalUnknown(t *testing.T) {
	t.Parallel()
	r := bfl.Request{Model: bfl.Lookup("flux-dev"), Arguments: args("prompt", nil), Inputs: []bfl.Input{{Field: "image_prompt"}}}
	got, err := json.Marshal(&r)
	if want := `{"endpoint":"/v1/flux-dev","body":{"image_prompt":null,"prompt":null}}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	for _, value := range []any{math.NaN(), math.Inf(-1), 7, []string{"x"}, json.RawMessage("{"), json.RawMessage("1 2"), json.RawMessage{}} {
		r := bfl.Request{Model: bfl.Lookup("flux-dev"), Arguments: args("prompt", value)}
		if b, err := r.MarshalJSON(); err == nil {
			t.Errorf("%#v passes for a value, as %s", value, b)
		}
		if _, _, err := r.Body(nil); err == nil {
			t.Errorf("%#v passes for a value of the body", value)
		}
	}
}

// content opens inputs from memory, by field, and counts those that are not closed.
type content struct {
	byField map[string]string
	claim   int64 // how much longer than they are the inputs claim to be
	open    int
}

type counted struct {
	io.Reader
	c *content
}

func (c counted) Close() error {
	c.c.open--
	return nil
}

func (c *content) opener(in bfl.Input) (io.ReadCloser, int64, error) {
	data, ok := c.byField[in.Field]
	if !ok {
		return nil, 0, fmt.Errorf("there is no %s", in.Field)
	}
	c.open++
	return counted{iotest.HalfReader(strings.NewReader(data)), c}, int64(len(data)) + c.claim, nil
}

func TestBody(t *testing.T) {
	t.Parallel()
	// Around the ends of Base64's groups, and of the pieces in which it is encoded.
	for _, size := range []int{0, 1, 2, 3, 4, 3*4096 - 1, 3 * 4096, 3*4096 + 1, 100_000} {
		first, second := strings.Repeat("\x00\xff\x10abc", size)[:size], "xyz"
		r := bfl.Request{
			Model: bfl.Lookup("flux-2-pro"), Arguments: args("prompt", "Bird \"1\" <2>", "seed", int64(0)),
			Inputs: []bfl.Input{
				{Field: "input_image", SHA256: hashA},
				{Field: "input_image_2", URL: "https://example.com/?a=b&c"},
				{Field: "input_image_3", SHA256: hashB},
			},
		}
		c := &content{byField: map[string]string{"input_image": first, "input_image_3": second}}
		body, length, err := r.Body(c.opener)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(iotest.OneByteReader(body))
		if err != nil {
			t.Fatal(err)
		}
		encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
		want := `{"input_image":"` + encode(first) + `","input_image_2":"https://example.com/?a=b&c","input_image_3":"` + encode(second) +
			`","prompt":"Bird \"1\" <2>","seed":0}`
		if string(got) != want {
			t.Errorf("%d bytes: the body differs", size)
		}
		if length != int64(len(want)) {
			t.Errorf("%d bytes: length %d, want %d", size, length, len(want))
		}
		if err := body.Close(); err != nil || c.open != 0 {
			t.Errorf("%d bytes: %d inputs stay open, %v", size, c.open, err)
		}
	}
}

// TestBodyList holds the body of a request with a list of references, whose places are taken in any
// order and beyond the ninth, to what it is to be.
func TestBodyList(t *testing.T) {
	t.Parallel()
	r := bfl.Request{Model: declared(bfl.ReferenceList("images", 12)), Arguments: args("prompt", "x", "aspect_ratio", "3:4")}
	c := &content{byField: map[string]string{}}
	var want []string
	for i, field := range r.Model.Inputs.References {
		if i == 1 {
			r.Inputs = append(r.Inputs, bfl.Input{Field: field, URL: "https://example.com/1.png"})
			want = append(want, "https://example.com/1.png")
			continue
		}
		c.byField[field] = strings.Repeat("*", i)
		r.Inputs = append(r.Inputs, bfl.Input{Field: field, SHA256: hashA})
		want = append(want, base64.StdEncoding.EncodeToString([]byte(c.byField[field])))
	}
	slices.Reverse(r.Inputs)
	body, length, err := r.Body(c.opener)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if err := body.Close(); err != nil || c.open != 0 || length != int64(len(text)) {
		t.Errorf("%d inputs stay open, %v; the length is %d, and said to be %d", c.open, err, len(text), length)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	images := make([]any, len(want))
	for i := range want {
		images[i] = want[i]
	}
	if diff := cmp.Diff(map[string]any{"prompt": "x", "aspect_ratio": "3:4", "images": images}, got); diff != "" {
		t.Errorf("the body (-want +got):\n%s", diff)
	}
}

func TestMarshalUnknownInList(t *testing.T) {
	t.Parallel()
	r := bfl.Request{Model: declared(bfl.ReferenceList("images", 2)), Inputs: []bfl.Input{{Field: "images[0]"}, {Field: "images[1]", SHA256: hashA}}}
	got, err := r.MarshalJSON()
	if want := `{"endpoint":"/v1/new","body":{"images":[null,{"sha256":"` + hashA + `"}]}}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	if r.Fingerprint() != "" {
		t.Error("a request that is not wholly known has a fingerprint")
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	list, own := declared(bfl.ReferenceList("images", 1)), declared(bfl.Inputs{References: []string{"images"}})
	tests := []struct {
		name  string
		model *bfl.Model
		body  string
		want  string
	}{
		{"a list", list, `{"prompt":"x","images":["u",{"sha256":"a"}]}`, `{"prompt":"x","images[0]":"u","images[1]":{"sha256":"a"}}`},
		{"no list", list, `{"prompt":"x"}`, `{"prompt":"x"}`},
		{"what was no list when it was recorded", list, `{"images":{"sha256":"a"}}`, `{"images":{"sha256":"a"}}`},
		{"a model without one", own, `{"images":["u"]}`, `{"images":["u"]}`},
	}
	for _, test := range tests {
		var body map[string]json.RawMessage
		if err := json.Unmarshal([]byte(test.body), &body); err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(test.model.Spread(body))
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(test.want), &want); err != nil {
			t.Fatal(err)
		}
		if sorted, _ := json.Marshal(want); string(got) != string(sorted) {
			t.Errorf("%s: got %s, want %s", test.name, got, sorted)
		}
		if after, _ := json.Marshal(body); len(after) != len(test.body) {
			t.Errorf("%s: the body was changed to %s", test.name, after)
		}
	}
}

func TestBodyWithoutAnything(t *testing.T) {
	t.Parallel()
	r := bfl.Request{Model: bfl.Lookup("flux-dev")}
	body, length, err := r.Body(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); err != nil || string(got) != "{}" || length != 2 {
		t.Errorf("got %s of length %d, %v", got, length, err)
	}
}

// TestBodyFails makes sure that an input that is not what it was never makes a complete body.
func TestBodyFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	from := func(r io.Reader, size int64) bfl.Opener {
		return func(bfl.Input) (io.ReadCloser, int64, error) { return io.NopCloser(r), size, nil }
	}
	tests := []struct {
		name string
		open bfl.Opener
		want error
	}{
		{"shorter", from(strings.NewReader("abc"), 4), bfl.ErrInputChanged},
		{"much shorter", from(strings.NewReader(strings.Repeat("x", 50_000)), 60_000), bfl.ErrInputChanged},
		{"empty", from(strings.NewReader(""), 4), bfl.ErrInputChanged},
		{"longer", from(strings.NewReader("abcde"), 4), bfl.ErrInputChanged},
		{"no longer empty", from(strings.NewReader("a"), 0), bfl.ErrInputChanged},
		{"unreadable", from(iotest.ErrReader(broken), 4), broken},
		{"unreadable at its end", from(io.MultiReader(strings.NewReader("abcd"), iotest.ErrReader(broken)), 4), broken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := bfl.Request{Model: bfl.Lookup("flux-dev"), Inputs: []bfl.Input{{Field: "image_prompt", SHA256: hashA}}}
			body, length, err := r.Body(test.open)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if int64(len(got)) >= length {
				t.Error("the whole body was handed out before the error")
			}
		})
	}
}

func TestBodyOpenFails(t *testing.T) {
	t.Parallel()
	c := &content{byField: map[string]string{"input_image": "abc"}}
	r := bfl.Request{Model: bfl.Lookup("flux-2-pro"), Inputs: []bfl.Input{
		{Field: "input_image", SHA256: hashA}, {Field: "input_image_2", SHA256: hashB},
	}}
	if _, _, err := r.Body(c.opener); err == nil || c.open != 0 {
		t.Errorf("error %v, and %d inputs stay open", err, c.open)
	}
	r.Inputs[0].SHA256 = ""
	if _, _, err := r.Body(c.opener); err == nil || c.open != 0 {
		t.Errorf("a request with an unknown input has a body: %v", err)
	}
}

// FuzzCanonicalString holds the canonical form of a string against encoding/json's reading of it.
func FuzzCanonicalString(f *testing.F) {
	for _, s := range []string{"", "A heron", "\"\\\n\u2028<>&\x00\xff", "🐦\x7f\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := bfl.Request{Model: bfl.Lookup("flux-dev"), Arguments: args("prompt", s)}
		b, err := r.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Body struct{ Prompt string } }
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		// The conversion replaces every byte that is no UTF-8, as the canonical form does.
		if got.Body.Prompt != string([]rune(s)) {
			t.Errorf("%q comes back as %q", s, got.Body.Prompt)
		}
		// The same text as raw JSON means the same.
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again := bfl.Request{Model: r.Model, Arguments: args("prompt", json.RawMessage(raw))}
		if again.Fingerprint() != r.Fingerprint() {
			t.Errorf("%q has another fingerprint as raw JSON", s)
		}
	})
}

// FuzzCanonicalRaw makes sure that the canonical form of JSON is its own canonical form, and means
// the same.
func FuzzCanonicalRaw(f *testing.F) {
	for _, s := range []string{"null", `{"b":[1,2.0,"x"],"a":{}}`, `[[],{},"\u2028"]`, `{"a":1,"a":2}`, "1e400", "{", "1 2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		canonical := func(raw string) (string, bool) {
			r := bfl.Request{Model: &bfl.Model{Endpoint: "/"}, Arguments: args("x", json.RawMessage(raw))}
			b, err := r.MarshalJSON()
			b = bytes.TrimSuffix(bytes.TrimPrefix(b, []byte(`{"endpoint":"/","body":{"x":`)), []byte("}}"))
			return string(b), err == nil
		}
		once, ok := canonical(s)
		if ok != json.Valid([]byte(s)) {
			t.Fatalf("%q: accepted is %v", s, ok)
		}
		if !ok {
			return
		}
		if twice, ok := canonical(once); !ok || twice != once {
			t.Errorf("%q: %s, then %s", s, once, twice)
		}
		if decode(t, s) != decode(t, once) {
			t.Errorf("%q: %s means something else", s, once)
		}
	})
}

// decode returns what JSON means, as text.
func decode(t *testing.T, s string) string {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%#v", v)
}

func BenchmarkFingerprint(b *testing.B) {
	r := &fingerprints[4].request
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Fingerprint()
	}
}

func BenchmarkBody(b *testing.B) {
	image := make([]byte, 4<<20)
	r := bfl.Request{Model: bfl.Lookup("flux-dev"), Arguments: args("prompt", "x"), Inputs: files("image_prompt")}
	open := func(bfl.Input) (io.ReadCloser, int64, error) {
		return io.NopCloser(bytes.NewReader(image)), int64(len(image)), nil
	}
	buf := make([]byte, 16<<10)
	b.SetBytes(int64(len(image)))
	b.ReportAllocs()
	for b.Loop() {
		body, _, err := r.Body(open)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, body, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// TestFingerprintIsSHA256 keeps the definition honest: anybody can compute a fingerprint from the
// request in a state file.
func TestFingerprintIsSHA256(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte(fingerprints[0].canonical))
	if got := fingerprints[0].request.Fingerprint(); got != hex.EncodeToString(sum[:]) {
		t.Errorf("got %s", got)
	}
}
