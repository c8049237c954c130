package view

import (
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/planner"
)

func TestApplyLog(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]Options{"plain": {}, "color": {Color: true}, "concise": {Concise: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, screen := newTestView(opts)
			v.StartApply(viewtest.MixedPlan())
			for _, e := range viewtest.ApplyEvents() {
				v.Event(e)
			}
			v.FinishApply(executor.Summary{Created: 1, Updated: 1, Destroyed: 1, Unchanged: 1, Failed: 1, Skipped: 2, Cost: bfl.CreditsOf(3)}, nil,
				ApplyInfo{Again: "fluxbatch apply brand"})
			viewtest.Golden(t, "apply/"+name, screen.String())
		})
	}
}

func TestFinishApply(t *testing.T) {
	t.Parallel()
	outputs := []config.Output{
		{Name: "hero", Value: cty.StringVal("images/hero.png")},
		{Name: "key", Value: cty.StringVal("s3cret"), Sensitive: true},
		{Name: "sizes", Value: cty.ObjectVal(map[string]cty.Value{
			"hero": cty.ObjectVal(map[string]cty.Value{"width": cty.NumberIntVal(1920), "height": cty.NumberIntVal(1088)}),
			"a-b":  cty.NumberFloatVal(0.5),
		})},
		{Name: "lost", Value: cty.UnknownVal(cty.String)},
		{Name: "story", Value: cty.StringVal("Once upon a time\nthere was a heron.\n")},
	}
	v, screen := newTestView(Options{})
	v.StartApply(&planner.Plan{})
	v.FinishApply(executor.Summary{Created: 3, Replaced: 1, Destroyed: 2, Unchanged: 4, Cost: bfl.CreditsOf(19)}, outputs,
		ApplyInfo{Simulated: true, Pictures: ".fluxbatch/simulation/images"})
	viewtest.Golden(t, "apply/finish", screen.String())
	const want = "Apply complete: 3 created, 1 replaced, 0 updated, 2 destroyed. Cost: $0.19."
	if !strings.Contains(screen.out.String(), want) {
		t.Errorf("the summary lacks %q", want)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	v, screen := newTestView(Options{})
	v.StartApply(&planner.Plan{Changes: viewtest.Cards(30)})
	for i, c := range viewtest.Cards(30) {
		v.Event(executor.Skipped{Address: c.Address, Err: errors.New("interrupted"), Submitted: i < 3, Sent: i == 3})
	}
	v.FinishApply(executor.Summary{Skipped: 30}, nil, ApplyInfo{Interrupted: true})
	viewtest.Golden(t, "apply/interrupted", screen.String())
}

// Without StartApply there is nothing to show events in, and closing is harmless.
func TestEventsOutsideOfAnApply(t *testing.T) {
	t.Parallel()
	v, screen := newTestView(Options{Terminal: true})
	v.Event(executor.Started{Address: viewtest.Addr("image.logo"), Action: planner.Create})
	v.Close()
	v.Close()
	if got := screen.String(); got != "" {
		t.Errorf("wrote %q", got)
	}
}

func TestLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v, screen := newTestView(Options{Terminal: true, Width: 80})
		plan := &planner.Plan{Changes: viewtest.Cards(200)}
		v.StartApply(plan)
		for i, c := range plan.Changes[:60] {
			v.Event(executor.Started{Address: c.Address, Action: c.Action})
			v.Event(executor.Submitted{Address: c.Address, TaskID: "t", Cost: bfl.CreditsOf(3)})
			if i >= 24 {
				before := plan.Changes[i-24].Address
				v.Event(executor.Ready{Address: before, Elapsed: 4 * time.Second})
				switch {
				case i%9 == 0:
					v.Event(executor.Failed{Address: before, Action: planner.Create, Err: errors.New("the connection was reset"), Elapsed: 4 * time.Second})
				case i < 58:
					v.Event(executor.Completed{Address: before, Action: planner.Create, Image: viewtest.Recorded("images/card.png", viewtest.LogoPrompt), Elapsed: 4 * time.Second})
				}
			}
		}
		// The display draws beside this goroutine.
		take := func() string {
			v.mu.Lock()
			defer v.mu.Unlock()
			text := screen.err.String()
			screen.err.Reset()
			return text
		}
		take()
		<-time.After(2 * redrawEvery)
		synctest.Wait()
		viewtest.Golden(t, "apply/live", take())
		v.Close()
		if got := screen.err.String(); got != "\r\x1b[7A"+clearLine+strings.Repeat(cursorDown+clearLine, 7)+"\x1b[7A" {
			t.Errorf("closing wrote %q, which leaves lines on the screen", got)
		}
		v.FinishApply(executor.Summary{}, nil, ApplyInfo{})
	})
}

// A host that delivers no image is told once, with what is to be done about it.
func TestDeliveryIsDown(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"refused": &bfl.NetworkError{Host: "delivery-eu1.bfl.ai", Err: syscall.ECONNREFUSED},
		"failing": &bfl.APIError{StatusCode: http.StatusServiceUnavailable},
		"former":  &bfl.DownloadError{Kind: bfl.ErrExpired, Reason: "delivery-eu1.bfl.ai answered 403 Forbidden"},
	} {
		former := name == "former"
		v, screen := newTestView(Options{})
		cards := viewtest.Cards(30)
		v.StartApply(&planner.Plan{Changes: cards})
		for i, c := range cards {
			if i < 8 {
				v.Event(executor.Failed{Address: c.Address, Action: planner.Create, Err: &executor.DeliveryError{Former: former, Err: err}})
				continue
			}
			v.Event(executor.Skipped{Address: c.Address, Err: &executor.DeliveryError{All: true, Former: former, Err: err}})
		}
		v.FinishApply(executor.Summary{Failed: 8, Skipped: 22, Cost: bfl.CreditsOf(24)}, nil, ApplyInfo{})
		viewtest.Golden(t, "apply/undelivered-"+name, screen.String())
	}
}

// A disk that takes nothing more is told once, with what is to be done about it.
func TestDiskTakesNoMore(t *testing.T) {
	t.Parallel()
	of := func(cause error) error { return &fs.PathError{Op: "write", Path: "x", Err: cause} }
	for name, disk := range map[string]executor.StorageError{
		"full":      {What: "no image can be written to the folder images", Folder: "the folder images", Err: of(syscall.ENOSPC)},
		"forbidden": {What: "no image can be written to the folder images", Folder: "the folder images", Err: of(syscall.EACCES)},
		"journal":   {What: "the journal cannot be written", Err: of(syscall.EROFS)},
		"file":      {What: "no image can be written to the folder images", Folder: "the folder images", Err: of(syscall.ENOTDIR)},
		"broken":    {What: "the journal cannot be written", Err: of(syscall.EIO)},
		"lost":      {What: "the journal cannot be written", Err: errors.New("another run has the lock")},
		"call":      {What: "the journal cannot be written", Err: &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EACCES)}},
	} {
		v, screen := newTestView(Options{})
		cards := viewtest.Cards(30)
		v.StartApply(&planner.Plan{Changes: cards})
		for i, c := range cards {
			if i < 3 {
				failed := disk
				failed.Kept = "The image is in place, and the next apply goes on from there"
				if disk.Folder != "" {
					failed.Kept = "The image is paid for and in the store, and the next apply puts it in its place"
				}
				v.Event(executor.Failed{Address: c.Address, Action: planner.Create, Err: &failed})
				continue
			}
			v.Event(executor.Skipped{Address: c.Address, Err: &disk})
		}
		v.FinishApply(executor.Summary{Failed: 3, Skipped: 27, Cost: bfl.CreditsOf(9)}, nil, ApplyInfo{})
		viewtest.Golden(t, "apply/disk-"+name, screen.String())
	}
}
