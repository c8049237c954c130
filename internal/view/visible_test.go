package view

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// unseen are all characters that a terminal would not show, or take as a command, where they stand alone.
var unseen = sync.OnceValue(func() []rune {
	var all []rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Noncharacter_Code_Point,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			all = append(all, r)
		}
	}
	return all
})

// unseenSet has the same characters as a set.
var unseenSet = sync.OnceValue(func() map[rune]bool {
	set := map[rune]bool{'\r': true}
	for _, r := range unseen() {
		set[r] = true
	}
	return set
})

// hostileTexts hold all of them, each between two letters.
func hostileTexts() []string {
	const atOnce = 500
	var texts []string
	var b strings.Builder
	for i, r := range unseen() {
		fmt.Fprintf(&b, "x%cx", r)
		if i%atOnce == atOnce-1 {
			texts = append(texts, b.String())
			b.Reset()
			// Of private use, those of the basic plane will do.
			if r > 0xe2000 {
				break
			}
		}
	}
	return append(texts, b.String(), "a\xffb\xc0\x80c\xed\xa0\x80d", "\u202e", "\u2066image.safe\u2069", "\ufeff", "\x9b31m", "\u009b31m")
}

// shownRaw returns the first character of a text that cannot be seen, apart from what the view writes itself.
func shownRaw(text string, own ...string) string {
	for _, sequence := range own {
		text = strings.ReplaceAll(text, sequence, "")
	}
	if !utf8.ValidString(text) {
		return "invalid UTF-8"
	}
	bad := unseenSet()
	if at := strings.IndexFunc(text, func(r rune) bool { return (r < ' ' || r > '~') && bad[r] }); at >= 0 {
		return fmt.Sprintf("%+q", text[at:min(len(text), at+12)])
	}
	return ""
}

// hostilePlan has a text wherever a plan can have one.
func hostilePlan(text string) *planner.Plan {
	key := addrs.Image{Module: addrs.Module("").Child("m", addrs.StringKey(text)), Name: "a", Key: addrs.StringKey(text)}
	logo, gone := createLogo(), createGone()
	logo.Address = key
	for i := range logo.Listed {
		if s, ok := logo.Listed[i].After.(string); ok {
			logo.Listed[i].After = s + text
		}
	}
	logo.Listed = append(logo.Listed,
		planner.Attribute{Name: "labels[" + quoted(text) + "]", After: text}, planner.Attribute{Name: "new", Before: text + " a b c", After: text + " a b d"},
		planner.Attribute{Name: "lines", After: text + "\n" + text}, planner.Attribute{Name: "references[0]", After: planner.Reference{Name: text}},
		planner.Attribute{Name: "structure", After: `{"` + "a" + `": 1}`})
	gone.Import = &config.Import{Name: text}
	gone.Action = planner.Import
	refused := createLogo()
	refused.Origin, refused.Address.Name = planner.Refused, "refused"
	refused.Moderation.Reasons = []string{text}
	return &planner.Plan{
		Changes: []*planner.Change{logo, gone, refused},
		Outputs: []planner.OutputChange{{Name: "o", Changed: true, After: &config.Output{Name: "o", Value: cty.ObjectVal(map[string]cty.Value{text: cty.StringVal(text)})}}},
	}
}

// Whatever stands in keys, names of files, labels, prompts, answers and errors: people see it, and no terminal obeys it.
func TestEverythingIsSeen(t *testing.T) {
	t.Parallel()
	for i, text := range hostileTexts() {
		for _, color := range []bool{false, true} {
			t.Run(fmt.Sprint(i, color), func(t *testing.T) {
				t.Parallel()
				own := append(newPalette(color).sequences, clearLine, cursorDown, beginUpdate, endUpdate)
				key := addrs.Image{Name: "a", Key: addrs.StringKey(text)}
				img := recorded("images/"+text+".png", text)
				img.Labels, img.Dependencies = map[string]string{text: text}, []addrs.Image{key}
				diags := hcl.Diagnostics{{
					Severity: hcl.DiagError, Summary: "Wrong" + text, Detail: text,
					Subject: &hcl.Range{Filename: text, Start: hcl.Pos{Line: 1, Column: 1}, End: hcl.Pos{Line: 1, Column: 4, Byte: 3}},
				}}
				files := map[string]*hcl.File{text: {Bytes: []byte("image \"" + text + "\" {\n")}}
				graph := Graph{
					Nodes: []GraphNode{{ID: text, Label: text, Module: addrs.Module("").Child("m", addrs.StringKey(text))}}, Edges: []GraphEdge{{From: text, To: text}},
				}
				failed := errors.New(text)
				for name, write := range map[string]func(v *View){
					"plan":        func(v *View) { v.Plan(hostilePlan(text), PlanInfo{Command: "plan", Again: text, SavedAs: text}) },
					"markdown":    func(v *View) { v.PlanMarkdown(hostilePlan(text), PlanInfo{}) },
					"diagnostics": func(v *View) { v.Diagnostics(diags, files) },
					"errors": func(v *View) {
						v.Error(failed)
						v.Error(errors.Join(failed, fmt.Errorf("a\n%w", failed)))
						v.Error(diags)
					},
					"state":   func(v *View) { v.State(&state.State{Images: map[addrs.Image]*state.Image{key: img}}) },
					"dot":     func(v *View) { v.GraphDOT(graph) },
					"mermaid": func(v *View) { v.GraphMermaid(graph) },
					"words":   func(v *View) { v.Say(text); v.Note(text); v.Prompt(text) },
					"value":   func(v *View) { v.Value(cty.ObjectVal(map[string]cty.Value{text: cty.StringVal(text)})) },
					"outputs": func(v *View) {
						v.Outputs(map[string]state.OutputValue{"o": {Type: json.RawMessage(`"string"`), Value: json.RawMessage(`"` + strings.ToValidUTF8(text, "") + `"`)}})
					},
					"apply": func(v *View) {
						v.StartApply(hostilePlan(text))
						a := hostilePlan(text).Changes[0].Address
						for _, e := range []executor.Event{
							executor.Started{Address: a, Action: planner.Create},
							executor.Submitted{Address: a, TaskID: text},
							executor.Retrying{Address: a, Err: failed},
							executor.Warned{Address: a, Message: text},
							executor.Completed{Address: a, Action: planner.Create, Image: img},
							executor.Failed{Address: a, Err: failed},
							executor.Skipped{Address: a, Because: key},
						} {
							v.Event(e)
						}
						v.FinishApply(executor.Summary{Failed: 1}, nil, ApplyInfo{Again: text, Pictures: text, Simulated: true})
					},
				} {
					for _, concise := range []bool{false, true} {
						var out, errs strings.Builder
						write(New(Options{Stdout: &out, Stderr: &errs, Color: color, Concise: concise}))
						if raw := shownRaw(out.String()+errs.String(), own...); raw != "" {
							t.Errorf("%s: shown as it is: %s", name, raw)
						}
					}
				}
			})
		}
	}
}

// For machines, the same is valid JSON of the same meaning.
func TestJSONIsSeen(t *testing.T) {
	t.Parallel()
	for i, text := range hostileTexts() {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			j := NewJSON(JSONOptions{Stdout: &out, Now: func() time.Time { return time.Time{} }})
			j.Plan(hostilePlan(text), PlanInfo{})
			j.Error(errors.New(text))
			if raw := shownRaw(out.String()); raw != "" {
				t.Errorf("written as it is: %s", raw)
			}
			want := strings.ToValidUTF8(text, "")
			for line := range strings.Lines(out.String()) {
				var m struct {
					Change struct {
						Resource struct {
							Key any `json:"resource_key"`
						}
					}
				}
				if err := json.Unmarshal([]byte(line), &m); err != nil {
					t.Fatal(err)
				}
				if key, ok := m.Change.Resource.Key.(string); ok && utf8.ValidString(text) && key != want {
					t.Errorf("(-want +got):\n%s", cmp.Diff(want, key))
				}
			}
		})
	}
}

// An address can be typed as it is shown.
func TestShownAddressesParse(t *testing.T) {
	t.Parallel()
	for i, r := range unseen() {
		if i%7 != 0 && r > 0xe000 {
			continue
		}
		a := addrs.Image{Module: addrs.Module("").Child("m", addrs.StringKey(string(r))), Name: "a", Key: addrs.StringKey(`\` + string(r) + `"\u202e`)}
		if got, err := addrs.Parse(visible(a.String())); err != nil || got != a {
			t.Fatalf("%q is shown as %s, which is %q, %v", a, visible(a.String()), got, err)
		}
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		// What is written with characters of no width.
		{"👩‍👩‍👧‍👦 👩🏽‍🚀 ❤️‍🔥 🏳️‍🌈 ☎️ 1️⃣ ©︎", "👩‍👩‍👧‍👦 👩🏽‍🚀 ❤️‍🔥 🏳️‍🌈 ☎️ 1️⃣ ©︎"},
		{"🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"},
		{"Ame\u0301lie, Việt, ก็, שָׁלוֹם, 鷺, 葛\U000e0100", "Ame\u0301lie, Việt, ก็, שָׁלוֹם, 鷺, 葛\U000e0100"},
		{"می\u200cخواهم क्\u200dष ශ්\u200dරී", "می\u200cخواهم क्\u200dष ශ්\u200dරී"},
		{"10\u00a0MB 全\u3000角", "10\u00a0MB 全\u3000角"},
		// The same where they do nothing.
		{"a\u200db\u200cc a\ufe0f 👩\u200d क\u200dष \u200d👩", `a\u200db\u200cc a\ufe0f 👩\u200d क\u200dष \u200d👩`},
		{"🏴\U000e0068\U000e0069\U000e007f a\U000e0100", `🏴\U000e0068\U000e0069\U000e007f a\U000e0100`},
		{"\u202egnp.\u202c \u2066x\u2069 \u061c \u200e\u200f", `\u202egnp.\u202c \u2066x\u2069 \u061c \u200e\u200f`},
		{"\x1b[31m \u009b1m \x7f \x00 \r", `\u001b[31m \u009b1m \u007f \u0000 \u000d`},
		{"\xff \xc3( \ufffd", `\xff \xc3( ` + "\ufffd"},
		{"\ufeff\u00ad\u034f\u3164\u2028\ue000\ufdd0", `\ufeff\u00ad\u034f\u3164\u2028\ue000\ufdd0`},
		{"a\n\tb", "a\n\tb"},
	} {
		if diff := cmp.Diff(tt.want, visible(tt.text)); diff != "" {
			t.Errorf("%+q (-want +got):\n%s", tt.text, diff)
		}
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("a\u202eb 👩‍🚀 \xff")
	f.Fuzz(func(t *testing.T, text string) {
		once := visible(text)
		if twice := visible(once); twice != once {
			t.Errorf("%q is shown as %q, and that as %q", text, once, twice)
		}
		if !utf8.ValidString(once) {
			t.Errorf("%q is shown as %q", text, once)
		}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal(visibleJSON(encoded), &back); err != nil || back != strings.ToValidUTF8(back, "") {
			t.Errorf("%q became %q, %v", text, back, err)
		}
	})
}
