package simulator

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestExamplesOfTheDocument runs each curl command of endpoints.md as it stands there, with the
// base URL replaced: with curl itself where it is installed, and translated to a request of Go's.
func TestExamplesOfTheDocument(t *testing.T) {
	t.Parallel()
	commands := regexp.MustCompile("(?s)```bash\n(curl .*?)```").FindAllStringSubmatch(string(shared(t, "endpoints.md")), -1)
	if len(commands) < 5 {
		t.Fatalf("the document has %d commands", len(commands))
	}
	b := start(t, Options{})
	server := httptest.NewServer(b.Simulator)
	defer server.Close()
	for _, command := range commands {
		args := shellWords(strings.ReplaceAll(command[1], "https://api.bfl.ai", server.URL))
		name := args[3]
		t.Run("go "+strings.TrimPrefix(name, server.URL), func(t *testing.T) {
			b := &bench{b.Simulator, t, server.Client()}
			checkAcceptance(t, runAsGo(t, b, args[1:]))
		})
		t.Run("curl "+strings.TrimPrefix(name, server.URL), func(t *testing.T) {
			checkAcceptance(t, runAsCurl(t, args))
		})
	}
	if got := b.Stats(); len(got.Refused) > 0 {
		t.Errorf("refused: %v", got.Refused)
	}
}

// checkAcceptance holds an answer against the document's: an id, and a polling URL unless there is
// a webhook.
func checkAcceptance(t *testing.T, body []byte) {
	t.Helper()
	var a accepted
	if err := json.Unmarshal(body, &a); err != nil || a.ID == "" || (a.PollingURL == "") == (a.WebhookURL == "") {
		t.Errorf("%s: %v", body, err)
	}
}

func runAsGo(t *testing.T, b *bench, args []string) []byte {
	t.Helper()
	var method, url, body string
	var headers []string
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-X":
			i++
			method = args[i]
		case "-H":
			i++
			name, value, _ := strings.Cut(args[i], ": ")
			headers = append(headers, name, value)
		case "-d":
			i++
			body = args[i]
		default:
			url = args[i]
		}
	}
	r := b.do(method, url, body, headers...)
	if r.status != http.StatusOK {
		t.Errorf("%d", r.status)
	}
	return r.body
}

func runAsCurl(t *testing.T, args []string) []byte {
	t.Helper()
	args = append(args[1:], "--silent", "--show-error", "--fail-with-body", "--noproxy", "*")
	out, err := exec.CommandContext(t.Context(), "curl", args...).Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("curl is not installed")
	}
	if err != nil {
		t.Errorf("curl: %v", err)
	}
	return out
}

// shellWords splits a command as a shell does, as far as the document needs: quotes, escapes, and
// lines that go on.
func shellWords(command string) []string {
	var words []string
	var word strings.Builder
	quote, started := rune(0), false
	runes := []rune(strings.TrimSpace(command))
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case r == '\\' && quote != '\'' && i+1 < len(runes):
			if i++; runes[i] != '\n' {
				word.WriteRune(runes[i])
			}
		case r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, started = r, true
		case quote == 0 && (r == ' ' || r == '\n'):
			if started || word.Len() > 0 {
				words = append(words, word.String())
				word.Reset()
				started = false
			}
		default:
			word.WriteRune(r)
		}
	}
	if started || word.Len() > 0 {
		words = append(words, word.String())
	}
	return words
}
