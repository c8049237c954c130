package view

import (
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/planner"
)

// lane is where a change is on its way.
type lane uint8

const (
	waiting lane = iota
	// inFlight changes are submitted or about to be: they hold a slot.
	inFlight
	// downloading images are ready and being fetched.
	downloading
	done
	failed
	skipped
	lanes
)

// progress counts where the changes of an apply are.
type progress struct {
	changes map[addrs.Image]*planner.Change
	at      map[addrs.Image]lane
	counts  [lanes]int
	total   int
	// moved counts the images that have another address now. Nothing tells of them while the apply
	// is under way.
	moved int
	// generating counts the changes that ask the API for an image and have not been answered yet.
	generating int
	// estimate is what the plan said, spent what has been charged so far.
	estimate, spent bfl.Credits
	charges         map[addrs.Image]bfl.Credits
	// latency is how long a task takes: the mean of what was seen, the latest counting more. Zero
	// before the first.
	latency time.Duration
	// slots is the largest number of tasks seen in flight at a time.
	slots int
}

// latencyWeight is the share, as a divisor, that the latest task has in the mean latency.
const latencyWeight = 16

func newProgress(p *planner.Plan) progress {
	pr := progress{
		changes: map[addrs.Image]*planner.Change{},
		at:      map[addrs.Image]lane{},
		charges: map[addrs.Image]bfl.Credits{},
	}
	for _, c := range p.Changes {
		if c.From() != nil {
			pr.moved++
		}
		if c.Action == planner.NoOp || c.Action == planner.Move || c.NotPicked {
			continue
		}
		pr.changes[c.Address] = c
		pr.total++
		pr.counts[waiting]++
		if !c.PriceUnknown {
			pr.estimate += c.Cost
		}
		if pr.asksAPI(c.Address) {
			pr.generating++
		}
	}
	return pr
}

// event takes note of what happened.
func (p *progress) event(e executor.Event) {
	switch e := e.(type) {
	case executor.Started:
		p.move(e.Address, inFlight)
	case executor.Submitted:
		p.charge(e.Address, e.Cost)
	case executor.Ready:
		p.learn(e.Elapsed)
		p.move(e.Address, downloading)
	case executor.Completed:
		if e.Image != nil && p.isCharged(e.Address) {
			p.charge(e.Address, e.Image.Result.Cost)
		}
		p.move(e.Address, done)
	case executor.Unchanged:
		p.move(e.Address, done)
	case executor.Failed:
		p.move(e.Address, failed)
	case executor.Skipped:
		p.move(e.Address, skipped)
	}
}

// asksAPI reports whether an image comes from the API in this run, paid now or earlier.
func (p *progress) asksAPI(a addrs.Image) bool {
	c := p.changes[a]
	return c != nil && c.Generates()
}

// isCharged reports whether an image is paid for in this run.
func (p *progress) isCharged(a addrs.Image) bool {
	return p.asksAPI(a) && p.changes[a].Origin != planner.Resume
}

// move puts a change on another lane.
func (p *progress) move(a addrs.Image, to lane) {
	from := p.at[a]
	if from == to || p.changes[a] == nil {
		return
	}
	p.at[a] = to
	p.counts[from]--
	p.counts[to]++
	p.slots = max(p.slots, p.counts[inFlight])
	if from <= inFlight && to > inFlight && p.asksAPI(a) {
		p.generating--
	}
}

// charge records what an image costs. The API's final word replaces what it said first.
func (p *progress) charge(a addrs.Image, cost bfl.Credits) {
	p.spent += cost - p.charges[a]
	p.charges[a] = cost
}

func (p *progress) learn(elapsed time.Duration) {
	if p.latency == 0 {
		p.latency = elapsed
		return
	}
	p.latency += (elapsed - p.latency) / latencyWeight
}

// isMissing reports whether an image was to be created and is not there.
func (p *progress) isMissing(a addrs.Image) bool {
	c := p.changes[a]
	return c != nil && c.Prior == nil && (p.at[a] == failed || p.at[a] == skipped)
}

// finished is how many changes need nothing more.
func (p *progress) finished() int { return p.counts[done] + p.counts[failed] + p.counts[skipped] }

// left estimates how long the rest takes, from the latency of the tasks so far: what waits goes
// through the slots in turn, and the tasks in flight are, on average, half done. It reports false
// before anything is known.
func (p *progress) left() (time.Duration, bool) {
	if p.latency == 0 || p.slots == 0 || p.generating == 0 {
		return 0, false
	}
	rounds := float64(p.generating-p.counts[inFlight])/float64(p.slots) + 0.5
	return time.Duration(rounds * float64(p.latency)), true
}
