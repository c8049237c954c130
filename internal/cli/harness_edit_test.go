package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// errand is what a step wants to be run after its edit, and how far that limits what may be said of
// the result.
type errand struct {
	said string
	// flags go to plan and apply.
	flags []string
	// replaced is the image that -replace names.
	replaced *item
	limited  bool
	// last says that nothing may be left to do afterwards.
	last bool
	// first, when not nil, is a command that spends nothing and is run before plan and apply.
	first []string
	// then, when not nil, is told how that ended.
	then func(o *outcome)
	// destroys says that all is destroyed before plan and apply.
	destroys bool
	// refreshes says that apply is run with -refresh-only first.
	refreshes bool
}

// edits are what people do between two applies. Each returns false where there is nothing that it
// could be done to.
var edits = map[string]func(w *world, s step, e *errand) bool{
	"nothing": func(*world, step, *errand) bool { return true },
	"rename": func(w *world, s step, e *errand) bool {
		b := pick(w.m.blocks, s.N[0])
		return w.readdress(s, e, b.items, func() { b.name = fmt.Sprintf("b%d", w.m.fresh()) })
	},
	"rekey": func(w *world, s step, e *errand) bool {
		it := pickFrom(w.m.items(), s.N[0], func(it *item) bool { return it.block.kind == keyed })
		return it != nil && w.readdress(s, e, []*item{it}, func() { it.key = fmt.Sprintf("k%d", w.m.fresh()) })
	},
	"rekind": func(w *world, s step, e *errand) bool {
		b := pick(w.m.blocks, s.N[0])
		kinds := []blockKind{keyed, counted}
		if len(b.items) == 1 {
			kinds = append(kinds, single)
		}
		kinds = slices.DeleteFunc(kinds, func(k blockKind) bool { return k == b.kind })
		return w.readdress(s, e, b.items, func() { b.kind = kinds[s.N[1]%len(kinds)] })
	},
	"reprompt": func(w *world, s step, e *errand) bool {
		it := pick(w.m.items(), s.N[0])
		it.prompt = fmt.Sprintf("heron %d", w.m.fresh())
		return e.say("%s has another prompt", it.address())
	},
	"reseed": func(w *world, s step, e *errand) bool {
		it := pick(w.m.items(), s.N[0])
		if it.seed != 0 && s.N[1]%4 == 0 {
			it.seed = 0
		} else {
			it.seed = 1 + s.N[2]%1000
		}
		return e.say("%s has the seed %d", it.address(), it.seed)
	},
	"swap-seeds": func(w *world, s step, e *errand) bool {
		a, b := pick(w.m.items(), s.N[0]), pick(w.m.items(), s.N[1])
		a.seed, b.seed = b.seed, a.seed
		return e.say("%s and %s swap seeds", a.address(), b.address())
	},
	"swap-prompts": func(w *world, s step, e *errand) bool {
		a, b := pick(w.m.items(), s.N[0]), pick(w.m.items(), s.N[1])
		a.prompt, b.prompt = b.prompt, a.prompt
		return e.say("%s and %s swap prompts", a.address(), b.address())
	},
	"swap-requests": func(w *world, s step, e *errand) bool {
		a := pick(w.m.items(), s.N[0])
		b := pick(a.block.items, s.N[1])
		a.prompt, b.prompt, a.seed, b.seed = b.prompt, a.prompt, b.seed, a.seed
		return e.say("%s and %s swap all that they ask for", a.address(), b.address())
	},
	"drop": func(w *world, s step, e *errand) bool {
		all := w.m.items()
		if len(all) < 2 {
			return false
		}
		it := pick(all, s.N[0])
		e.say("%s is deleted", it.address())
		w.m.drop(it)
		return true
	},
	"add": func(w *world, s step, e *errand) bool {
		it := w.m.add(0, single, 1).items[0]
		if s.N[0]%2 == 0 {
			it.seed = 1 + s.N[1]%1000
		}
		return e.say("%s is new, with the seed %d", it.address(), it.seed)
	},
	"twin": func(w *world, s step, e *errand) bool {
		of := pick(w.m.items(), s.N[0])
		b := w.m.add(of.block.level, single, 1)
		b.items[0].prompt, b.items[0].seed, b.refs, b.stone = of.prompt, of.seed, slices.Clone(of.block.refs), of.block.stone
		return e.say("%s is new, and asks for what %s does", b.items[0].address(), of.address())
	},
	"output": func(w *world, s step, e *errand) bool {
		it := pick(w.m.items(), s.N[0])
		it.output = fmt.Sprintf("%sart%d.png", pick([]string{"", "deep/", "deep/er/"}, s.N[1]), w.m.fresh())
		return e.say("%s has the output %s", it.address(), it.output)
	},
	"swap-outputs": func(w *world, s step, e *errand) bool {
		// What was edited by hand, and whose request is another one by now, stays where it is.
		isOwn := func(it *item) bool { return !it.isByHand() }
		a, b := pickFrom(w.m.items(), s.N[0], isOwn), pickFrom(w.m.items(), s.N[1], isOwn)
		if a == b {
			return false
		}
		a.output, b.output = b.path()[len("images/"):], a.path()[len("images/"):]
		return e.say("%s and %s swap paths", a.address(), b.address())
	},
	"mv": func(w *world, s step, e *errand) bool {
		it := pickFrom(w.m.items(), s.N[0], func(it *item) bool { return w.has(it.path()) && !it.block.frozen })
		if it == nil {
			return false
		}
		from := it.path()
		it.output = fmt.Sprintf("by-hand%d.png", w.m.fresh())
		w.must(os.Rename(w.join(from), w.join(it.path())))
		return e.say("%s has another output, %s, and its file was moved there by hand", it.address(), it.output)
	},
	"freeze": func(w *world, s step, e *errand) bool {
		b := pick(w.m.blocks, s.N[0])
		b.frozen = !b.frozen
		return e.say("image.%s is frozen: %v", b.name, b.frozen)
	},
	"replace": func(w *world, s step, e *errand) bool {
		e.replaced = pick(w.m.items(), s.N[0])
		w.forget(e.replaced)
		e.flags = append(e.flags, "-replace="+e.replaced.address())
		return e.say("-replace=%s", e.replaced.address())
	},
	"target": func(w *world, s step, e *errand) bool {
		it, other := pick(w.m.items(), s.N[0]), pick(w.m.items(), s.N[1])
		other.prompt = fmt.Sprintf("heron %d", w.m.fresh())
		e.limited, e.flags = true, append(e.flags, "-target="+it.address())
		return e.say("%s has another prompt, and -target=%s", other.address(), it.address())
	},
	"edit-file": func(w *world, s step, e *errand) bool {
		// What was accepted and is edited once more does not match until somebody accepts that too.
		it := pickFrom(w.m.items(), s.N[0], func(it *item) bool { return w.has(it.path()) && it.accepted == "" })
		if it == nil {
			return false
		}
		w.plant(it.path(), s.N[1]%4 == 0)
		return e.say("the file of %s, %s, is edited", it.address(), it.path())
	},
	"delete-file": func(w *world, s step, e *errand) bool {
		it := pickFrom(w.m.items(), s.N[0], func(it *item) bool { return w.has(it.path()) })
		if it == nil {
			return false
		}
		w.must(os.Remove(w.join(it.path())))
		return e.say("the file of %s, %s, is deleted", it.address(), it.path())
	},
	"stranger": func(w *world, s step, e *errand) bool {
		it := pickFrom(w.m.items(), s.N[0], func(it *item) bool { return !w.has(it.path()) })
		if it == nil {
			// What was edited by hand, and whose request is another one by now, stays where it is.
			if it = pickFrom(w.m.items(), s.N[0], func(it *item) bool { return it.accepted == "" }); it == nil {
				return false
			}
			it.output = fmt.Sprintf("strange%d.png", w.m.fresh())
		}
		w.plant(it.path(), false)
		return e.say("a file of somebody else's is at %s, where %s is to be", it.path(), it.address())
	},
	"import": func(w *world, s step, e *errand) bool {
		it := w.m.add(0, single, 1).items[0]
		name := fmt.Sprintf("attic/found%d.png", w.m.fresh())
		w.plant(name, false)
		e.first = []string{"import", it.address(), name}
		return e.say("%s is new, and %s is imported as it", it.address(), name)
	},
	"restore": func(w *world, s step, e *errand) bool {
		it := pick(w.m.items(), s.N[0])
		w.forget(it)
		e.first = []string{"restore", it.address()}
		return e.say("restore %s", it.address())
	},
	"refresh": func(w *world, s step, e *errand) bool {
		if it := pickFrom(w.m.items(), s.N[0], func(it *item) bool { return w.has(it.path()) }); it != nil {
			w.plant(it.path(), false)
			w.forget(it)
			e.say("the file of %s is edited, and -refresh-only takes it over", it.address())
		}
		e.refreshes = true
		return true
	},
	"destroy": func(w *world, _ step, e *errand) bool {
		w.forget(w.m.items()...)
		e.destroys = true
		return e.say("all is destroyed and brought back")
	},
	"rendition": func(w *world, s step, e *errand) bool {
		b := pick(w.m.blocks, s.N[0])
		b.small = []int{0, 16, 32, 48}[s.N[1]%4]
		return e.say("of image.%s, something %d wide is made", b.name, b.small)
	},
	"sheet": func(w *world, s step, e *errand) bool {
		w.m.cell = []int{0, 16, 24}[s.N[0]%3]
		return e.say("a sheet has cells of %d", w.m.cell)
	},
	"edit-rendition": func(w *world, s step, e *errand) bool {
		it := pickFrom(w.m.items(), s.N[0], func(it *item) bool { return w.has(it.smallPath()) })
		if it == nil {
			return false
		}
		w.plant(it.smallPath(), s.N[1]%4 == 0)
		return e.say("what was made of %s, %s, is edited", it.address(), it.smallPath())
	},
	"delete-rendition": func(w *world, s step, e *errand) bool {
		it := pickFrom(w.m.items(), s.N[0], func(it *item) bool { return w.has(it.smallPath()) })
		if it == nil {
			return false
		}
		w.must(os.Remove(w.join(it.smallPath())))
		return e.say("what was made of %s, %s, is deleted", it.address(), it.smallPath())
	},
	"stone": func(w *world, s step, e *errand) bool {
		w.must(os.WriteFile(w.join("refs/stone.png"), drawing(s.N[0]+w.m.fresh()), 0o644))
		return e.say("refs/stone.png is another picture")
	},
}

func (e *errand) say(format string, args ...any) bool {
	e.said = fmt.Sprintf(format, args...)
	return true
}

// readdress gives images other addresses, with moved blocks or, half of the time, without.
func (w *world) readdress(s step, e *errand, items []*item, change func()) bool {
	var before []string
	w.forget(items...)
	for _, it := range items {
		before = append(before, it.address())
	}
	change()
	how := "without a moved block"
	if s.N[2]%2 == 0 {
		how = "with a moved block"
		for i, it := range items {
			w.m.moved = append(w.m.moved, [2]string{before[i], it.address()})
		}
	}
	return e.say("%s is %s now, %s", before[0], items[0].address(), how)
}

func pick[T any](all []T, n int) T { return all[n%len(all)] }

// pickFrom picks among those that suit, and returns the zero value where none does.
func pickFrom(all []*item, n int, suits func(*item) bool) *item {
	all = slices.DeleteFunc(slices.Clone(all), func(it *item) bool { return !suits(it) })
	if len(all) == 0 {
		return nil
	}
	return pick(all, n)
}

func (w *world) join(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

func (w *world) has(name string) bool {
	info, err := os.Stat(w.join(name))
	return err == nil && info.Mode().IsRegular()
}

// plant writes a file that fluxbatch did not make, and must never lose.
func (w *world) plant(name string, garbage bool) {
	content := drawing(1_000_000 + w.m.fresh())
	if garbage {
		content = fmt.Appendf(nil, "no image, but somebody's work all the same: %d", w.m.fresh())
	}
	w.must(os.MkdirAll(filepath.Dir(w.join(name)), 0o777))
	if !garbage {
		// Half of the programs write another file and rename it; the others write in place.
		w.must(os.RemoveAll(w.join(name)))
	}
	w.must(os.WriteFile(w.join(name), content, 0o644))
	w.strangers[sumOf(content)] = name
	w.foreign[pixelsOf(content)] = true
}
