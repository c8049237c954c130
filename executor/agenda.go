package executor

import (
	"container/heap"
	"time"
)

// agenda is what the coordinator is to do at set times. Owned by the coordinator.
type agenda struct{ entries entryHeap }

type entry struct {
	at time.Time
	do func()
}

func (a *agenda) add(at time.Time, do func()) { heap.Push(&a.entries, entry{at, do}) }

// next returns when the first entry is due, and whether there is one.
func (a *agenda) next() (time.Time, bool) {
	if len(a.entries) == 0 {
		return time.Time{}, false
	}
	return a.entries[0].at, true
}

// due removes and returns the first entry if it is due.
func (a *agenda) due(now time.Time) (func(), bool) {
	if len(a.entries) == 0 || a.entries[0].at.After(now) {
		return nil, false
	}
	return heap.Pop(&a.entries).(entry).do, true
}

// clear forgets all entries.
func (a *agenda) clear() { a.entries = nil }

type entryHeap []entry

func (h entryHeap) Len() int           { return len(h) }
func (h entryHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h entryHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *entryHeap) Push(x any)        { *h = append(*h, x.(entry)) }
func (h *entryHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = entry{}
	*h = old[:len(old)-1]
	return last
}
