package planner

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Whatever moves, of finds all that a move is about, also after others have moved; and of many
// instances it looks at the one alone.
func TestWhereabouts(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	pick := func(of int) int { return random.IntN(of) }
	keys := []addrs.Key{addrs.NoKey, addrs.IntKey(0), addrs.IntKey(1), addrs.StringKey("a"), addrs.StringKey("0")}
	modules := []addrs.Module{"", "module.x", `module.x["a"]`, "module.x[0].module.y", "module.y", "module.xy"}
	names := []string{"n", "m"}
	endpoint := func(isModule bool) addrs.Endpoint {
		if isModule {
			return addrs.Endpoint{Parent: modules[pick(3)], IsModule: true, Name: []string{"x", "y"}[pick(2)], Key: keys[pick(len(keys))]}
		}
		return addrs.Endpoint{Parent: modules[pick(len(modules))], Name: names[pick(2)], Key: keys[pick(len(keys))]}
	}
	for range 200 {
		all, set := whereabouts{}, map[addrs.Image]bool{}
		for range 40 {
			a := addrs.Image{Module: modules[pick(len(modules))], Name: names[pick(2)], Key: keys[pick(len(keys))], Candidate: pick(3)}
			if !set[a] {
				all.add(a)
			}
			set[a] = true
		}
		for range 20 {
			isModule := pick(2) == 0
			move := addrs.Move{From: endpoint(isModule), To: endpoint(isModule)}
			var about, found []addrs.Image
			for _, a := range slices.SortedFunc(maps.Keys(set), addrs.Image.Compare) {
				if _, ok := move.Apply(a); ok {
					about = append(about, a)
				}
			}
			for _, a := range all.of(move) {
				if _, ok := move.Apply(a); ok {
					found = append(found, a)
				}
			}
			slices.SortFunc(found, addrs.Image.Compare)
			if !slices.Equal(about, found) {
				t.Fatalf("%s to %s is about %v, found were %v", move.From, move.To, about, found)
			}
			for _, a := range about {
				if to, _ := move.Apply(a); !set[to] {
					all.remove(a)
					all.add(to)
					delete(set, a)
					set[to] = true
				}
			}
		}
	}
	many := whereabouts{}
	for i := range 1000 {
		many.add(addrs.Image{Name: "n", Key: addrs.IntKey(i)})
	}
	one := addrs.Move{From: addrs.Endpoint{Name: "n", Key: addrs.IntKey(7)}, To: addrs.Endpoint{Name: "m"}}
	if got := many.of(one); len(got) != 1 {
		t.Errorf("a move of one instance looks at %d", len(got))
	}
}
