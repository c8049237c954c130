package view

import (
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
)

func TestHelp(t *testing.T) {
	t.Parallel()
	h := Help{
		About: "Says what would be made,\nand at what price. It spends nothing, however often it is asked, and whoever asks it.\n\nThe usual way:\n" +
			"  fluxbatch plan    first\n  fluxbatch apply   then",
		Usage:  "fluxbatch plan [FLAGS] [DIRECTORY]",
		Groups: []HelpGroup{{"Make images", []HelpEntry{{"plan", "Say what would be done"}, {"apply", "Do it"}}}},
		Flags: []HelpEntry{
			{"-target ADDRESS", "limit the plan to this address, pattern or label, and what it needs(can be repeated) as often as wanted"},
			{"-a-flag-with-a-very-long-name VALUE", "explained on a line of its own"},
		},
		Global:   []HelpEntry{{"-h, -help", "explain the command"}},
		Examples: "  fluxbatch plan -target 'image.card[\"winter\"]' -exclude image.logo -simulate examples/quickstart\n",
		Hint:     "More is in the README.",
	}
	for name, columns := range map[string]int{"help": 0, "help_40": 40, "help_200": 200} {
		v, screen := newTestView(Options{Width: columns})
		v.Help(h)
		viewtest.Golden(t, "reference/"+name, screen.String())
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	for name, columns := range map[string]int{"models": 80, "models_200": 200} {
		v, screen := newTestView(Options{Width: columns})
		v.Models(bfl.Models())
		viewtest.Golden(t, "reference/"+name, screen.String())
	}
	for _, name := range []string{"flux-2-flex", "flux-kontext-max", "flux-fill", "flux-pro-1.1-ultra", "flux-pro-1.0-expand", "flux-2-pro-preview", "flux-3-image", "flux-vto-v2"} {
		v, screen := newTestView(Options{})
		v.Model(bfl.Lookup(name), 24)
		viewtest.Golden(t, "reference/model_"+name, screen.String())
	}
}

func TestCredits(t *testing.T) {
	t.Parallel()
	balances := []Balance{
		{Provider: "bfl", Credits: 123_456, Host: "api.bfl.ai"},
		{Provider: "bfl.test", Credits: 1000, Host: "127.0.0.1:8787", Simulated: true},
	}
	v, screen := newTestView(Options{})
	v.Credits(balances)
	viewtest.Golden(t, "reference/credits", screen.String())
}

func TestValue(t *testing.T) {
	t.Parallel()
	secret := cty.StringVal("hush").Mark(sensitiveMark)
	v, screen := newTestView(Options{})
	for _, value := range []cty.Value{
		cty.StringVal("a \"heron\"\x1b"), cty.StringVal("two\nlines\n"), cty.NumberFloatVal(0.5), cty.True, cty.NullVal(cty.String), cty.UnknownVal(cty.String),
		secret, cty.EmptyObjectVal, cty.EmptyTupleVal,
		cty.ObjectVal(map[string]cty.Value{"open": cty.NumberIntVal(1), "closed one": secret, "later": cty.DynamicVal}),
		cty.TupleVal([]cty.Value{cty.StringVal("a"), secret}),
	} {
		v.Value(value)
	}
	v.Note("That was all.")
	viewtest.Golden(t, "reference/value", screen.String())
}

// Whatever stands in a label, it stays one: in both languages, quotes, backslashes, markup and line
// ends are no more than text.
func TestGraph(t *testing.T) {
	t.Parallel()
	brand := addrs.Module("").Child("brand", addrs.StringKey(`e"u`))
	inner := brand.Child("icons", addrs.IntKey(2))
	g := Graph{
		Nodes: []GraphNode{
			{ID: `refs\a"b&lt;.png`, Label: `refs\a"b&lt;.png`, Input: true},
			{ID: "image.logo", Label: "image.logo"},
			{ID: "x", Module: inner, Label: "image.`card`[\"<b>#1</b>\"]\n\x1b[31m"},
			{ID: "y", Module: brand, Label: "image.card (3 images)"},
			{ID: "z", Module: addrs.Module("").Child("brand", addrs.StringKey("us")), Label: "image.card"},
		},
		Edges: []GraphEdge{{From: `refs\a"b&lt;.png`, To: "x"}, {From: "image.logo", To: "y", Value: true}, {From: "y", To: "z"}},
	}
	v, screen := newTestView(Options{})
	v.GraphDOT(g)
	v.GraphMermaid(g)
	v.GraphDOT(Graph{})
	v.GraphMermaid(Graph{})
	viewtest.Golden(t, "reference/graph", screen.String())
}
