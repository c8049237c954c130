package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Another site knows the address, with its secret, and gets nothing all the same.
func TestReviewAndAnotherSite(t *testing.T) {
	t.Parallel()
	tb := newTab(t)
	dir := looked(t)
	url, _ := review(t, dir, "-simulate")
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
	// It is another port of this machine, another name, and one that was made to mean this machine.
	for _, host := range []string{"127.0.0.1", "localhost", rebound} {
		at := strings.Replace(site.URL, "127.0.0.1", host, 1)
		tb.do(chromedp.Navigate(at), until(`document.title.startsWith("done")`))
		if got := value[string](tb, `document.title + " of " + location.hostname`); got != "done of "+host {
			t.Errorf("another site got %q", got)
		}
	}
	if now := recorded(t, dir, poster).Candidate; now != before {
		t.Errorf("another site picked candidate %d", now)
	}
}

// A name that was made to mean this machine is no address of the review, although whoever uses it
// knows the secret.
func TestReviewAndAForgedHost(t *testing.T) {
	t.Parallel()
	tb := newTab(t)
	url, _ := review(t, looked(t), "-simulate")
	for _, host := range []string{rebound, "localhost"} {
		at := strings.Replace(url, "127.0.0.1", host, 1)
		tb.do(chromedp.Navigate(at), says("body", "This is not the address of the review."))
		for _, name := range []string{"page.js", "data/0001.js", "head", "status", "act"} {
			if got := value[int](tb, fmt.Sprintf(`fetch(%q).then(r => r.status)`, at+name)); got != http.StatusForbidden {
				t.Errorf("%s as %s answers %d", name, host, got)
			}
		}
	}
}

// tried asks the review for something from its own page, and returns the status.
func (tb *tab) tried(path, options string) int {
	tb.t.Helper()
	return value[int](tb, fmt.Sprintf(`fetch(%q, %s).then(r => r.status, () => 0)`, path, options))
}

// Whoever has the page's address but not its token looks, and does nothing. No parameter reaches
// a file that is not on the page.
func TestReviewRefuses(t *testing.T) {
	t.Parallel()
	tb := newTab(t)
	dir := looked(t)
	if err := os.WriteFile(filepath.Join(dir, "secret.png"), []byte("\x89PNG\r\n\x1a\nhush"), 0o600); err != nil {
		t.Fatal(err)
	}
	url, _ := review(t, dir, "-simulate")
	tb.do(chromedp.Navigate(url), ready())
	before := recorded(t, dir, poster).Candidate
	pick := `{"do": "pick", "address": "image.poster", "number": 2}`
	for name, options := range map[string]string{
		"no token":      `{method: "POST", headers: {"Content-Type": "application/json"}, body: ` + "`" + pick + "`" + `}`,
		"another token": `{method: "POST", headers: {"Content-Type": "application/json", "X-Fluxbatch-Token": "AAAA"}, body: ` + "`" + pick + "`" + `}`,
		"a form":        `{method: "POST", body: new URLSearchParams({do: "pick"})}`,
	} {
		if got := tb.tried("act", options); got != http.StatusForbidden {
			t.Errorf("%s: act answers %d", name, got)
		}
	}
	for _, path := range []string{"head", "status"} {
		if got := tb.tried(path, `{}`); got != http.StatusForbidden {
			t.Errorf("%s answers %d without a token", path, got)
		}
	}
	tb.outside()
	if now := recorded(t, dir, poster).Candidate; now != before {
		t.Errorf("candidate %d was picked", now)
	}
	tb.check()
}

// outside tries paths out of the page in every parameter.
func (tb *tab) outside() {
	tb.t.Helper()
	for _, out := range []string{"../secret.png", "..%2fsecret.png", "..%5csecret.png", "%2e%2e/%2e%2e/secret.png", "....//secret.png", "%00", "/etc/passwd", "file:///etc/passwd"} {
		for _, place := range []string{"", "data/", "thumbs/", "pictures/", "differences/"} {
			if got := tb.tried(place+out, `{}`); got == http.StatusOK {
				tb.t.Errorf("%s is answered", place+out)
			}
		}
	}
	token := value[string](tb, `JSON.parse(document.body.dataset.head).token`)
	for _, body := range []string{
		`{"do": "../pick", "address": "image.poster", "number": 2}`, `{"do": "pick", "address": "../secret", "number": 2}`,
		`{"do": "note", "address": "image.poster.candidate[../../1]", "note": "x"}`, `{"do": "accept", "address": "../../secret.png"}`,
		`{"do": "restore", "address": "image['../../x']"}`, `{"do": "pick", "address": "image.poster", "number": "../2"}`,
		`{"do": "pick", "address": "image.poster", "number": 2, "file": "../secret.png"}`, `{"do": "mark", "address": "image.nowhere"}`,
	} {
		options := fmt.Sprintf(`{method: "POST", headers: {"Content-Type": "application/json", "X-Fluxbatch-Token": %q}, body: %q}`, token, body)
		if got := tb.tried("act", options); got != http.StatusConflict && got != http.StatusBadRequest {
			tb.t.Errorf("%s is answered with %d", body, got)
		}
	}
}

// falsePictures call themselves pictures, and would run if they were taken for what they are.
var falsePictures = map[string]string{
	"drawing": `<svg xmlns="http://www.w3.org/2000/svg" onload="window.ran = 1"><script>window.ran = 1</script></svg>`,
	"page":    `<!DOCTYPE html><script>window.ran = 1</script><h1>Pay here</h1>`,
	"both":    "\x89PNG\r\n\x1a\n<!DOCTYPE html><script>window.ran = 1</script>",
}

// What calls itself a picture is neither drawn nor run, on the page or when it is opened alone.
func TestFalsePicturesInABrowser(t *testing.T) {
	t.Parallel()
	tb := newTab(t)
	dir := looked(t)
	logo := recorded(t, dir, addrs.Image{Name: "logo"}).Output.Path
	url, _ := review(t, dir, "-simulate")
	for name, content := range falsePictures {
		file := filepath.Join(dir, ".fluxbatch", "simulation", filepath.FromSlash(logo))
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		fluxbatch(t, dir, "report", "-simulate", "-all", "-out", "report")
		for _, page := range []string{"file://" + filepath.Join(dir, "report", "index.html"), url} {
			tb.do(chromedp.Navigate("about:blank"), chromedp.Navigate(page+"#image.logo"), ready(), says("#address", "image.logo"))
			shown := value[string](tb, `const e = [...document.querySelectorAll("#detail .pic img")]; Promise.all(e.map(i => i.decode().then(() => "drawn", () => ""))).then(all => all.join("") + document.querySelectorAll("#detail svg").length)`)
			if shown != "0" {
				t.Errorf("%s shows the %s: %s", page, name, shown)
			}
		}
		for _, at := range value[[]string](tb, `performance.getEntriesByType("resource").map(r => r.name).filter(n => /pictures|thumbs/.test(n))`) {
			tb.do(chromedp.Navigate(at))
			if kind := value[string](tb, `document.contentType + " " + document.querySelectorAll("h1, svg, script").length`); !strings.HasPrefix(kind, "image/") && !strings.HasPrefix(kind, "text/plain") || !strings.HasSuffix(kind, " 0") {
				t.Errorf("%s alone is %s", name, kind)
			}
		}
		tb.check()
	}
}
