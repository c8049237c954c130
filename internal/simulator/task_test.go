package simulator

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// second is a latency without chance.
var second = Latency{Median: time.Second}

func TestTaskOverTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{Latency: second})
		begin := time.Now()
		a := b.order("flux-2-pro", `{"prompt": "a", "seed": 3, "width": 64, "height": 64}`)
		want := result{ID: a.ID, Status: statusPending, Progress: new(0.0)}
		if diff := cmp.Diff(want, b.poll(a)); diff != "" {
			t.Error(diff)
		}
		pass(250 * time.Millisecond)
		want.Progress = new(0.25)
		if diff := cmp.Diff(want, b.poll(a)); diff != "" {
			t.Error(diff)
		}
		pass(750 * time.Millisecond)
		got := b.poll(a)
		if got.Result == nil {
			t.Fatalf("%+v", got)
		}
		sample := got.Result.Sample
		want = result{ID: a.ID, Status: statusReady, Result: &made{
			Sample: sample, Prompt: "a", Seed: "3", Duration: 1,
			StartTime: float64(begin.UnixMilli()) / 1000, EndTime: float64(begin.UnixMilli())/1000 + 1,
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		pass(DefaultSampleLifetime - time.Second)
		if r := b.do(http.MethodGet, sample, ""); r.status != 200 {
			t.Errorf("before its end the sample answers %d", r.status)
		}
		pass(time.Second)
		if r := b.do(http.MethodGet, sample, ""); r.status != 403 || r.header.Get("X-Ms-Error-Code") != "AuthenticationFailed" {
			t.Errorf("after its end the sample answers %d", r.status)
		}
		pass(DefaultRetention)
		if got := b.poll(a).Status; got != statusNotFound {
			t.Errorf("after its retention the task is %q", got)
		}
	})
}

func TestSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{Latency: second})
		order := func(key, model string) reply {
			return b.do(http.MethodPost, "/v1/"+model, `{"prompt": "a", "input_image": "https://example.com/a"}`, "X-Key", key)
		}
		for i := range 7 {
			want := 200
			if i == 6 {
				want = 429
			}
			if r := order("one", "flux-kontext-max"); r.status != want {
				t.Errorf("task %d of flux-kontext-max: %d %s", i+1, r.status, r.body)
			}
		}
		for i := range 19 {
			r := order("one", "flux-2-pro")
			want := 200
			if i == 18 {
				want = 429
			}
			if r.status != want {
				t.Errorf("task %d of flux-2-pro: %d %s", i+1, r.status, r.body)
			}
			if got := r.header.Get("X-RateLimit-Remaining"); got != strconv.Itoa(max(17-i, 0)) {
				t.Errorf("after task %d of flux-2-pro %s slots remain", i+1, got)
			}
		}
		if r := order("two", "flux-2-pro"); r.status != 200 {
			t.Errorf("another account: %d %s", r.status, r.body)
		}
		pass(time.Second)
		if r := order("one", "flux-kontext-max"); r.status != 200 {
			t.Errorf("once the slots are free: %d %s", r.status, r.body)
		}
		got := b.Stats()
		want := Stats{
			Submissions: 26, TooMany: 2, Refused: map[int]int{429: 2}, MaxActive: 24,
			MaxActiveByModel: map[string]int{"flux-kontext-max": 6, "flux-2-pro": 18},
			Spent:            bfl.CreditsOf(7*8 + 19*(3+1.5)),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestWorkersMakeAQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{Latency: second, Workers: 2})
		var orders []accepted
		for range 5 {
			orders = append(orders, b.order("flux-2-pro", `{"prompt": "a"}`))
		}
		other := b.order("flux-dev", `{}`)
		for i, want := range []int{2, 4, 5} {
			pass(time.Second)
			ready := 0
			for _, a := range orders {
				if b.poll(a).Status == statusReady {
					ready++
				}
			}
			if ready != want {
				t.Errorf("after %d s %d tasks are ready, want %d", i+1, ready, want)
			}
		}
		if got := b.poll(other).Result.Duration; got != 1 {
			t.Errorf("a task of another model took %v s", got)
		}
	})
}

func TestCreditsRunOut(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Keys: map[string]Account{"poor": {Credits: bfl.CreditsOf(7)}, "rich": {Credits: bfl.CreditsOf(100)}}})
	order := func(key string) int {
		return b.do(http.MethodPost, "/v1/flux-2-pro", `{"prompt": "a"}`, "X-Key", key).status
	}
	credits := func(key string) string { return string(b.do(http.MethodGet, "/v1/credits", "", "X-Key", key).body) }
	for i, want := range []int{200, 200, 402} {
		if got := order("poor"); got != want {
			t.Errorf("order %d: %d, want %d", i+1, got, want)
		}
	}
	if got := order("rich"); got != 200 {
		t.Errorf("another account: %d", got)
	}
	if got := credits("poor") + credits("rich"); got != `{"credits":1}{"credits":97}` {
		t.Error(got)
	}
}

func TestSeedRepeatsAndZeroDoesNot(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) string {
		b := start(t, Options{Seed: seed, Latency: Latency{Median: time.Hour, Spread: 1}, Faults: []Fault{
			{On: Submit, Effect: EffectHTTP, Status: 500, Probability: 0.5},
		}})
		var out string
		for range 8 {
			r := b.post("flux-2-pro", `{"prompt": "a"}`)
			out += strconv.Itoa(r.status)
			if r.status == 200 {
				id := decode[accepted](t, r).ID
				task := b.find(id)
				out += id + task.ready.Sub(task.start).String()
			}
		}
		return out
	}
	if a, b := run(7), run(7); a != b {
		t.Errorf("with one seed two runs differ:\n%s\n%s", a, b)
	}
	if a, b := run(0), run(0); a == b {
		t.Errorf("without a seed two runs are the same: %s", a)
	}
}

func TestLatencyHasItsMedian(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Seed: 1, ModelLatency: RealisticLatency()})
	m := bfl.Lookup("flux-2-max")
	want := RealisticLatency()[m.Name]
	below := 0
	const n = 2000
	for i := range n {
		d := b.latency(m, uint64(i))
		if d < want.Median {
			below++
		}
		if d < want.Median/20 || d > want.Median*20 {
			t.Errorf("a task takes %v", d)
		}
	}
	if below < n*45/100 || below > n*55/100 {
		t.Errorf("%d of %d are below the median", below, n)
	}
}

// TestDrawnSeeds holds that orders without a seed get one that differs each time, and yet the same
// ones in each simulator.
func TestDrawnSeeds(t *testing.T) {
	t.Parallel()
	seeds := func() (list []string) {
		b := start(t, Options{})
		for _, prompt := range []string{"a", "a", "b"} {
			list = append(list, string(b.poll(b.order("flux-2-pro", fmt.Sprintf(`{"prompt": %q}`, prompt))).Result.Seed))
		}
		return list
	}
	first := seeds()
	if first[0] == first[1] || first[0] == first[2] {
		t.Errorf("orders share seeds: %v", first)
	}
	if diff := cmp.Diff(first, seeds()); diff != "" {
		t.Error(diff)
	}
}

func TestUpsamplingElaborates(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	for body, want := range map[string]bool{
		`{"prompt": "a tea pot.", "prompt_upsampling": true}`:  true,
		`{"prompt": "a tea pot.", "prompt_upsampling": false}`: false,
		`{"prompt": "a tea pot."}`:                             true, // the default of flux-2-flex
	} {
		got := b.poll(b.order("flux-2-flex", body)).Result.Prompt
		if (got != "a tea pot.") != want {
			t.Errorf("%s: %q", body, got)
		}
	}
}

func TestUndocumentedStatuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{Latency: second, Undocumented: true})
		good, bad := b.order("flux-2-pro", `{"prompt": "a"}`), b.order("flux-2-pro", `{"prompt": "[error]"}`)
		var got []string
		for range 4 {
			got = append(got, b.poll(good).Status)
			pass(250 * time.Millisecond)
		}
		got = append(got, b.poll(good).Status, b.poll(bad).Status)
		want := []string{statusPending, statusReasoning, statusGenerating, statusGenerating, statusReady, statusFailed}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRegionalPollingURL(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Region: "eu2", PollingURL: "http://api.eu2." + memoryHost, DeliveryURL: "http://delivery." + memoryHost})
	a := b.order("flux-2-pro", `{"prompt": "a", "width": 64, "height": 64}`)
	if got := b.poll(a); got.Status != statusReady {
		t.Errorf("%+v", got)
	}
	b.picture(a)
	if got := b.poll(accepted{ID: a.ID}).Status; got != statusNotFound {
		t.Errorf("by its id alone the task is %q", got)
	}
	hooked := b.order("flux-2-pro", `{"prompt": "a", "webhook_url": "https://example.com"}`)
	if hooked.PollingURL != "" || hooked.Status != statusPending || hooked.WebhookURL != "https://example.com" {
		t.Errorf("%+v", hooked)
	}
	if got := b.poll(hooked).Status; got != statusReady {
		t.Errorf("a task with a webhook is %q by its id", got)
	}
}
