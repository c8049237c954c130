package executor

import (
	"net/url"
	"time"
)

// toldAfter is how long nothing has to be bought for an outage before that is told: a moment's need not
// be. Of those that come again and again each has to last twice as long, up to mostDoubled times.
const (
	toldAfter   = 5 * time.Second
	mostDoubled = 5
)

// outage is what is told of a time in which nothing is bought, since what is bought could not be
// fetched. Its zero value is that there is none.
type outage struct {
	// since is when the first call failed after which none succeeded.
	since time.Time
	// held says that nothing is bought, and told that it was told.
	held, told bool
	host       string
	looks      bool
	err        error
}

// outageGoesOn notes that a call failed without which nothing that is bought comes home: a look at a
// task, or a download.
func (r *run) outageGoesOn(host string, looks bool, err error) {
	o := &r.delivery.outage
	if o.since.IsZero() {
		o.since = time.Now()
	}
	if !o.told { // Its end is told of what was told to be down.
		o.host, o.looks, o.err = host, looks, err
	}
	if o.held || !r.delivery.isStalled() {
		return
	}
	o.held = true
	since := o.since
	r.later(toldAfter<<min(r.delivery.outages, mostDoubled), func() {
		switch {
		case !o.held || !o.since.Equal(since):
		case !r.delivery.isStalled():
			o.held = false // What had failed is over otherwise.
		default:
			o.told = true
			r.delivery.outages++
			r.emit(Undelivered{Host: o.host, Looks: o.looks, Since: since, Until: r.firstGone(), Err: o.err, Buys: r.stop == nil})
		}
	})
}

// outageOver notes that a call of a kind succeeded. When looks and downloads had failed together, it may
// be either that has things be bought again.
func (r *run) outageOver(looks bool) {
	o := &r.delivery.outage
	if r.delivery.isStalled() || !o.held && o.looks != looks {
		return
	}
	if o.told {
		r.emit(Delivered{Host: o.host, Looks: o.looks, After: time.Since(o.since), Buys: r.stop == nil})
	}
	*o = outage{}
}

// firstGone is when the first of the results that wait can be had no more, zero where nobody knows.
func (r *run) firstGone() time.Time {
	var first time.Time
	for n := range r.delivery.failing {
		end := n.until
		switch {
		case n.resumed && n.isYoung():
			end = n.accepted.Add(resultLife)
		case n.resumed:
			continue // It may be gone.
		}
		if end.After(time.Now()) && (first.IsZero() || end.Before(first)) {
			first = end
		}
	}
	return first
}

// hostOf is the host of a URL, "" where it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
