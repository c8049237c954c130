package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// sameState compares states; missing and empty maps are the same.
var sameState = cmp.Options{cmpopts.EquateEmpty(), cmp.AllowUnexported(addrs.Key{}), cmpopts.IgnoreUnexported(State{}), recordsOf}

// recordsOf has images compared by what they have.
var recordsOf = cmp.Transformer("records", func(m *Images) map[addrs.Image]*Image { return maps.Collect(m.All()) })

// fullState has every field of the format, and what is awkward to write.
func fullState(t *testing.T) *State {
	t.Helper()
	st := newState("3f0a7c52-9a7e-4d1c-8b8f-0d6c2a1b5e90")
	plainImage := testImage(1)
	plainImage.Labels = nil
	full := testImage(2)
	full.Provider = "bfl.eu"
	full.Request = json.RawMessage(`{"endpoint":"/v1/flux-2-max","body":{"a":[],"b":{},"c":[1,[2.50,{"d":null}]],"input_image":{"sha256":"` +
		testHash(9) + `"},"prompt":"<b> & \"quotes\", ü, \u2028, \\","raw":true}}`)
	full.Output.Path = "images/été & co.png"
	full.Result = Result{TaskID: "gen_1", Seed: new(int64(-7)), Cost: 1400, Prompt: "line\none\ttab \x01 \u2028 <&> \U0001f426", Simulated: true}
	full.Dependencies = []addrs.Image{addr(t, "image.a"), addr(t, `module.m["x"].image.b[3]`)}
	full.Labels = map[string]string{"z": "", "a": "b\"c"}
	for _, name := range []string{
		"image.logo", `module.brand["e\"u"].image.logo`, "image.card[10]", "image.card[9]", `image.card["winter"]`, "image.a",
	} {
		st.Images.Set(addr(t, name), plainImage)
	}
	st.Images.Set(addr(t, "image.full"), full)
	st.Outputs["hero"] = OutputValue{Value: json.RawMessage(`"images/hero.png"`), Type: json.RawMessage(`"string"`)}
	st.Outputs["all"] = OutputValue{
		Value: json.RawMessage(`{"b": [1, 2], "a": null}`), Type: json.RawMessage(`["object",{"a":"dynamic","b":["list","number"]}]`), Sensitive: true,
	}
	return st
}

func written(tb testing.TB, st *State) string {
	tb.Helper()
	var b bytes.Buffer
	if err := st.Write(&b); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func TestSnapshotGolden(t *testing.T) {
	t.Parallel()
	golden(t, "full.state.json", written(t, fullState(t)))
	golden(t, "empty.state.json", written(t, newState("3f0a7c52-9a7e-4d1c-8b8f-0d6c2a1b5e90")))
}

func TestSnapshotRoundTrip(t *testing.T) {
	t.Parallel()
	for name, st := range map[string]*State{"full": fullState(t), "empty": newState("x"), "many": testState(50)} {
		text := written(t, st)
		// One byte at a time, every value meets the end of the scanner's buffer.
		for _, r := range []struct {
			name string
			read func() (*State, error)
		}{
			{"whole", func() (*State, error) { return parseSnapshot(strings.NewReader(text)) }},
			{"byte by byte", func() (*State, error) { return parseSnapshot(iotest.OneByteReader(strings.NewReader(text))) }},
		} {
			got, err := r.read()
			if err != nil {
				t.Fatalf("%s, %s: %v", name, r.name, err)
			}
			compactOutputs(st)
			if diff := cmp.Diff(st, got, sameState); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, r.name, diff)
			}
			if again := written(t, got); again != text {
				t.Errorf("%s, %s: written again it differs:\n%s", name, r.name, cmp.Diff(text, again))
			}
		}
	}
}

// compactOutputs takes the white space out of output values, as reading does.
func compactOutputs(st *State) {
	for name, v := range st.Outputs {
		v.Value, v.Type = compact(v.Value), compact(v.Type)
		st.Outputs[name] = v
	}
}

// The field names and their order are written down twice, in the printer and in the types' tags,
// which the journal uses.
func TestSnapshotAgreesWithTypes(t *testing.T) {
	t.Parallel()
	st := fullState(t)
	for a, img := range st.Images.All() {
		one := newState("x")
		one.Images.Set(a, img)
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err := enc.Encode(struct {
			Version int                    `json:"version"`
			Lineage string                 `json:"lineage"`
			Images  map[addrs.Image]*Image `json:"images"`
			Outputs map[string]OutputValue `json:"outputs"`
		}{1, "x", maps.Collect(one.Images.All()), one.Outputs})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), written(t, one)); diff != "" {
			t.Errorf("%s (-encoding/json +ours):\n%s", a, diff)
		}
	}
}

func TestSnapshotOfAnyOrderIsRead(t *testing.T) {
	t.Parallel()
	got, err := parseSnapshot(strings.NewReader(" {\r\n\"outputs\":{},\"images\":{},\"lineage\":\"x\",\"version\":1}\t\n\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(newState("x"), got, sameState); diff != "" {
		t.Error(diff)
	}
}

func TestDamagedSnapshots(t *testing.T) {
	t.Parallel()
	whole := written(t, fullState(t))
	replace := func(old, with string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("the sample lacks %q", old)
		}
		return strings.Replace(whole, old, with, 1)
	}
	card := whole[strings.Index(whole, `    "image.card[9]": {`):]
	card = card[:strings.Index(card, "\n    },")+len("\n    },\n")]
	tests := map[string]struct {
		text   string
		line   int
		reason string
	}{
		"empty":          {"", 0, "it is empty"},
		"white space":    {"\n\n", 3, "it ends here, in the middle"},
		"truncated":      {whole[:len(whole)-3], 0, "it ends here, in the middle"},
		"cut in a name":  {whole[:len(whole)/2], 0, "it ends here, in the middle"},
		"zeros":          {whole[:200] + strings.Repeat("\x00", 300), 0, "a control character stands in a string"},
		"more follows":   {whole + "{}", 0, "something follows"},
		"byte order":     {"\ufeff" + whole, 1, "an object is expected here"},
		"not JSON":       {"hello", 1, "an object is expected here, not 'h'"},
		"a list":         {"[]", 1, "an object is expected here, not '['"},
		"version 0":      {replace(`"version": 1`, `"version": 0`), 2, "its format version is 0"},
		"version text":   {replace(`"version": 1`, `"version": "1"`), 2, "a digit is expected here"},
		"no version":     {replace("  \"version\": 1,\n", ""), 0, `the state lacks the field "version"`},
		"no lineage":     {replace(`"lineage": "3f0a7c52-9a7e-4d1c-8b8f-0d6c2a1b5e90",`, ""), 0, `the state lacks the field "lineage"`},
		"empty lineage":  {replace(`"3f0a7c52-9a7e-4d1c-8b8f-0d6c2a1b5e90"`, `""`), 3, "its lineage is empty"},
		"unknown field":  {replace(`"lineage"`, "\"serial\": 4,\n  \"lineage\""), 3, `the state has a field "serial"`},
		"image field":    {replace(`"provider"`, `"Provider"`), 6, `image.a has a field "Provider"`},
		"missing field":  {replace(`      "model": "flux-2-pro",`+"\n", ""), 0, `image.a lacks the field "model"`},
		"twice a field":  {replace(`"provider": "bfl",`, `"provider": "bfl", "provider": "bfl",`), 6, `image.a has the field "provider" twice`},
		"trailing comma": {replace("\"simulated\": true\n", "\"simulated\": true,\n"), 0, "a string is expected here, not '}'"},
		"missing comma":  {replace(`"provider": "bfl",`, `"provider": "bfl"`), 7, "a comma or the end of the object is expected here"},
		"twice an image": {replace(card, card+card), 0, "image.card[9] is there twice"},
		"bad address":    {replace(`"image.a"`, `"picture.a"`), 5, `"picture.a" is not an image's address`},
		"short hash":     {replace(testHash(1), testHash(1)[1:]), 5, "image.a: its fingerprint"},
		"capital hash":   {replace(testHash(1), "A"+testHash(1)[1:]), 5, "image.a: its fingerprint"},
		"path up":        {replace(`"images/product-1.png"`, `"../product-1.png"`), 5, "image.a: its output path"},
		"absolute path":  {replace(`"images/product-1.png"`, `"/images/product-1.png"`), 5, "image.a: its output path"},
		"unclean path":   {replace(`"images/product-1.png"`, `"images//product-1.png"`), 5, "image.a: its output path"},
		"backslashes":    {replace(`"images/product-1.png"`, `"images\\product-1.png"`), 5, "image.a: its output path"},
		"no path":        {replace(`"images/product-1.png"`, `""`), 5, "image.a: its output path"},
		"negative size":  {replace(`"bytes": 1200000`, `"bytes": -1`), 5, "image.a: a size of its output is negative"},
		"size of 1e6":    {replace(`"bytes": 1200000`, `"bytes": 1e6`), 0, "1e6 is not a whole number in range"},
		"huge size":      {replace(`"bytes": 1200000`, `"bytes": 9223372036854775808`), 0, "is not a whole number in range"},
		"null":           {replace(`"bytes": 1200000`, `"bytes": null`), 0, "a digit is expected here, not 'n'"},
		"negative cost":  {replace(`"cost_credits": 3`, `"cost_credits": -3`), 5, "image.a: its cost is negative"},
		"huge cost":      {replace(`"cost_credits": 3`, `"cost_credits": 1e300`), 0, "is not an amount of credits"},
		"signed URL":     {replace(`"task_id": "0f4a9d62`, `"task_id": "https://delivery.bfl.ai/?se=1&sig=x`), 5, "image.a: its task id is a URL"},
		"request list":   {replace(`"request": {`, `"request": [], "x": {`), 0, `image.a has a field "x"`},
		"request text":   {whole[:strings.Index(whole, `"request": {`)] + `"request": "x"` + whole[strings.Index(whole, `,`+"\n      \"output\""):], 5, "image.a: its request is not a JSON object in UTF-8"},
		"bad dependency": {replace(`"image.a",`, `"image",`), 0, "a dependency of image.full"},
		"twice a label":  {replace(`"z": ""`, `"z": "", "a": ""`), 0, `image.full has the label "a" twice`},
		"twice a value":  {replace(`"hero": {`, `"all": {"value":1,"type":"number"}, "hero": {`), 0, `the output "all" is there twice`},
		"no value":       {replace(`"value": "images/hero.png",`, ""), 0, `the output hero lacks the field "value"`},
		"bad escape":     {replace(`"bfl"`, `"b\fl\x"`), 0, "an escaped character is expected here"},
		"bad UTF-8":      {replace(`"bfl"`, "\"b\xffl\""), 6, "a string is not valid UTF-8"},
		"bad number":     {replace(`"width": 1024`, `"width": 01024`), 0, "a comma or the end of the object is expected here"},
		"conflict": {
			replace(card, "<<<<<<< HEAD\n"+card+"=======\n"+strings.Replace(card, `"bfl"`, `"bfl.eu"`, 1)+">>>>>>> winter\n"),
			strings.Count(whole[:strings.Index(whole, card)], "\n") + 1, "it has the markers of a merge conflict",
		},
		"only a marker": {replace(card, "=======\r\n"+card), strings.Count(whole[:strings.Index(whole, card)], "\n") + 1, "merge conflict"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "fluxbatch.state.json")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			st, err := Read(path)
			var damaged *DamagedError
			if !errors.As(err, &damaged) || st != nil {
				t.Fatalf("Read returns %v, %v, want a DamagedError", st, err)
			}
			if !strings.Contains(damaged.Reason, test.reason) {
				t.Errorf("the reason is %q, want %q", damaged.Reason, test.reason)
			}
			if test.line != 0 && damaged.Line != test.line {
				t.Errorf("the line is %d, want %d (%v)", damaged.Line, test.line, err)
			}
			if damaged.Path != path || damaged.Remedy == "" || strings.Contains(err.Error(), "%!") {
				t.Errorf("the message is %q", err)
			}
			if after, err := os.ReadFile(path); string(after) != test.text || err != nil {
				t.Errorf("the file was changed: %v", err)
			}
			s, err := Open(t.Context(), path, Options{})
			if !errors.As(err, &damaged) {
				t.Errorf("Open returns %v, %v, want a DamagedError", s, err)
			}
		})
	}
}

// Whatever stops in the middle is refused, wherever that is.
func TestTruncatedSnapshots(t *testing.T) {
	t.Parallel()
	whole := written(t, fullState(t))
	end := strings.LastIndex(whole, "}")
	for n := 0; n < end; n += 11 {
		if _, _, err := readSnapshot(strings.NewReader(whole[:n]), "x"); err == nil {
			t.Fatalf("the first %d of %d bytes are taken for a whole state", n, len(whole))
		}
	}
}

func TestNewerSnapshot(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"version": 2, "lineage": "x"}`,
		`{"lineage": {"name": "x"}, "pictures": [1, 2], "version": 2}`,
		strings.Replace(written(t, fullState(t)), `"version": 1`, `"version": 2`, 1),
	} {
		_, _, err := readSnapshot(strings.NewReader(text), "the.state")
		want := &VersionError{Path: "the.state", Version: 2, Supported: 1}
		if got, ok := errors.AsType[*VersionError](err); !ok {
			t.Errorf("%.40s: %v, want a VersionError", text, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWriteRefusesWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	st := newState("x")
	st.Outputs["a"] = OutputValue{Value: json.RawMessage(`{"a":`), Type: json.RawMessage(`"string"`)}
	if err := st.Write(&bytes.Buffer{}); err == nil {
		t.Error("a value that is not JSON was written")
	}
	failure := errors.New("disk full")
	if err := newState("x").Write(iotestWriter{failure}); !errors.Is(err, failure) {
		t.Errorf("the writer's error is lost: %v", err)
	}
}

type iotestWriter struct{ err error }

func (w iotestWriter) Write([]byte) (int, error) { return 0, w.err }

// A set of labels is shared between images only when it is the same.
func TestSharedLabels(t *testing.T) {
	t.Parallel()
	st := newState("x")
	sets := []map[string]string{{"a": "b"}, {"a": "b"}, {"a": "c"}, {"a": "b", "c": "d"}, {"a\x00b": "c"}, {"a": "b\x00c"}, nil}
	for n, labels := range sets {
		img := testImage(n)
		img.Labels = labels
		st.Images.Set(addr(t, fmt.Sprintf("image.a[%d]", n)), img)
	}
	got, err := parseSnapshot(strings.NewReader(written(t, st)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(st, got, sameState); diff != "" {
		t.Error(diff)
	}
}
