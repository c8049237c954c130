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
	fenced := 0
	for range *teamZombies {
		tm := newTeam(t, 20*time.Millisecond)
		zombie, out := tm.apply(t, tm.machine(t))
		// It has begun when it has bought something.
		for len(tm.sim.Ledger()) < 1+rand.IntN(6) {
			select {
			case <-t.Context().Done():
				t.Fatal("it buys nothing")
			case <-time.After(5 * time.Millisecond):
			}
		}
		send(t, zombie.Process, syscall.SIGSTOP)
		tm.settled(t)
		send(t, zombie.Process, syscall.SIGCONT)
		err := zombie.Wait()
		if err != nil && strings.Contains(out.String(), "has taken over the state") {
			fenced++
		} else if err != nil {
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
	if fenced == 0 {
		t.Error("no run was overtaken")
	}
	t.Logf("%d of %d were fenced", fenced, *teamZombies)
}

func send(t *testing.T, p *os.Process, s syscall.Signal) {
	t.Helper()
	if err := p.Signal(s); err != nil {
		t.Fatal(err)
	}
}
