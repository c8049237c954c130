package simulator

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const fullScenario = `
seed        = 7
workers     = 2
concurrency = 12
model_concurrency     = { "flux-2-max" = 3 }
region                = "eu2"
sample_lifetime       = "30s"
retention             = "1h"
finetunes             = ["mine"]
strict_fields         = true
undocumented_statuses = true

latency "default" {
  median = "500ms"
  spread = 0.4
}
latency "flux-2-max" { median = "0s" }

key "demo" {
  credits     = 12.5
  concurrency = 4
}
key "other" {}

webhooks { http = true }

faults = [
  "submit-429=2 x3",
  "download-truncated p=0.1 model=flux-2-max",
]
`

func TestParseScenario(t *testing.T) {
	t.Parallel()
	got, diags := ParseScenario("demo.hcl", []byte(fullScenario))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := Options{
		Seed: 7, Workers: 2, Concurrency: 12, ModelConcurrency: map[string]int{"flux-2-max": 3}, Region: "eu2",
		SampleLifetime: 30 * time.Second, Retention: time.Hour, Finetunes: []string{"mine"},
		StrictFields: true, Undocumented: true,
		Latency:      Latency{500 * time.Millisecond, 0.4},
		ModelLatency: map[string]Latency{"flux-2-max": {time.Nanosecond, 0}},
		Keys:         map[string]Account{"demo": {12_500, 4}, "other": {DefaultCredits, 0}},
		Webhooks:     Webhooks{HTTP: true},
		Faults: []Fault{
			{On: Submit, Effect: EffectHTTP, Status: 429, RetryAfter: 2 * time.Second, Times: 3},
			{On: Download, Effect: EffectTruncated, Probability: 0.1, Model: "flux-2-max"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := New(got); err != nil {
		t.Error(err)
	}
	got, diags = ParseScenario("demo.json", []byte(`{"seed": 3, "latency": {"flux-dev": {"median": "2s"}}, "faults": ["poll-502"]}`))
	want = Options{
		Seed: 3, ModelLatency: map[string]Latency{"flux-dev": {2 * time.Second, 0}},
		Faults: []Fault{{On: Poll, Effect: EffectHTTP, Status: 502}},
	}
	if diff := cmp.Diff(want, got); diff != "" || diags.HasErrors() {
		t.Error(diff, diags)
	}
	if got, diags := ParseScenario("empty.hcl", nil); diags.HasErrors() || !cmp.Equal(got, Options{}) {
		t.Errorf("an empty file: %+v, %v", got, diags)
	}
}

func TestScenarioMistakesAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, diags := ParseScenario("demo.hcl", []byte(`
concurrency     = -1
retention       = "soon"
faults          = ["submit-700", "poll-502 model=flux-2-prp"]
latency "flux-2-mx" { median = "1s" }
latency "default" {
  median = "1s"
  spread = 9
}
key "" {}
`))
	var got []string
	for _, d := range diags {
		got = append(got, d.Summary)
		if d.Subject == nil || !strings.HasSuffix(d.Detail, ".") && !strings.HasSuffix(d.Detail, "?") {
			t.Errorf("%+v", d)
		}
	}
	want := []string{
		"Invalid number", "Invalid duration", "Unknown model", "Invalid latency", "Invalid key", "Invalid fault", "Unknown model",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%v", diff, diags)
	}
	for name, src := range map[string]string{
		"syntax": `seed = `, "unknown": `sead = 7`, "wrong type": `seed = "x"`, "fraction": `seed = 1.5`, "negative": `seed = -1`, "json": `{`,
	} {
		file := "demo.hcl"
		if name == "json" {
			file += ".json"
		}
		if _, diags := ParseScenario(file, []byte(src)); !diags.HasErrors() {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzParseScenario(f *testing.F) {
	for _, src := range []string{fullScenario, `{"seed": 3}`, `faults = ["x"]`, `latency "default" {}`, `key "a" { credits = 1e400 }`, ""} {
		f.Add("a.hcl", []byte(src))
		f.Add("a.json", []byte(src))
	}
	f.Fuzz(func(t *testing.T, name string, src []byte) {
		o, diags := ParseScenario(name, src)
		if diags.HasErrors() {
			return
		}
		if s, err := New(o); err != nil {
			t.Errorf("a scenario that was read gives no simulator: %v", err)
		} else if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
