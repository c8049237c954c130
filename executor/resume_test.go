package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// interrupted puts on record that a run had submitted the image's request and was cut off.
func (r *rig) interrupted(t *testing.T, img *image.Image) *state.Task {
	t.Helper()
	canonical, err := img.Request().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	task := &state.Task{
		Key: "old-" + img.Address.Name, Address: img.Address, Provider: "bfl", Model: img.Model.Name, Fingerprint: img.Request().Fingerprint(), Request: canonical,
		Path: img.Output, ID: "old", PollingURL: "https://poll/old", Cost: 3000,
	}
	if r.prior.Tasks == nil {
		r.prior.Tasks = map[string]*state.Task{}
	}
	r.prior.Tasks[task.Key], r.journal.keys[task.Key] = task, img.Address
	return task
}

// remembers makes the API know the task, finished.
func (r *rig) remembers(prompt string) {
	r.api.tasks = append(r.api.tasks, &fakeTask{id: "old", prompt: prompt, body: []byte(prompt), ends: time.Now()})
}

// keeps puts the image of a task into the store, and another throw of the same request, without a
// record of either.
func (r *rig) keeps(task *state.Task) {
	r.stored = r.store.candidates
	for _, id := range []string{"another", task.ID} {
		content := pictureOf([]byte(id))
		sum := sha256.Sum256(content)
		r.store.files[hex.EncodeToString(sum[:])] = content
		r.store.kept = append(r.store.kept, task.Image(state.File{Path: task.Path, SHA256: hex.EncodeToString(sum[:])}, state.Result{TaskID: id, Cost: task.Cost}))
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		setUp     func(t *testing.T, r *rig, task *state.Task)
		submitted int
		cost      bfl.Credits
		records   []string
		warning   string
	}{
		{
			name:    "a finished task is fetched",
			setUp:   func(_ *testing.T, r *rig, _ *state.Task) { r.remembers("a") },
			records: []string{"Ready", "Fetched", "Stored"},
		},
		{
			name: "a task without a polling URL is found",
			setUp: func(_ *testing.T, r *rig, task *state.Task) {
				r.remembers("a")
				task.PollingURL = ""
			},
			records: []string{"Ready", "Fetched", "Stored"},
		},
		{
			name: "bytes that were fetched need no API",
			setUp: func(t *testing.T, r *rig, task *state.Task) {
				t.Helper()
				fetchedAs(t, r, task, "images/.fluxbatch-tmp-a.png-0123456789abcdef")
			},
			records: []string{"Stored"},
		},
		{
			name: "nor do those that were fetched to another disk",
			setUp: func(t *testing.T, r *rig, task *state.Task) {
				t.Helper()
				fetchedAs(t, r, task, "images/.fluxbatch-tmp-a.png-0123456789abcdef")
				isOther := true
				r.opts.Dir = r.dir.WithFaults(func(op safefile.Op, name string) error {
					if op != safefile.OpRename || !isOther {
						return nil
					}
					isOther = false
					return otherDisk
				})
			},
			records: []string{"Stored"},
		},
		{
			name: "nor do those that were put into the store before that was on record",
			setUp: func(_ *testing.T, r *rig, task *state.Task) {
				r.keeps(task)
			},
			records: []string{"Stored"},
		},
		{
			name: "bytes that are in place need no API",
			setUp: func(t *testing.T, r *rig, task *state.Task) {
				t.Helper()
				fetchedAs(t, r, task, "images/a.png")
			},
			records: []string{"Stored"},
		},
		{
			name: "bytes that were fetched and are gone are fetched again",
			setUp: func(t *testing.T, r *rig, task *state.Task) {
				t.Helper()
				fetchedAs(t, r, task, "images/.fluxbatch-tmp-a.png-0123456789abcdef")
				if err := r.dir.Remove("images/.fluxbatch-tmp-a.png-0123456789abcdef"); err != nil {
					t.Fatal(err)
				}
				r.remembers("a")
			},
			records: []string{"Ready", "Fetched", "Stored"},
		},
		{
			name: "an intent without an answer is submitted by a plan that said so",
			setUp: func(_ *testing.T, _ *rig, task *state.Task) {
				task.ID, task.PollingURL = "", ""
			},
			submitted: 1, cost: 3000,
			records: []string{"Failed", "Intent", "Submitted", "Ready", "Fetched", "Stored"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				tt.setUp(t, r, r.interrupted(t, r.image(t, "a")))
				summary, err := r.apply(t)
				if err != nil {
					t.Fatalf("Apply: %v, %v", err, r.failures())
				}
				if diff := cmp.Diff(Summary{Created: 1, Cost: tt.cost}, summary); diff != "" {
					t.Errorf("summary (-want +got):\n%s", diff)
				}
				if r.api.attempts["a"] != tt.submitted {
					t.Errorf("submitted %d times, want %d", r.api.attempts["a"], tt.submitted)
				}
				if diff := cmp.Diff(tt.records, r.journal.of(t, "image.a")); diff != "" {
					t.Errorf("on record (-want +got):\n%s", diff)
				}
				i := slices.IndexFunc(r.events, func(e Event) bool { _, ok := e.(Completed); return ok })
				if want := map[int]planner.Origin{0: planner.Resume, 1: planner.Generate}[tt.submitted]; r.events[i].(Completed).Origin != want {
					t.Errorf("it is said to come from %s, want %s", r.events[i].(Completed).Origin, want)
				}
				if got := r.file(t, "images/a.png"); got == "" || got == string(pictureOf([]byte("another"))) {
					t.Error("the image is not in place")
				}
				if warnings := strings.Join(r.warnings(), "\n"); !strings.Contains(warnings, tt.warning) || tt.warning == "" && warnings != "" {
					t.Errorf("warned of %q, want %q", warnings, tt.warning)
				}
			})
		})
	}
}

// A task that is paid for waits for no other image.
func TestResumeWaitsForNobody(t *testing.T) {
	t.Parallel()
	const moderated = "bad" // its image is refused
	tests := []struct {
		name     string
		upstream string
		seconds  int // until the old task ends; others take four
		gone     bool
		summary  Summary
		order    []string
	}{
		{"what it depends on fails first", moderated, 10, false, Summary{Created: 1, Failed: 1, Cost: 3000}, []string{"image.bad failed", "image.a"}},
		{"what it depends on fails later", moderated, 1, false, Summary{Created: 1, Failed: 1, Cost: 3000}, []string{"image.a", "image.bad failed"}},
		{"what it depends on takes longer", "up", 1, false, Summary{Created: 2, Cost: 3000}, []string{"image.a", "image.up"}},
		{"it is forgotten", "up", 1, true, Summary{Created: 1, Failed: 1, Cost: 3000}, []string{"image.a failed", "image.up"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 2)
				img := r.image(t, "a")
				img.Dependencies = []addrs.Image{r.image(t, tt.upstream).Address}
				r.interrupted(t, img)
				r.remembers("a")
				r.api.tasks[0].ends = time.Now().Add(time.Duration(tt.seconds) * time.Second)
				r.api.onPoll = func(task *fakeTask) (bfl.Result, error) {
					switch {
					case time.Now().Before(task.ends):
					case task.id == "old" && tt.gone:
						return bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}, nil
					case task.prompt == moderated:
						return bfl.Result{Status: bfl.ContentModerated, Raw: "Content Moderated"}, nil
					}
					return bfl.Result{}, nil
				}
				summary, err := r.apply(t)
				if wantErr := tt.summary.Failed > 0; errors.Is(err, ErrIncomplete) != wantErr {
					t.Errorf("Apply's error is %v", err)
				}
				if diff := cmp.Diff(tt.summary, summary); diff != "" {
					t.Errorf("summary (-want +got):\n%s", diff)
				}
				var order []string
				for _, e := range r.events {
					switch e := e.(type) {
					case Completed:
						order = append(order, e.Address.String())
					case Failed:
						order = append(order, e.Address.String()+" failed")
					case Skipped:
						order = append(order, e.Address.String()+" skipped")
					}
				}
				if diff := cmp.Diff(tt.order, order); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A task that may still be active has its slot before others are asked for, or the API would refuse
// these.
func TestResumeComesFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.image(t, "a")
		r.image(t, "b", "a")
		r.interrupted(t, r.image(t, "z"))
		r.remembers("z")
		r.api.tasks[0].ends = time.Now().Add(10 * time.Second)
		if summary, err := r.apply(t); err != nil || summary.Created != 3 {
			t.Errorf("Apply = %+v, %v", summary, err)
		}
		if r.api.tooMany > 0 {
			t.Errorf("the API refused %d submissions", r.api.tooMany)
		}
	})
}

// fetchedAs puts on record that the task's bytes had arrived, and the bytes into a file.
func fetchedAs(t *testing.T, r *rig, task *state.Task, name string) {
	t.Helper()
	content := pictureOf([]byte("a"))
	sum := sha256.Sum256(content)
	task.Fetched = &state.Fetch{
		Output:    state.File{Path: task.Path, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(content)), Width: 8, Height: 4, Format: "png"},
		Result:    state.Result{TaskID: "old", Cost: 3000},
		Temporary: "images/.fluxbatch-tmp-a.png-0123456789abcdef",
	}
	if err := r.dir.WriteFile(name, 0o644, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// warnings returns the messages of Warned events.
func (r *rig) warnings() (messages []string) {
	for _, e := range r.events {
		if w, ok := e.(Warned); ok {
			messages = append(messages, w.Message)
		}
	}
	return messages
}

func TestAbandonedTasksAreBroughtHome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		setUp   func(r *rig, task *state.Task)
		kept    bool
		records []string
		warning string
	}{
		{
			name:  "a finished one goes into the store",
			setUp: func(r *rig, _ *state.Task) { r.remembers("a") },
			kept:  true, records: []string{"Ready", "Fetched", "Failed"}, warning: "comes back for free",
		},
		{
			name: "also one whose folder takes no files any more",
			setUp: func(r *rig, _ *state.Task) {
				r.remembers("a")
				r.opts.Dir = r.dir.WithFaults(func(op safefile.Op, name string) error {
					if op == safefile.OpCreate && strings.HasPrefix(name, "images/") {
						return syscall.EROFS
					}
					return nil
				})
			},
			kept: true, records: []string{"Ready", "Fetched", "Failed"}, warning: "comes back for free",
		},
		{
			name:  "so is one that was put there before that was on record",
			setUp: func(r *rig, task *state.Task) { r.keeps(task) },
			kept:  true, records: []string{"Failed"}, warning: "comes back for free",
		},
		{
			name: "one that is under way stays on record",
			setUp: func(r *rig, _ *state.Task) {
				r.remembers("a")
				r.api.tasks[0].ends = time.Now().Add(time.Hour)
			},
			warning: "still under way",
		},
		{
			name: "one that is not known for a moment goes into the store",
			setUp: func(r *rig, _ *state.Task) {
				r.remembers("a")
				looks := 0
				r.api.onPoll = func(*fakeTask) (bfl.Result, error) {
					if looks++; looks < unknownLooks {
						return bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}, nil
					}
					return bfl.Result{}, nil
				}
			},
			kept: true, records: []string{"Ready", "Fetched", "Failed"}, warning: "comes back for free",
		},
		{
			name:    "one that the API has forgotten is a loss",
			setUp:   func(*rig, *state.Task) {},
			records: []string{"Lost"}, warning: "$0.03 was paid for it and is lost",
		},
		{
			name: "one whose image is refused stays on record",
			setUp: func(r *rig, _ *state.Task) {
				r.remembers("a")
				r.api.onDownload = func(*fakeTask, int, io.Writer) (bool, error) { return true, bfl.ErrExpired }
			},
			warning: "stays on record",
		},
		{
			name: "one that is in no region stays on record",
			setUp: func(r *rig, task *state.Task) {
				task.PollingURL = ""
				r.api.onPoll = func(*fakeTask) (bfl.Result, error) { return bfl.Result{}, bfl.ErrNowhere }
			},
			warning: "stays on record",
		},
		{
			name:    "one without an answer is told, and forgotten",
			setUp:   func(_ *rig, task *state.Task) { task.ID = "" },
			records: []string{"Failed"}, warning: "may have been charged, $0.03",
		},
		{
			name:    "a loss is told, and forgotten",
			setUp:   func(_ *rig, task *state.Task) { task.Lost = "failed at the API" },
			records: []string{"Failed"}, warning: "$0.03 was paid for task old and is lost: it failed at the API",
		},
		{
			name:    "a simulator's is forgotten",
			setUp:   func(_ *rig, task *state.Task) { task.Simulated = true },
			records: []string{"Failed"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				task := r.interrupted(t, r.image(t, "a"))
				r.images = nil
				tt.setUp(r, task)
				began := time.Now()
				if _, err := r.apply(t); err != nil {
					t.Fatal(err)
				}
				if kept := len(r.store.files) > 0; kept != tt.kept {
					t.Errorf("in the store: %v, want %v", kept, tt.kept)
				}
				records := r.journal.of(t, "image.a")
				if !tt.kept {
					records = slices.DeleteFunc(records, func(name string) bool { return name == "Ready" }) // As often as it was tried.
				}
				if diff := cmp.Diff(tt.records, records, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("on record (-want +got):\n%s", diff)
				}
				if took := time.Since(began); took > salvageTimeout+2*pollTimeout {
					t.Errorf("the run waited %v for it", took)
				}
				if warnings := strings.Join(r.warnings(), "\n"); !strings.Contains(warnings, tt.warning) || tt.warning == "" && warnings != "" {
					t.Errorf("warned of %q, want %q", warnings, tt.warning)
				}
				if len(r.api.attempts) > 0 {
					t.Error("something was submitted")
				}
			})
		})
	}
}

// Tasks that nobody wants are looked for beside all else, and hold nobody up for more than a minute
// all together.
func TestAbandonedTasksHoldNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2)
		for _, name := range []string{"x", "y", "z"} {
			r.interrupted(t, r.image(t, name))
		}
		r.images = nil
		r.api.limit = 24
		r.remembers("x")
		r.api.tasks[0].ends = time.Now().Add(time.Hour)
		r.image(t, "a")
		began := time.Now()
		var made time.Duration
		r.opts.Accept = func(addrs.Image, func(addrs.Image) *image.Result) bool {
			made = time.Since(began)
			return true
		}
		if summary, err := r.apply(t); err != nil || summary.Created != 1 {
			t.Errorf("Apply = %+v, %v", summary, err)
		}
		if made > 10*time.Second {
			t.Errorf("a new image waited for them: %v", made)
		}
		if took := time.Since(began); took > salvageTimeout+pollTimeout {
			t.Errorf("the run waited %v for them", took)
		}
		if n := len(r.warnings()); n != 3 {
			t.Errorf("%d of 3 tasks are told: %v", n, r.warnings())
		}
	})
}

func TestBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			r.image(t, name)
		}
		r.opts.MaxCost = new(bfl.Credits(9_999)) // three images cost 9 credits
		summary, err := r.apply(t)
		if !errors.Is(err, ErrIncomplete) {
			t.Errorf("Apply's error is %v, want ErrIncomplete", err)
		}
		if diff := cmp.Diff(Summary{Created: 3, Skipped: 2, Cost: 9000}, summary); diff != "" {
			t.Errorf("summary (-want +got):\n%s", diff)
		}
	})
}

func TestBudgetCountsWhatTheAPICharges(t *testing.T) {
	t.Parallel()
	b := budget{most: new(bfl.Credits(10))}
	if err := b.reserve(4); err != nil {
		t.Fatal(err)
	}
	b.charge(4, 7)
	if err := b.reserve(4); err == nil {
		t.Error("a reservation beyond what the API left of the budget was allowed")
	}
	if err := b.reserve(3); err != nil {
		t.Errorf("a reservation of the rest: %v", err)
	}
	b.refund(3)
	if err := b.reserve(3); err != nil {
		t.Errorf("a reservation of what was refunded: %v", err)
	}
}

func TestModeratedRequestIsNotSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		img := r.image(t, "a")
		r.image(t, "child", "a")
		r.prior.Moderated = map[string]state.Moderation{img.Request().Fingerprint(): {Reasons: []string{"a face"}}}
		summary, _ := r.apply(t)
		if diff := cmp.Diff(Summary{Failed: 1, Skipped: 1}, summary); diff != "" {
			t.Errorf("summary (-want +got):\n%s", diff)
		}
		if failed := r.failures()["image.a"]; failed == nil || !strings.Contains(failed.Error(), "-retry-moderated") {
			t.Errorf("the failure is %v, want the way out in it", failed)
		}
		r.opts.RetryModerated, r.retryModerated = true, true
		if summary, err := r.apply(t); err != nil || summary.Created != 2 {
			t.Errorf("with RetryModerated Apply = %+v, %v", summary, err)
		}
	})
}

func TestRestoredImagesAreFree(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	a := r.image(t, "a")
	before := r.made(t, a)
	kept := r.file(t, a.Output)
	// The image was replaced by another, which is in its place now, and is wanted again.
	r.store.files[before.Output.SHA256] = []byte(kept)
	other := *before
	other.Fingerprint = strings.Repeat("0", 64)
	r.prior.Images.Set(a.Address, &other)
	if err := r.dir.WriteFile(a.Output, 0o644, func(w io.Writer) error {
		_, err := io.WriteString(w, "the other image")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r.stored = func(_ addrs.Image, fingerprint string, _ bool) []*state.Image {
		if fingerprint == before.Fingerprint {
			return []*state.Image{before}
		}
		return nil
	}
	summary, err := r.apply(t)
	if err != nil {
		t.Fatal(err, r.failures())
	}
	if diff := cmp.Diff(Summary{Replaced: 1}, summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if r.file(t, a.Output) != kept || len(r.store.files) != 2 {
		t.Error("the image is to be back in its place, and the other one in the store")
	}
	if got := r.plan(t).Changes[0]; got.Origin != planner.Restore || got.Cost != 0 {
		t.Errorf("planned as %s at %s, want a restore for nothing", got.Origin, got.Cost.Dollars())
	}
}

// A file that could not be put in its place, for a fault or because the run was to end, is not what
// the plan has images made from.
func TestNothingIsMadeFromAFailedRestore(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	for name, tt := range map[string]struct {
		drain context.Context
		want  Summary
	}{
		"the store cannot give it": {nil, Summary{Failed: 1, Skipped: 2}},
		"interrupted":              {ended, Summary{Skipped: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 1)
			r.opts.Drain = tt.drain
			a := r.image(t, "a")
			kept := *r.made(t, a)
			kept.Output.SHA256 = strings.Repeat("0", 64) // Nowhere.
			r.image(t, "b", "a")
			r.image(t, "c", "b")
			a.Arguments = []bfl.Argument{{Name: "prompt", Value: "a before"}}
			r.stored = func(addr addrs.Image, _ string, _ bool) []*state.Image {
				if addr == a.Address {
					return []*state.Image{&kept}
				}
				return nil
			}
			summary, err := r.apply(t)
			if !errors.Is(err, ErrIncomplete) {
				t.Errorf("Apply's error is %v, want ErrIncomplete", err)
			}
			if diff := cmp.Diff(tt.want, summary); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
			if len(r.api.attempts) > 0 {
				t.Errorf("submitted: %v", r.api.attempts)
			}
		})
	}
}

// A plan that asks the API for nothing connects to no account.
func TestRefusedRequestNeedsNoAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.opts.Accounts = nil
		img := r.image(t, "a")
		r.image(t, "b", "a")
		r.image(t, "c", "b")
		r.prior.Moderated = map[string]state.Moderation{img.Request().Fingerprint(): {Reasons: []string{"a face"}}}
		summary, err := r.apply(t)
		if !errors.Is(err, ErrIncomplete) || summary.Failed != 1 || summary.Skipped != 2 {
			t.Errorf("Apply = %+v, %v; want 1 failed and 2 skipped", summary, err)
		}
		if failed := r.failures()["image.a"]; failed == nil || !strings.Contains(failed.Error(), "a face") {
			t.Errorf("the failure is %v, want it to say what moderation said", failed)
		}
		if diff := cmp.Diff([]string{"image.b", "image.c"}, r.skipped()); diff != "" {
			t.Errorf("skipped (-want +got):\n%s", diff)
		}
	})
}

// A simulator's task is not asked of a provider that is none: it cost nothing, and its image would
// not be a real one.
func TestSimulatedTaskIsReplaced(t *testing.T) {
	t.Parallel()
	for _, may := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 1)
			r.interrupted(t, r.image(t, "a")).Simulated = true
			r.remembers("a")
			r.simulator = func(string) bool { return may }
			if _, err := r.apply(t); err != nil {
				t.Fatal(err, r.failures())
			}
			want := map[bool]int{true: 0, false: 1}[may]
			if r.api.attempts["a"] != want {
				t.Errorf("submitted %d times, want %d", r.api.attempts["a"], want)
			}
		})
	}
}

// TestResumeNowhere makes sure that a task of which nobody knows where it is stays on record, and
// that nothing is bought in its place.
func TestResumeNowhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.interrupted(t, r.image(t, "a")).PollingURL = ""
		r.api.onPoll = func(*fakeTask) (bfl.Result, error) { return bfl.Result{}, bfl.ErrNowhere }
		if _, err := r.apply(t); err == nil {
			t.Error("the image is said to be there")
		}
		if failed := r.failures()["image.a"]; failed == nil || !strings.Contains(failed.Error(), "is paid for") {
			t.Errorf("the failure is %v", failed)
		}
		if r.api.attempts["a"] != 0 || len(r.journal.of(t, "image.a")) != 0 {
			t.Errorf("submitted %d times; on record are %v", r.api.attempts["a"], r.journal.of(t, "image.a"))
		}
	})
}
