package web_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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

	"github.com/fluxbatch/fluxbatch/internal/addrs"
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
func review(t *testing.T, dir string, flags ...string) (url string, end func()) {
	t.Helper()
	// It ends by a signal, before the test's context does.
	cmd := process(context.WithoutCancel(t.Context()), dir, append([]string{"review"}, flags...)...)
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

var errNoBrowser = errors.New("SKIPPED: THERE IS NO CHROMIUM ON THE PATH, SO THE PAGE IS NOT TRIED IN A BROWSER")

// rebound is a name that the browser finds at this machine, as after DNS rebinding.
const rebound = "rebound.test"

// browser starts Chromium once for all tests.
var browser = sync.OnceValues(func() (context.Context, error) {
	name := ""
	for _, candidate := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(candidate); err == nil {
			name = path
			break
		}
	}
	if name == "" && os.Getenv("FLUXBATCH_NEED_BROWSER") == "" {
		return nil, errNoBrowser
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(name), chromedp.NoSandbox, chromedp.WSURLReadTimeout(pageTime), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("host-resolver-rules", "MAP "+rebound+" 127.0.0.1"))
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
const pageTime = time.Minute

func newTab(t *testing.T) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	parent, err := browser()
	if errors.Is(err, errNoBrowser) {
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
