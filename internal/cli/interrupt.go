package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Signals returns the signals by which a user, or a machine that shuts down, asks for an end.
// SIGHUP is one of them, unless the process was started to outlive its terminal, as by nohup.
//
// A broken pipe is none of them: a reader that went away must not end an apply before what it paid
// for is on record. Writing fails then, and Run says so.
func Signals() <-chan os.Signal {
	signals := make(chan os.Signal, lastSignal)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	// Notified rather than ignored, since what is ignored stays so in other programs that are
	// started.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return signals
}

// lastSignal ends any command at once.
const lastSignal = 3

// interrupts is how a command and those who want it to end come together. It is safe for concurrent
// use.
type interrupts struct {
	mu sync.Mutex
	// heeds says that the command ends by itself when Drain or Abort is done.
	heeds bool
	// restore puts back what the command changed about the terminal.
	restore []func()
}

// heed says that from now on the command ends by itself when the user asks for it: there are paid
// tasks to finish, or requests to answer. A command that does not say so ends with the first
// signal, wherever it is. All that it writes can be cut off at any time, as by a crash.
func (a *app) heed() {
	v := a.operation()
	a.interrupts.mu.Lock()
	defer a.interrupts.mu.Unlock()
	a.interrupts.heeds = true
	if display, ok := v.(interface{ Leave() }); ok {
		a.interrupts.restore = append(a.interrupts.restore, display.Leave)
	}
}

// restoring has the terminal put back by restore if a signal ends the command.
func (a *app) restoring(restore func()) {
	a.interrupts.mu.Lock()
	defer a.interrupts.mu.Unlock()
	a.interrupts.restore = append(a.interrupts.restore, restore)
}

// leave puts the terminal back while the command may be anywhere.
func (a *app) leave() {
	a.interrupts.mu.Lock()
	defer a.interrupts.mu.Unlock()
	for _, restore := range a.interrupts.restore {
		restore()
	}
	if _, ok := terminal(a.env.Stderr); ok {
		// The shell's next prompt does not belong behind an echoed ^C.
		_, _ = io.WriteString(a.env.Stderr, "\n")
	}
}

func (i *interrupts) isHeeded() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.heeds
}

// runUntilSignal carries out a command until it ends or has to. A command that is ended goes on
// until the process is gone, which is now.
func runUntilSignal(env Environment) int {
	drain, stopNew := context.WithCancelCause(context.Background())
	abort, breakOff := context.WithCancelCause(context.Background())
	defer stopNew(nil)
	defer breakOff(nil)
	env.Drain, env.Abort = drain, abort
	a := newApp(env)
	ended := make(chan int, 1)
	go func() { ended <- a.run() }()
	for n := 1; ; n++ {
		select {
		case status := <-ended:
			return status
		case <-env.Signals:
		}
		if n == lastSignal || !a.interrupts.isHeeded() {
			// The line that the question stands on ends before anything else is written. A command
			// that begins to heed just now does nothing more that costs.
			a.leave()
			stopNew(ErrInterrupted)
			breakOff(ErrInterrupted)
			return exitInterrupted
		}
		if n == 1 {
			stopNew(ErrInterrupted)
		} else {
			breakOff(ErrInterrupted)
		}
	}
}
