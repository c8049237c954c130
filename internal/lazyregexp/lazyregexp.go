// Package lazyregexp has regular expressions that are compiled when they are first used. Compiled
// at start, those of the whole program would take longer than a command such as version.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that returns the compiled expression, the same at each call. It is safe
// for concurrent use, and panics at the first where the expression is wrong.
func New(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
