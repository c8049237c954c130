package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"
)

// bareCommand is what an apply is measured against: the least that gets images of a benchAPI onto
// the disk. A worker a slot POSTs, looks, downloads, hashes, syncs and renames; it keeps no
// journal, checks nothing, and would lose all that is in flight. Its arguments are the API's
// address, and the number of images, of slots, and of pixels of a side.
func bareCommand() {
	if err := bare(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func bare(base string, numbers []string) error {
	var n [3]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(numbers[i]); err != nil {
			return err
		}
	}
	images, slots, side := n[0], n[1], n[2]
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: slots}}
	todo := make(chan int, images)
	for i := range images {
		todo <- i
	}
	close(todo)
	var group errgroup.Group
	for range slots {
		group.Go(func() error {
			buffer := make([]byte, 256<<10)
			for i := range todo {
				if err := bareImage(client, base, i, side, buffer); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func bareImage(client *http.Client, base string, n, side int, buffer []byte) error {
	body := fmt.Appendf(nil, `{"prompt":"Studio photo of product number %d on a white table, soft light","width":%d,"height":%[2]d,"output_format":"png"}`, n, side)
	var task struct {
		PollingURL string `json:"polling_url"`
	}
	if err := call(client, http.MethodPost, base+"/v1/flux-2-klein-4b", body, &task); err != nil {
		return err
	}
	var answer struct {
		Status string
		Result struct{ Sample string }
	}
	for answer.Status != "Ready" {
		if err := call(client, http.MethodGet, task.PollingURL, nil, &answer); err != nil {
			return err
		}
	}
	resp, err := client.Get(answer.Result.Sample)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d.png", n)
	f, err := os.Create(name + ".part")
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(f, sha256.New())}, resp.Body, buffer); err != nil {
		return err
	}
	_ = resp.Body.Close() // it was read to its end
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(name+".part", name)
}

func call(client *http.Client, method, url string, body []byte, answer any) error {
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Key", "bench")
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, url, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}

// BenchmarkApplyBeside reports what an apply takes as ratios of a bare loop's figures, with 64
// slots and an API without latency. The sides make files of 20 KB and 1.2 MB.
func BenchmarkApplyBeside(b *testing.B) {
	const slots = 64
	for _, c := range []struct{ images, side int }{{2000, 256}, {500, 640}} {
		b.Run(fmt.Sprintf("side=%d", c.side), func(b *testing.B) {
			var it, other runs
			for b.Loop() {
				// An API of its own for each, since it takes a prompt once.
				it.cost(applyFrom(b, startAPI(b, 0, c.side), b.TempDir(), c.images, slots, c.side))
				other.cost(timed(b, b.TempDir(), "fluxbatch-bench-bare", startAPI(b, 0, c.side), strconv.Itoa(c.images), strconv.Itoa(slots), strconv.Itoa(c.side)))
			}
			b.ReportMetric(median(it.cpu)/median(other.cpu), "cpu-ratio")
			b.ReportMetric(median(other.wall)/median(it.wall), "throughput-ratio")
			b.ReportMetric(median(it.cpu)*1e3/float64(c.images), "cpu-ms/image")
			b.ReportMetric(median(other.cpu)*1e3/float64(c.images), "bare-cpu-ms/image")
		})
	}
}

func (r *runs) cost(c applyCost) {
	r.wall, r.cpu, r.peak = append(r.wall, c.wall.Seconds()), append(r.cpu, c.cpu.Seconds()), append(r.peak, float64(c.peak))
}
