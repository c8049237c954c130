package bfl

import (
	"strings"
	"testing"
)

func TestSizeFor(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		model         string
		width, height int
		want          Size
		err           string
	}{
		{"flux-2-pro", 1080, 1350, Size{1088, 1360}, ""},
		{"flux-2-pro", 1024, 1024, Size{1024, 1024}, ""},
		{"flux-2-pro", 1920, 1080, Size{1920, 1080}, ""}, // which the API has although it is no multiple
		{"flux-2-pro", 1, 1, Size{64, 64}, ""},
		{"flux-2-pro", 5000, 2500, Size{}, "Make it"},
		{"flux-vto-v2", 100, 100, Size{}, "not asked for by width and height"},
	} {
		got, err := Lookup(tc.model).SizeFor(tc.width, tc.height)
		if got != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s, %d x %d: got %v, %v, want %v, %q", tc.model, tc.width, tc.height, got, err, tc.want, tc.err)
		}
	}
}
