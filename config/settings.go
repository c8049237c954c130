package config

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/filename"
	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

// What settings are where a configuration says nothing.
const (
	defaultOutputDir   = "images"
	defaultStatePath   = "fluxbatch.state.json"
	defaultKeyEnv      = "BFL_API_KEY"
	defaultRegion      = "global"
	defaultConcurrency = 24
)

// maxSlots bounds how many tasks a configuration can let be active.
const maxSlots = 1_000_000

var (
	fluxbatchSchema = schema.Body{
		In: "a fluxbatch block", Args: []string{"required_version", "output_dir"},
		Blocks: []schema.Block{{Name: "state", Labels: []string{"kind"}}, {Name: "images", Labels: []string{"kind"}}},
	}
	stateSchema      = schema.Body{In: "a state block", Args: []string{"path"}}
	budgetSchema     = schema.Body{In: "a budget block", Args: []string{"max_cost", "per_day", "per_month"}}
	provenanceSchema = schema.Body{In: "a provenance block", Args: []string{"prompt"}}
	providerSchema   = schema.Body{
		In:     "a provider block",
		Args:   []string{"region", "endpoint", "alias", "api_key_env", "concurrency", "model_concurrency", "task_timeout"},
		Blocks: []schema.Block{{Name: "webhook"}, {Name: "slots", Labels: []string{"kind"}}},
	}
	regions = []string{"global", "eu", "us"}
)

// providerHints answer who looks for where a key is written.
var providerHints = map[string]string{"api_key": keyHint, "key": keyHint}

// settings registers a block of the root module whose arguments are evaluated before any image, and
// returns the blocks inside it.
func (d *decoder) settings(
	m *module, block *hcl.Block, s *schema.Body, apply func(*evaluator, *scope, *settingsBlock),
) (*settingsBlock, []*hcl.Block) {
	content, diags := s.Read(block.Body)
	d.addWithHints(diags, providerHints)
	for _, other := range m.settings {
		if other.block.Type == block.Type && block.Type != "provider" {
			d.OnlyOne("The "+block.Type+" block", block.DefRange, other.at)
			return other, nil
		}
	}
	b := &settingsBlock{node: node{name: block.Type, at: block.DefRange}, block: block, args: content.Args, apply: apply}
	m.settings = append(m.settings, b)
	m.add(&b.node, b)
	return b, content.Blocks
}

func (b *settingsBlock) evaluate(e *evaluator, s *scope) { b.apply(e, s, b) }

// fluxbatch decodes the fluxbatch block. The version that it requires is checked before all else.
func (d *decoder) fluxbatch(m *module, block *hcl.Block) {
	content, diags := fluxbatchSchema.Read(block.Body)
	d.add(diags...)
	for _, other := range m.settings {
		if other.block.Type == "fluxbatch" {
			d.OnlyOne("The fluxbatch block", block.DefRange, other.at)
			return
		}
	}
	b := &settingsBlock{
		node: node{name: "fluxbatch", at: block.DefRange}, block: block,
		args: cloneArgs(content.Args, "required_version"), apply: (*evaluator).fluxbatch,
	}
	d.requiredVersion(content.Args["required_version"])
	first := map[string]*hcl.Block{}
	for _, inner := range content.Blocks {
		if !d.isKept(inner) {
			continue
		}
		if other := first[inner.Type]; other != nil {
			d.OnlyOne("The "+inner.Type+" block", inner.DefRange, other.DefRange)
			continue
		}
		first[inner.Type] = inner
		d.keeping(m, b, inner)
	}
	m.settings = append(m.settings, b)
	m.add(&b.node, b)
}

func (d *decoder) requiredVersion(attr *hcl.Attribute) {
	text := d.ConstantString(attr)
	if text == "" {
		return
	}
	constraint, err := version.NewConstraint(text)
	if err != nil {
		d.add(diag.Problem(attr.Expr.Range(), "Invalid version constraint",
			`%q is not a version constraint such as ">= 0.1.0" or "~> 0.2".`, text))
		return
	}
	running, err := version.NewVersion(d.opts.Version)
	if err != nil {
		return // A build without a version number, which its maker has to know.
	}
	if !constraint.Check(running.Core()) {
		d.refused = diag.Problem(attr.Expr.Range(), "Unsupported fluxbatch version",
			"This configuration needs fluxbatch %s, but this is fluxbatch %s. Install a version that fits, or change required_version.", text, running)
		d.add(d.refused)
	}
}

func (e *evaluator) fluxbatch(s *scope, b *settingsBlock) {
	if v, at, ok := e.setting(s, b, "output_dir", cty.String); ok {
		dir := v.AsString()
		if reason := filename.Refused(strings.TrimSuffix(dir, "/")); reason != "" {
			e.add(diag.Problem(at, "Invalid output folder", "%s The output folder is a path inside the root module, "+
				"such as \"images\".", reason))
		} else {
			e.settings.OutputDir = path.Clean(dir)
		}
	}
	if v, at, ok := e.setting(s, b, "path", cty.String); ok {
		if v.AsString() == "" || strings.HasSuffix(v.AsString(), "/") {
			e.add(diag.Problem(at, "Invalid state path", "path must be the name of a file, such as %q.", defaultStatePath))
			return
		}
		e.settings.StatePath = filepath.ToSlash(filepath.Clean(v.AsString()))
	}
}

// provenance says what files that are made here tell of their origin.
func (e *evaluator) provenance(s *scope, b *settingsBlock) {
	if v, _, ok := e.setting(s, b, "prompt", cty.Bool); ok {
		e.settings.Prompt = v.True()
	}
}

// setting evaluates an argument of a settings block. It answers false where the argument is absent,
// null or wrong.
func (e *evaluator) setting(s *scope, b *settingsBlock, name string, ty cty.Type) (cty.Value, hcl.Range, bool) {
	attr := b.args[name]
	if attr == nil {
		return cty.NilVal, hcl.Range{}, false
	}
	at := attr.Expr.Range()
	ctx := e.context(&b.node, s)
	raw, ok := e.value(&b.node, attr.Expr, ctx)
	if !ok {
		return cty.NilVal, at, false
	}
	given := unmark(raw)
	v, err := convert.Convert(given.value, ty)
	switch {
	case given.sensitive && name != "url":
		// The URL of a webhook may well have a secret in it, and is shown nowhere.
		e.fail(&b.node, diag.About(diag.Problem(at, sensitiveShown, "%s comes from a sensitive value, but plans and errors show it. Use nonsensitive(...) if everybody may see it.", name), attr.Expr, ctx))
		return cty.NilVal, at, false
	case given.sensitive && err != nil:
		e.fail(&b.node, diag.About(diag.Problem(at, "Invalid argument type", "%s is not a string. %s", name, noMoreSaid), attr.Expr, ctx))
		return cty.NilVal, at, false
	case err != nil:
		wrong := diag.Problem(at, "Invalid argument type", "%s is wrong here: %s.", name, lang.Describe(err))
		e.fail(&b.node, diag.About(wrong, attr.Expr, ctx))
		return cty.NilVal, at, false
	case !v.IsWhollyKnown():
		if !b.tainted {
			e.fail(&b.node, diag.About(diag.Problem(at, "Value not known in time", "%s is needed before any image is made, "+
				"so it cannot depend on one.", name), attr.Expr, ctx))
		}
		return cty.NilVal, at, false
	}
	return v, at, !v.IsNull()
}

// provider decodes a provider block. Its alias is read at once, since images name it.
func (d *decoder) provider(m *module, block *hcl.Block) {
	if block.Labels[0] != "bfl" {
		d.add(diag.Problem(block.LabelRanges[0], "Unknown provider",
			`There is one provider, bfl. Write provider "bfl" { ... }.%s`, diag.DidYouMean(block.Labels[0], []string{"bfl"})))
		return
	}
	b, inner := d.settings(m, block, &providerSchema, (*evaluator).provider)
	d.webhook(b, blocksOf(inner, "webhook"))
	d.slots(b, blocksOf(inner, "slots"))
	address := "bfl"
	if attr := b.args["alias"]; attr != nil {
		alias := d.ConstantString(attr)
		if !identifier().MatchString(alias) {
			d.add(diag.Problem(attr.Expr.Range(), "Invalid name", "An alias is a name of letters, digits, underscores "+
				"and dashes, as in alias = \"eu\"."))
			return
		}
		address = "bfl." + alias
		delete(b.args, "alias")
	}
	b.name = "provider." + address
	for _, other := range m.settings {
		if other != b && other.name == b.name {
			way := "another alias"
			if address == "bfl" {
				way = `an alias, as in alias = "eu"`
			}
			d.add(diag.Problem(block.DefRange, "Duplicate declaration", "The provider %s was declared at %s already. Give one of the two %s, "+
				"or remove it.", address, diag.Place(other.at), way))
			return
		}
	}
	m.providers[address] = address
}

var (
	identifier = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_-]*$`)
	envName    = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// keyShaped finds keys where the name of a variable belongs: keys are UUIDs or long random
	// strings with digits and letters mixed.
	keyShaped = lazyregexp.New(
		`^(bfl[-_].{8,}|sk[-_].{8,}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,}|[A-Za-z0-9+/=_-]*[0-9][A-Za-z0-9+/=_-]{28,})$`)
)

func newProvider(address string) *Provider {
	return &Provider{Address: address, Region: defaultRegion, KeyEnv: defaultKeyEnv, Concurrency: defaultConcurrency}
}

func (e *evaluator) provider(s *scope, b *settingsBlock) {
	p := newProvider(strings.TrimPrefix(b.name, "provider."))
	p.Range = b.at
	e.settings.Providers[p.Address] = p
	if v, at, ok := e.setting(s, b, "region", cty.String); ok {
		if p.Region = v.AsString(); !slices.Contains(regions, p.Region) {
			e.add(diag.Problem(at, "Unknown region",
				"%q is not a region of the API. There is %s.%s", p.Region, diag.QuotedList(regions, "and"),
				diag.DidYouMean(p.Region, regions)))
		}
	}
	if v, at, ok := e.setting(s, b, "endpoint", cty.String); ok {
		p.Endpoint = strings.TrimSuffix(v.AsString(), "/")
		if reason := refusedEndpoint(p.Endpoint); reason != "" {
			e.add(diag.Problem(at, "Invalid endpoint", "%s", reason))
		}
	}
	if v, at, ok := e.setting(s, b, "api_key_env", cty.String); ok {
		p.KeyEnv = v.AsString()
		switch {
		case keyShaped().MatchString(p.KeyEnv) && strings.ToUpper(p.KeyEnv) != p.KeyEnv:
			e.add(diag.Problem(at, "Key in a file", "This looks like a key itself. A key must not stand in a shared file. Put it into an environment variable, and write the variable's name here. If you have shared the file already, revoke the key."))
			e.sources.conceal(at)
			p.KeyEnv = defaultKeyEnv
		case !envName().MatchString(p.KeyEnv):
			e.add(diag.Problem(at, "Invalid variable name", "api_key_env is the name of an environment variable, "+
				"such as %q.", defaultKeyEnv))
		}
	}
	if v, at, ok := e.setting(s, b, "concurrency", cty.Number); ok {
		if n, ok := lang.Count(v, maxSlots); ok {
			p.Concurrency = n
		} else {
			e.add(diag.Problem(at, "Invalid concurrency", "concurrency is how many tasks the account can have active. It must be a whole number of at least 1. BFL allows 24."))
		}
	}
	if v, at, ok := e.setting(s, b, "task_timeout", cty.String); ok {
		d, err := time.ParseDuration(v.AsString())
		if err != nil || d < time.Second {
			e.add(diag.Problem(at, "Invalid timeout", "task_timeout is how long a task can be active before it is left to a later apply. It must be at least a second, such as \"15m\"."))
		}
		p.TaskTimeout = d
	}
	e.modelConcurrency(s, b, p)
	e.webhook(s, b, p)
	e.slots(s, b, p)
}

// blocksOf returns the blocks of a type.
func blocksOf(blocks []*hcl.Block, name string) []*hcl.Block {
	return slices.DeleteFunc(slices.Clone(blocks), func(b *hcl.Block) bool { return b.Type != name })
}

func (e *evaluator) modelConcurrency(s *scope, b *settingsBlock, p *Provider) {
	v, at, ok := e.setting(s, b, "model_concurrency", cty.Map(cty.Number))
	if !ok {
		return
	}
	p.ModelConcurrency = map[string]int{}
	for key, value := range v.Elements() {
		name := key.AsString()
		if s.mod.model(name) == nil {
			e.add(diag.Problem(at, "Unknown model",
				"There is no model %q.%s", name, diag.DidYouMean(name, s.mod.modelNames())))
			continue
		}
		n, ok := lang.Count(value, maxSlots)
		if !ok {
			e.add(diag.Problem(at, "Invalid concurrency", "model_concurrency says how many tasks of each model can be active. That of %s must be a whole number of at least 1.", name))
			continue
		}
		p.ModelConcurrency[name] = n
	}
}

// refusedEndpoint says why a URL cannot be where requests go, which carry the key; "" where it can.
func refusedEndpoint(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Sprintf("%q is not a URL such as https://proxy.example.com or http://127.0.0.1:8787.", text)
	case u.Scheme == "http" && !bfl.IsLoopback(u.String()):
		return "The key travels with every request, so an endpoint must start with https:// or be on this machine."
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "An endpoint is a base URL without a user name, a query or a fragment."
	}
	return ""
}
