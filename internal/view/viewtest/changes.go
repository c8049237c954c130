package viewtest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Addr parses an address that is known to be right.
func Addr(text string) addrs.Image {
	a, err := addrs.Parse(text)
	if err != nil {
		panic(err)
	}
	return a
}

const (
	LogoPrompt = "A heron logo, flat vector, brand colours #0b3d91 and #fc3d21"
	HeroPrompt = "The logo from image 1 embossed on the glass bottle from image 2, standing on wet river stones, soft summer light from " +
		"the left, shallow depth of field, condensation on the glass, a calm and expensive mood, no people, no text besides the logo"
)

var (
	ShaOld = strings.Repeat("1a2b3c4d", 8)
	shaNew = strings.Repeat("9f8e7d6c", 8)
)

// Recorded returns an image on record.
func Recorded(path, prompt string) *state.Image {
	request, err := json.Marshal(map[string]any{
		"endpoint": "/v1/flux-2-pro",
		"body": map[string]any{
			"prompt": prompt, "width": 1024, "height": 1024, "seed": 7,
			"input_image": map[string]string{"sha256": ShaOld},
		},
	})
	if err != nil {
		panic(err)
	}
	seed := int64(7)
	return &state.Image{
		Provider: "bfl", Model: "flux-2-pro", Fingerprint: ShaOld, Request: request,
		Output: state.File{Path: path, SHA256: ShaOld, Bytes: 1_234_567, Width: 1024, Height: 1024, Format: "png"},
		Result: state.Result{TaskID: "5f2c-0001", Seed: &seed, Cost: bfl.CreditsOf(3)},
	}
}

// CreateLogo returns an image that is made for the first time.
func CreateLogo() *planner.Change {
	return listed(&planner.Change{
		Address: Addr("image.logo"), Action: planner.Create, Origin: planner.Generate,
		Reasons: []planner.Reason{{Kind: planner.NotInState}},
		Desired: &image.Image{Address: Addr("image.logo")},
		Cost:    bfl.CreditsOf(3),
	}, []image.Attribute{
		{Name: "model", After: "flux-2-pro"},
		{Name: "prompt", After: LogoPrompt},
		{Name: "width", After: int64(1024)},
		{Name: "height", After: int64(1024)},
		{Name: "seed", After: int64(0)},
		{Name: "guidance", After: 2.5},
		{Name: "raw", After: false},
		{Name: "output", After: "images/logo.png"},
		{Name: `labels["team"]`, After: "brand"},
		{Name: "provider", After: "bfl"},
	})
}

// replaceHero is an image with a new prompt, one reference that changes and one that is known after
// apply.
func replaceHero() *planner.Change {
	return listed(&planner.Change{
		Address: Addr("image.hero"), Action: planner.Replace, Origin: planner.Generate,
		Reasons: []planner.Reason{{Kind: planner.UpstreamChanges, Upstream: Addr("image.logo")}, {Kind: planner.RequestChanged}},
		Prior:   Recorded("images/hero.png", HeroPrompt),
		Desired: &image.Image{Address: Addr("image.hero")},
		Cost:    bfl.CreditsOf(10.5), CostUnknown: true,
	}, []image.Attribute{
		{Name: "model", Before: "flux-2-max", After: "flux-2-max"},
		{
			Name: "prompt", Before: HeroPrompt,
			After: strings.NewReplacer("soft summer light", "hard winter light", ", no people", "").Replace(HeroPrompt), Forces: true,
		},
		{Name: "references[0]", Before: Reference("", ShaOld), After: Reference("image.logo", ""), Unknown: true, Forces: true},
		{
			Name: "references[1]", Before: Reference("", ShaOld),
			After: Reference("refs/bottle.png", shaNew), Forces: true,
		},
		{Name: "references[2]", After: Reference("https://example.com/light.jpg", ""), Forces: true},
		{Name: "width", Before: int64(1920), After: int64(1920)},
		{Name: "height", Before: int64(1080), After: int64(1088), Forces: true},
		{Name: "seed", Before: int64(7), Forces: true},
		{Name: "steps", Unknown: true, Forces: true},
		{Name: "output", Before: "images/hero.png", After: "images/hero.png"},
	})
}

// CreateGone is an image whose file is gone.
func CreateGone() *planner.Change {
	c := CreateLogo()
	c.Prior = Recorded("images/logo.png", LogoPrompt)
	c.Reasons = []planner.Reason{{Kind: planner.FileMissing}}
	for i := range c.Listed() {
		c.Listed()[i].Before = c.Listed()[i].After
	}
	return c
}

// UpdateBanner returns an image whose file gets another name.
func UpdateBanner() *planner.Change {
	return listed(&planner.Change{
		Address: Addr(`module.brand["eu"].image.banner`), Action: planner.Update,
		Prior:   Recorded("images/banner.png", LogoPrompt),
		Desired: &image.Image{Address: Addr(`module.brand["eu"].image.banner`)},
	}, []image.Attribute{
		{Name: "model", Before: "flux-2-pro", After: "flux-2-pro"},
		{Name: "prompt", Before: "x", After: "x", Sensitive: true},
		{Name: "output", Before: "images/banner.png", After: "images/top/banner.png"},
		{Name: `labels["team"]`, Before: "brand"},
		{Name: `labels["season"]`, After: "winter"},
	})
}

// DestroyOld returns an image that is no longer in the configuration.
func DestroyOld() *planner.Change {
	return listed(&planner.Change{
		Address: Addr("image.old[3]"), Action: planner.Destroy,
		Reasons: []planner.Reason{{Kind: planner.NotInConfiguration}},
		Prior:   Recorded("images/old-3.png", HeroPrompt),
	}, []image.Attribute{
		{Name: "model", Before: "flux-2-pro"},
		{Name: "prompt", Before: HeroPrompt},
		{Name: "references[0]", Before: Reference("", ShaOld)},
		{Name: "output", Before: "images/old-3.png"},
	})
}

// Unchanged returns an image that is as the configuration asks.
func Unchanged(address string) *planner.Change {
	return listed(&planner.Change{
		Address: Addr(address), Action: planner.NoOp, Prior: Recorded("images/same.png", LogoPrompt),
		Desired: &image.Image{Address: Addr(address)},
	}, []image.Attribute{{Name: "model", Before: "flux-2-pro", After: "flux-2-pro"}})
}

// Cards returns n new instances of one block, and as many that are made from image.logo.
func Cards(n int) []*planner.Change {
	var all []*planner.Change
	for i := range n {
		c := CreateLogo()
		c.Address = Addr(fmt.Sprintf("image.card[%d]", i))
		c.Rare().Listed = c.Listed()[:3]
		all = append(all, c)
	}
	return all
}

// Reference returns the value of an attribute that is an image: one of another image, of a URL or
// of a file, with the identity of its content.
func Reference(name, sha256 string) image.Reference {
	r := image.Reference{Input: bfl.Input{SHA256: sha256}}
	address, err := addrs.Parse(name)
	switch {
	case err == nil:
		r.Image = address
	case strings.Contains(name, "://"):
		r.URL = name
	default:
		r.File = name
	}
	return r
}

// Dragged returns n instances that change because the upstream image does.
func Dragged(n int, upstream string) []*planner.Change {
	var all []*planner.Change
	for i := range n {
		key := fmt.Sprintf("sku-%03d", i)
		all = append(all, listed(&planner.Change{
			Address: Addr(fmt.Sprintf("image.product[%q]", key)), Action: planner.Replace, Origin: planner.Generate,
			Reasons: []planner.Reason{{Kind: planner.UpstreamChanges, Upstream: Addr(upstream)}},
			Prior:   Recorded("images/"+key+".png", LogoPrompt),
			Cost:    bfl.CreditsOf(4.5),
		}, []image.Attribute{
			{Name: "model", Before: "flux-2-pro", After: "flux-2-pro"},
			{Name: "references[0]", Before: Reference(upstream, ShaOld), After: Reference(upstream, ""), Unknown: true, Forces: true},
		}))
	}
	return all
}

// ReplaceLogo is a new prompt, and nothing else.
func ReplaceLogo() *planner.Change {
	c := CreateLogo()
	c.Action, c.Prior = planner.Replace, Recorded("images/logo.png", LogoPrompt)
	c.Reasons = []planner.Reason{{Kind: planner.RequestChanged}}
	for i := range c.Listed() {
		a := &c.Listed()[i]
		a.Before = a.After
		if a.Name == "prompt" {
			a.After, a.Forces = strings.Replace(LogoPrompt, "heron", "kingfisher", 1), true
		}
	}
	return c
}

func outputOf(value cty.Value, sensitive bool) *config.Output {
	return &config.Output{Value: value, Sensitive: sensitive}
}

// OnRecord returns an output on record.
func OnRecord(value, typ string) *state.OutputValue {
	return &state.OutputValue{Value: json.RawMessage(value), Type: json.RawMessage(typ)}
}

// SomeOutputs is one change of each kind.
func SomeOutputs() []planner.OutputChange {
	gallery := cty.ObjectVal(map[string]cty.Value{
		"logo":    cty.StringVal("images/logo.png"),
		"hero":    cty.UnknownVal(cty.String),
		"two-up":  cty.TupleVal([]cty.Value{cty.StringVal("a"), cty.NumberFloatVal(1.5), cty.True}),
		"nothing": cty.NullVal(cty.String),
	})
	changes := []planner.OutputChange{
		{
			Name: "gallery", After: outputOf(gallery, false), Changed: true,
			Before: OnRecord(`{"logo":"images/logo.png","hero":"images/hero.png","nothing":null}`,
				`["object",{"logo":"string","hero":"string","nothing":"string"}]`),
		},
		{Name: "hero", After: outputOf(cty.UnknownVal(cty.String), false), Before: OnRecord(`"images/hero.png"`, `"string"`), Changed: true},
		{Name: "key", After: outputOf(cty.StringVal("s3cret"), true), Changed: true},
		{Name: "logo", After: outputOf(cty.StringVal("images/logo.png"), false), Changed: true},
		{Name: "obsolete", Before: OnRecord(`17`, `"number"`), Changed: true},
		{Name: "same", Before: OnRecord(`17`, `"number"`), After: outputOf(cty.NumberIntVal(17), false)},
	}
	for i := range changes {
		if changes[i].After != nil {
			changes[i].After.Name = changes[i].Name
		}
	}
	return changes
}

// MixedPlan has one change of each kind.
func MixedPlan() *planner.Plan {
	return &planner.Plan{
		Changes: []*planner.Change{replaceHero(), CreateLogo(), DestroyOld(), Unchanged("image.same"), UpdateBanner()},
		Outputs: SomeOutputs(),
	}
}

// listed gives a change attributes that do not follow from what was before and after.
func listed(c *planner.Change, attributes []image.Attribute) *planner.Change {
	c.Rare().Listed = attributes
	return c
}
