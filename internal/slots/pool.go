package slots

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// bucket has the slots of all accounts.
	bucket = "fluxbatch"
	// beat is how often a run says that it lives, and usualDead how long nothing is heard of one that
	// does not.
	beat, usualDead = time.Second, 5 * time.Second
	// look is how long a change is waited for before looking again all the same.
	look = 250 * time.Millisecond
	// patience bounds one call of the broker.
	patience = 5 * time.Second
)

// Pool is an account's slots as one run sees them. It is safe for concurrent use.
type Pool struct {
	options Options
	conn    *nats.Conn
	kv      jetstream.KeyValue
	watcher jetstream.KeyWatcher
	id      string
	ctx     context.Context
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu sync.Mutex
	// seen are all keys of the account, as far as is known.
	seen map[string]sighting
	// changed is closed, and another one made, when something changes.
	changed chan struct{}
	// trying are keys that this run is about to create.
	trying map[string]bool
	// mine are the keys that this run's jobs have, and passed those of the account that wait for
	// the next of its jobs; waiters count the jobs that wait for a kind.
	mine    map[string]bool
	passed  []passing
	waiters map[string]int
	// over are, by key, the revisions of others' slots whose tasks are known to have ended.
	over map[string]uint64
	// held and waiting count this run's jobs, left the tasks that it has not seen to end.
	held, waiting, left int
	// ahead is how far the broker's clock is ahead of this machine's, as far as isTimed says that it
	// is known.
	ahead   time.Duration
	isTimed bool
	// back is when the broker was last reached after it was away.
	back time.Time
	// told is what others know of this run.
	told   member
	warned map[string]bool
}

// Open joins an account's runs. The error says what is wrong with the broker, or that the account
// has another key.
func Open(ctx context.Context, o Options) (_ *Pool, err error) {
	if o.TaskTimeout == 0 {
		o.TaskTimeout = defaultTimeout
	}
	if o.dead == 0 {
		o.dead = usualDead
	}
	conn, kv, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	random := sha256.Sum256(fmt.Appendf(nil, "%s %d", o.Who, time.Now().UnixNano()))
	p := &Pool{
		options: o, conn: conn, kv: kv, id: hex.EncodeToString(random[:8]), seen: map[string]sighting{}, changed: make(chan struct{}),
		trying: map[string]bool{}, warned: map[string]bool{}, mine: map[string]bool{}, over: map[string]uint64{}, waiters: map[string]int{},
	}
	conn.SetReconnectHandler(func(*nats.Conn) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.back = time.Now()
	})
	p.ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			p.stop()
			conn.Close()
		}
	}()
	if o.Key != "" {
		if err := p.isAccount(ctx); err != nil {
			return nil, err
		}
	}
	if p.watcher, err = kv.Watch(p.ctx, o.Account+".>"); err != nil {
		return nil, unreachable(o.URL, err)
	}
	if err := p.readAll(ctx); err != nil {
		return nil, err
	}
	if isFragile(ctx, conn, kv) {
		p.warn("Slots are kept by one node", fmt.Sprintf("The broker %s has several nodes, and one of them alone keeps who has which slot and what was spent. Where that node is lost, so is that, and budgets begin at nothing. Have three keep it: nats stream edit KV_%s --replicas 3",
			o.URL, bucket))
	}
	p.done.Go(p.watch)
	p.done.Go(p.live)
	return p, nil
}

// readAll reads what the watcher has at first, which ends with a nil.
func (p *Pool) readAll(ctx context.Context) error {
	for {
		select {
		case entry := <-p.watcher.Updates():
			if entry == nil {
				return nil
			}
			p.see(entry)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(patience):
			return unreachable(p.options.URL, errors.New("it does not answer"))
		}
	}
}

func (p *Pool) watch() {
	for entry := range p.watcher.Updates() {
		if entry != nil {
			p.see(entry)
		}
	}
}

// see takes in what is known of a key.
func (p *Pool) see(entry jetstream.KeyValueEntry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if before, ok := p.seen[entry.Key()]; ok && before.revision >= entry.Revision() {
		return
	}
	if entry.Operation() == jetstream.KeyValuePut {
		s := p.sighted(entry.Key(), entry.Revision(), entry.Value())
		s.created = entry.Created()
		p.seen[entry.Key()] = s
		if entry.Key() == p.runKey(p.id) {
			p.ahead, p.isTimed = s.created.Sub(s.at), true // It was written just now.
		}
	} else {
		delete(p.seen, entry.Key())
	}
	p.wake()
}

// wake tells all who wait that something changed. The caller has mu.
func (p *Pool) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// notShared is the summary of what is said of a broker that is away.
const notShared = "Slots are not shared"

// isAway reports whether the broker cannot be reached now, and warns of it.
func (p *Pool) isAway() bool {
	if p.conn.IsConnected() {
		return false
	}
	p.warn(notShared, fmt.Sprintf("The broker %s cannot be reached. Until it can, this run counts only its own tasks, as without slots, and others may find the account busy.", p.options.URL))
	return true
}

// warn tells something once.
func (p *Pool) warn(summary, detail string) {
	p.mu.Lock()
	isNew := !p.warned[detail]
	p.warned[detail] = true
	p.mu.Unlock()
	if isNew && p.options.Warn != nil {
		p.options.Warn(summary, detail)
	}
}

// Close leaves the account. Slots of tasks that may be active stay.
func (p *Pool) Close() {
	if left := p.outlived(); len(left.Keys) > 0 {
		p.awaitBroker()
	}
	p.stop()
	_ = p.watcher.Stop() // what it still says, nobody hears
	p.done.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if p.conn.IsConnected() {
		p.clean()
		// A run that does not say that it ends is taken for dead a little later.
		_ = p.kv.Purge(ctx, p.runKey(p.id))
	} else {
		p.leaveLeft(p.outlived())
	}
	p.conn.Close()
}

func (p *Pool) runKey(id string) string { return p.options.Account + ".run." + id }

// member is a run that uses the account, as others see it.
type member struct {
	Who string `json:"who"`
	// Demand is how many slots it could use now, and Left how many tasks it has not seen to end, 0
	// where it does not say.
	Demand int `json:"demand"`
	Left   int `json:"left,omitempty"`
	// Beat makes each time that it says that it lives another one.
	Beat int `json:"beat"`
}

// live says again and again that this run lives, and frees what nobody else will.
func (p *Pool) live() {
	beats := 0
	next := time.Now()
	for {
		p.mu.Lock()
		demand, left, changed := p.held+p.waiting, p.left, p.changed
		isNews := demand != p.told.Demand
		p.mu.Unlock()
		if isNews || !time.Now().Before(next) {
			beats++
			p.tell(member{p.options.Who, demand, left, beats})
			next = time.Now().Add(beat)
			p.clean()
		}
		select {
		case <-p.ctx.Done():
			return
		case <-time.After(look / 5):
		case <-changed:
			// Not more often than that, or the runs keep each other busy.
			select {
			case <-p.ctx.Done():
				return
			case <-time.After(look / 5):
			}
		}
	}
}

func (p *Pool) tell(m member) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if _, err := p.kv.Put(ctx, p.runKey(p.id), encode(m)); err != nil {
		return // It is told with the next beat.
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = m
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // Nothing that is kept cannot be encoded.
	}
	return data
}
