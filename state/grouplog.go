package state

import (
	"io"
	"runtime"
	"sync"
)

// groupLog appends lines to a file durably. Lines that arrive while an fsync is under way wait for
// it together and go into the next one, so that many writers share few fsyncs without anybody
// waiting for a timer. There is no goroutine of its own: of the writers of a batch, the first to
// get the token writes it for all of them. It is safe for concurrent use.
type groupLog struct {
	// open readies the file at the first write: it returns it and its size, and bytes to write
	// before the first line.
	open func() (f logFile, size int64, head []byte, err error)

	// token is held while the file is touched.
	token chan struct{}
	file  logFile
	size  int64
	// broken is the first error of a write or fsync. What the file ends in is unknown after that,
	// and a later fsync could report success for bytes that the system has dropped, so nothing is
	// appended any more.
	broken error

	mu sync.Mutex
	// next is the batch that is being filled.
	next *batch
	// spare is the buffer of the batch before, for reuse.
	spare []byte
}

// logFile is what a groupLog writes to: what was written is durable after Sync.
type logFile interface {
	io.WriteCloser
	Sync() error
}

// batch is the lines of one write.
type batch struct {
	lines []byte
	parts []part
	done  chan struct{}
	err   error
}

// part is one line's place in a batch, and what to do when it is durable, or known not to be.
type part struct {
	offset int
	then   func(offset int64, err error)
}

func newGroupLog(open func() (logFile, int64, []byte, error)) *groupLog {
	return &groupLog{open: open, token: make(chan struct{}, 1)}
}

// append returns when line is durable. Before that, then is called with the line's place in the
// file, in the order of the lines and never concurrently; with an error where the line is not known
// to be durable.
func (l *groupLog) append(line []byte, then func(offset int64, err error)) error {
	return l.wait(l.add(line, then))
}

// add puts a line into the batch that is being filled, which is durable when wait returns.
func (l *groupLog) add(line []byte, then func(offset int64, err error)) *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next = &batch{done: make(chan struct{}), lines: l.spare[:0]}
		l.spare = nil
	}
	b := l.next
	b.parts = append(b.parts, part{len(b.lines), then})
	b.lines = append(b.lines, line...)
	return b
}

func (l *groupLog) wait(b *batch) error {
	select {
	case <-b.done:
	case l.token <- struct{}{}:
		// Those who are about to have a line as well get it into this batch: that alone makes a
		// quarter of the fsyncs where the disk is too fast for lines to gather meanwhile.
		runtime.Gosched()
		l.flush(b)
		<-l.token
	}
	return b.err
}

// flush writes b, unless another writer already did. The caller holds the token.
func (l *groupLog) flush(b *batch) {
	l.mu.Lock()
	mine := l.next == b
	if mine {
		l.next = nil
	}
	l.mu.Unlock()
	if !mine {
		return
	}
	start, err := l.write(b.lines)
	for _, p := range b.parts {
		p.then(start+int64(p.offset), err)
	}
	b.err = err
	l.mu.Lock()
	l.spare, b.lines = b.lines, nil
	l.mu.Unlock()
	close(b.done)
}

// write appends lines and returns where they begin.
func (l *groupLog) write(lines []byte) (int64, error) {
	if l.broken != nil {
		return 0, l.broken
	}
	if l.file == nil {
		f, size, head, err := l.open()
		if err != nil {
			// Nothing was written, so a later attempt may succeed.
			return 0, err
		}
		l.file, l.size = f, size
		if len(head) > 0 {
			// One write for both: a crash may leave part of it, which is a torn line however far it
			// got.
			lines = append(head, lines...)
		}
		start, err := l.sync(lines)
		return start + int64(len(head)), err
	}
	return l.sync(lines)
}

func (l *groupLog) sync(lines []byte) (int64, error) {
	_, err := l.file.Write(lines)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		l.broken = err
		return 0, err
	}
	start := l.size
	l.size += int64(len(lines))
	return start, nil
}

// exclusive runs f while nothing is written. Lines that arrive meanwhile wait.
func (l *groupLog) exclusive(f func() error) error {
	l.token <- struct{}{}
	defer func() { <-l.token }()
	return f()
}

// close closes the file; the next line opens it again. The caller is inside exclusive.
func (l *groupLog) close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
