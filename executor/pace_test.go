package executor

import (
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// TestPaceWithoutWebhooks holds that a task nobody can ring for is looked at as if there were no
// webhooks.
func TestPaceWithoutWebhooks(t *testing.T) {
	t.Parallel()
	gap := func(model *bfl.Model, rings bool) time.Duration {
		n := &node{request: &bfl.Request{Model: model}, lane: &lane{account: &account{Account: Account{Rings: rings}}}}
		return (&run{}).gap(n, 0)
	}
	without, with := &bfl.Model{Name: "without", NoWebhook: true}, &bfl.Model{Name: "with"}
	if gap(without, true) != gap(with, false) || gap(with, true) == gap(with, false) {
		t.Errorf("gaps: %v where nobody can ring, %v where nobody is asked to, %v where somebody is", gap(without, true), gap(with, false), gap(with, true))
	}
}
