package team_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/simulator"
)

// charges says which run bought which image, and what each run said before. The prompt of an image is
// its block's name and its index.
type charges struct {
	sim *simulator.Simulator
	// answerAfter is how long an answer to an order takes once the order is paid for. A run that is
	// killed meanwhile does not know what it bought.
	answerAfter time.Duration
	// ask opens a connection, and returns when it was answered.
	ask func() error

	mu sync.Mutex
	// held is the number of the charge, from 1, whose answer waits until gone is closed, 0 where none
	// does; reached is closed when it is there.
	held          int
	reached, gone chan struct{}

	run  int
	said map[int][]io.Reader // by run
	all  []charge
}

type charge struct {
	address, task string
	run           int
	at            time.Time
}

// runOf is the key of the run that a connection belongs to. Who has a key of its own is known by that:
// a run that was stopped connects when others have begun.
type runOf struct{}

// keyOfRun is what the API key of a run begins with that is known by it.
const keyOfRun = "run-"

// key returns the environment of a process of the present run, with a key of its own.
func (c *charges) key(env []string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append(slices.Clone(env), fmt.Sprintf("BFL_API_KEY=%s%d", keyOfRun, c.run))
}

// watch serves a simulator until the test ends.
func watch(t *testing.T, sim *simulator.Simulator, answerAfter time.Duration) (*charges, string) {
	t.Helper()
	c := &charges{sim: sim, answerAfter: answerAfter, said: map[int][]io.Reader{}}
	server := httptest.NewUnstartedServer(c)
	server.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		c.mu.Lock()
		defer c.mu.Unlock()
		return context.WithValue(ctx, runOf{}, c.run)
	}
	server.Start()
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	c.ask = func() error {
		answer, err := client.Get(server.URL)
		if err != nil {
			return err
		}
		return answer.Body.Close()
	}
	return c, server.URL
}

// next begins a run. Connections are its own from now on: those that a run opened before it was
// killed are taken first, and this one after them.
func (c *charges) next(t *testing.T) {
	t.Helper()
	if err := c.ask(); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run++
}

// says has what a process of the run prints. It is read when all runs are over.
func (c *charges) says(out io.Reader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said[c.run] = append(c.said[c.run], out)
}

func (c *charges) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	run, _ := r.Context().Value(runOf{}).(int)
	if n, isOwn := strings.CutPrefix(r.Header.Get("X-Key"), keyOfRun); isOwn {
		run, _ = strconv.Atoi(n)
		r.Header.Set("X-Key", "key") // All are one account.
	}
	if r.Method != http.MethodPost {
		c.sim.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body) // of a run that is killed, a part
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	c.sim.ServeHTTP(answer, r)
	if answer.Code == http.StatusOK {
		var order struct{ Prompt string }
		var task struct{ ID string }
		if json.Unmarshal(body, &order) == nil && json.Unmarshal(answer.Body.Bytes(), &task) == nil {
			if gone := c.note(order.Prompt, task.ID, run); gone != nil {
				select {
				case <-r.Context().Done():
				case <-gone:
				}
			}
		}
		select {
		case <-r.Context().Done():
		case <-time.After(c.answerAfter):
		}
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // its run may be dead
}

// note takes a charge in. Where its answer is to wait, it returns until when.
func (c *charges) note(prompt, task string, run int) (until <-chan struct{}) {
	block, index, _ := strings.Cut(prompt, " ")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, charge{address: fmt.Sprintf("image.%s[%s]", block, index), task: task, run: run, at: time.Now()})
	if len(c.all) != c.held {
		return nil
	}
	close(c.reached)
	return c.gone
}

// hold has the answer to the nth charge, counted from 1, wait until it is let go. Until then, its run
// cannot have ended.
func (c *charges) hold(t *testing.T, n int) (reached <-chan struct{}, letGo func()) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held, c.reached, c.gone = n, make(chan struct{}), make(chan struct{})
	letGo = sync.OnceFunc(func() { close(c.gone) })
	t.Cleanup(letGo)
	return c.reached, letGo
}

// check fails the test for each image that was paid for again, unless a run said before that it may
// be: one that began after the first charge, the run that paid again included. It returns how many
// were paid for again.
func (c *charges) check(t *testing.T) (again int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.sim.Ledger()); n != len(c.all) {
		t.Errorf("%d charges are in the ledger, and %d were seen", n, len(c.all))
	}
	named, texts := map[int][]string{}, map[int]string{}
	for run, outs := range c.said {
		for _, out := range outs {
			text, _ := io.ReadAll(out) // from memory
			named[run], texts[run] = append(named[run], namedCharged(string(text))...), texts[run]+string(text)
		}
	}
	before := map[string]charge{}
	for _, second := range c.all {
		first, isAgain := before[second.address]
		before[second.address] = second
		if !isAgain {
			continue
		}
		again++
		isNamed := false
		for run := min(first.run, second.run) + 1; run <= max(first.run, second.run); run++ {
			isNamed = isNamed || slices.Contains(named[run], second.address)
		}
		if !isNamed {
			t.Errorf("%s was paid for as task %s at %s in run %d, and again as task %s at %s in run %d, which nobody had said:\n%s",
				second.address, first.task, first.at.Format(time.StampMilli), first.run, second.task, second.at.Format(time.StampMilli), second.run, texts[second.run])
		}
	}
	return again
}

var (
	// heading begins what a plan says of one image, or of those that it folds.
	heading = regexp.MustCompile(`^# (?:(image\.\S+) (?:will|is|has|stays)\b|and \d+ more instances? )`)
	ofImage = regexp.MustCompile(`\bIt may have been charged\b`)
	ofFold  = regexp.MustCompile(`\bmay have been charged\b.* sent again: (.+)$`)
)

// namedCharged returns the images of which a text says that they may have been charged.
func namedCharged(text string) (named []string) {
	said, address := "", ""
	end := func() {
		if fold := ofFold.FindStringSubmatch(said); fold != nil && address == "" {
			named = append(named, strings.Split(fold[1], ", ")...)
		} else if address != "" && ofImage.MatchString(said) {
			named = append(named, address)
		}
		said, address = "", ""
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		rest, isComment := strings.CutPrefix(line, "#")
		if match := heading.FindStringSubmatch(line); match != nil || !isComment {
			end()
			if match == nil {
				continue
			}
			address = match[1]
		}
		said = strings.TrimSpace(said + " " + strings.TrimSpace(rest))
	}
	end()
	return named
}

// TestNamedCharged: the tests see which images a plan names, and no others.
func TestNamedCharged(t *testing.T) {
	t.Parallel()
	got := namedCharged(`
  # image.a[0] will be created
  # It may have been charged $0.03 by an interrupted run, and is sent
  # again.
  + image "a" {
    }
  # image.a[1] will be created
  + image "a" {
    }
  # and 2 more instances of image.a will be created, $0.27. They may have
  # been charged $0.27 by an interrupted run, and are sent again: image.a[3],
  # image.a[4]

  # and 9 more instances of image.b will be created, $0.27
`)
	if want := []string{"image.a[0]", "image.a[3]", "image.a[4]"}; !slices.Equal(got, want) {
		t.Errorf("named are %v, not %v", got, want)
	}
}
