package simulator

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclparse"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/suggest"
)

// scenario is what a scenario file may say. Durations are strings such as "1.5s".
type scenario struct {
	Seed             int            `hcl:"seed,optional"`
	Workers          int            `hcl:"workers,optional"`
	Concurrency      int            `hcl:"concurrency,optional"`
	ModelConcurrency map[string]int `hcl:"model_concurrency,optional"`
	Region           string         `hcl:"region,optional"`
	SampleLifetime   string         `hcl:"sample_lifetime,optional"`
	Retention        string         `hcl:"retention,optional"`
	Finetunes        []string       `hcl:"finetunes,optional"`
	StrictFields     bool           `hcl:"strict_fields,optional"`
	Undocumented     bool           `hcl:"undocumented_statuses,optional"`
	Realistic        bool           `hcl:"realistic_latency,optional"`
	Faults           []string       `hcl:"faults,optional"`
	Latencies        []latencyBlock `hcl:"latency,block"`
	Keys             []keyBlock     `hcl:"key,block"`
	Webhooks         *webhooksBlock `hcl:"webhooks,block"`
}

// latencyBlock is for one model, or with the label "default" for those without a block.
type latencyBlock struct {
	Model  string  `hcl:"model,label"`
	Median string  `hcl:"median"`
	Spread float64 `hcl:"spread,optional"`
}

type keyBlock struct {
	Key         string   `hcl:"key,label"`
	Credits     *float64 `hcl:"credits"`
	Concurrency int      `hcl:"concurrency,optional"`
}

type webhooksBlock struct {
	HTTP   bool `hcl:"http,optional"`
	Remote bool `hcl:"remote,optional"`
}

// ParseScenario reads a scenario file: HCL, or JSON when its name ends in ".json". The README of
// this package describes it. All mistakes are told at once.
func ParseScenario(name string, src []byte) (Options, hcl.Diagnostics) {
	parser := hclparse.NewParser()
	parse := parser.ParseHCL
	if strings.HasSuffix(name, ".json") {
		parse = parser.ParseJSON
	}
	file, diags := parse(src, name)
	if diags.HasErrors() {
		return Options{}, diags
	}
	var sc scenario
	diags = append(diags, gohcl.DecodeBody(file.Body, nil, &sc)...)
	if diags.HasErrors() {
		return Options{}, diags
	}
	r := scenarioReader{file: file.Body.MissingItemRange()}
	o := r.options(&sc)
	return o, append(diags, r.diags...)
}

// scenarioReader turns a decoded file into options.
type scenarioReader struct {
	file  hcl.Range
	diags hcl.Diagnostics
}

func (r *scenarioReader) fail(summary, format string, args ...any) {
	r.diags = r.diags.Append(&hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: &r.file,
	})
}

func (r *scenarioReader) options(sc *scenario) Options {
	o := Options{
		Seed: uint64(max(r.count("seed", sc.Seed), 0)), Workers: r.count("workers", sc.Workers), Concurrency: r.count("concurrency", sc.Concurrency),
		ModelConcurrency: sc.ModelConcurrency, Region: sc.Region, Finetunes: sc.Finetunes,
		SampleLifetime: r.duration("sample_lifetime", sc.SampleLifetime), Retention: r.duration("retention", sc.Retention),
		StrictFields: sc.StrictFields, Undocumented: sc.Undocumented,
	}
	for model, n := range sc.ModelConcurrency {
		r.model("model_concurrency", model)
		r.count("model_concurrency of "+model, n)
	}
	if sc.Realistic {
		o.ModelLatency = RealisticLatency()
	}
	r.latencies(sc, &o)
	r.keys(sc, &o)
	for _, text := range sc.Faults {
		f, err := ParseFault(text)
		if err != nil {
			r.fail("Invalid fault", "%v.", err)
			continue
		}
		if f.Model != "" {
			r.model("fault", f.Model)
		}
		o.Faults = append(o.Faults, f)
	}
	if sc.Webhooks != nil {
		o.Webhooks = Webhooks{HTTP: sc.Webhooks.HTTP, Remote: sc.Webhooks.Remote}
	}
	return o
}

func (r *scenarioReader) latencies(sc *scenario, o *Options) {
	o.ModelLatency = maps.Clone(o.ModelLatency)
	for _, block := range sc.Latencies {
		l := Latency{Median: max(r.duration("median", block.Median), time.Nanosecond), Spread: block.Spread}
		if l.Spread < 0 || l.Spread > 3 {
			r.fail("Invalid latency", "The spread of %q is from 0 to 3, and %v is not.", block.Model, l.Spread)
		}
		if block.Model == "default" {
			o.Latency = l
			continue
		}
		r.model("latency", block.Model)
		if o.ModelLatency == nil {
			o.ModelLatency = make(map[string]Latency)
		}
		o.ModelLatency[block.Model] = l
	}
}

func (r *scenarioReader) keys(sc *scenario, o *Options) {
	for _, block := range sc.Keys {
		a := Account{Credits: DefaultCredits, Concurrency: r.count("concurrency", block.Concurrency)}
		if block.Credits != nil {
			a.Credits = bfl.CreditsOf(*block.Credits)
		}
		if o.Keys == nil {
			o.Keys = make(map[string]Account)
		}
		if _, ok := o.Keys[block.Key]; ok || block.Key == "" {
			r.fail("Invalid key", "A key block has a name of its own, which is what clients send as x-key.")
		}
		o.Keys[block.Key] = a
	}
}

func (r *scenarioReader) duration(name, text string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		r.fail("Invalid duration", "%s is a duration such as \"1.5s\" or \"10m\", and %q is not.", name, text)
		return 0
	}
	return d
}

func (r *scenarioReader) count(name string, n int) int {
	if n < 0 {
		r.fail("Invalid number", "%s is not negative, and %d is.", name, n)
	}
	return n
}

func (r *scenarioReader) model(where, name string) {
	if bfl.Lookup(name) != nil {
		return
	}
	var names []string
	for _, m := range bfl.Models() {
		names = append(names, m.Name)
	}
	hint := ""
	if near := suggest.Nearest(name, names); near != "" {
		hint = fmt.Sprintf(" Did you mean %q?", near)
	}
	r.fail("Unknown model", "There is no model %q, named in %s.%s", name, where, hint)
}
