package image

import "testing"

// An image that was copied from another one does not change with it.
func TestRareIsOnesOwn(t *testing.T) {
	t.Parallel()
	var first Image
	first.Rare().Lifecycle.Frozen = true
	second := first
	second.Rare().Lifecycle.IgnoreAll = true
	first.Rare().Pick = 2
	if l := first.Lifecycle(); !l.Frozen || l.IgnoreAll {
		t.Errorf("the first has %+v", l)
	}
	if l := second.Lifecycle(); !l.Frozen || !l.IgnoreAll || second.Pick() != 0 {
		t.Errorf("the second has %+v", l)
	}
	if l := new(Image).Lifecycle(); l.SaysAny() {
		t.Errorf("one without any has %+v", l)
	}
}
