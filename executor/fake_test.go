package executor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	stdimage "image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// fakeAPI is an account of an API with limits, in the time of the test's bubble.
type fakeAPI struct {
	mu          sync.Mutex
	limit       int
	modelLimits map[string]int
	latency     func(task int) time.Duration
	// onSubmit, onPoll and onDownload, when set, can answer in the API's place.
	onSubmit   func(prompt string, attempt int) error
	onPoll     func(task *fakeTask) (bfl.Result, error)
	onDownload func(task *fakeTask, attempt int, w io.Writer) (bool, error)

	tasks              []*fakeTask
	attempts           map[string]int
	downloads          map[string]int
	maxActive, tooMany int
	maxModel           map[string]int
	polls              int
	order              []string // prompts in the order of acceptance
	unplaced           bool     // answers name no polling URLs
}

type fakeTask struct {
	id, prompt, model string
	body              []byte
	began             time.Time
	ends              time.Time
}

func newFakeAPI(limit int) *fakeAPI {
	return &fakeAPI{
		limit: limit, modelLimits: map[string]int{}, latency: func(int) time.Duration { return 4 * time.Second },
		attempts: map[string]int{}, downloads: map[string]int{}, maxModel: map[string]int{},
	}
}

func (f *fakeAPI) Submit(ctx context.Context, request *bfl.Request, open bfl.Opener) (bfl.Submission, error) {
	body, _, err := request.Body(open)
	if err != nil {
		return bfl.Submission{}, err
	}
	sent, err := io.ReadAll(body)
	if err != nil {
		return bfl.Submission{}, err
	}
	_ = body.Close()
	prompt, _ := request.Value("prompt").(string)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attempts[prompt]++
	if f.onSubmit != nil {
		if err := f.onSubmit(prompt, f.attempts[prompt]); err != nil {
			return bfl.Submission{}, err
		}
	}
	active, ofModel := 0, 0
	now := time.Now()
	for _, task := range f.tasks {
		if task.ends.After(now) {
			active++
			if task.model == request.Model.Name {
				ofModel++
			}
		}
	}
	most, limited := f.modelLimits[request.Model.Name]
	if active >= f.limit || limited && ofModel >= most {
		f.tooMany++
		return bfl.Submission{}, &bfl.APIError{StatusCode: 429, Message: "too many tasks"}
	}
	task := &fakeTask{
		id: fmt.Sprintf("task-%d", len(f.tasks)), prompt: prompt, model: request.Model.Name, body: sent, began: now,
		ends: now.Add(f.latency(len(f.tasks))),
	}
	f.tasks = append(f.tasks, task)
	f.order = append(f.order, prompt)
	f.maxActive = max(f.maxActive, active+1)
	f.maxModel[task.model] = max(f.maxModel[task.model], ofModel+1)
	accepted := bfl.Submission{ID: task.id, Cost: 3000, HasCost: true}
	if !f.unplaced {
		accepted.PollingURL = "https://poll/" + task.id
	}
	return accepted, nil
}

func (f *fakeAPI) task(url string) *fakeTask {
	for _, task := range f.tasks {
		if strings.HasSuffix(url, "/"+task.id) {
			return task
		}
	}
	return nil
}

func (f *fakeAPI) Poll(ctx context.Context, url string) (bfl.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.polls++
	task := f.task(url)
	if f.onPoll != nil {
		if result, err := f.onPoll(task); err != nil || result.Raw != "" {
			return result, err
		}
	}
	if task == nil {
		return bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}, nil
	}
	if time.Now().Before(task.ends) {
		return bfl.Result{Status: bfl.Pending, Raw: "Pending"}, nil
	}
	return bfl.Result{Status: bfl.Ready, Raw: "Ready", SampleURL: "https://sample/" + task.id, Seed: new(int64(1)), Prompt: task.prompt}, nil
}

func (f *fakeAPI) Find(ctx context.Context, id string) (bfl.Result, error) {
	return f.Poll(ctx, "https://poll/"+id)
}

func (f *fakeAPI) Download(ctx context.Context, url string, w io.Writer, _ int64) (int64, error) {
	f.mu.Lock()
	task := f.task(url)
	f.downloads[task.prompt]++
	attempt, hook := f.downloads[task.prompt], f.onDownload
	f.mu.Unlock()
	if hook != nil {
		if done, err := hook(task, attempt, w); done {
			return 0, err
		}
	}
	n, err := w.Write(pictureOf(task.body))
	return int64(n), err
}

// picture draws the image that a request asks for: another body, another image.
func pictureOf(body []byte) []byte {
	sum := sha256.Sum256(body)
	img := stdimage.NewRGBA(stdimage.Rect(0, 0, 8, 4))
	for i, b := range sum {
		img.Set(i%8, i/8, color.RGBA{b, b, b, 255})
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// journal keeps records in memory.
type journal struct {
	mu      sync.Mutex
	records []state.Record
	keys    map[string]addrs.Image // of tasks
	fail    func(state.Record) error
}

func (j *journal) Append(record state.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fail != nil {
		if err := j.fail(record); err != nil {
			return err
		}
	}
	if intent, ok := record.(state.Intent); ok {
		j.keys[intent.Task.Key] = intent.Task.Address
	}
	j.records = append(j.records, record)
	return nil
}

// of returns what is on record for one address, in order.
func (j *journal) of(t *testing.T, text string) (names []string) {
	t.Helper()
	for _, record := range j.records {
		name := strings.TrimPrefix(fmt.Sprintf("%T", record), "state.")
		if j.addressOf(record).String() == text {
			names = append(names, name)
		}
	}
	return names
}

func (j *journal) addressOf(record state.Record) addrs.Image {
	switch r := record.(type) {
	case state.Intent:
		return r.Task.Address
	case state.Submitted:
		return j.keys[r.Key]
	case state.Ready:
		return j.keys[r.Key]
	case state.Fetched:
		return j.keys[r.Key]
	case state.Stored:
		return r.Address
	case state.Failed:
		return j.keys[r.Key]
	case state.Lost:
		return j.keys[r.Key]
	case state.Moderated:
		return j.keys[r.Key]
	case state.Removed:
		return r.Address
	default:
		return addrs.Image{}
	}
}

// index reads files each time that it is asked.
type index struct{}

func (index) Record(string, fs.FileInfo, string) {}

func (index) Hash(dir *safefile.Dir, path string) (string, error) {
	content, err := dir.ReadFile(path, 1<<20)
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), err
}

// store keeps files in memory.
type store struct {
	mu    sync.Mutex
	files map[string][]byte
	kept  []*state.Image
	// unshared is the error of what other machines are to find.
	unshared error
	// full is the error of keeping anything.
	full error
	// unseen is the error of looking for images.
	unseen error
	// bad are the images that cannot be read, with why.
	bad map[string]error
}

// candidates are those of state.Store.
func (s *store) candidates(_ addrs.Image, fingerprint string, _ bool) (found []*state.Image) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, img := range s.kept {
		if img.Fingerprint == fingerprint {
			found = append(found, img)
		}
	}
	return found
}

func (s *store) KeepFile(dir *safefile.Dir, name string, _ addrs.Image, img *state.Image) error {
	if s.full != nil {
		return s.full
	}
	content, err := dir.ReadFile(name, 1<<20)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[hex.EncodeToString(sum[:])] = content
	if img.Output.SHA256 == hex.EncodeToString(sum[:]) {
		s.kept = append(s.kept, img)
	}
	return nil
}

func (s *store) PutFile(dir *safefile.Dir, name string, addr addrs.Image, img *state.Image) error {
	if err := s.KeepFile(dir, name, addr, img); err != nil {
		return err
	}
	return dir.Remove(name)
}

func (s *store) Elsewhere(string) (bool, error) { return false, nil }

func (s *store) Publish(*safefile.Dir, string, addrs.Image, *state.Image) error { return s.unshared }

func (s *store) Whole(sum string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files[sum] != nil
}

func (s *store) Take(sum string, dir *safefile.Dir, path string) (*safefile.Pending, error) {
	s.mu.Lock()
	content, ok := s.files[sum]
	s.mu.Unlock()
	if err := s.bad[sum]; err != nil {
		return nil, err
	}
	if !ok {
		return nil, os.ErrNotExist
	}
	p, err := dir.Create(path, 0o644)
	if err == nil {
		_, err = p.Write(content)
	}
	return p, err
}

// rig is an apply under construction.
type rig struct {
	api     *fakeAPI
	journal *journal
	store   *store
	dir     *safefile.Dir
	prior   *state.State
	images  []*image.Image
	events  []Event
	opts    Options
	// what the plan is told
	retryModerated bool
	simulator      func(provider string) bool
	stored         func(addrs.Image, string, bool) []*state.Image
	replace        []addrs.Image
	abandon        []addrs.Image
}

func newRig(t *testing.T, limit int) *rig {
	t.Helper()
	dir, err := safefile.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	r := &rig{
		api: newFakeAPI(limit), journal: &journal{keys: map[string]addrs.Image{}}, store: &store{files: map[string][]byte{}}, dir: dir,
		prior: &state.State{Images: new(state.Images)},
	}
	r.opts = Options{
		Accounts: map[string]Account{"bfl": {API: r.api, Concurrency: limit}},
		Journal:  r.journal, Store: r.store, Index: index{}, Dir: dir, Prior: r.prior,
	}
	return r
}

func parse(t *testing.T, text string) addrs.Image {
	t.Helper()
	a, err := addrs.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// image declares image.NAME with its name as the prompt, made from others.
func (r *rig) image(t *testing.T, name string, upstream ...string) *image.Image {
	t.Helper()
	img := &image.Image{
		Address: parse(t, "image."+name), Provider: "bfl", Output: "images/" + name + ".png",
		Model: bfl.Lookup("flux-2-pro"), Arguments: []bfl.Argument{{Name: "prompt", Value: name}},
	}
	for i, up := range upstream {
		img.References = append(img.References, image.Reference{Input: bfl.Input{Field: img.Model.Inputs.References[i]}, Image: parse(t, "image."+up)})
		img.Dependencies = append(img.Dependencies, parse(t, "image."+up))
	}
	r.images = append(r.images, img)
	return img
}

// made records a declared image as made, with its file.
func (r *rig) made(t *testing.T, img *image.Image) *state.Image {
	t.Helper()
	request := img.Request()
	for i, ref := range img.References {
		request.Inputs[i].SHA256 = r.prior.Images.Get(ref.Image).Output.Identity()
	}
	canonical, err := request.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	content := pictureOf(canonical)
	path := filepath.Join(r.dir.Path(), filepath.FromSlash(img.Output))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	info, err := imagefile.Check(bytes.NewReader(content), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	record := &state.Image{
		Provider: "bfl", Model: request.Model.Name, Fingerprint: request.Fingerprint(), Request: canonical,
		Output:       state.FileOf(img.Output, info),
		Dependencies: img.Dependencies,
	}
	r.prior.Images.Set(img.Address, record)
	return record
}

func (r *rig) plan(t *testing.T) *planner.Plan {
	t.Helper()
	o := planner.Options{
		Prior: r.prior, RetryModerated: r.retryModerated, Simulator: r.simulator, Stored: r.stored, Replace: r.replace, Abandon: r.abandon,
		Holds: func(path, sha256 string) bool {
			sum, err := index{}.Hash(r.dir, path)
			return err == nil && sum == sha256
		},
	}
	plan, diags := planner.Settle(o, func(o planner.Options) (*planner.Plan, hcl.Diagnostics) {
		p := planner.New(o)
		for _, img := range r.images {
			again := *img
			p.Decide(&again)
		}
		return p.Finish(nil, nil)
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return plan
}

// apply plans and applies.
func (r *rig) apply(t *testing.T) (Summary, error) {
	t.Helper()
	o := r.opts
	if r.stored != nil {
		o.Stored = func(addr addrs.Image, fingerprint string, simulated bool) ([]*state.Image, error) {
			return r.stored(addr, fingerprint, simulated), r.store.unseen
		}
	}
	o.OnEvent = func(e Event) { r.events = append(r.events, e) }
	return Apply(t.Context(), r.plan(t), o)
}

// failures returns the messages of Failed events by address.
func (r *rig) failures() map[string]error {
	failed := map[string]error{}
	for _, e := range r.events {
		if f, ok := e.(Failed); ok {
			failed[f.Address.String()] = f.Err
		}
	}
	return failed
}

// skipped returns the addresses of Skipped events.
func (r *rig) skipped() (addresses []string) {
	for _, e := range r.events {
		if s, ok := e.(Skipped); ok {
			addresses = append(addresses, s.Address.String())
		}
	}
	slices.Sort(addresses)
	return addresses
}

// file returns the content of an output, "" where there is none.
func (r *rig) file(t *testing.T, path string) string {
	t.Helper()
	content, err := r.dir.ReadFile(path, 1<<20)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(content)
}
