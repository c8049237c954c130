package cli_test

import (
	"fmt"
	"maps"
	"os"
	"time"
)

// What people do to choose: candidates, gates, picks, further throws, and files of their own.

const (
	gateRetries = 2
	gateTimeout = 500 * time.Millisecond
)

// judgeOf is the judge of all gates. It passes every third seed. In other moods it breaks, or hangs
// with a program that it has started. What it is in is in the file judge-mood.
const judgeOf = `#!/bin/sh
case $(cat judge-mood 2>/dev/null) in
breaks) echo 'it broke' >&2; exit 7 ;;
hangs) sleep 5 & wait ;;
esac
seed=$(sed -E 's/.*"seed":([0-9]+).*/\1/')
[ $((seed % 3)) = 0 ]
`

func init() {
	choices := map[string]func(w *world, s step, e *errand) bool{
		"candidates": func(w *world, s step, e *errand) bool {
			it := pick(w.m.items(), s.N[0])
			it.candidates = 1 + s.N[1]%4
			return e.say("%s has %d candidates", it.address(), it.candidates)
		},
		"gate": func(w *world, s step, e *errand) bool {
			b := pick(w.m.blocks, s.N[0])
			b.gated = !b.gated
			return e.say("image.%s is judged by a gate: %v", b.name, b.gated)
		},
		"judge": func(w *world, s step, e *errand) bool {
			mood := pick([]string{"", "breaks", "hangs"}, s.N[0])
			w.must(os.WriteFile(w.join("judge-mood"), []byte(mood), 0o644))
			b := pick(w.m.blocks, s.N[1])
			b.gated = true
			it := pick(b.items, s.N[2])
			it.prompt = fmt.Sprintf("heron %d", w.m.fresh())
			return e.say("the judge is in the mood %q, and judges another prompt of %s", mood, it.address())
		},
		"pick": func(w *world, s step, e *errand) bool {
			it := pickFrom(w.m.items(), s.N[0], (*item).hasChoice)
			if it == nil {
				return false
			}
			n := 1 + s.N[1]%it.most()
			e.first = []string{"pick", it.address(), fmt.Sprint(n)}
			e.then = func(o *outcome) {
				// A picture is picked, and not a number: that of a frozen image may be one of an
				// older request. Where the command was cut off, nobody knows.
				if it.picked = ""; o.code == 0 {
					it.picked, it.accepted = w.shown(it), ""
				}
			}
			return e.say("candidate %d of %s is picked", n, it.address())
		},
		"more": func(w *world, s step, e *errand) bool {
			it := pickFrom(w.m.items(), s.N[0], (*item).hasChoice)
			if it == nil {
				return false
			}
			n := 1 + s.N[1]%2
			it.more += n
			e.first = []string{"pick", "-reroll", "-n", fmt.Sprint(n), it.address()}
			return e.say("%d more candidates of %s are asked for", n, it.address())
		},
		"accept": func(w *world, s step, e *errand) bool {
			// Where accepting what was edited once more fails, it does not match until somebody accepts it.
			isWhole := s.Fate == fate{}
			it := pickFrom(w.m.items(), s.N[0], func(it *item) bool { return w.has(it.path()) && (isWhole || !it.isByHand()) })
			if it == nil {
				return false
			}
			w.plant(it.path(), false)
			data, err := os.ReadFile(w.join(it.path()))
			w.must(err)
			e.first = []string{"accept", it.address()}
			e.then = func(o *outcome) {
				if it.doubtful = o.code != 0; !it.doubtful {
					it.accepted, it.picked = pixelsOf(data), ""
				}
			}
			return e.say("the file of %s, %s, is edited and accepted", it.address(), it.path())
		},
		"unaccept": func(w *world, s step, e *errand) bool {
			it := pickFrom(w.m.items(), s.N[0], func(it *item) bool { return it.accepted != "" })
			if it == nil {
				return false
			}
			it.accepted = ""
			e.first = []string{"accept", "-undo", it.address()}
			return e.say("what was accepted as %s is taken back", it.address())
		},
	}
	maps.Copy(edits, choices)
}

// forget notes that what was chosen of images may not hold any more.
func (w *world) forget(items ...*item) {
	for _, it := range items {
		it.picked, it.accepted = "", ""
	}
}

// shown returns the request of the picture that stands where an image goes, "" where none does.
func (w *world) shown(it *item) string {
	data, err := os.ReadFile(w.join(it.path()))
	if err != nil {
		return ""
	}
	pixels := pixelsOf(data)
	for _, c := range w.charges {
		if c.pixels == pixels {
			return wishOf(c.prompt, c.seed)
		}
	}
	return ""
}

// isPicked reports whether what was picked of an image is among what it asks for.
func (it *item) isPicked() bool {
	if it.picked == "" || !it.hasChoice() {
		return false
	}
	for n := range it.most() {
		if it.nth(n+1) == it.picked {
			return true
		}
	}
	return false
}

// dropPicks forgets what was picked of requests that are not made any more.
func (w *world) dropPicks() {
	for _, it := range w.m.items() {
		if !it.isPicked() {
			it.picked = ""
		}
	}
}

// checkChoice holds the file of an image, which has these pixels, against what somebody chose.
func (w *world) checkChoice(it *item, pixels string) error {
	if it.accepted != "" && pixels != it.accepted {
		return broken("hand work replaced", "%s, %s, is not the file that was accepted", it.address(), it.path())
	}
	if !it.isPicked() || it.seed == 0 {
		return nil
	}
	for _, c := range w.charges {
		if c.pixels == pixels && wishOf(c.prompt, c.seed) == it.picked {
			return nil
		}
	}
	return broken("another choice", "%s, %s, is not the candidate that was picked, %s", it.address(), it.path(), it.picked)
}
