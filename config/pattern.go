package config

import (
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// pattern has the files of the instances of a large block, of which nearly all are the same text but
// for the key: such a file is the instance's, since no other one has its key, and it takes a bit to
// say that it is taken. In a map, it would take 80 bytes.
type pattern struct {
	by *maker
	// before and after are what stands around the key, in lower case.
	before, after string
	// taken has a bit for each instance.
	taken []uint64
}

const (
	// patternLeast is how many instances are worth a pattern.
	patternLeast = 2048
	// mostPatterns bounds what each file is held against.
	mostPatterns = 16
)

// patternOf returns the pattern that a file follows, nil where it has not the key of its instance in
// it.
func patternOf(own claim, file string) *pattern {
	p := &pattern{by: own.by, taken: make([]uint64, own.by.expansion.len()/64+1)}
	key, isText := p.key(own.n)
	at := strings.LastIndex(file, key)
	if !isText || key == "" || at < 0 {
		return nil
	}
	p.before, p.after = file[:at], file[at+len(key):]
	return p
}

func (p *pattern) key(n int) (string, bool) { return p.by.expansion.at(n).key.Text() }

// file returns the file of an instance that follows the pattern.
func (p *pattern) file(n int) string {
	key, _ := p.key(n)
	return p.before + key + p.after
}

// middle returns what a file has in the place of the key. It answers false for one that has something
// else around it.
func (p *pattern) middle(file string) (string, bool) {
	if len(file) < len(p.before)+len(p.after) || !strings.HasPrefix(file, p.before) || !strings.HasSuffix(file, p.after) {
		return "", false
	}
	return file[len(p.before) : len(file)-len(p.after)], true
}

// fits reports whether a file is that of an instance by the pattern.
func (p *pattern) fits(n int, file string) bool {
	key, _ := p.key(n)
	middle, ok := p.middle(file)
	return ok && middle == key
}

// find returns which instance has taken a file.
func (p *pattern) find(file string) (n int, taken bool) {
	middle, ok := p.middle(file)
	if !ok {
		return 0, false
	}
	n, ok = p.by.expansion.find(addrs.StringKey(middle))
	return n, ok && p.has(n)
}

func (p *pattern) has(n int) bool { return p.taken[n/64]&(1<<(n%64)) != 0 }

func (p *pattern) take(n int) { p.taken[n/64] |= 1 << (n % 64) }
