package viewtest

import (
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Unseen are all characters that a terminal would not show, or take as a command, where they stand
// alone.
var Unseen = sync.OnceValue(func() []rune {
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
	for _, r := range Unseen() {
		set[r] = true
	}
	return set
})

// HostileTexts hold all of them, each between two letters.
func HostileTexts() []string {
	const atOnce = 500
	var texts []string
	var b strings.Builder
	for i, r := range Unseen() {
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

// ShownRaw returns the first character of a text that cannot be seen, apart from what the view
// writes itself.
func ShownRaw(text string, own ...string) string {
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

// HostilePlan has a text wherever a plan can have one.
func HostilePlan(text string) *planner.Plan {
	key := addrs.Image{Module: addrs.Module("").Child("m", addrs.StringKey(text)), Name: "a", Key: addrs.StringKey(text)}
	logo, gone := CreateLogo(), CreateGone()
	logo.Address = key
	for i := range logo.Listed() {
		if s, ok := logo.Listed()[i].After.(string); ok {
			logo.Listed()[i].After = s + text
		}
	}
	logo.Rare().Listed = append(logo.Listed(),
		image.Attribute{Name: "labels" + addrs.StringKey(text).String(), After: text}, image.Attribute{Name: "new", Before: text + " a b c", After: text + " a b d"},
		image.Attribute{Name: "lines", After: text + "\n" + text}, image.Attribute{Name: "references[0]", After: Reference(text, "")},
		image.Attribute{Name: "structure", After: `{"` + "a" + `": 1}`})
	gone.Rare().Import = &config.Import{Name: text}
	gone.Action = planner.Import
	refused := CreateLogo()
	refused.Origin, refused.Address.Name = planner.Refused, "refused"
	refused.Rare().Moderation = &state.Moderation{Reasons: []string{text}}
	return &planner.Plan{
		Changes: []*planner.Change{logo, gone, refused},
		Outputs: []planner.OutputChange{{Name: "o", Changed: true, After: &config.Output{Name: "o", Value: cty.ObjectVal(map[string]cty.Value{text: cty.StringVal(text)})}}},
	}
}
