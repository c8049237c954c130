package executor

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

var notFound = bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}

// A task that is paid for is given up only when the API says that it is over, or does not know it
// for good.
func TestPaidTasksAreKept(t *testing.T) {
	t.Parallel()
	// since is how long after it was accepted a look is made that finds what fake says.
	type look func(since time.Duration, n int) (bfl.Result, error)
	tests := []struct {
		name    string
		look    look
		within  time.Duration // that all of it takes at most
		made    bool
		last    string // record
		failure string
	}{
		{"unknown for five seconds", func(since time.Duration, _ int) (bfl.Result, error) {
			if since < 5*time.Second {
				return notFound, nil
			}
			return bfl.Result{}, nil
		}, 15 * time.Second, true, "Stored", ""},
		{"unknown for nearly a minute", func(since time.Duration, _ int) (bfl.Result, error) {
			if since < 58*time.Second {
				return notFound, nil
			}
			return bfl.Result{}, nil
		}, 75 * time.Second, true, "Stored", ""},
		{"unknown now and then", func(_ time.Duration, n int) (bfl.Result, error) {
			switch {
			case n > 100:
				return bfl.Result{}, nil
			case n%3 == 0:
				return bfl.Result{Status: bfl.Pending, Raw: "Pending"}, nil
			}
			return notFound, nil
		}, time.Hour, true, "Stored", ""},
		{"unknown for good", func(time.Duration, int) (bfl.Result, error) { return notFound, nil }, 2 * time.Minute, false, "Lost", "$0.03 was paid for it and is lost"},
		{"failed", func(time.Duration, int) (bfl.Result, error) {
			return bfl.Result{Status: bfl.Failed, Raw: "Error", Message: "boom"}, nil
		}, time.Minute, false, "Lost", "boom. $0.03 was paid"},
		{"failed, and charged nothing", func(time.Duration, int) (bfl.Result, error) {
			return bfl.Result{Status: bfl.Failed, Raw: "Error", Message: "boom", HasCost: true}, nil
		}, time.Minute, false, "Failed", "boom"},
		{"a polling URL that is too long", func(_ time.Duration, n int) (bfl.Result, error) {
			if n == 1 {
				return bfl.Result{}, &bfl.APIError{StatusCode: 414}
			}
			return bfl.Result{}, nil
		}, 15 * time.Second, true, "Stored", ""},
		{"a polling URL that is refused, of a task that is known nowhere else", func(since time.Duration, n int) (bfl.Result, error) {
			if since > settlingTime && n%2 == 0 {
				return notFound, nil // by its id
			}
			return bfl.Result{}, &bfl.APIError{StatusCode: 414}
		}, 4 * time.Minute, false, "Submitted", "The next apply continues"},
		{"a polling URL that is refused once", func(_ time.Duration, n int) (bfl.Result, error) {
			switch n {
			case 1:
				return bfl.Result{}, &bfl.APIError{StatusCode: 414}
			case 2, 3:
				return notFound, nil
			}
			return bfl.Result{}, nil
		}, time.Minute, true, "Stored", ""},
		{"a wait of a day", func(_ time.Duration, n int) (bfl.Result, error) {
			if n == 1 {
				return bfl.Result{}, &bfl.APIError{StatusCode: 429, RetryAfter: time.Hour}
			}
			return bfl.Result{}, nil
		}, time.Minute, true, "Stored", ""},
		{"waits of a day for good", func(time.Duration, int) (bfl.Result, error) {
			return bfl.Result{}, &bfl.APIError{StatusCode: 429, RetryAfter: time.Hour}
		}, 20 * time.Minute, false, "Submitted", "The next apply continues"},
		{"a key that is refused", func(time.Duration, int) (bfl.Result, error) {
			return bfl.Result{}, &bfl.APIError{StatusCode: 401}
		}, time.Minute, false, "Submitted", "The next apply continues"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				r.image(t, "a")
				n := 0
				r.api.onPoll = func(task *fakeTask) (bfl.Result, error) {
					n++
					return tt.look(time.Since(task.began), n)
				}
				began := time.Now()
				_, err := r.apply(t)
				if took := time.Since(began); took > tt.within {
					t.Errorf("it took %v, want at most %v", took, tt.within)
				}
				if (err == nil) != tt.made {
					t.Errorf("Apply: %v, %v", err, r.failures())
				}
				if failed := r.failures()["image.a"]; tt.failure != "" && (failed == nil || !strings.Contains(failed.Error(), tt.failure)) {
					t.Errorf("the failure is %v, want %q in it", failed, tt.failure)
				}
				records := r.journal.of(t, "image.a")
				if got := records[len(records)-1]; got != tt.last {
					t.Errorf("last on record is %s, want %s", got, tt.last)
				}
				if r.api.attempts["a"] != 1 {
					t.Errorf("submitted %d times", r.api.attempts["a"])
				}
			})
		})
	}
}

// A refusal at delivery fails the image and ends no task, unless the API has said for a day that it
// is there.
func TestRefusedDelivery(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		age  time.Duration
		last string
	}{
		{"of a task of this run", 0, "Ready"},
		{"of one of an earlier run", 2 * time.Hour, "Ready"},
		{"of one that is more than a day old", 25 * time.Hour, "Lost"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				img := r.image(t, "a")
				if tt.age > 0 {
					r.interrupted(t, img).Accepted = time.Now().Add(-tt.age)
					r.remembers("a")
				}
				r.api.onDownload = func(*fakeTask, int, io.Writer) (bool, error) { return true, bfl.ErrExpired }
				if _, err := r.apply(t); !errors.Is(err, ErrIncomplete) {
					t.Errorf("Apply: %v", err)
				}
				records := r.journal.of(t, "image.a")
				if got := records[len(records)-1]; got != tt.last {
					t.Errorf("on record is %v, want %s at its end", records, tt.last)
				}
			})
		})
	}
}

// The last cost that the API names is what was charged, and what the budget has left.
func TestSettledCost(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		settled bfl.Credits
		created int
		cost    bfl.Credits
	}{
		"more":    {4500, 2, 9000},
		"less":    {1000, 3, 3000},
		"nothing": {0, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				for _, name := range []string{"a", "b", "c"} {
					r.image(t, name)
				}
				r.opts.MaxCost = new(bfl.Credits(9_000))
				r.api.onPoll = func(task *fakeTask) (bfl.Result, error) {
					return bfl.Result{
						Status: bfl.Ready, Raw: "Ready", SampleURL: "https://sample/" + task.id, Prompt: task.prompt, Cost: tt.settled, HasCost: true,
					}, nil
				}
				summary, _ := r.apply(t)
				if summary.Created != tt.created || summary.Cost != tt.cost {
					t.Errorf("summary is %+v, want %d made for %d", summary, tt.created, tt.cost)
				}
				for _, record := range r.journal.records {
					if stored, ok := record.(state.Stored); ok && stored.Image.Result.Cost != tt.settled {
						t.Errorf("on record are %d", stored.Image.Result.Cost)
					}
				}
			})
		})
	}
}

// Answers that no waiting changes end the run with few requests.
func TestHopelessAnswersEndTheRun(t *testing.T) {
	t.Parallel()
	const images, slots = 60, 8
	tests := []struct {
		name   string
		answer func(accepted int) error
		most   int // submissions
		within time.Duration
	}{
		{"a wrong key", func(int) error { return &bfl.APIError{StatusCode: 401} }, slots, time.Minute},
		{"a wrong key, answered with 403", func(int) error { return &bfl.APIError{StatusCode: 403} }, slots, time.Minute},
		{"no credits", func(int) error { return &bfl.APIError{StatusCode: 402} }, slots, time.Minute},
		{"too many tasks for ever", func(int) error { return &bfl.APIError{StatusCode: 429} }, images * 60, 15 * time.Minute},
		{"a single request that is forbidden", func(accepted int) error {
			if accepted < 10 {
				return nil
			}
			return &bfl.APIError{StatusCode: 403}
		}, images, time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, slots)
				for i := range images {
					r.image(t, "i"+strings.Repeat("i", i))
				}
				sent := 0
				r.api.onSubmit = func(string, int) error {
					sent++
					return tt.answer(len(r.api.tasks))
				}
				began := time.Now()
				if _, err := r.apply(t); !errors.Is(err, ErrIncomplete) {
					t.Errorf("Apply: %v", err)
				}
				if sent > tt.most || time.Since(began) > tt.within {
					t.Errorf("%d submissions in %v, want at most %d in %v", sent, time.Since(began), tt.most, tt.within)
				}
			})
		})
	}
}

// What stands where an image goes is kept, whoever put it there and whenever.
func TestStrangersAreKept(t *testing.T) {
	t.Parallel()
	const theirs = "somebody's work"
	put := func(t *testing.T, r *rig, path string) {
		t.Helper()
		if err := r.dir.WriteFile(path, 0o644, func(w io.Writer) error { _, err := io.WriteString(w, theirs); return err }); err != nil {
			t.Error(err)
		}
	}
	for name, setUp := range map[string]func(t *testing.T, r *rig){
		"during the run": func(t *testing.T, r *rig) {
			t.Helper()
			r.image(t, "a")
			r.api.onDownload = func(*fakeTask, int, io.Writer) (bool, error) {
				put(t, r, "images/a.png")
				return false, nil
			}
		},
		"at the path of a submitted task": func(t *testing.T, r *rig) {
			t.Helper()
			r.interrupted(t, r.image(t, "a"))
			r.remembers("a")
			put(t, r, "images/a.png")
		},
		"at the path of a fetched task": func(t *testing.T, r *rig) {
			t.Helper()
			fetchedAs(t, r, r.interrupted(t, r.image(t, "a")), "images/.fluxbatch-tmp-a.png-0123456789abcdef")
			put(t, r, "images/a.png")
		},
		"at the new path of an image": func(t *testing.T, r *rig) {
			t.Helper()
			img := r.image(t, "a")
			r.made(t, img)
			img.Output = "images/b.png"
			put(t, r, "images/b.png")
		},
		"behind a link at the image's path": func(t *testing.T, r *rig) {
			t.Helper()
			img := r.image(t, "a")
			r.made(t, img)
			img.Arguments = []bfl.Argument{{Name: "prompt", Value: "a, again"}}
			put(t, r, "annex/a.png")
			path := filepath.Join(r.dir.Path(), "images", "a.png")
			if err := errors.Join(os.Remove(path), os.Symlink("../annex/a.png", path)); err != nil {
				t.Fatal(err)
			}
		},
		"in the place of the image": func(t *testing.T, r *rig) {
			t.Helper()
			img := r.image(t, "a")
			r.made(t, img)
			img.Arguments = []bfl.Argument{{Name: "prompt", Value: "a, again"}}
			put(t, r, "images/a.png")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				setUp(t, r)
				if _, err := r.apply(t); err != nil {
					t.Fatal(err, r.failures())
				}
				sum := sha256.Sum256([]byte(theirs))
				if r.store.files[hex.EncodeToString(sum[:])] == nil {
					t.Error("the file is lost")
				}
				if got := r.file(t, r.images[0].Output); got == "" || got == theirs {
					t.Error("the image is not in place")
				}
			})
		})
	}
}

// An image that somebody moved to where another one goes stays an image, that its request finds.
func TestMovedImageIsNoStranger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		img := r.image(t, "a")
		before := r.made(t, img)
		if err := r.dir.Rename(img.Output, "images/b.png"); err != nil {
			t.Fatal(err)
		}
		img.Output, img.Arguments = "images/b.png", []bfl.Argument{{Name: "prompt", Value: "a, again"}}
		if _, err := r.apply(t); err != nil {
			t.Fatal(err, r.failures())
		}
		if kept := r.store.candidates(img.Address, before.Fingerprint, false); len(kept) != 1 || len(r.warnings()) > 0 {
			t.Errorf("in the store are %v, and warned was of %q", kept, r.warnings())
		}
	})
}

// A file with the recorded bytes at the path where its image is to be is the image, wherever a
// crash or a user left it.
func TestWhatIsInPlaceStays(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	a, b := r.image(t, "a"), r.image(t, "b")
	first, second := r.made(t, a), r.made(t, b)
	// A run that was to swap the two was cut off when the first had its new place.
	if err := r.store.PutFile(r.dir, b.Output, b.Address, second); err != nil {
		t.Fatal(err)
	}
	if err := r.dir.Rename(a.Output, b.Output); err != nil {
		t.Fatal(err)
	}
	a.Output, b.Output = b.Output, a.Output
	r.stored = r.store.candidates
	if summary, err := r.apply(t); err != nil || len(r.api.attempts) > 0 {
		t.Fatalf("Apply = %+v, %v, %v", summary, err, r.failures())
	}
	for img, want := range map[*image.Image]*state.Image{a: first, b: second} {
		sum := sha256.Sum256([]byte(r.file(t, img.Output)))
		if hex.EncodeToString(sum[:]) != want.Output.SHA256 {
			t.Errorf("%s is not at %s", img.Address, img.Output)
		}
	}
}

// drawn returns the picture of an image as the API draws it.
func drawn(t *testing.T, img *image.Image) (file []byte, info imagefile.Info) {
	t.Helper()
	body, _, err := img.Request().Body(nil)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	file = pictureOf(sent)
	if info, err = imagefile.Check(bytes.NewReader(file), 1<<20); err != nil {
		t.Fatal(err)
	}
	return file, info
}

// A request that is known only in apply is held against all that is there, as the plan would have
// done.
func TestLateRequestsAreFree(t *testing.T) {
	t.Parallel()
	// child is made from up, which is made anew and turns out as its prompt says.
	newChild := func(t *testing.T, r *rig) (child *image.Image, fingerprint string) {
		t.Helper()
		up := r.image(t, "up")
		child = r.image(t, "child", "up")
		r.made(t, up)
		r.made(t, child)
		up.Arguments = []bfl.Argument{{Name: "prompt", Value: "up, again"}}
		_, content := drawn(t, up)
		request := child.Request()
		request.Inputs[0].SHA256 = content.Content
		return child, request.Fingerprint()
	}
	t.Run("the store has it", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 2)
			child, fingerprint := newChild(t, r)
			kept := *r.prior.Images.Get(child.Address)
			drawn := pictureOf([]byte("child"))
			sum := sha256.Sum256(drawn)
			kept.Fingerprint, kept.Output.SHA256 = fingerprint, hex.EncodeToString(sum[:])
			r.store.files[kept.Output.SHA256] = drawn
			r.stored = func(_ addrs.Image, asked string, _ bool) []*state.Image {
				if asked == fingerprint {
					return []*state.Image{&kept}
				}
				return nil
			}
			summary, err := r.apply(t)
			if err != nil || r.api.attempts["child"] != 0 {
				t.Fatalf("Apply = %+v, %v, %v; submitted %v", summary, err, r.failures(), r.api.attempts)
			}
			if r.file(t, child.Output) != string(drawn) {
				t.Error("it is another image")
			}
		})
	})
	t.Run("an interrupted run has paid for it", func(t *testing.T) {
		t.Parallel()
		for name, at := range map[string]string{"at its address": "image.child", "at another": "image.former"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, 2)
					child, fingerprint := newChild(t, r)
					task := r.interrupted(t, child)
					task.Fingerprint, task.Address = fingerprint, parse(t, at)
					r.remembers("child")
					r.stored = r.store.candidates
					if summary, err := r.apply(t); err != nil || r.api.attempts["child"] != 0 {
						t.Fatalf("Apply = %+v, %v, %v; submitted %v", summary, err, r.failures(), r.api.attempts)
					}
					if records := r.journal.of(t, "image.child"); !slices.Contains(records, "Stored") {
						t.Errorf("on record: %v", records)
					}
				})
			})
		}
	})
	for _, slots := range []int{1, 4} { // one after the other, and all at once
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, slots)
			r.image(t, "up")
			for _, name := range []string{"one", "two", "three"} {
				img := r.image(t, name, "up")
				img.Arguments = []bfl.Argument{{Name: "prompt", Value: "child"}, {Name: "seed", Value: int64(7)}}
			}
			summary, err := r.apply(t)
			if diff := cmp.Diff(Summary{Created: 4, Cost: 6000}, summary); diff != "" || err != nil {
				t.Errorf("Apply: %v, summary (-want +got):\n%s", err, diff)
			}
			if r.api.attempts["child"] != 1 {
				t.Errorf("one seeded request was bought %d times with %d slots", r.api.attempts["child"], slots)
			}
		})
	}
}

// Two new images with one seeded request are one purchase, and fail together.
func TestTwins(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 4)
			for _, name := range []string{"one", "two"} {
				img := r.image(t, name)
				img.Arguments = []bfl.Argument{{Name: "prompt", Value: "p"}, {Name: "seed", Value: int64(7)}}
			}
			r.image(t, "of_two", "two")
			if fails {
				r.api.onSubmit = func(string, int) error { return &bfl.APIError{StatusCode: 422} }
			}
			if c := r.plan(t).Changes; c[2].Twin() == nil || c[2].Origin != planner.Restore {
				t.Fatalf("planned: %+v", c[2])
			}
			summary, _ := r.apply(t)
			want := Summary{Created: 3, Cost: 6000}
			if fails {
				want = Summary{Failed: 1, Skipped: 2}
			}
			if diff := cmp.Diff(want, summary); diff != "" || r.api.attempts["p"] != 1 {
				t.Errorf("submitted %d times, summary (-want +got):\n%s", r.api.attempts["p"], diff)
			}
		})
	}
}

// A task that the user gives up is settled, and its image bought, as the plan said.
func TestAbandon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		img := r.image(t, "a")
		r.interrupted(t, img)
		r.abandon = []addrs.Image{img.Address}
		if summary, err := r.apply(t); err != nil || summary.Cost != 3000 {
			t.Errorf("Apply = %+v, %v, %v", summary, err, r.failures())
		}
		if diff := cmp.Diff([]string{"Failed", "Intent", "Submitted", "Ready", "Fetched", "Stored"}, r.journal.of(t, "image.a")); diff != "" {
			t.Errorf("on record (-want +got):\n%s", diff)
		}
	})
}

// What a request costs is worked out once more when all of it is known: what is more than the plan
// said is told, and held against the budget.
func TestLatePrice(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		most    bfl.Credits
		created int
	}{
		"within the budget":  {20_000, 2},
		"more than is left":  {10_000, 1},
		"more than there is": {6_000, 1},
		"not even the first": {1_000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				r.image(t, "logo")
				poster := r.image(t, "poster")
				poster.Dependencies = []addrs.Image{parse(t, "image.logo")}
				poster.Arguments = []bfl.Argument{{Name: "height"}, {Name: "prompt", Value: "poster"}, {Name: "width"}}
				r.opts.Resolve = func(addrs.Image, func(addrs.Image) *image.Result) (*image.Image, error) {
					img := *poster
					img.Arguments = []bfl.Argument{{Name: "height", Value: int64(2048)}, {Name: "prompt", Value: "poster"}, {Name: "width", Value: int64(2048)}}
					return &img, nil
				}
				r.opts.MaxCost = new(tt.most)
				summary, _ := r.apply(t)
				if summary.Created != tt.created {
					t.Errorf("made %d, want %d: %v", summary.Created, tt.created, r.failures())
				}
				if sent := r.api.attempts["poster"]; (sent == 1) != (tt.created == 2) {
					t.Errorf("the poster was asked for %d times", sent)
				}
				if told := strings.Join(r.warnings(), "\n"); tt.created == 2 && !strings.Contains(told, "It costs $0.075 now that all sizes are known") {
					t.Errorf("told was %q", told)
				}
			})
		})
	}
}

// A new image whose request turns out, in apply, to be one that another image was made from takes
// that picture, whichever of the two comes first, and also where that one changes meanwhile.
func TestLateRequestOnRecord(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a_twin", "z_twin"} {
		for _, changes := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 2)
				r.stored = r.store.candidates
				up := r.image(t, "up")
				seeded := func(img *image.Image) {
					img.Arguments = []bfl.Argument{{Name: "prompt", Value: "child"}, {Name: "seed", Value: int64(7)}}
				}
				child := r.image(t, "child", "up")
				seeded(child)
				file, info := drawn(t, up)
				r.made(t, up)
				r.prior.Images.Get(up.Address).Output = state.FileOf(up.Output, info)
				if err := r.dir.WriteFile(up.Output, 0o644, func(w io.Writer) error { _, err := w.Write(file); return err }); err != nil {
					t.Fatal(err)
				}
				r.made(t, child)
				if changes {
					child.Arguments = []bfl.Argument{{Name: "prompt", Value: "another"}, {Name: "seed", Value: int64(7)}}
				}
				seeded(r.image(t, name, "up"))
				r.replace = []addrs.Image{up.Address}
				summary, err := r.apply(t)
				if err != nil || r.api.attempts["child"] != 0 || summary.Created != 1 {
					t.Errorf("%s, changes %t: Apply = %+v, %v, %v; submitted %v", name, changes, summary, err, r.failures(), r.api.attempts)
				}
			})
		}
	}
}

// A task is known to the account that has it, whichever account its image is to have now.
func TestResumeAtTheTasksAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		img := r.image(t, "a")
		r.interrupted(t, img)
		r.remembers("a")
		img.Provider = "bfl.other"
		other := newFakeAPI(1)
		r.opts.Accounts["bfl.other"] = Account{API: other, Concurrency: 1}
		if summary, err := r.apply(t); err != nil || summary.Created != 1 || other.polls > 0 {
			t.Errorf("Apply = %+v, %v, %v; the other account was asked %d times", summary, err, r.failures(), other.polls)
		}
	})
}

// An image that a run had put in place, and was cut off before it could say so, stays the image
// whatever is planned for its path by now.
func TestPlacedAndNotRecorded(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, r *rig, img *image.Image){
		"the image is no longer wanted": func(_ *testing.T, r *rig, _ *image.Image) { r.images = nil },
		"the change was taken back": func(_ *testing.T, _ *rig, img *image.Image) {
			img.Arguments = []bfl.Argument{{Name: "prompt", Value: "before"}}
		},
		"another image has its path": func(t *testing.T, r *rig, img *image.Image) {
			t.Helper()
			img.Output = "images/elsewhere.png"
			r.image(t, "b").Output = "images/a.png"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 2)
				r.stored = r.store.candidates
				img := r.image(t, "a")
				img.Arguments = []bfl.Argument{{Name: "prompt", Value: "before"}}
				before := r.made(t, img)
				if err := r.store.KeepFile(r.dir, img.Output, img.Address, before); err != nil {
					t.Fatal(err)
				}
				img.Arguments = []bfl.Argument{{Name: "prompt", Value: "a"}}
				task := r.interrupted(t, img)
				fetchedAs(t, r, task, "images/a.png")
				change(t, r, img)
				// The API has forgotten the task.
				if _, err := r.apply(t); err != nil {
					t.Fatal(err, r.failures())
				}
				stands := ""
				for _, path := range []string{"images/a.png", "images/elsewhere.png"} {
					sum := sha256.Sum256([]byte(r.file(t, path)))
					if hex.EncodeToString(sum[:]) == task.Fetched.Output.SHA256 {
						stands = path
					}
				}
				if kept := r.store.candidates(img.Address, task.Fingerprint, false); len(kept) == 0 && stands == "" {
					t.Error("the image is lost to its request")
				}
				if slices.Contains(r.journal.of(t, "image.a"), "Lost") {
					t.Errorf("on record: %v", r.journal.of(t, "image.a"))
				}
			})
		})
	}
}

// A seeded request that got no answer is not sent again in the same run by another image.
func TestTwinOfALostAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.image(t, "up")
		for _, name := range []string{"one", "two"} {
			r.image(t, name, "up").Arguments = []bfl.Argument{{Name: "prompt", Value: "p"}, {Name: "seed", Value: int64(7)}}
		}
		r.api.onSubmit = func(prompt string, _ int) error {
			if prompt == "p" {
				return sentError{}
			}
			return nil
		}
		if summary, _ := r.apply(t); r.api.attempts["p"] != 1 || summary.Failed != 1 || summary.Skipped != 1 {
			t.Errorf("submitted %d times: %+v", r.api.attempts["p"], summary)
		}
	})
}

// Two images without a seed stay two, also where only apply knows that they ask for what the store
// has.
func TestLateThrowsStayApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 4)
		up := r.image(t, "up")
		one := r.image(t, "one", "up")
		one.Arguments = []bfl.Argument{{Name: "prompt", Value: "p"}}
		_, info := drawn(t, up)
		r.made(t, up)
		r.prior.Images.Get(up.Address).Output.Content = info.Content
		kept := r.made(t, one)
		if err := r.store.PutFile(r.dir, one.Output, one.Address, kept); err != nil {
			t.Fatal(err)
		}
		r.prior.Images.Delete(one.Address)
		r.image(t, "two", "up").Arguments = []bfl.Argument{{Name: "prompt", Value: "p"}}
		r.stored, r.replace = r.store.candidates, []addrs.Image{up.Address}
		if _, err := r.apply(t); err != nil || r.api.attempts["p"] != 1 {
			t.Errorf("Apply: %v, %v; bought %d times, want once: the store has the other", err, r.failures(), r.api.attempts["p"])
		}
	})
}

// Two images without a seed that exchange their requests, which both are known only in apply,
// exchange their pictures, and one of them that keeps its own shares it with nobody.
func TestLateRequestsAreExchanged(t *testing.T) {
	t.Parallel()
	for _, slots := range []int{1, 4} {
		for _, exchanged := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, slots)
				r.stored = r.store.candidates
				ask := func(img *image.Image, prompt string) {
					img.Arguments = []bfl.Argument{{Name: "prompt", Value: prompt}}
				}
				for _, name := range []string{"up", "lake"} {
					up := r.image(t, name)
					file, info := drawn(t, up)
					r.made(t, up)
					r.prior.Images.Get(up.Address).Output = state.FileOf(up.Output, info)
					if err := r.dir.WriteFile(up.Output, 0o644, func(w io.Writer) error { _, err := w.Write(file); return err }); err != nil {
						t.Fatal(err)
					}
					r.replace = append(r.replace, up.Address)
				}
				one, two := r.image(t, "one", "up"), r.image(t, "two", "up")
				ask(one, "heron")
				ask(two, "otter")
				was := map[string]string{}
				for _, img := range []*image.Image{one, two} {
					r.made(t, img)
					was[img.Address.Name] = r.file(t, img.Output)
				}
				ask(one, "otter")
				if exchanged {
					ask(two, "heron")
				}
				summary, err := r.apply(t)
				bought := r.api.attempts["heron"] + r.api.attempts["otter"]
				switch {
				case err != nil:
					t.Errorf("Apply = %+v, %v, %v", summary, err, r.failures())
				case exchanged && (bought > 0 || r.file(t, one.Output) != was["two"] || r.file(t, two.Output) != was["one"]):
					t.Errorf("%d slots: exchanging requests buys %v, summary %+v", slots, r.api.attempts, summary)
				case !exchanged && (bought != 1 || r.file(t, two.Output) != was["two"]):
					t.Errorf("%d slots: a second throw of what another keeps: bought %v, summary %+v", slots, r.api.attempts, summary)
				}
			})
		}
	}
}
