package graph

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		needs map[string][]string
		want  []string
		ways  [][]string // around each cycle
	}{
		"a chain":         {map[string][]string{"a": {"b"}, "b": {"c"}}, []string{"c", "b", "a"}, nil},
		"nothing needed":  {nil, []string{"a", "b", "c"}, nil},
		"itself":          {map[string][]string{"b": {"b"}}, []string{"a", "b", "c"}, [][]string{{"b", "b"}}},
		"two, and others": {map[string][]string{"a": {"b"}, "b": {"c", "a"}}, []string{"c", "a", "b"}, [][]string{{"a", "b", "a"}}},
		"a short way":     {map[string][]string{"a": {"b", "c"}, "b": {"c"}, "c": {"a"}}, []string{"a", "b", "c"}, [][]string{{"a", "c", "a"}}},
	} {
		needs := func(n string) []string { return tt.needs[n] }
		sorted, cycles := Order([]string{"a", "b", "c"}, needs)
		var ways [][]string
		for _, members := range cycles {
			ways = append(ways, Around(slices.Min(members), members, needs))
		}
		if diff := cmp.Diff(tt.want, sorted); diff != "" {
			t.Errorf("%s, order (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(tt.ways, ways); diff != "" {
			t.Errorf("%s, cycles (-want +got):\n%s", name, diff)
		}
	}
}
