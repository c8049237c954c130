package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// Step is where a fault strikes.
type Step string

// The steps of an image's way.
const (
	Submit   Step = "submit"
	Poll     Step = "poll"
	Download Step = "download"
	Webhook  Step = "webhook"
)

// Effect is what a fault does.
type Effect string

// The effects.
const (
	EffectHTTP       Effect = "http"        // answers Fault.Status
	EffectReset      Effect = "reset"       // resets the connection
	EffectSlow       Effect = "slow"        // waits for Fault.Delay, then goes on as if nothing was
	EffectHTML       Effect = "html"        // answers a page of HTML with status 200
	EffectCorrupt    Effect = "corrupt"     // answers broken JSON; at downloads, a picture with wrong bytes
	EffectTruncated  Effect = "truncated"   // closes the connection in the middle of the answer
	EffectExpired    Effect = "expired"     // refuses the sample as if its URL were too old
	EffectNeverReady Effect = "never-ready" // the task stays pending, and keeps its slot
	EffectNotFound   Effect = "not-found"   // does not know the task, with Fault.Delay only until that time after its acceptance
	EffectStatusText Effect = "status"      // answers the status Fault.Text and no result
	EffectFinal      Effect = "final"       // tells how a task ended, as always, but with the HTTP status Fault.Status
	EffectCost       Effect = "cost"        // the task costs Fault.Cost in the end, and its last answers say so
	EffectGateway    Effect = "gateway"     // a gateway answers Fault.Status with a page of HTML, in the place of the API
	EffectQuota      Effect = "quota"       // answers 429 since the account's quota is used up
	EffectLost       Effect = "lost"        // the webhook is not sent
	EffectTwice      Effect = "twice"       // the webhook is sent twice
	EffectForged     Effect = "forged"      // the webhook's signature is wrong
)

// anywhere are the steps that a client asks for.
var anywhere = []Step{Submit, Poll, Download}

// strikes says where each effect is possible.
var strikes = map[Effect][]Step{
	EffectHTTP: anywhere, EffectReset: anywhere, EffectHTML: anywhere, EffectCorrupt: anywhere, EffectTruncated: anywhere,
	EffectSlow:    {Submit, Poll, Download, Webhook},
	EffectExpired: {Download}, EffectNeverReady: {Poll}, EffectNotFound: {Poll}, EffectStatusText: {Poll},
	EffectFinal: {Poll}, EffectCost: {Poll}, EffectGateway: anywhere, EffectQuota: {Submit},
	EffectLost: {Webhook}, EffectTwice: {Webhook}, EffectForged: {Webhook},
}

// DefaultDelay is how long EffectSlow waits where nothing else is said.
const DefaultDelay = 2 * time.Second

// DefaultGateway is what EffectGateway answers where nothing else is said: that the server behind
// the gateway did not answer in time.
const DefaultGateway = 524

// isGateway reports whether a status is a gateway's own, by which it says nothing of what the API
// did.
func isGateway(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusGatewayTimeout || status >= 520 && status <= 530
}

// Fault is a deliberate failure. Of several that fit, those marked in the prompt come first, then
// the one injected first; each request suffers at most one.
type Fault struct {
	On     Step
	Effect Effect
	// Status is for EffectHTTP, EffectFinal and EffectGateway. RetryAfter, when not 0, is told with
	// it in whole seconds: in the header Retry-After, or with RetryInBody in the field retry_after.
	Status      int
	RetryAfter  time.Duration
	RetryInBody bool
	// Delay is for EffectSlow and EffectNotFound, Text for EffectStatusText, Cost for EffectCost.
	Delay time.Duration
	Text  string
	Cost  bfl.Credits
	// After makes a fault at submit strike after the task was accepted and charged. Others come
	// before that.
	After bool

	// Times bounds how often the fault happens; 0 is no bound. Of a fault marked in a prompt, it
	// counts for each order or task.
	Times int
	// Skip lets the fault's first occasions pass.
	Skip int
	// For, when not 0, ends the fault that long after it was injected. A prompt cannot say it.
	For time.Duration
	// Probability of each time, from Options.Seed; 0 stands for 1.
	Probability float64
	// Model restricts the fault to the model of that name, Prompt to prompts that contain the text.
	Model, Prompt string
}

// ParseFault reads a fault as it is written in flags, scenario files and, as [fault:...], in
// prompts:
//
//	STEP-EFFECT[-after][=VALUE] [xN] [skip=N] [for=TIME] [p=PROBABILITY] [model=NAME]
//
// EFFECT is one of the constants above, or an HTTP status. VALUE is the delay of slow, the time of
// not-found, the text of status, the HTTP status of final and gateway, the credits of cost, or for
// an HTTP status the seconds of Retry-After, in the body with "body:" before them.
//
//	submit-429=3 x2             the next two submissions are refused, to be tried again in 3 seconds
//	submit-reset-after p=0.05   every twentieth connection dies once the task is paid for
//	poll-status=Reasoning x4
//	download-truncated model=flux-2-max
//	submit-gateway-after=504    the task is paid for, and a gateway says that it does not know
//	poll-not-found=5s           each task is unknown for the first five seconds
//	download-403 for=1m         for a minute no image can be had
func ParseFault(text string) (Fault, error) {
	bad := func(format string, args ...any) (Fault, error) {
		return Fault{}, fmt.Errorf("fault %q: %s", text, fmt.Sprintf(format, args...))
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		return bad("it says nothing")
	}
	word, value, _ := strings.Cut(words[0], "=")
	step, effect, ok := strings.Cut(word, "-")
	if !ok {
		return bad("it begins with the step and the effect, such as submit-500")
	}
	f := Fault{On: Step(step)}
	effect, f.After = strings.CutSuffix(effect, "-after")
	f.Effect = Effect(effect)
	if status, err := strconv.Atoi(effect); err == nil {
		f.Effect, f.Status = EffectHTTP, status
	}
	if f.Effect == EffectGateway {
		f.Status = DefaultGateway
	}
	if err := f.setValue(value); err != nil {
		return bad("%v", err)
	}
	for _, word := range words[1:] {
		if err := f.setOption(word); err != nil {
			return bad("%v", err)
		}
	}
	if err := f.check(); err != nil {
		return bad("%v", err)
	}
	return f, nil
}

func (f *Fault) setValue(value string) (err error) {
	if value == "" {
		return nil
	}
	switch f.Effect {
	case EffectSlow:
		f.Delay, err = time.ParseDuration(value)
		return wanted(err, "%s waits for a time such as 2s, not %q", f.Effect, value)
	case EffectNotFound:
		f.Delay, err = time.ParseDuration(value)
		return wanted(err, "%s lasts for a time such as 2s, not %q", f.Effect, value)
	case EffectFinal, EffectGateway:
		f.Status, err = strconv.Atoi(value)
		return wanted(err, "%s answers an HTTP status, not %q", f.Effect, value)
	case EffectCost:
		credits, err := strconv.ParseFloat(value, 64)
		f.Cost = bfl.CreditsOf(credits)
		return wanted(err, "%s is a number of credits, not %q", f.Effect, value)
	case EffectStatusText:
		// Words are separated by spaces, so that a status of two words is written with an
		// underscore.
		f.Text = strings.ReplaceAll(value, "_", " ")
		return nil
	case EffectHTTP:
		value, f.RetryInBody = strings.CutPrefix(value, "body:")
		seconds, err := whole(value)
		f.RetryAfter = time.Duration(seconds) * time.Second
		return wanted(err, "%s can be given a number of seconds after which to try again, not %q", f.Effect, value)
	default:
		return fmt.Errorf("%s takes no value", f.Effect)
	}
}

func (f *Fault) setOption(word string) (err error) {
	name, value, _ := strings.Cut(word, "=")
	if times, ok := strings.CutPrefix(word, "x"); ok {
		f.Times, err = whole(times)
		return wanted(err, "xN takes a number of times, not %q", times)
	}
	switch name {
	case "skip":
		f.Skip, err = whole(value)
		return wanted(err, "skip takes a number of calls, not %q", value)
	case "for":
		f.For, err = time.ParseDuration(value)
		return wanted(err, "for takes a time such as 10s, not %q", value)
	case "p":
		f.Probability, err = strconv.ParseFloat(value, 64)
		return wanted(err, "p takes a probability from 0 to 1, not %q", value)
	case "model":
		f.Model = value
		return nil
	default:
		return fmt.Errorf("%q is none of xN, skip=N, for=TIME, p=PROBABILITY and model=NAME", word)
	}
}

func whole(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err
}

// wanted says what is wanted in the place of a text that cannot be read.
func wanted(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// check returns what makes no sense in a fault.
func (f *Fault) check() error {
	steps, ok := strikes[f.Effect]
	switch {
	case !ok:
		return fmt.Errorf("there is no effect %q", f.Effect)
	case !slices.Contains(steps, f.On):
		return fmt.Errorf("%s is not possible at %q, but at %v", f.Effect, f.On, steps)
	case (f.Effect == EffectHTTP || f.Effect == EffectFinal) && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("%d is not an HTTP status between 400 and 599", f.Status)
	case f.Effect == EffectGateway && !isGateway(f.Status):
		return fmt.Errorf("%d is not a status of a gateway's own: 408, 504, and 520 to 530", f.Status)
	case f.Effect == EffectStatusText && f.Text == "":
		return fmt.Errorf("the status to answer is missing: status=Reasoning")
	case f.After && f.On != Submit:
		return fmt.Errorf("only submissions can fail after the charge")
	case f.Probability < 0 || f.Probability > 1 || f.Probability != f.Probability:
		return fmt.Errorf("a probability is between 0 and 1")
	case f.Delay < 0 || f.Times < 0 || f.Skip < 0 || f.For < 0 || f.Cost < 0:
		return fmt.Errorf("a delay, a number of times and a cost are not negative")
	}
	return nil
}

// delay is how long EffectSlow waits.
func (f *Fault) delay() time.Duration { return defaultTo(f.Delay, DefaultDelay) }

// mark finds the faults in a prompt.
var mark = lazyregexp.New(`\[fault:([^\]]*)\]`)

// markedFaults returns the faults that a prompt asks for.
func markedFaults(prompt string) ([]Fault, error) {
	if !strings.Contains(prompt, "[fault:") {
		return nil, nil
	}
	var marked []Fault
	for _, m := range mark().FindAllStringSubmatch(prompt, -1) {
		f, err := ParseFault(m[1])
		if err != nil {
			return nil, err
		}
		if f.For > 0 {
			return nil, fmt.Errorf("fault %q: a prompt cannot say for how long", m[1])
		}
		marked = append(marked, f)
	}
	return marked, nil
}

// faults decide which requests fail. Safe for concurrent use.
type faults struct {
	mu    sync.Mutex
	rules []*rule
	// throws counts the dice.
	throws uint64
	// used counts how often a marked fault happened, by the order's digest or the task's id, and
	// its place in the prompt.
	used map[string]*usage
}

// usage counts what became of a fault.
type usage struct{ skipped, happened int }

type rule struct {
	Fault
	usage
	// injected is when the fault was.
	injected time.Time
}

// isOver reports whether the fault's time has passed.
func (r *rule) isOver(now time.Time) bool { return r.For > 0 && !now.Before(r.injected.Add(r.For)) }

// Inject adds a fault.
func (s *Simulator) Inject(f Fault) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("fault: %w", err)
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules = append(s.faults.rules, &rule{Fault: f, injected: s.opts.Now()})
	return nil
}

// ClearFaults removes all faults that were injected.
func (s *Simulator) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules = nil
}

func (fs *faults) onPoll(s *Simulator, t *task) *Fault {
	now := s.opts.Now()
	return fs.pick(s, Poll, t.order, t.id, func(f *Fault) bool {
		switch f.Effect {
		case EffectNeverReady, EffectCost: // decided when the task began
			return false
		case EffectNotFound:
			return f.Delay == 0 || now.Before(t.submitted.Add(f.Delay))
		case EffectFinal:
			return !t.isActive(now)
		default:
			return true
		}
	})
}

// onTask applies the faults that decide a task's end when it begins.
func (fs *faults) onTask(s *Simulator, t *task) {
	t.never = fs.pick(s, Poll, t.order, t.id, func(f *Fault) bool { return f.Effect == EffectNeverReady }) != nil
	if f := fs.pick(s, Poll, t.order, t.id, func(f *Fault) bool { return f.Effect == EffectCost }); f != nil {
		t.settled = new(f.Cost)
	}
}

// on returns the fault that strikes at a step of a task, or nil.
func (fs *faults) on(step Step, s *Simulator, t *task) *Fault {
	return fs.pick(s, step, t.order, t.id, func(*Fault) bool { return true })
}

// pick returns the fault that strikes, or nil. The scope tells apart what a marked fault's Times
// counts for.
func (fs *faults) pick(s *Simulator, on Step, o *order, scope string, fits func(*Fault) bool) *Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for i := range o.marked {
		f := &o.marked[i]
		if f.On == on && fits(f) && fs.happens(s, f, fs.usage(scope+"/"+strconv.Itoa(i))) {
			return f
		}
	}
	for _, r := range fs.rules {
		if r.On == on && fits(&r.Fault) && r.suits(o) && !r.isOver(s.opts.Now()) && fs.happens(s, &r.Fault, &r.usage) {
			return &r.Fault
		}
	}
	return nil
}

func (fs *faults) usage(key string) *usage {
	if fs.used == nil {
		fs.used = make(map[string]*usage)
	}
	if fs.used[key] == nil {
		fs.used[key] = new(usage)
	}
	return fs.used[key]
}

func (f *Fault) suits(o *order) bool {
	return (f.Model == "" || f.Model == o.model.Name) &&
		(f.Prompt == "" || strings.Contains(o.text("prompt"), f.Prompt))
}

// happens decides whether a fault strikes on an occasion that suits it.
func (fs *faults) happens(s *Simulator, f *Fault, u *usage) bool {
	switch {
	case u.skipped < f.Skip:
		u.skipped++
		return false
	case f.Times > 0 && u.happened >= f.Times:
		return false
	case f.Probability > 0 && f.Probability < 1:
		fs.throws++
		if fraction(s.dice("fault", fs.throws)) >= f.Probability {
			return false
		}
	}
	u.happened++
	s.books.count(func(stats *Stats) { stats.Faults++ })
	return true
}
