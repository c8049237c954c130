package planner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// TestRefreshOnly: what is gone is forgotten and what was changed is taken, but not the file of another
// image, which a run that was cut off in a swap of paths has put there.
func TestRefreshOnly(t *testing.T) {
	t.Parallel()
	// By name, the path and the picture on record, and the picture that is at the path, "" for none.
	type file struct{ path, recorded, is string }
	for name, tt := range map[string]struct {
		files map[string]file
		want  string
	}{
		"nothing changed":                   {map[string]file{"a": {"a", "A", "A"}, "b": {"b", "B", "B"}}, ""},
		"edited, and gone":                  {map[string]file{"a": {"a", "A", "X"}, "b": {"b", "B", ""}, "c": {"c", "C", "C"}}, "update a to X, forget b"},
		"a copy of another":                 {map[string]file{"a": {"a", "A", "B"}, "b": {"b", "B", "B"}}, "update a to B"},
		"the first is on record":            {map[string]file{"a": {"b", "A", "A"}, "b": {"b", "B", "A"}}, ""},
		"the first is at its place":         {map[string]file{"a": {"a", "A", ""}, "b": {"b", "B", "A"}}, ""},
		"both are at their places":          {map[string]file{"a": {"a", "A", "B"}, "b": {"b", "B", "A"}}, ""},
		"the first is on record and edited": {map[string]file{"a": {"b", "A", "X"}, "b": {"b", "B", "X"}}, ""},
		"beside an edit":                    {map[string]file{"a": {"b", "A", "A"}, "b": {"b", "B", "A"}, "c": {"c", "C", "X"}}, "update c to X"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, found := newWorld(), map[addrs.Image]state.File{}
			for image, f := range tt.files {
				at := addr(t, "image."+image)
				w.prior.Images.Set(at, &state.Image{Output: state.File{Path: f.path, SHA256: sumOf(f.recorded)}})
				switch f.is {
				case f.recorded:
				case "":
					w.files[at] = state.Missing
				default:
					w.files[at], found[at] = state.Changed, state.File{Path: f.path, SHA256: sumOf(f.is)}
				}
			}
			var got []string
			for _, c := range New(Options{Prior: w.prior, Files: w.files}).RefreshOnly(found).Changes {
				switch c.Action {
				case Forget:
					got = append(got, "forget "+c.Address.Name)
				case Update:
					got = append(got, fmt.Sprintf("update %s to %s", c.Address.Name, c.Found().SHA256[:1]))
				default:
					got = append(got, c.Action.String())
				}
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

// sumOf is a hash that begins with a letter.
func sumOf(picture string) string { return strings.Repeat(picture, 64) }
