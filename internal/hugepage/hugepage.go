// Package hugepage asks the system to give memory in large pieces to what will need much of it.
//
// Linux gives memory in pages of 4 KB, each of which costs a fault when it is first touched: a plan
// of 100,000 images has 80,000 of them, and on a virtual machine they, and the processor's search
// for where each page is, are a third of its time. Pages of 2 MB cost next to nothing, but where
// the system is set to madvise, as most are, they have to be asked for, which Go's runtime does not.
package hugepage

import (
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// least is how much memory makes it worth while: less costs a few milliseconds.
const least = 16 << 20

// most bounds what is asked for at once. It is address space, and no memory until it is touched.
const most = 2 << 30

var expected struct {
	sync.Mutex
	bytes int64
}

// Expect says that about so many bytes of memory will be needed, in all of what follows. It never
// fails: where there are no large pieces, the memory comes in small ones. It is safe for concurrent
// use.
func Expect(bytes int64) {
	expected.Lock()
	defer expected.Unlock()
	bytes = min(bytes, most)
	if more := bytes - expected.bytes; more >= least {
		reserve(more)
		expected.bytes = bytes
	}
}

// reserve has the heap grow to so many bytes more, marks them, and leaves them to whatever is
// allocated next. Nothing in them was touched, so that no memory is used yet.
func reserve(bytes int64) {
	if !supported {
		return
	}
	// A builder's memory is not cleared. Of what the heap has had before, make would touch all.
	var b strings.Builder
	b.Grow(int(bytes))
	advise(unsafe.Slice(unsafe.StringData(b.String()), bytes)) //nolint:gosec // It is the memory that the builder has.
	runtime.GC()                                               // It takes the memory back into the heap, and is quick as long as little is in use.
}
