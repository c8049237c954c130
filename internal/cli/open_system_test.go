package cli

import (
	"errors"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSystemOpener(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		system, has string
		want        []string
	}{
		{"linux", "xdg-open", []string{"xdg-open"}},
		{"linux", "wslview", []string{"wslview"}},
		{"darwin", "open", []string{"open"}},
		{"windows", "rundll32", []string{"rundll32", "url.dll,FileProtocolHandler"}},
		{"linux", "open", nil},
	} {
		got, err := systemOpener(tt.system, func(name string) (string, error) {
			if name == tt.has {
				return "/bin/" + name, nil
			}
			return "", exec.ErrNotFound
		})
		if diff := cmp.Diff(tt.want, got); diff != "" || errors.Is(err, errNoViewer) != (tt.want == nil) {
			t.Errorf("%s with %s: %v (-want +got):\n%s", tt.system, tt.has, err, diff)
		}
	}
}
