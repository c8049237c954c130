package executor

import "time"

// Results can be fetched for ten minutes only. Where they arrive faster than the line, or the bucket
// that they are put into, takes them, all further ones would wait longer, in the end for more than
// that. So nothing is submitted while those that wait take too long.

// mostBehind is how long results may have to wait before they are fetched.
const mostBehind = time.Minute

// backlog estimates how long results wait to be fetched. Its zero value knows of none.
type backlog struct {
	// each is how long it takes to bring one home.
	each time.Duration
	// began are the times since when those are under way that are.
	began map[*node]time.Time
	told  bool
}

func (b *backlog) begin(n *node) {
	if b.began == nil {
		b.began = map[*node]time.Time{}
	}
	b.began[n] = time.Now()
}

func (b *backlog) end(n *node) {
	took := time.Since(b.began[n])
	delete(b.began, n)
	if b.each == 0 {
		b.each = took
	}
	b.each += (took - b.each) / 8
}

// isUnderWay reports whether a result is being brought home.
func (b *backlog) isUnderWay(n *node) bool { return !b.began[n].IsZero() }

// wait is how long so many results take until the last of them is fetched.
func (b *backlog) wait(results int) time.Duration {
	each := b.each
	for _, began := range b.began {
		// The line may have become slow since, or be dead: what is not there by now may take as long
		// again.
		each = max(each, 2*time.Since(began))
	}
	return time.Duration(results) * each / maxDownloads
}

// isBehind reports whether results wait for so long that nothing is to be submitted.
func (r *run) isBehind() bool {
	if len(r.downloads) == 0 || r.backlog.wait(len(r.downloads)) <= mostBehind {
		return false
	}
	if !r.backlog.told {
		r.backlog.told = true
		r.emit(Behind{len(r.downloads)})
	}
	return true
}
