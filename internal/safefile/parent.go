package safefile

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"syscall"
)

// parents are the directories in which files of a Dir are pending. It is safe for concurrent use.
type parents struct {
	mu   sync.Mutex
	open map[string]*parent
}

func newParents() *parents { return &parents{open: map[string]*parent{}} }

// parent is a directory that is held open while files are pending in it, so that the temporary and
// the final name are in the same directory even when somebody replaces that directory meanwhile.
// Files that are pending at the same time share it.
type parent struct {
	*Dir
	name string
	info fs.FileInfo
	// pending counts the files. It is guarded by the mutex of the parents.
	pending int

	// token is held by whoever makes the names in it durable, and owns self: the directory as a
	// file, nil until it is needed.
	token chan struct{}
	self  *os.File

	mu sync.Mutex
	// next is the flush that makes names durable which are there from now on.
	next *flush
}

// flush is one fsync of a directory, for all who wait for it.
type flush struct {
	done chan struct{}
	err  error
}

// enter returns the directory of that name for one more pending file. End it with leave.
func (d *Dir) enter(name string) (*parent, error) {
	if p := d.parents.join(name); p != nil {
		// Somebody may have put another directory in its place.
		if info, err := d.Stat(name); err == nil && os.SameFile(info, p.info) {
			return p, nil
		}
		_ = d.leave(p) // Whoever else has a file in it says what is wrong with it.
	}
	sub, err := d.Sub(name)
	if err != nil {
		return nil, err
	}
	info, err := sub.Stat(".")
	if err != nil {
		return nil, errors.Join(err, sub.Close())
	}
	p := &parent{Dir: sub, name: name, info: info, pending: 1, token: make(chan struct{}, 1)}
	d.parents.mu.Lock()
	defer d.parents.mu.Unlock()
	d.parents.open[name] = p
	return p, nil
}

// join counts a further file in a directory, and returns nil where no file is pending in it.
func (ps *parents) join(name string) *parent {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p := ps.open[name]
	if p != nil {
		p.pending++
	}
	return p
}

// leave says that a file is not pending any more. The last one closes the directory.
func (d *Dir) leave(p *parent) error {
	d.parents.mu.Lock()
	p.pending--
	isLast := p.pending == 0
	if isLast && d.parents.open[p.name] == p {
		delete(d.parents.open, p.name)
	}
	d.parents.mu.Unlock()
	if !isLast {
		return nil
	}
	if p.self != nil {
		_ = p.self.Close() // It was only flushed.
	}
	return p.Close()
}

// flush returns when the names in the directory are durable. Those that come while an fsync is under
// way share the next one.
func (p *parent) flush() error {
	p.mu.Lock()
	if p.next == nil {
		p.next = &flush{done: make(chan struct{})}
	}
	f := p.next
	p.mu.Unlock()
	select {
	case <-f.done:
	case p.token <- struct{}{}:
		p.mu.Lock()
		isMine := p.next == f // Else the one who had the token before has done it.
		if isMine {
			p.next = nil
		}
		p.mu.Unlock()
		if isMine {
			f.err = p.do(OpSyncDir, ".", p.syncSelf)
			close(f.done)
		}
		<-p.token
	}
	return f.err
}

func (p *parent) syncSelf() (err error) {
	if p.self == nil && runtime.GOOS != "windows" {
		if p.self, err = p.root.Open("."); err != nil {
			return err
		}
	}
	return syncOpen(p.self)
}

// syncOpen makes the names in an open directory durable.
func syncOpen(dir *os.File) error {
	if runtime.GOOS == "windows" {
		// Directories cannot be flushed there; NTFS journals names by itself.
		return nil
	}
	err := dir.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		// Some network and FUSE file systems cannot flush directories. They offer nothing that would
		// be safer.
		return nil
	}
	return err
}
