package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSlotsAreNeverExceededAndNeverIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 24)
		r.api.modelLimits["flux-kontext-max"] = 6
		r.opts.Accounts = map[string]Account{
			"bfl": {API: r.api, Concurrency: 24, ModelConcurrency: map[string]int{"flux-kontext-max": 6}},
		}
		for i := range 200 {
			img := r.image(t, fmt.Sprintf("i%03d", i))
			if i%4 == 0 {
				img.Model = bfl.Lookup("flux-kontext-max")
			}
		}
		summary, err := r.apply(t)
		if err != nil || summary.Created != 200 {
			t.Fatalf("Apply = %+v, %v; want 200 created", summary, err)
		}
		if r.api.maxActive != 24 || r.api.maxModel["flux-kontext-max"] != 6 || r.api.tooMany != 0 {
			t.Errorf("at most %d tasks were active and %d of flux-kontext-max, with %d refused; want 24, 6 and 0",
				r.api.maxActive, r.api.maxModel["flux-kontext-max"], r.api.tooMany)
		}
		if summary.Cost != 200*3000 {
			t.Errorf("the cost is %s, want $6.00", summary.Cost.Dollars())
		}
	})
}

func TestDownloadsHoldNoSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const tasks = 24
		r := newRig(t, 4)
		allSubmitted := make(chan struct{})
		r.api.onDownload = func(*fakeTask, int, io.Writer) (bool, error) {
			// No download ends before every task has been submitted: with slots held, that would
			// never happen.
			<-allSubmitted
			return false, nil
		}
		for i := range tasks {
			r.image(t, fmt.Sprintf("i%02d", i))
		}
		submitted := 0
		o := r.opts
		o.OnEvent = func(e Event) {
			if _, ok := e.(Submitted); ok {
				if submitted++; submitted == tasks {
					close(allSubmitted)
				}
			}
		}
		summary, err := Apply(t.Context(), r.plan(t), o)
		if err != nil || summary.Created != tasks {
			t.Errorf("Apply = %+v, %v; want %d created", summary, err, tasks)
		}
	})
}

func TestImagesAreMadeFromOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.image(t, "a1")
		r.image(t, "a2")
		r.image(t, "z1")
		r.image(t, "z2", "z1")
		r.image(t, "z3", "z2")
		if _, err := r.apply(t); err != nil {
			t.Fatal(err)
		}
		// The longest chain goes first although its address comes last.
		if r.api.order[0] != "z1" {
			t.Errorf("the order of submission is %v, want the head of the longest chain first", r.api.order)
		}
		var body string
		for _, task := range r.api.tasks {
			if task.prompt == "z3" {
				body = string(task.body)
			}
		}
		upstream := r.file(t, "images/z2.png")
		sent := &bytes.Buffer{}
		request := bfl.Request{Model: bfl.Lookup("flux-2-pro"), Inputs: []bfl.Input{{Field: "input_image", SHA256: "x"}}}
		stream, _, err := request.Body(func(bfl.Input) (io.ReadCloser, int64, error) {
			return io.NopCloser(strings.NewReader(upstream)), int64(len(upstream)), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = sent.ReadFrom(stream)
		encoded := strings.TrimSuffix(strings.TrimPrefix(sent.String(), `{"input_image":"`), `"}`)
		if !strings.Contains(body, encoded) {
			t.Error("the request for z3 does not carry the bytes of z2")
		}
	})
}

func TestRecordsComeBeforeSteps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.image(t, "a")
		r.api.onSubmit = func(string, int) error {
			if diff := cmp.Diff([]string{"Intent"}, r.journal.of(t, "image.a")); diff != "" {
				t.Errorf("on record at the POST (-want +got):\n%s", diff)
			}
			return nil
		}
		r.api.onPoll = func(*fakeTask) (bfl.Result, error) {
			if diff := cmp.Diff([]string{"Intent", "Submitted"}, r.journal.of(t, "image.a")); diff != "" {
				t.Errorf("on record at a poll (-want +got):\n%s", diff)
			}
			return bfl.Result{}, nil
		}
		r.api.onDownload = func(*fakeTask, int, io.Writer) (bool, error) {
			if diff := cmp.Diff([]string{"Intent", "Submitted", "Ready"}, r.journal.of(t, "image.a")); diff != "" {
				t.Errorf("on record at the download (-want +got):\n%s", diff)
			}
			return false, nil
		}
		r.journal.fail = func(record state.Record) error {
			switch record.(type) {
			case state.Fetched:
				if r.file(t, "images/a.png") != "" {
					t.Error("the file has its name before the record that its bytes are there")
				}
			case state.Stored:
				if r.file(t, "images/a.png") == "" {
					t.Error("the record that the image exists comes before its file has its name")
				}
			}
			return nil
		}
		if _, err := r.apply(t); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"Intent", "Submitted", "Ready", "Fetched", "Stored"}, r.journal.of(t, "image.a")); diff != "" {
			t.Errorf("on record at the end (-want +got):\n%s", diff)
		}
	})
}

// sentError is what a client says of a POST without an answer.
type sentError struct{}

func (sentError) Error() string   { return "connection reset" }
func (sentError) Ambiguous() bool { return true }

func TestSubmitFailures(t *testing.T) {
	t.Parallel()
	answer := func(code int, after time.Duration) error {
		return &bfl.APIError{StatusCode: code, Message: "no", RetryAfter: after}
	}
	tests := []struct {
		name     string
		fail     func(attempt int) error // nil when the API accepts
		attempts int
		want     Summary
		message  string
	}{
		{"500 passes", failTimes(2, answer(500, 0)), 3, Summary{Created: 2, Cost: 6000}, ""},
		{"503 passes", failTimes(1, answer(503, 0)), 2, Summary{Created: 2, Cost: 6000}, ""},
		{"429 passes, however often", failTimes(25, answer(429, time.Second)), 26, Summary{Created: 2, Cost: 6000}, ""},
		{"a refused connection passes", failTimes(3, &bfl.NetworkError{Err: errors.New("connection refused")}), 4, Summary{Created: 2, Cost: 6000}, ""},
		{"500 does not pass for ever", failTimes(99, answer(500, 0)), 10, Summary{Created: 1, Failed: 1, Cost: 3000}, "gave up after 10 attempts"},
		{"422 is the caller's mistake", failTimes(99, answer(422, 0)), 1, Summary{Created: 1, Failed: 1, Cost: 3000}, "no"},
		{"400 is the caller's mistake", failTimes(99, answer(400, 0)), 1, Summary{Created: 1, Failed: 1, Cost: 3000}, "no"},
		{"403 at the beginning is the key's", failTimes(99, answer(403, 0)), 1, Summary{Failed: 1, Skipped: 1}, "no"},
		{"401 ends the run", failTimes(99, answer(401, 0)), 1, Summary{Failed: 1, Skipped: 1}, "no"},
		{"402 ends the run", failTimes(99, answer(402, 0)), 1, Summary{Failed: 1, Skipped: 1}, "no"},
		{
			"a gateway's time-out leaves open whether it was charged", failTimes(99, &bfl.APIError{StatusCode: 524}), 1,
			Summary{Created: 1, Failed: 1, Cost: 3000},
			"may have been charged, $0.03",
		},
		{"a lost answer is not asked for again", failTimes(99, sentError{}), 1, Summary{Created: 1, Failed: 1, Cost: 3000}, "may have been charged, $0.03"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				r.image(t, "a")
				r.image(t, "b")
				r.api.onSubmit = func(prompt string, attempt int) error {
					if prompt == "a" {
						return tt.fail(attempt)
					}
					return nil
				}
				summary, err := r.apply(t)
				if diff := cmp.Diff(tt.want, summary); diff != "" {
					t.Errorf("summary (-want +got):\n%s", diff)
				}
				if (err != nil) != (tt.message != "") {
					t.Errorf("Apply's error is %v", err)
				}
				if got := r.api.attempts["a"]; got != tt.attempts {
					t.Errorf("%d attempts, want %d", got, tt.attempts)
				}
				if failed := r.failures()["image.a"]; tt.message != "" && (failed == nil || !strings.Contains(failed.Error(), tt.message)) {
					t.Errorf("the failure is %v, want %q in it", failed, tt.message)
				}
			})
		})
	}
}

func failTimes(n int, err error) func(int) error {
	return func(attempt int) error {
		if attempt <= n {
			return err
		}
		return nil
	}
}

func TestLostAnswerStaysOnRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.image(t, "a")
		r.api.onSubmit = func(string, int) error { return sentError{} }
		_, _ = r.apply(t)
		if diff := cmp.Diff([]string{"Intent"}, r.journal.of(t, "image.a")); diff != "" {
			t.Errorf("on record (-want +got):\n%s", diff)
		}
	})
}

func TestFailuresSkipOnlyWhatNeedsThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		r.image(t, "bad")
		r.image(t, "child", "bad")
		r.image(t, "grandchild", "child")
		r.image(t, "other")
		r.api.onPoll = func(task *fakeTask) (bfl.Result, error) {
			if task.prompt == "bad" {
				return bfl.Result{Status: bfl.ContentModerated, Raw: "Content Moderated", Reasons: []string{"a face"}}, nil
			}
			return bfl.Result{}, nil
		}
		summary, err := r.apply(t)
		if !errors.Is(err, ErrIncomplete) {
			t.Errorf("Apply's error is %v, want ErrIncomplete", err)
		}
		if diff := cmp.Diff(Summary{Created: 1, Failed: 1, Skipped: 2, Cost: 6000}, summary); diff != "" {
			t.Errorf("summary (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"image.child", "image.grandchild"}, r.skipped()); diff != "" {
			t.Errorf("skipped (-want +got):\n%s", diff)
		}
		if failed := r.failures()["image.bad"]; !strings.Contains(failed.Error(), "a face") {
			t.Errorf("the failure is %v, want the API's reason in it", failed)
		}
		if diff := cmp.Diff([]string{"Intent", "Submitted", "Moderated"}, r.journal.of(t, "image.bad")); diff != "" {
			t.Errorf("on record (-want +got):\n%s", diff)
		}
	})
}

// The API answers with the seed and the prompt. Where these are sensitive, that goes on no record.
func TestSecretsAreNotRecorded(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"", "seed", "prompt"} {
		t.Run("sensitive "+secret, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				img := r.image(t, "a")
				img.Rare().Sensitive = []string{secret}
				r.api.onPoll = func(*fakeTask) (bfl.Result, error) {
					return bfl.Result{Status: bfl.Ready, Raw: "Ready", SampleURL: "https://sample/task-0", Seed: new(int64(1)), Prompt: "elaborated"}, nil
				}
				if _, err := r.apply(t); err != nil {
					t.Fatal(err)
				}
				i := slices.IndexFunc(r.events, func(e Event) bool { _, ok := e.(Completed); return ok })
				result := r.events[i].(Completed).Image.Result
				if (result.Seed == nil) != (secret == "seed") || (result.Prompt == "") != (secret == "prompt") {
					t.Errorf("on record: %+v", result)
				}
			})
		})
	}
}

// What is made from an image that is not accepted is not begun; a task that is paid for is fetched
// all the same.
func TestAccept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		base := r.image(t, "base")
		r.image(t, "child", "base")
		r.image(t, "other")
		paid := r.image(t, "paid")
		paid.Dependencies = []addrs.Image{base.Address}
		r.interrupted(t, paid)
		r.remembers("paid")
		r.api.tasks[0].ends = time.Now().Add(time.Minute)
		var asked []string
		r.opts.Accept = func(addr addrs.Image, results func(addrs.Image) *image.Result) bool {
			if results(addr) == nil {
				t.Errorf("%s has no result", addr)
			}
			asked = append(asked, addr.String())
			return addr != base.Address
		}
		summary, err := r.apply(t)
		if !errors.Is(err, ErrIncomplete) {
			t.Errorf("Apply's error is %v, want ErrIncomplete", err)
		}
		if diff := cmp.Diff(Summary{Created: 3, Skipped: 1, Cost: 6000}, summary); diff != "" {
			t.Errorf("summary (-want +got):\n%s", diff)
		}
		slices.Sort(asked)
		if diff := cmp.Diff([]string{"image.base", "image.other", "image.paid"}, asked); diff != "" {
			t.Errorf("asked about (-want +got):\n%s", diff)
		}
		for _, e := range r.events {
			if s, ok := e.(Skipped); ok && (s.Because != base.Address || !s.Unfit || s.Address.String() != "image.child") {
				t.Errorf("%+v", s)
			}
		}
	})
}

func TestPollFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		result  bfl.Result
		err     error
		times   int
		message string // "" when the image arrives all the same
		// unplaced tasks are those of which the API named no polling URL.
		unplaced, staysOnRecord bool
	}{
		{name: "500 passes", err: &bfl.APIError{StatusCode: 500}, times: 3},
		{name: "a timeout passes", err: context.DeadlineExceeded, times: 3},
		{name: "an unknown status is pending", result: bfl.Result{Status: bfl.Pending, Raw: "Daydreaming"}, times: 3},
		{name: "an unknown status is pending until the task has had its time", result: bfl.Result{Status: bfl.Pending, Raw: "Daydreaming"}, times: 1 << 30, message: "still not ready"},
		{name: "an error is final", result: bfl.Result{Status: bfl.Failed, Raw: "Error", Message: "out of paint"}, times: 1, message: "out of paint"},
		{name: "a task that is not known for a moment is not given up", result: bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}, times: 2},
		{name: "a forgotten task is final", result: bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}, times: 1 << 30, message: "no longer known to the API"},
		{
			name: "a task that is not where it was looked for is not given up", result: bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}, times: 1 << 30,
			message: "is paid for, and the next apply looks again", unplaced: true, staysOnRecord: true,
		},
		{
			name: "a task that is in no region is not given up", err: bfl.ErrNowhere, times: 1 << 30,
			message: "is paid for, and the next apply looks for it again: it is unknown", unplaced: true, staysOnRecord: true,
		},
		{name: "a task without a polling URL is found", unplaced: true},
		{name: "403 is final", err: &bfl.APIError{StatusCode: 403, Message: "no entry"}, times: 1, message: "no entry"},
		{
			name: "where an address is refused the task is found by its id", err: &bfl.URLError{Host: "example.com", Reason: "it is another's"}, times: 1,
		},
		{
			name: "a redirect is final", err: &bfl.RedirectError{StatusCode: 302, To: "portal.example"}, times: 1,
			message: "a redirect to portal.example", staysOnRecord: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				r.image(t, "a")
				r.api.unplaced = tt.unplaced
				polls := 0
				r.api.onPoll = func(*fakeTask) (bfl.Result, error) {
					if polls++; polls <= tt.times {
						return tt.result, tt.err
					}
					return bfl.Result{}, nil
				}
				summary, _ := r.apply(t)
				if (summary.Created == 1) != (tt.message == "") {
					t.Errorf("summary is %+v", summary)
				}
				if failed := r.failures()["image.a"]; tt.message != "" && (failed == nil || !strings.Contains(failed.Error(), tt.message)) {
					t.Errorf("the failure is %v, want %q in it", failed, tt.message)
				}
				if r.api.attempts["a"] != 1 {
					t.Errorf("submitted %d times, want once: it was paid for", r.api.attempts["a"])
				}
				if records := r.journal.of(t, "image.a"); tt.staysOnRecord && !slices.Equal(records, []string{"Intent", "Submitted"}) {
					t.Errorf("on record are %v, which ends the task", records)
				}
			})
		})
	}
}

func TestDownloadFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		fail func(task *fakeTask, w io.Writer) error
	}{
		{"a broken connection", func(*fakeTask, io.Writer) error { return io.ErrUnexpectedEOF }},
		{"an expired URL", func(*fakeTask, io.Writer) error { return fmt.Errorf("gone: %w", bfl.ErrExpired) }},
		{"half an image", func(task *fakeTask, w io.Writer) error {
			whole := pictureOf(task.body)
			_, err := w.Write(whole[:len(whole)/2])
			return err
		}},
		{"a damaged image", func(task *fakeTask, w io.Writer) error {
			whole := pictureOf(task.body)
			whole[len(whole)-20] ^= 1
			_, err := w.Write(whole)
			return err
		}},
		{"a page instead of an image", func(_ *fakeTask, w io.Writer) error {
			_, err := io.WriteString(w, "<html>busy</html>")
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				r.image(t, "a")
				r.api.onDownload = func(task *fakeTask, attempt int, w io.Writer) (bool, error) {
					if attempt > 2 {
						return false, nil
					}
					if got := r.file(t, "images/a.png"); got != "" {
						t.Error("a file has the image's name before the image is whole")
					}
					return true, tt.fail(task, w)
				}
				summary, err := r.apply(t)
				if err != nil || summary.Created != 1 {
					t.Fatalf("Apply = %+v, %v; want the image", summary, err)
				}
				if got := r.file(t, "images/a.png"); got != string(pictureOf(r.api.tasks[0].body)) {
					t.Error("the file is not the image that the API made")
				}
				if r.api.attempts["a"] != 1 {
					t.Errorf("submitted %d times, want once: it was paid for", r.api.attempts["a"])
				}
			})
		})
	}
}

// Where an image cannot be put where other machines find it, however often that is tried, no other one
// is bought that could not either.
func TestNothingBeginsThatCannotBeShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const images = 200
		r := newRig(t, 1)
		for i := range images {
			r.image(t, fmt.Sprintf("i%03d", i))
		}
		r.store.unshared = errors.New("the bucket refuses it")
		summary, err := r.apply(t)
		if !errors.Is(err, ErrIncomplete) || summary.Skipped < images/2 || len(r.api.tasks) != summary.Failed {
			t.Errorf("Apply = %+v, %v with %d tasks; want most images skipped, and each task's image told", summary, err, len(r.api.tasks))
		}
		for _, e := range r.events {
			if s, ok := e.(Skipped); ok && !errors.Is(s.Err, r.store.unshared) {
				t.Fatalf("%s was told %v, want the cause", s.Address, s.Err)
			}
		}
	})
}

func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2)
		for i := range 6 {
			r.image(t, fmt.Sprintf("i%d", i))
		}
		interrupted := errors.New("interrupted")
		drain, stop := context.WithCancelCause(t.Context())
		r.opts.Drain = drain
		r.api.onSubmit = func(prompt string, _ int) error {
			if prompt == "i1" {
				stop(interrupted)
			}
			return nil
		}
		summary, err := r.apply(t)
		if !errors.Is(err, ErrIncomplete) {
			t.Errorf("Apply's error is %v, want ErrIncomplete", err)
		}
		if diff := cmp.Diff(Summary{Created: 2, Skipped: 4, Cost: 6000}, summary); diff != "" {
			t.Errorf("summary (-want +got):\n%s", diff)
		}
		for _, e := range r.events {
			if s, ok := e.(Skipped); ok && !errors.Is(s.Err, interrupted) {
				t.Errorf("%s was told %v, want the cause", s.Address, s.Err)
			}
		}
	})
}

func TestAbortLeavesTasksOnRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.image(t, "a")
		r.image(t, "b")
		ctx, abort := context.WithCancelCause(t.Context())
		o := r.opts
		left := map[string]bool{}
		o.OnEvent = func(e Event) {
			switch e := e.(type) {
			case Submitted:
				abort(errors.New("interrupted"))
			case Skipped:
				left[e.Address.String()] = e.Submitted
			}
		}
		summary, err := Apply(ctx, r.plan(t), o)
		if !errors.Is(err, ErrIncomplete) || summary.Created != 0 {
			t.Errorf("Apply = %+v, %v; want nothing created", summary, err)
		}
		if diff := cmp.Diff([]string{"Intent", "Submitted"}, r.journal.of(t, "image.a")); diff != "" {
			t.Errorf("on record (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]bool{"image.a": true, "image.b": false}, left); diff != "" {
			t.Errorf("submitted and left (-want +got):\n%s", diff)
		}
	})
}

// What cannot be written is known before it is paid for.
func TestNothingBeginsThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.image(t, "a")
		r.image(t, "b", "a")
		if err := os.WriteFile(filepath.Join(r.dir.Path(), "images"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		summary, err := r.apply(t)
		if !errors.Is(err, ErrIncomplete) || summary.Skipped != 2 {
			t.Errorf("Apply = %+v, %v; want 2 skipped", summary, err)
		}
		if len(r.api.attempts) > 0 {
			t.Errorf("submitted: %v", r.api.attempts)
		}
		for _, e := range r.events {
			if s, ok := e.(Skipped); ok && s.Because == (addrs.Image{}) && !strings.Contains(s.Err.Error(), "no image can be written to the folder images") {
				t.Errorf("%s was skipped because of %v", s.Address, s.Err)
			}
		}
	})
}

func TestNothingBeginsThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.image(t, "a")
		r.image(t, "b")
		full := errors.New("no space left on device")
		r.journal.fail = func(state.Record) error { return full }
		summary, _ := r.apply(t)
		if len(r.api.tasks) != 0 || summary.Cost != 0 {
			t.Errorf("%d tasks were submitted without a record of the intent", len(r.api.tasks))
		}
		if diff := cmp.Diff(Summary{Failed: 1, Skipped: 1}, summary); diff != "" {
			t.Errorf("summary (-want +got):\n%s", diff)
		}
	})
}

func TestUnchangedUpstreamSparesWhatIsMadeFromIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2)
		logo := r.image(t, "logo")
		hero := r.image(t, "hero", "logo")
		before := r.made(t, logo)
		r.made(t, hero)
		// The logo is asked for anew, and the API draws the same again.
		r.api.onDownload = func(_ *fakeTask, _ int, w io.Writer) (bool, error) {
			_, err := w.Write(pictureOf(before.Request))
			return true, err
		}
		logo.Arguments = append(logo.Arguments, bfl.Argument{Name: "safety_tolerance", Value: int64(2)})
		hero.Labels = map[string]string{"season": "winter"}
		summary, err := r.apply(t)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Summary{Replaced: 1, Unchanged: 1, Cost: 3000}, summary); diff != "" {
			t.Errorf("summary (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"Stored"}, r.journal.of(t, "image.hero")); diff != "" {
			t.Errorf("the label of the image that stayed is recorded as (-want +got):\n%s", diff)
		}
	})
}

func TestArgumentsThatOnlyApplyCanKnow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2)
		r.image(t, "logo")
		poster := r.image(t, "poster")
		poster.Dependencies = []addrs.Image{parse(t, "image.logo")}
		poster.Arguments = []bfl.Argument{{Name: "prompt"}}
		r.opts.Resolve = func(addr addrs.Image, results func(addrs.Image) *image.Result) (*image.Image, error) {
			img := *poster
			img.Arguments = []bfl.Argument{{Name: "prompt", Value: "made by " + results(parse(t, "image.logo")).TaskID}}
			return &img, nil
		}
		if _, err := r.apply(t); err != nil {
			t.Fatal(err)
		}
		if got := r.api.tasks[1].prompt; got != "made by task-0" {
			t.Errorf("the prompt is %q, want the logo's task in it", got)
		}
	})
}

func TestFreeChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	a, b, gone := r.image(t, "a"), r.image(t, "b"), r.image(t, "gone")
	ofA := r.made(t, a).Output
	r.made(t, b)
	ofGone := r.made(t, gone).Output
	fileA, fileB := r.file(t, "images/a.png"), r.file(t, "images/b.png")
	// a and b swap their paths, and gone is no longer declared.
	a.Output, b.Output = b.Output, a.Output
	r.images = r.images[:2]
	summary, err := r.apply(t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Summary{Updated: 2, Destroyed: 1}, summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if r.file(t, "images/b.png") != fileA || r.file(t, "images/a.png") != fileB {
		t.Error("the two files did not swap their names")
	}
	if r.file(t, "images/gone.png") != "" || r.store.files[ofGone.SHA256] == nil || r.store.files[ofA.SHA256] == nil {
		t.Error("the file of an image that goes is to be in the store, and only there")
	}
	if len(r.api.tasks) != 0 {
		t.Error("something was bought")
	}
}

func TestReplacedImageIsKept(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"images/a.png", "images/b.png"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				a := r.image(t, "a")
				before := r.made(t, a).Output
				a.Arguments = []bfl.Argument{{Name: "prompt", Value: "another"}}
				a.Output = path
				summary, err := r.apply(t)
				if err != nil || summary.Replaced != 1 {
					t.Fatalf("Apply = %+v, %v", summary, err)
				}
				if r.store.files[before.SHA256] == nil {
					t.Error("the former image is lost")
				}
				if r.file(t, path) != string(pictureOf(r.api.tasks[0].body)) {
					t.Error("the new image is not at its path")
				}
				if path != before.Path && r.file(t, before.Path) != "" {
					t.Error("the former image is still at its path")
				}
			})
		})
	}
}

func TestChangedReferenceIsNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		logo := r.image(t, "logo")
		r.image(t, "hero", "logo")
		r.made(t, logo)
		if err := r.dir.WriteFile(logo.Output, 0o644, func(w io.Writer) error {
			_, err := w.Write(bytes.Repeat([]byte("x"), int(r.prior.Images.Get(logo.Address).Output.Bytes)))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		_, _ = r.apply(t)
		if failed := r.failures()["image.hero"]; !errors.Is(failed, bfl.ErrInputChanged) {
			t.Errorf("the failure is %v, want ErrInputChanged", failed)
		}
		if r.api.attempts["hero"] > 0 {
			t.Error("the request was sent")
		}
	})
}
