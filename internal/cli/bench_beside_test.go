package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// jsonCommand decodes the state file in the current directory with encoding/json, and does nothing
// else: what a plan without changes is measured against.
func jsonCommand() {
	var st struct {
		Images map[string]struct {
			Provider, Model, Fingerprint string
			Request                      json.RawMessage
			Output                       struct {
				Path, SHA256, Format, Content string
				Bytes                         int64
				Width, Height                 int
			}
			Result struct {
				TaskID string  `json:"task_id"`
				Cost   float64 `json:"cost_credits"`
				Seed   *int64
			}
			Dependencies []string
			Labels       map[string]string
		}
	}
	data, err := os.ReadFile("fluxbatch.state.json")
	if err == nil {
		err = json.Unmarshal(data, &st)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The outputs of withOutputs: what is commonly asked of all images, and what filters and groups
// them.
const (
	pathsOutput = `
output "paths" { value = [for k, i in image.product : i.path] }
`
	moreOutputs = `
output "sevens" { value = [for k, i in image.product : i.path if endswith(k, "7")] }
output "by_width" { value = { for k, i in image.product : i.width => i.path... } }
output "prompts" { value = { for k, i in image.product : k => i.prompt if i.width > 100 } }
`
)

// edited is a module with a file of it edited.
func edited(make func(*testing.B, int) string, name string, edit func(string) string) func(*testing.B, int) string {
	return func(b *testing.B, n int) string {
		b.Helper()
		dir := make(b, n)
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, []byte(edit(string(text))), 0o600)
		}
		if err != nil {
			b.Fatal(err)
		}
		return dir
	}
}

func withOutputs(make func(*testing.B, int) string, outputs string) func(*testing.B, int) string {
	return edited(make, "main.flux.hcl", func(text string) string { return text + outputs })
}

func withEditedRow(make func(*testing.B, int) string) func(*testing.B, int) string {
	return edited(make, "products.csv", func(text string) string { return strings.Replace(text, "number 7,", "number seven,", 1) })
}

// side is a command and where it runs.
type side struct {
	dir  func(b *testing.B, n int) string
	n    int
	args []string
}

// BenchmarkBeside runs a command and what it is measured against in turn, whole processes, and
// reports the ratio of the medians. That is what holds on a machine that does other things too.
func BenchmarkBeside(b *testing.B) {
	plan := []string{"fluxbatch", "plan"}
	cases := []struct {
		name      string
		it, other side
	}{
		{"unchanged=100000/encoding-json", side{applied, 100_000, plan}, side{applied, 100_000, []string{"fluxbatch-bench-json"}}},
		{"paths=100000/without", side{withOutputs(instances, pathsOutput), 100_000, plan}, side{instances, 100_000, plan}},
		{"outputs=100000/without", side{withOutputs(instances, pathsOutput+moreOutputs), 100_000, plan}, side{instances, 100_000, plan}},
		{"edited=100000/unchanged", side{withEditedRow(applied), 100_000, plan}, side{applied, 100_000, plan}},
		{"instances=1000000/100000", side{instances, 1_000_000, plan}, side{instances, 100_000, plan}},
		{"blocks=10000/hcl", side{blocks, 10_000, plan}, side{blocks, 10_000, []string{"fluxbatch-bench-hcl"}}},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			var its, others runs
			it, other := c.it.dir(b, c.it.n), c.other.dir(b, c.other.n)
			for b.Loop() {
				its.add(b, it, c.it.args)
				others.add(b, other, c.other.args)
			}
			b.ReportMetric(median(its.wall)/median(others.wall), "wall-ratio")
			b.ReportMetric(median(its.cpu)/median(others.cpu), "cpu-ratio")
			b.ReportMetric(median(its.peak)/max(1, median(others.peak)), "memory-ratio")
			b.ReportMetric(median(its.peak)/1e6, "peak-MB")
		})
	}
}

// runs are what the runs of one command took: seconds, and bytes.
type runs struct{ wall, cpu, peak []float64 }

func (r *runs) add(b *testing.B, dir string, args []string) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	var problem bytes.Buffer
	cmd.Args, cmd.Dir, cmd.Stderr = args, dir, &problem
	began := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%v\n%s", err, &problem)
	}
	r.wall = append(r.wall, time.Since(began).Seconds())
	r.cpu = append(r.cpu, (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds())
	r.peak = append(r.peak, float64(peakMemory(cmd.ProcessState)))
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}
