package s3

import (
	"context"
	"io"
	"sync"
	"time"
)

// Transfer is how far one object is on its way.
type Transfer struct {
	// Object is its address, s3://BUCKET/NAME.
	Object string
	// Upload says that it goes there rather than comes from there.
	Upload bool
	// Done and Size are in bytes. What is sent again counts once.
	Done, Size int64
}

// transferEvery is how often it is told how far a transfer is. What is shorter is not told at all.
const transferEvery = 5 * time.Second

// listener is told of transfers.
type listener struct {
	tell func(Transfer)
	now  func() time.Time
}

type listenerKey struct{}

// ReportTransfers returns a context whose transfers are told to a function while they take long, and
// once more when such a one is done. It may be called by several goroutines at once.
func ReportTransfers(ctx context.Context, tell func(Transfer)) context.Context {
	return context.WithValue(ctx, listenerKey{}, &listener{tell, time.Now})
}

// meter counts the bytes of one transfer. All of its methods work on nil, which nobody listens to.
// It is safe for concurrent use.
type meter struct {
	*listener
	mu     sync.Mutex
	at     Transfer
	told   time.Time // when it was told last
	isLong bool
}

func newMeter(ctx context.Context, object string, upload bool, size int64) *meter {
	l, _ := ctx.Value(listenerKey{}).(*listener)
	if l == nil {
		return nil
	}
	return &meter{listener: l, at: Transfer{Object: object, Upload: upload, Size: size}, told: l.now()}
}

// add counts bytes, fewer than none where they are sent again.
func (m *meter) add(n int64) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at.Done += n
	if now := m.now(); n > 0 && m.at.Done < m.at.Size && now.Sub(m.told) >= transferEvery {
		m.told, m.isLong = now, true
		m.tell(m.at)
	}
}

// end tells that a transfer which was told of is done.
func (m *meter) end() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isLong {
		m.at.Done = m.at.Size
		m.tell(m.at)
	}
}

// progress is told of what is sent, in the way that the client tells it.
type progress struct{ *meter }

func (p progress) Read(b []byte) (int, error) {
	p.add(int64(len(b)))
	return len(b), nil
}

// metered is a part of an object that is read to be sent, once or again from its beginning.
type metered struct {
	*io.SectionReader
	meter *meter
	at    int64
}

func (r *metered) Read(b []byte) (int, error) {
	n, err := r.SectionReader.Read(b)
	r.at += int64(n)
	r.meter.add(int64(n))
	return n, err
}

func (r *metered) Seek(offset int64, whence int) (int64, error) {
	at, err := r.SectionReader.Seek(offset, whence)
	if err == nil {
		r.meter.add(at - r.at)
		r.at = at
	}
	return at, err
}

// reader is a metered without the other ways to read it, which nobody would count.
type reader struct{ io.ReadSeeker }

func (m *meter) section(r io.ReaderAt, offset, size int64) io.ReadSeeker {
	return reader{&metered{SectionReader: io.NewSectionReader(r, offset, size), meter: m}}
}

// arriving is where a download goes. It remembers that writing failed, which no new attempt mends.
type arriving struct {
	to     io.Writer
	meter  *meter
	failed error
}

func (w *arriving) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	w.meter.add(int64(n))
	w.failed = err
	return n, err
}
