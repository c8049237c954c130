package team_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
	"github.com/fluxbatch/fluxbatch/internal/s3/s3test"
)

// sharedImages is how many images all applies make together, in tasks of sharedTask: the ideal is
// as long as 24 slots take that are never idle.
const (
	sharedImages = 480
	sharedTask   = 500 * time.Millisecond
)

// BenchmarkSharedAccount has several applies use one account at once, each with as many images of
// its own, beside the ideal: with a broker, and without one.
func BenchmarkSharedAccount(b *testing.B) {
	for _, applies := range []int{1, 4, 8} {
		for _, isShared := range []bool{true, false} {
			b.Run(fmt.Sprintf("applies=%d/shared=%t", applies, isShared), func(b *testing.B) {
				for b.Loop() {
					shareAccount(b, applies, isShared)
				}
			})
		}
	}
}

func shareAccount(b *testing.B, applies int, isShared bool) {
	b.Helper()
	sim, url := clitest.Simulator(b, sharedTask)
	broker, err := startBroker(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer broker.Shutdown()
	slots := ""
	if isShared {
		slots = fmt.Sprintf("slots \"nats\" {\n  url     = %q\n  account = \"studio\"\n}\n", broker.ClientURL())
	}
	manifest := fmt.Sprintf("provider \"bfl\" {\n  endpoint = %q\n  %s}\nimage \"a\" {\n  count  = %d\n  model  = \"flux-2-klein-4b\"\n  prompt = \"a ${count.index}\"\n  width  = 64\n  height = 64\n}\n",
		url, slots, sharedImages/applies)
	type run struct {
		cmd *exec.Cmd
		out bytes.Buffer
		end time.Duration
	}
	runs := make([]*run, applies)
	began := time.Now()
	for i := range runs {
		dir := b.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(manifest), 0o600); err != nil {
			b.Fatal(err)
		}
		r := &run{cmd: exec.CommandContext(b.Context(), os.Args[0])}
		r.cmd.Args = []string{"fluxbatch", "apply", "-auto-approve", dir}
		r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = append(os.Environ(), "BFL_API_KEY=key"), &r.out, &r.out
		if err := r.cmd.Start(); err != nil {
			b.Fatal(err)
		}
		runs[i] = r
	}
	ended := make(chan *run)
	for _, r := range runs {
		go func() {
			if err := r.cmd.Wait(); err != nil {
				b.Errorf("%v\n%s", err, r.out.String())
			}
			r.end = time.Since(began)
			ended <- r
		}()
	}
	var first, last time.Duration
	for range runs {
		r := <-ended
		if first == 0 {
			first = r.end
		}
		last = r.end
	}
	stats := sim.Stats()
	ideal := sharedTask * sharedImages / 24
	b.ReportMetric(last.Seconds()/ideal.Seconds(), "wall/ideal")
	b.ReportMetric(first.Seconds()/last.Seconds(), "first/last")
	refused := stats.Refused[http.StatusTooManyRequests]
	b.ReportMetric(100*float64(refused)/float64(refused+len(sim.Ledger())), "%429")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkBucket makes 480 images whose state and files are in a bucket that takes 40 ms a request,
// beside the ideal, and restores them on another machine.
func BenchmarkBucket(b *testing.B) {
	for b.Loop() {
		sim, url := clitest.Simulator(b, sharedTask)
		store, err := s3test.Start()
		if err != nil {
			b.Fatal(err)
		}
		store.Slow(40 * time.Millisecond)
		place := fmt.Sprintf("bucket = \"art\"\n    endpoint = %q\n    use_path_style = true", store.URL)
		manifest := fmt.Sprintf("fluxbatch {\n  state \"s3\" {\n    key = \"state\"\n    %s\n  }\n  images \"s3\" {\n    prefix = \"blobs\"\n    %s\n  }\n}\nprovider \"bfl\" {\n  endpoint = %q\n}\nimage \"a\" {\n  count  = %d\n  model  = \"flux-2-klein-4b\"\n  prompt = \"a ${count.index}\"\n  width  = 64\n  height = 64\n}\n",
			place, place, url, sharedImages)
		took := func() time.Duration {
			dir := b.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(manifest), 0o600); err != nil {
				b.Fatal(err)
			}
			cmd := exec.CommandContext(b.Context(), os.Args[0])
			cmd.Args = []string{"fluxbatch", "apply", "-auto-approve", dir}
			cmd.Env = append(os.Environ(), "BFL_API_KEY=key", "AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret")
			began := time.Now()
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
			return time.Since(began)
		}
		made := took()
		puts := map[bool]int{}
		for _, r := range store.Requests() {
			if r.Method == http.MethodPut {
				puts[strings.Contains(r.Path, "/state/log/")]++
			}
		}
		charged := len(sim.Ledger())
		restored := took()
		if len(sim.Ledger()) != charged {
			b.Error("restoring buys")
		}
		b.ReportMetric(made.Seconds()/(sharedTask*sharedImages/24).Seconds(), "wall/ideal")
		b.ReportMetric(float64(puts[true])/sharedImages, "log-PUTs/image")
		b.ReportMetric(float64(puts[false])/sharedImages, "other-PUTs/image")
		b.ReportMetric(sharedImages/restored.Seconds(), "restored/s")
		b.ReportMetric(0, "ns/op")
		store.Close()
	}
}
