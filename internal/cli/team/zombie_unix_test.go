//go:build unix

package team_test

import (
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestZombie stops an apply in its midst, has another machine take over and finish, and wakes it:
// it buys nothing more and says who has overtaken it.
func TestZombie(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: dozens of processes; the test without the race detector runs it")
	}
	for range *teamZombies {
		tm := newTeam(t, 20*time.Millisecond)
		// It is in its midst while it waits for the answer to something that it has bought.
		bought, letGo := tm.charges.hold(t, 1+rand.IntN(6))
		zombie, out := tm.apply(t, tm.machine(t))
		select {
		case <-bought:
		case <-time.After(time.Minute):
			t.Fatal("it buys too little")
		}
		send(t, zombie.Process, syscall.SIGSTOP)
		letGo()
		tm.settled(t)
		send(t, zombie.Process, syscall.SIGCONT)
		if err := zombie.Wait(); err == nil || !strings.Contains(out.String(), "has taken over the state") {
			t.Errorf("the zombie: %v\n%s", err, out)
		}
		// What it had learnt is taken in, and nothing is bought for that.
		before := len(tm.sim.Ledger())
		tm.settled(t)
		if more := len(tm.sim.Ledger()) - before; more > 0 {
			t.Errorf("%d were bought after all was there", more)
		}
		tm.charges.check(t)
	}
}

func send(t *testing.T, p *os.Process, s syscall.Signal) {
	t.Helper()
	if err := p.Signal(s); err != nil {
		t.Fatal(err)
	}
}
