package web_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

// The page is tried in a real browser: Chromium, where this machine has it.

// lookedAt is a project with images that change, candidates, what is made from what, and a prompt
// that would run if it were taken for markup.
const lookedAt = `
variable "light" { default = "soft morning light" }
defaults {
  model  = "flux-2-pro"
  width  = 256
  height = 256
}
image "logo" {
  prompt = "A heron <script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"
  seed   = 7
  labels = { kind = "brand" }
}
image "hero" {
  model      = "flux-2-max"
  prompt     = "The heron from image 1 over a wide lake in ${var.light}, calm shapes"
  references = [image.logo]
  seed       = 3
}
image "poster" {
  prompt     = "A poster for a summer sale"
  seed       = 11
  candidates = 4
  gate "looks" { not_blank = true }
}
image "product" {
  for_each = toset(["kettle", "lamp", "chair"])
  prompt   = "Studio photo of a ${each.key}"
  seed     = 1
  labels   = { kind = "product" }
}
`

// poster is the image with candidates.
var poster = addrs.Image{Name: "poster"}

// looked makes that project, with a hero that was replaced.
func looked(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(lookedAt), 0o600); err != nil {
		t.Fatal(err)
	}
	fluxbatch(t, dir, "apply", "-simulate", "-auto-approve", "-var", "light=late evening light")
	fluxbatch(t, dir, "apply", "-simulate", "-auto-approve")
	return dir
}

func process(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Args, cmd.Dir = append([]string{"fluxbatch"}, args...), dir
	return cmd
}

func fluxbatch(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := process(t.Context(), dir, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("fluxbatch %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// review serves the project's review page, and returns its address and what ends it.
func review(t *testing.T, dir string) (url string, end func()) {
	t.Helper()
	// It ends by a signal, before the test's context does.
	cmd := process(context.WithoutCancel(t.Context()), dir, "review", "-simulate")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var problem bytes.Buffer
	cmd.Stderr = &problem
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the review ended with %v\n%s", err, problem.String())
		}
	})
	t.Cleanup(end)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if text := strings.TrimSpace(lines.Text()); strings.HasPrefix(text, "http://") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return text, end
		}
	}
	t.Fatalf("no address: %v\n%s", lines.Err(), problem.String())
	return "", nil
}

// browser starts Chromium once for all tests.
var browser = sync.OnceValues(func() (context.Context, error) {
	name := ""
	for _, candidate := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(candidate); err == nil {
			name = path
			break
		}
	}
	if name == "" {
		return nil, errors.New("there is no Chromium: the page is not tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(name), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...) // it ends with this process
	ctx, _ := chromedp.NewContext(allocator)
	return ctx, chromedp.Do(ctx)
})

// tab is a page in the browser.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// pageTime is how long a page has for anything.
const pageTime = 20 * time.Second

func newTab(t *testing.T) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	parent, err := browser()
	if parent == nil {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	tb := &tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	err = chromedp.Listen(ctx, func(event any) {
		tb.mu.Lock()
		defer tb.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			tb.problems = append(tb.problems, (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == "error" {
				tb.problems = append(tb.problems, fmt.Sprint(e.Args))
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

// act is something to do in a page.
type act = chromedp.Action[chromedp.Void]

// do runs actions, and fails where one does not come about.
func (tb *tab) do(actions ...act) {
	tb.t.Helper()
	for i, action := range actions {
		ctx, cancel := context.WithTimeout(tb.ctx, pageTime)
		err := chromedp.Do(ctx, action)
		cancel()
		if err != nil {
			text, _ := chromedp.Run(tb.ctx, chromedp.Evaluate[string](`document.body.innerText.slice(0, 1500)`))
			tb.t.Fatalf("action %d: %v\nThe page says: %s", i+1, err, text)
		}
	}
}

// until waits for a condition in the page. It asks again and again, since the page's policy forbids
// to make functions of text, as waiting inside of it would.
func until(expression string) act {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		ticker := time.NewTicker(30 * time.Millisecond)
		defer ticker.Stop()
		for {
			holds, err := chromedp.Evaluate[bool]("Boolean("+expression+")")(ctx, target)
			if holds && err == nil {
				return chromedp.Void{}, nil
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return chromedp.Void{}, fmt.Errorf("%s: %w, %w", expression, context.Cause(ctx), cmp.Or(err, errors.New("it does not hold")))
			}
		}
	}
}

// script runs what gives nothing.
func script(text string) act { return chromedp.Evaluate[chromedp.Void](text + ";undefined") }

func says(selector, text string) act {
	return until(fmt.Sprintf(`document.querySelector(%q)?.textContent.includes(%q)`, selector, text))
}

// ready waits until all of the album is there.
func ready() act { return until(`document.documentElement.dataset.ready`) }

// value evaluates an expression.
func value[T any](tb *tab, expression string) T {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, pageTime)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tb.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// check fails for what went wrong in the page unseen.
func (tb *tab) check() {
	tb.t.Helper()
	// The lock is not held while the page is asked: its events wait for it.
	tb.mu.Lock()
	problems := slices.Clone(tb.problems)
	tb.mu.Unlock()
	for _, p := range problems {
		tb.t.Errorf("the page reports: %s", p)
	}
	if ran := value[bool](tb, `"ran" in window`); ran {
		tb.t.Error("a prompt was run as a script")
	}
}

// accessible fails for what axe-core finds, where FLUXBATCH_AXE names its script. The rules are
// those of WCAG 2.2 AA and those that its makers call good practice.
func (tb *tab) accessible(what string) {
	tb.t.Helper()
	name := os.Getenv("FLUXBATCH_AXE")
	if name == "" {
		return
	}
	axe, err := os.ReadFile(name)
	if err != nil {
		tb.t.Fatal(err)
	}
	tb.do(script(string(axe)))
	found := value[[]string](tb, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r =>
		r.violations.map(v => v.id + ": " + v.help + " " + v.nodes.slice(0, 2).map(n => n.html.slice(0, 200) + " " + n.failureSummary).join(" | ")))`)
	for _, f := range found {
		tb.t.Errorf("%s: axe says %s", what, f)
	}
}

func TestReportInABrowser(t *testing.T) {
	t.Parallel()
	tb := newTab(t)
	dir := looked(t)
	out := fluxbatch(t, dir, "report", "-simulate", "-out", "report", "-var", "light=late evening light")
	if !strings.Contains(out, "6 images, 1 of which change") {
		t.Fatalf("got %s", out)
	}
	tb.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate("file://"+filepath.Join(dir, "report", "index.html")), ready())
	// What changes is there, what does not is folded away.
	if got := value[[]string](tb, `[...document.querySelectorAll("section h2 button")].map(b => b.textContent + " " + b.ariaExpanded)`); !slices.Equal(got, []string{"Replaced 1 true", "Unchanged 5 false"}) {
		t.Errorf("the sections are %q", got)
	}
	tb.accessible("the sheet")
	tb.compares()
	tb.finds()
	tb.check()
}

// compares opens what changes, and compares it in every way.
func (tb *tab) compares() {
	tb.t.Helper()
	tb.do(chromedp.KeyEvent("j"), chromedp.KeyEvent(kb.Enter), says("#address", "image.hero"))
	tb.do(until(`[...document.querySelectorAll("#detail .pic img")].length === 2 && [...document.querySelectorAll("#detail .pic img")].every(i => i.complete && i.naturalWidth)`))
	if got := value[string](tb, `document.querySelector(".prompt del").textContent + ">" + document.querySelector(".prompt ins").textContent`); got != "soft morning>late evening" && got != "late evening>soft morning" {
		tb.t.Errorf("the prompt's difference is %q", got)
	}
	if got := value[string](tb, `document.querySelector("ul.strip li p").textContent`); got != "image.logo" {
		tb.t.Errorf("it is made from %q", got)
	}
	tb.accessible("an image")
	tb.do(chromedp.KeyEvent(" "), until(`document.querySelector("input[value=slide]").checked`))
	before := value[string](tb, `getComputedStyle(document.querySelector(".slide .top")).clipPath`)
	tb.do(chromedp.Focus(chromedp.CSS("#cut")), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
	if after := value[string](tb, `getComputedStyle(document.querySelector(".slide .top")).clipPath`); before == after || !strings.Contains(after, "52%") {
		tb.t.Errorf("sliding went from %q to %q", before, after)
	}
	tb.do(chromedp.Click(chromedp.CSS(`input[value=blend]`)), until(`getComputedStyle(document.querySelector(".blend .top")).opacity === "0.52"`))
	tb.do(chromedp.Click(chromedp.CSS(`input[value=difference]`)), until(`document.querySelector(".difference .over")?.naturalWidth > 0`), says(".difference figcaption", "of the pixels"))
	tb.accessible("a difference")
	tb.do(chromedp.KeyEvent(kb.Escape), until(`!document.querySelector("#detail").open && document.activeElement.closest(".card")`))
}

// finds searches and filters.
func (tb *tab) finds() {
	tb.t.Helper()
	tb.do(chromedp.KeyEvent("/"), until(`document.activeElement.id === "find"`), chromedp.KeyEvent("studio kettle"), says("#count", "1 of 6 images"))
	tb.do(chromedp.KeyEvent(kb.Enter), until(`document.activeElement.querySelector(".name")?.textContent === 'image.product["kettle"]'`))
	tb.do(script(`{const f = document.getElementById("find"); f.value = ""; f.dispatchEvent(new Event("input"))}`), says("#count", "6 images"))
	for filter, want := range map[string]string{"label=kind=product": "3 of 6", "model=flux-2-max": "1 of 6", "price=a": "5 of 6", "price=0": "1 of 6", "grade=seeded": "6 images", "change=same": "5 of 6"} {
		name, chosen, _ := strings.Cut(filter, "=")
		set := func(to string) act {
			return script(fmt.Sprintf(`{const s = document.getElementById("by-%s"); s.value = %q; s.dispatchEvent(new Event("change"))}`, name, to))
		}
		tb.do(set(chosen))
		if got := value[string](tb, `count.textContent`); !strings.HasPrefix(got, want) {
			tb.t.Errorf("%s: got %q, want %q", filter, got, want)
		}
		tb.do(set(""))
	}
}

// recorded returns an image of the simulation as it is on disk.
func recorded(t *testing.T, dir string, addr addrs.Image) *state.Image {
	t.Helper()
	s, err := state.Read(workspace.StatePath(dir, "", true))
	if err != nil {
		t.Fatal(err)
	}
	return s.Images[addr]
}

func TestReviewInABrowser(t *testing.T) {
	t.Parallel()
	tb, other := newTab(t), newTab(t)
	dir := looked(t)
	url, end := review(t, dir)
	for _, one := range []*tab{tb, other} {
		one.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url+"#image.poster"), ready(), says("#address", "image.poster"))
	}
	tb.accessible("the review of an image")
	// A key picks, on disk and in the other tab.
	tb.do(chromedp.KeyEvent("3"), says(".told", "candidate 3 is picked"), says(`[data-pick="3"]`, "Picked"))
	if img := recorded(t, dir, poster); img.Candidate != 3 || !img.Picked {
		t.Errorf("candidate %d is on record, picked: %v", img.Candidate, img.Picked)
	}
	other.do(says(`[data-pick="3"]`, "Picked"))
	tb.do(chromedp.Reload(), ready(), says(`[data-pick="3"]`, "Picked"))
	tb.notesAndMarks(dir)
	tb.waitsForOthers(dir)
	end()
	tb.do(says("#banner", "The review has ended"), until(`[...document.querySelectorAll(".acts button, [data-pick]")].every(b => b.disabled)`))
	tb.check()
}

// notesAndMarks leaves a note and a mark, which the plan reads.
func (tb *tab) notesAndMarks(dir string) {
	tb.t.Helper()
	tb.do(chromedp.Navigate(value[string](tb, `location.href.replace(/#.*/, "") + "?#image.logo"`)), ready(), says("#address", "image.logo"))
	tb.do(chromedp.SendKeys(chromedp.CSS("#note"), "1 too dark"), chromedp.Click(chromedp.CSS(".acts label + button")), says(".told", "the note is kept"))
	tb.do(chromedp.Click(chromedp.CSS("[data-do=mark]")), says("[data-do=unmark]", "Unmark"))
	file, err := os.ReadFile(filepath.Join(filepath.Dir(workspace.StatePath(dir, "", true)), workspace.ReviewName))
	if err != nil || !strings.Contains(string(file), `"note": "1 too dark"`) || !strings.Contains(string(file), `"mark": "`) {
		tb.t.Errorf("the review's file is %s, %v", file, err)
	}
	if out := fluxbatch(tb.t, dir, "plan", "-simulate"); !strings.Contains(out, "somebody marked it in review") {
		tb.t.Errorf("the plan says\n%s", out)
	}
	tb.do(chromedp.Click(chromedp.CSS("[data-do=unmark]")), says("[data-do=mark]", "Mark"))
}

// waitsForOthers acts while somebody else has the state.
func (tb *tab) waitsForOthers(dir string) {
	tb.t.Helper()
	held, err := state.Open(tb.t.Context(), workspace.StatePath(dir, "", true), state.Options{Operation: "apply", Version: "1"})
	if err != nil {
		tb.t.Fatal(err)
	}
	tb.do(says("#banner", "fluxbatch apply is at work"), chromedp.Click(chromedp.CSS("[data-do=mark]")), says("#banner", "Nothing was changed"))
	if err := held.Close(); err != nil {
		tb.t.Fatal(err)
	}
}

// Another site knows the address, with its secret, and gets nothing all the same.
func TestReviewAndAnotherSite(t *testing.T) {
	t.Parallel()
	tb := newTab(t)
	dir := looked(t)
	url, _ := review(t, dir)
	before := recorded(t, dir, poster).Candidate
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><title>Elsewhere</title><script>
			const got = [], target = %q;
			const tried = [
				fetch(target).then(r => r.text()).then(t => got.push("page " + t.length), () => {}),
				fetch(target + "act", {method: "POST", mode: "no-cors", body: '{"do":"pick","address":"image.poster","number":2}'}).then(() => {}, () => {}),
				...["data/0001.js", "page.js"].map(name => new Promise(done => { const s = document.createElement("script"); s.src = target + name;
					s.onload = () => { got.push(name); done(); }; s.onerror = done; document.head.append(s); })),
				new Promise(done => { const f = document.createElement("iframe"); f.src = target; f.onload = () => {
					try { if (f.contentDocument?.title.includes("fluxbatch")) got.push("frame"); } catch {} done(); }; document.documentElement.append(f); }),
			];
			Promise.all(tried).then(() => { document.title = "done " + got.join(", "); });
		</script>`, url)
	}))
	t.Cleanup(site.Close)
	tb.do(chromedp.Navigate(site.URL), until(`document.title.startsWith("done")`))
	if got := value[string](tb, `document.title`); got != "done" {
		t.Errorf("another site got %q", got)
	}
	if now := recorded(t, dir, poster).Candidate; now != before {
		t.Errorf("another site picked candidate %d", now)
	}
}

// A drawing with a script that calls itself a picture is neither drawn nor run.
func TestFalsePictureInABrowser(t *testing.T) {
	t.Parallel()
	tb := newTab(t)
	dir := looked(t)
	file := filepath.Join(dir, ".fluxbatch", "simulation", filepath.FromSlash(recorded(t, dir, addrs.Image{Name: "logo"}).Output.Path))
	if err := os.WriteFile(file, []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="window.ran = 1"><script>window.ran = 1</script></svg>`), 0o600); err != nil {
		t.Fatal(err)
	}
	fluxbatch(t, dir, "report", "-simulate", "-all", "-out", "report")
	url, _ := review(t, dir)
	for _, page := range []string{"file://" + filepath.Join(dir, "report", "index.html"), url} {
		tb.do(chromedp.Navigate(page+"#image.logo"), ready(), says("#address", "image.logo"))
		if n := value[int](tb, `document.querySelectorAll("#detail svg").length`); n != 0 {
			t.Errorf("%s draws it", page)
		}
	}
	tb.check()
}
