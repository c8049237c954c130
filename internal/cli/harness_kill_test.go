package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/cli"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// What befalls a process. An operation is one that changes the disk; they are counted from 1.
const (
	killedBefore   = "kill"          // it dies before operation At
	tornAt         = "torn"          // of operation At only a half is done, where it can be, and the process dies
	tornLast       = "torn-last"     // of operation At all but the last byte is done, where it can be, and the process dies
	failsAt        = "fail"          // operation At fails, as on a disk that is full or broken
	killedSometime = "kill-ms"       // it dies after At milliseconds
	killedAsking   = "kill-asking"   // it dies at request At, before the API sees it
	killedAnswered = "kill-answered" // it dies when the API has done what request At asks, before the answer
)

// changesDisk are the operations after which the disk is another. What is only made durable is not
// among them: a process that dies takes nothing with it that the system has.
func changesDisk(op safefile.Op) bool {
	switch op {
	case safefile.OpCreate, safefile.OpWrite, safefile.OpTruncate, safefile.OpRename, safefile.OpLink, safefile.OpRemove, safefile.OpMkdir:
		return true
	default:
		return false
	}
}

// harnessCommand is fluxbatch in a process that HARNESS_FATE says the end of: "kill 7". It tells
// how many operations there were in the file HARNESS_OPS.
func harnessCommand() {
	fate, number, _ := strings.Cut(os.Getenv("HARNESS_FATE"), " ")
	at, _ := strconv.ParseInt(number, 10, 64) // none is 0, which no operation is
	var ops atomic.Int64
	var dying atomic.Bool
	die := func() {
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
		select {}
	}
	faults := func(op safefile.Op, _ string) error {
		if dying.Load() {
			die()
		}
		// Syncs can fail, and so are counted where something is to fail.
		if !changesDisk(op) && (fate != failsAt || op != safefile.OpSync && op != safefile.OpSyncDir) {
			return nil
		}
		if ops.Add(1) != at {
			return nil
		}
		switch {
		case fate == failsAt:
			return syscall.EIO
		case fate == tornAt && op == safefile.OpWrite:
			dying.Store(true)
			return syscall.EIO
		case fate == tornLast && op == safefile.OpWrite:
			dying.Store(true)
			return &safefile.CutError{Lacking: 1, Err: syscall.EIO}
		case fate == killedBefore, fate == tornAt, fate == tornLast:
			die()
		}
		return nil
	}
	code := cli.Run(cli.Environment{
		Args: os.Args[1:], Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Drain: context.Background(), Abort: context.Background(), Faults: faults,
	})
	if path := os.Getenv("HARNESS_OPS"); path != "" {
		if err := os.WriteFile(path, []byte(strconv.FormatInt(ops.Load(), 10)), 0o600); err != nil {
			panic(err)
		}
	}
	os.Exit(code)
}

// outcome is how a process ended.
type outcome struct {
	args           []string
	stdout, stderr string
	code           int
	killed         bool
	hung           bool
	requests, ops  int
	took           time.Duration
}

func (o *outcome) text() string { return o.stdout + o.stderr }

// patience bounds how long a process may take where nothing befalls it, and impatience where
// something does: then it is killed in the end.
const (
	patience   = time.Minute
	impatience = 15 * time.Second
)

// run runs a command to its end, or to the one that its fate has for it, and waits until the API
// has done with it.
func (w *world) run(fate fate, mood string, args ...string) (*outcome, error) {
	bound := patience
	if fate.As != "" || mood != "" {
		bound = impatience
	}
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	opsFile := filepath.Join(w.aside, "ops")
	_ = os.Remove(opsFile) // it is not there the first time
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Args = append([]string{"fluxbatch-harness"}, args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "FLUXBATCH_VAR_endpoint="+w.bank.server.URL, "HARNESS_OPS="+opsFile, "NO_COLOR=1")
	kill := func() { _ = cmd.Process.Kill() } // it may have ended by itself
	switch fate.As {
	case killedBefore, tornAt, tornLast, failsAt:
		cmd.Env = append(cmd.Env, fmt.Sprintf("HARNESS_FATE=%s %d", fate.As, fate.At))
	case killedAsking, killedAnswered:
		w.bank.arm(fate.At, fate.As == killedAnswered, kill)
	}
	if fate.As != killedAsking && fate.As != killedAnswered {
		w.bank.arm(0, false, nil)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if fate.As == killedSometime {
		defer time.AfterFunc(time.Duration(fate.At)*time.Millisecond, kill).Stop()
	}
	err := cmd.Wait()
	o := &outcome{args: args, stdout: stdout.String(), stderr: stderr.String(), took: time.Since(began), hung: ctx.Err() != nil}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		o.code = exit.ExitCode()
	} else if err != nil {
		return nil, err
	}
	o.killed = o.code == -1
	if err := w.bank.settle(); err != nil {
		return nil, err
	}
	w.bank.mu.Lock()
	o.requests = w.bank.requests
	w.bank.mu.Unlock()
	if data, err := os.ReadFile(opsFile); err == nil {
		o.ops, _ = strconv.Atoi(string(data)) // as it was written
	}
	return o, nil
}
