package executor_test

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkApply makes images of an API in memory, without latency, with the real files, journal
// and state. What an image costs must not grow with their number. Nothing is deleted before its
// end, since files are slow to make for some minutes after others were deleted.
func BenchmarkApply(b *testing.B) {
	fresh := b.TempDir
	for _, c := range []struct{ images, slots int }{{1_000, 24}, {10_000, 24}, {100_000, 24}, {10_000, 1024}} {
		images := c.images
		b.Run(fmt.Sprintf("images=%d/slots=%d", images, c.slots), func(b *testing.B) {
			var sum counts
			var polls int
			b.ReportAllocs()
			for b.Loop() {
				api := newMemoryAPI(c.slots, func(int) time.Duration { return 0 })
				c := applyAll(b, fresh(), api, images)
				polls += api.polls
				sum.took += c.took
				sum.committing += c.committing
				sum.records += c.records
				sum.bytes += c.bytes
				sum.syncs += c.syncs
			}
			all := float64(b.N * images)
			b.ReportMetric(all/sum.took.Seconds(), "images/s")
			b.ReportMetric(float64(sum.took.Microseconds())/all, "us/image")
			b.ReportMetric(float64(sum.committing.Microseconds())/all, "commit-us/image")
			b.ReportMetric(float64(sum.bytes)/all, "journal-B/image")
			b.ReportMetric(float64(sum.syncs)/float64(sum.records), "syncs/record")
			b.ReportMetric(float64(polls)/all, "polls/image")
		})
	}
}
