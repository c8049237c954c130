package simulator

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// accepted is the answer to an order. With a webhook it has a status and no polling URL.
type accepted struct {
	ID         string  `json:"id"`
	PollingURL string  `json:"polling_url,omitempty"`
	Status     string  `json:"status,omitempty"`
	WebhookURL string  `json:"webhook_url,omitempty"`
	Cost       float64 `json:"cost"` // in credits
	InputMP    float64 `json:"input_mp"`
	OutputMP   float64 `json:"output_mp"`
}

// submit answers a POST to a model.
func (s *Simulator) submit(m *bfl.Model, w http.ResponseWriter, r *http.Request) *problem {
	p := s.order(m, w, r)
	if p != nil {
		s.books.refused(p.status)
	}
	return p
}

// order checks a request in the API's order: the key, the body's form, its fields, the account's
// credits, its slots.
func (s *Simulator) order(m *bfl.Model, w http.ResponseWriter, r *http.Request) *problem {
	who, f, body, p := s.read(w, r)
	if p != nil {
		return p
	}
	o, errs := readOrder(m, f, body, s.opts.StrictFields)
	if len(errs) > 0 {
		return refuseFields(errs...)
	}
	if o.tooLarge != "" {
		return refuse(http.StatusBadRequest, o.tooLarge)
	}
	if p := s.checkFinetune(who, o); p != nil {
		return p
	}
	fault := s.faults.pick(s, Submit, o, o.digest, func(*Fault) bool { return true })
	if fault != nil && !fault.After {
		if done, p := s.suffer(fault, w, r, accepted{}); done {
			return p
		}
	}
	t, headers, p := s.accept(who, o, s.base(r))
	if p != nil {
		return p
	}
	if fault != nil && fault.After {
		if done, p := s.suffer(fault, w, r, s.acceptance(t)); done {
			return p
		}
	}
	for i := 0; i+1 < len(headers); i += 2 {
		w.Header().Set(headers[i], headers[i+1])
	}
	answer(w, http.StatusOK, s.acceptance(t))
	return nil
}

// read returns who sent a body, and its fields.
func (s *Simulator) read(w http.ResponseWriter, r *http.Request) (who credential, f fields, body []byte, p *problem) {
	if who, p = s.authenticate(r, false); p != nil {
		return who, nil, nil, p
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.opts.MaxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return who, nil, nil, refuse(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	}
	if err != nil {
		return who, nil, nil, refuse(http.StatusBadRequest, "There was an error parsing the body")
	}
	f, p = parseBody(r.Header.Get("Content-Type"), body)
	return who, f, body, p
}

// asked returns a field of a request's query.
func asked(r *http.Request, name string) (string, *problem) {
	if query := r.URL.Query(); query.Has(name) {
		return query.Get(name), nil
	}
	e := missing(name, nil)
	e.Loc = []any{"query", name}
	return "", refuseFields(e)
}

// accept makes a task of an order, and charges for it. From here on the order is paid for, whether
// or not the answer arrives.
func (s *Simulator) accept(who credential, o *order, base string) (*task, []string, *problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	s.forget(now)
	a := s.account(who)
	cost, inputMP, outputMP := o.price()
	if a.balance < cost {
		return nil, nil, refuse(http.StatusPaymentRequired, "Insufficient credits. Please add credits to your account.")
	}
	if p := s.freeSlot(a, o.model, now); p != nil {
		s.books.count(func(stats *Stats) { stats.TooMany++ })
		return nil, nil, p
	}
	t := s.newTask(o, now, base)
	all, ofModel := a.active(o.model, now)
	t.charge = Charge{
		Time: now, ID: t.id, Account: a.name, Model: o.model.Name, Endpoint: o.model.Endpoint,
		Cost: cost, InputMP: inputMP, OutputMP: outputMP, Active: all + 1, ActiveModel: ofModel + 1, Digest: o.digest,
		Settled: t.settled,
	}
	if err := s.books.enter(t.charge); err != nil {
		return nil, nil, refuse(http.StatusInternalServerError, "The simulator cannot write its ledger: "+err.Error())
	}
	a.balance -= t.charge.final()
	a.tasks = append(a.tasks, t)
	s.tasks[t.id] = t
	s.history = append(s.history, t)
	s.schedule(t)
	s.shelf.hold(t, t.expires(s.opts.SampleLifetime))
	return t, rateLimit(a, now), nil
}

// newTask decides all about a task but its charge. Simulator.mu is held.
func (s *Simulator) newTask(o *order, now time.Time, base string) *task {
	s.accepted++
	n := s.accepted
	nth := s.alike[o.digest]
	s.alike[o.digest]++
	t := &task{id: s.newID(n), order: o, size: o.size(), seed: o.seed, submitted: now, base: base}
	if t.seed == "" {
		t.seed = drawnSeed(o, nth)
	}
	t.end, t.reason = fate(o)
	latency := s.latency(o.model, n)
	if t.end == statusRequestModerated {
		latency /= 4 // the prompt is looked at before anything is drawn
	}
	t.start = s.startTime(o.model, now, latency)
	t.ready = t.start.Add(latency)
	s.faults.onTask(s, t)
	return t
}

// startTime returns when a worker can take a task up, and books the worker. Simulator.mu is held.
func (s *Simulator) startTime(m *bfl.Model, now time.Time, latency time.Duration) time.Time {
	if s.opts.Workers <= 0 {
		return now
	}
	if s.workers[m] == nil {
		s.workers[m] = make([]time.Time, s.opts.Workers)
	}
	free := s.workers[m]
	first := 0
	for i := range free {
		if free[i].Before(free[first]) {
			first = i
		}
	}
	start := now
	if free[first].After(now) {
		start = free[first]
	}
	free[first] = start.Add(latency)
	return start
}

// isOver reports whether the time of a task's retention has passed.
func (s *Simulator) isOver(t *task, now time.Time) bool {
	return !t.never && now.After(t.ready.Add(s.opts.Retention))
}

// forget drops the tasks that are over, now and then. Simulator.mu is held.
func (s *Simulator) forget(now time.Time) {
	if now.Before(s.swept.Add(s.opts.Retention / 16)) {
		return
	}
	s.swept = now
	s.history = slices.DeleteFunc(s.history, func(t *task) bool {
		if !s.isOver(t, now) {
			return false
		}
		delete(s.tasks, t.id)
		s.shelf.drop(t)
		return true
	})
}

// acceptance is the answer for a new task.
func (s *Simulator) acceptance(t *task) accepted {
	a := accepted{
		ID: t.id, Cost: t.charge.Cost.Float(), InputMP: t.charge.InputMP, OutputMP: t.charge.OutputMP,
	}
	if t.order.webhookURL != "" {
		a.Status, a.WebhookURL = statusPending, t.order.webhookURL
	} else {
		a.PollingURL = s.pollingURL(t)
	}
	return a
}

// pollingURL returns where a task is asked for.
func (s *Simulator) pollingURL(t *task) string {
	u := defaultTo(s.opts.PollingURL, t.base) + "/v1/get_result?id=" + url.QueryEscape(t.id)
	if s.opts.Region == "" {
		return u
	}
	return u + "&region=" + url.QueryEscape(s.opts.Region) + "&ticket=" + s.ticket(t)
}

// ticket proves that a polling URL is as it was returned.
func (s *Simulator) ticket(t *task) string { return s.sign("poll", s.opts.Region, t.id)[:16] }

// isAddressed reports whether a query asks for a task by the URL that was returned. One with a
// webhook got none.
func (s *Simulator) isAddressed(t *task, query url.Values) bool {
	return s.opts.Region == "" || t.order.webhookURL != "" ||
		query.Get("region") == s.opts.Region && equal(query.Get("ticket"), s.ticket(t))
}

// find returns a task that is still known.
func (s *Simulator) find(id string) *task {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tasks[id]
	if t == nil || s.isOver(t, s.opts.Now()) {
		return nil
	}
	return t
}

// getResult answers a poll. The schema asks for no key here, so none is needed; but a wrong one is
// refused. A task that is not known has a status of its own and HTTP status 200, because the schema
// has no other answer than that and 422.
func (s *Simulator) getResult(w http.ResponseWriter, r *http.Request) *problem {
	s.books.count(func(stats *Stats) { stats.Polls++ })
	if _, p := s.authenticate(r, true); p != nil {
		return p
	}
	id, p := asked(r, "id")
	if p != nil {
		return p
	}
	t := s.find(id)
	if t == nil || !s.isAddressed(t, r.URL.Query()) {
		answer(w, http.StatusOK, result{ID: id, Status: statusNotFound})
		return nil
	}
	res, status := s.result(t, s.opts.Now()), http.StatusOK
	if fault := s.faults.onPoll(s, t); fault != nil {
		switch fault.Effect {
		case EffectNotFound:
			res = result{ID: id, Status: statusNotFound}
		case EffectStatusText:
			res = result{ID: id, Status: fault.Text}
		case EffectFinal:
			status = fault.Status
		default:
			if done, p := s.suffer(fault, w, r, res); done {
				return p
			}
		}
	}
	answer(w, status, res)
	return nil
}

// getCredits answers the account's balance.
func (s *Simulator) getCredits(w http.ResponseWriter, r *http.Request) *problem {
	who, p := s.authenticate(r, false)
	if p != nil {
		return p
	}
	s.mu.Lock()
	balance := s.account(who).balance
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]float64{"credits": balance.Float()})
	return nil
}
