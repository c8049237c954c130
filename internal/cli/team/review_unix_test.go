//go:build unix

package team_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/s3"
	"github.com/fluxbatch/fluxbatch/internal/s3/s3test"
	"github.com/fluxbatch/fluxbatch/state"
)

// While a colleague is at work on another machine, the review says who, and overtakes nobody.
func TestReviewNamesAColleague(t *testing.T) {
	tm := newTeam(t, 0)
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	backend, err := s3.Open(&config.Bucket{Name: s3test.Bucket, Prefix: tm.name + "/state", Endpoint: tm.store, PathStyle: new(true), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	release, err := backend.Lease(t.Context(), state.LockInfo{ID: "1", Who: "ann@attic", Operation: "apply"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = release() })

	before, err := backend.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Args, cmd.Env = []string{"fluxbatch", "review", tm.machine(t)}, tm.env
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
	})
	var url string
	for lines := bufio.NewScanner(out); url == "" && lines.Scan(); {
		url = regexp.MustCompile(`http://127\S+/`).FindString(lines.Text())
	}
	token := regexp.MustCompile(`token&#34;:&#34;([^&]+)`).FindStringSubmatch(get(t, url, ""))
	if token == nil {
		t.Fatal("the page has no token")
	}
	if status := get(t, url+"status", token[1]); !strings.Contains(status, "fluxbatch apply is at work") || !strings.Contains(status, "ann@attic") {
		t.Errorf("the status is %s", status)
	}
	if after, err := backend.Head(t.Context()); err != nil || after != before {
		t.Errorf("the state's log ends with %+v, %v, and ended with %+v before anybody looked", after, err, before)
	}
}

func get(t *testing.T, url, token string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Fluxbatch-Token", token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
