package simulator

import (
	_ "embed" // the page's template
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/web/parts"
)

// The page at / shows people what a simulator did. Its pictures come from a path of their own,
// without a signature and outside of the counters, so that looking at the page changes nothing.

//go:embed page.html
var pageHTML string

var pageTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageHTML)) })

// shownTasks is how many tasks the page shows.
const shownTasks = 60

const picturePrefix = "/pictures/"

// pageView is what the page's template gets.
type pageView struct {
	Style    template.CSS
	Now      string
	Base     string
	Stats    Stats
	Spent    string
	Models   []modelView
	Tasks    []taskView
	Charges  []chargeView
	Hidden   int
	Accounts []accountView
}

type modelView struct {
	Name      string
	Images    int
	Cost      string
	MaxActive int
}

type taskView struct {
	ID, Model, Prompt, Status, Size, Seed, Cost, Webhook string
	Picture                                              string
	Progress                                             int
	Active                                               bool
}

type chargeView struct{ Time, Account, ID, Model, Cost, Active, Digest string }

type accountView struct {
	Name, Balance string
	Active, Slots int
}

// showPage answers the page.
func (s *Simulator) showPage(w http.ResponseWriter, r *http.Request) *problem {
	view := s.view()
	view.Base = s.base(r)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'")
	w.Header().Set("Cache-Control", "no-store")
	// It fails only when the reader went away: the template is fixed and its data are plain.
	_ = pageTemplate().Execute(w, view)
	return nil
}

func (s *Simulator) view() pageView {
	now := s.opts.Now()
	ledger, stats := s.Ledger(), s.Stats()
	style := template.CSS(parts.CSS) //nolint:gosec // it is in this program
	v := pageView{Style: style, Now: now.Format(time.DateTime), Stats: stats, Spent: stats.Spent.Dollars(), Models: byModel(ledger, stats)}
	s.mu.Lock()
	tasks := slices.Clone(s.history[max(len(s.history)-shownTasks, 0):])
	v.Hidden = len(ledger) - len(tasks)
	for _, a := range s.accounts {
		active, _ := a.active(nil, now)
		v.Accounts = append(v.Accounts, accountView{a.name, a.balance.Dollars(), active, a.concurrency})
	}
	s.mu.Unlock()
	slices.SortFunc(v.Accounts, func(a, b accountView) int { return strings.Compare(a.Name, b.Name) })
	slices.Reverse(tasks)
	for _, t := range tasks {
		v.Tasks = append(v.Tasks, s.taskView(t, now))
	}
	for _, c := range slices.Backward(ledger[max(len(ledger)-shownTasks, 0):]) {
		v.Charges = append(v.Charges, chargeView{
			c.Time.Format(time.TimeOnly), c.Account, c.ID, c.Model, c.Cost.Dollars(), strconv.Itoa(c.Active), c.Digest[:12],
		})
	}
	return v
}

func (s *Simulator) taskView(t *task, now time.Time) taskView {
	res := s.result(t, now)
	delivery, _ := t.webhook.Load().(string)
	v := taskView{
		ID: t.id, Model: t.order.model.Name, Prompt: t.order.text("prompt"), Status: res.Status,
		Size: strconv.Itoa(t.size.Width) + " × " + strconv.Itoa(t.size.Height), Seed: t.seed,
		Cost: t.charge.Cost.Dollars(), Webhook: delivery, Active: t.isActive(now),
	}
	if res.Progress != nil {
		v.Progress = int(*res.Progress * 100)
	}
	if res.Result != nil {
		v.Picture = picturePrefix + t.id
	}
	return v
}

func byModel(ledger []Charge, stats Stats) []modelView {
	type sum struct {
		images int
		cost   bfl.Credits
	}
	sums := make(map[string]sum)
	for _, c := range ledger {
		sums[c.Model] = sum{sums[c.Model].images + 1, sums[c.Model].cost + c.Cost}
	}
	var views []modelView
	for _, m := range bfl.Models() {
		if of := sums[m.Name]; of.images > 0 {
			views = append(views, modelView{m.Name, of.images, of.cost.Dollars(), stats.MaxActiveByModel[m.Name]})
		}
	}
	return views
}

// showPicture answers a finished task's picture to the page.
func (s *Simulator) showPicture(w http.ResponseWriter, r *http.Request) *problem {
	t := s.find(strings.TrimPrefix(r.URL.Path, picturePrefix))
	if t == nil || t.end != statusReady || t.isActive(s.opts.Now()) {
		return refuse(http.StatusNotFound, "Not Found")
	}
	data, err := s.shelf.picture(t)
	if err != nil {
		return refuse(http.StatusGone, "The picture is no longer kept.")
	}
	w.Header().Set("Content-Type", "image/"+t.order.format())
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.Header().Set("Cache-Control", "max-age=3600")
	// A reader that went away does not need it.
	_, _ = w.Write(data)
	return nil
}
