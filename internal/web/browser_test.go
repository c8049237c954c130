package web_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

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
	// Or by the pointer, at a quarter of the picture.
	tb.do(script(`const p = document.querySelector(".slide .pic"), b = p.getBoundingClientRect();
		p.setPointerCapture = () => {};
		p.dispatchEvent(new PointerEvent("pointerdown", {buttons: 1, clientX: b.left + b.width / 4, clientY: b.top + 50}))`),
		until(`document.querySelector("#cut").value === "25" && getComputedStyle(document.querySelector(".slide .top")).clipPath.includes("25%")`),
		script(`{const c = document.querySelector("#cut"); c.value = 52; c.dispatchEvent(new Event("input"))}`))
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
	return s.Images.Get(addr)
}

func TestReviewInABrowser(t *testing.T) {
	t.Parallel()
	tb, other := newTab(t), newTab(t)
	dir := looked(t)
	url, end := review(t, dir, "-simulate")
	for _, one := range []*tab{tb, other} {
		one.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url+"#image.poster"), ready(), says("#address", "image.poster"))
	}
	tb.accessible("the review of an image")
	// A key picks, on disk and in the other tab.
	file := filepath.Join(dir, ".fluxbatch", "simulation", filepath.FromSlash(recorded(t, dir, poster).Output.Path))
	was, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tb.do(chromedp.KeyEvent("3"), says(".told", "candidate 3 is picked"), says(`[data-pick="3"]`, "Picked"))
	if img := recorded(t, dir, poster); img.Candidate != 3 || !img.Picked {
		t.Errorf("candidate %d is on record, picked: %v", img.Candidate, img.Picked)
	}
	if is, err := os.ReadFile(file); err != nil || bytes.Equal(was, is) {
		t.Errorf("the file is the same as before, %v", err)
	}
	other.do(says(`[data-pick="3"]`, "Picked"))
	tb.do(chromedp.Reload(), ready(), says(`[data-pick="3"]`, "Picked"))
	// A further candidate is asked for, and no longer.
	tb.do(chromedp.Click(chromedp.CSS("[data-do=mark]")), says(".acts", "1 more to come"), chromedp.Click(chromedp.CSS("[data-do=unwant]")),
		says(".told", "will not be generated any more"), until(`!document.querySelector("[data-do=unwant]")`))
	tb.notesAndMarks(dir)
	tb.waitsForOthers(dir)
	end()
	tb.do(says("#banner", "The review has ended"), until(`[...document.querySelectorAll(".acts button, [data-pick]")].every(b => b.disabled)`))
	tb.check()
}

// notesAndMarks leaves a note and a mark, which the plan reads.
func (tb *tab) notesAndMarks(dir string) {
	tb.t.Helper()
	tb.do(chromedp.Navigate(value[string](tb, `location.href.replace(/#.*/, "") + "?#image.logo"`)), ready(), says("#address", "image.logo"),
		says(".prompt", "A heron <script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"))
	tb.do(chromedp.SendKeys(chromedp.CSS("#note"), "1 too dark"), chromedp.Click(chromedp.CSS(".acts label + button")), says(".told", "the note is kept"),
		until(`document.activeElement.id === "note"`))
	// What is being written survives what happens meanwhile.
	tb.do(chromedp.SendKeys(chromedp.CSS("#note"), " and more"), chromedp.Click(chromedp.CSS("[data-do=mark]")), says("[data-do=unmark]", "Unmark"),
		until(`document.querySelector("#note").value === "1 too dark and more"`))
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
