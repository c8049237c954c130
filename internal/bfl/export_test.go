package bfl

import "net/url"

// Differences returns the table, for the tests that hold it against the schema.
func Differences() []Difference { return differences }

// SameHost is sameHost of two URLs as texts.
func SameHost(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && sameHost(x, y)
}
