package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// weave is what image blocks are evaluated as whose instances are made from each other: a block
// that refers to its own instances, or several that refer to each other's. Blocks cannot be put in
// order then, but instances can: each is built once those are there that it looks up. What it looks
// up is found by evaluating it; see lookupExpr.
//
// It belongs to the evaluator, and is not safe for concurrent use.
type weave struct {
	// blocks are the members, in the order of the files, all of one module. The weave is evaluated
	// when the turn of the one called last comes.
	blocks []*imageBlock
	last   *imageBlock
	// rules are expressions of the members' lifecycle blocks with lookups in them.
	rules map[*imageBlock][]hcl.Expression
	// scope is the instance of the module that lookups are made in.
	scope *scope

	// What lookups found since the last reset: instances that have to be built first, those that
	// were looked at, and places where it is not known in time which instance is meant.
	wants  []want
	looked []addrs.Image
	late   []hcl.Range
}

// want is an instance that another one cannot be built without, and where it is named.
type want struct {
	slot
	at hcl.Range
}

// slot is the place of an instance: the number of its block among those of the weave, and its own
// in that block.
type slot struct{ block, index int }

func (w *weave) reset() { w.wants, w.looked, w.late = w.wants[:0], w.looked[:0], w.late[:0] }

// waiting reports whether what was evaluated since the last reset needs an instance that is not
// there yet, so that the outcome means nothing.
func (w *weave) waiting() bool { return w != nil && len(w.wants) > 0 }

// get returns what expressions see of an instance. It answers false where the block has no such
// instance.
func (w *weave) get(b *imageBlock, key addrs.Key, at hcl.Range) (cty.Value, bool) {
	list := w.scope.images[b]
	if list == nil || list.expansion == nil {
		return cty.DynamicVal, true // It was reported why its instances cannot be told.
	}
	i, ok := list.find(key)
	if !ok {
		return cty.DynamicVal, false
	}
	o := &list.objects[i]
	if o.value == cty.NilVal {
		w.wants = append(w.wants, want{slot{slices.Index(w.blocks, b), i}, at})
		return cty.DynamicVal, true
	}
	addr := addrs.Image{Module: w.scope.addr, Name: b.key, Key: key}
	w.looked = append(w.looked, addr)
	return o.value.Mark(dependency{addr: addr}), true
}

// evaluate builds, checks and decides the instances of all members in a scope, each after those
// that it looks up.
func (w *weave) evaluate(e *evaluator, s *scope) {
	w.scope = s
	run := weaving{weave: w, e: e}
	for _, b := range w.blocks {
		run.begin(b, s)
	}
	if slices.ContainsFunc(w.blocks, func(b *imageBlock) bool { return b.tainted }) {
		for _, b := range w.blocks {
			e.taint(&b.node)
		}
	}
	for block := range w.blocks {
		for index := range run.states[block] {
			run.build(slot{block, index})
		}
	}
	for block := range w.blocks {
		run.finish(block)
	}
}

// weaving is one evaluation of a weave in one instance of its module.
type weaving struct {
	*weave
	e *evaluator
	// builders, lists and states are those of the blocks, in their order.
	builders []*builder
	lists    []*instances
	states   [][]buildState
	// todo is a stack of instances to build. Those on it that are begun need, each, the next one
	// that is begun.
	todo []want
}

// buildState is how far an instance is.
type buildState uint8

const (
	untouched buildState = iota
	begun
	built
)

// begin finds the instances of a block.
func (run *weaving) begin(b *imageBlock, s *scope) {
	e := run.e
	ctx := e.context(&b.node, s)
	list := &instances{}
	s.images[b] = list
	e.touch(&b.node)
	run.lists = append(run.lists, list)
	expansion, ok := e.expand(&b.node, b.repeat, ctx)
	if !ok {
		e.taint(&b.node)
		run.builders, run.states = append(run.builders, nil), append(run.states, nil)
		return
	}
	list.expansion = expansion
	e.adviseOnCount(b)
	e.noteBlankRows(b, s, expansion)
	list.objects = make([]object, 0, expansion.len())
	for each := range expansion.all() {
		list.objects = append(list.objects, object{key: each.key})
	}
	build := newBuilder(e, b, s, ctx, expansion)
	build.prepare()
	run.builders = append(run.builders, build)
	run.states = append(run.states, make([]buildState, expansion.len()))
}

// build builds an instance, and before it those that it needs. These can be many, one behind the
// other, which is why it does not call itself.
func (run *weaving) build(start slot) {
	run.todo = append(run.todo[:0], want{slot: start})
	for len(run.todo) > 0 {
		at := run.todo[len(run.todo)-1].slot
		state := &run.states[at.block][at.index]
		if *state == built {
			run.todo = run.todo[:len(run.todo)-1]
			continue
		}
		*state = begun
		img, done := run.builders[at.block].attempt(at.index, run.lists[at.block].at(at.index))
		if !done {
			if run.push() {
				continue
			}
			img = nil
		}
		run.put(at, img)
		*state = built
		run.todo = run.todo[:len(run.todo)-1]
	}
}

// push has those instances built first that the one on top of the stack was found to need. It
// answers false, having reported it, where one of them needs that one in turn.
func (run *weaving) push() bool {
	for _, wanted := range run.wants {
		if run.states[wanted.block][wanted.index] == begun {
			run.circle(wanted)
			return false
		}
	}
	run.todo = append(run.todo, run.wants...)
	return true
}

// put gives an instance its value.
func (run *weaving) put(at slot, img *image.Image) {
	b, build, o := run.blocks[at.block], run.builders[at.block], &run.lists[at.block].objects[at.index]
	var result *image.Result
	isTainted := slices.ContainsFunc(run.blocks, func(b *imageBlock) bool { return b.tainted })
	if img != nil && !isTainted && run.e.decide != nil {
		result = run.e.decide(img)
	}
	o.img, o.result, o.final = img, result, result != nil
	o.value = run.e.export(b, img, addrs.Image{Module: build.s.addr, Name: b.key, Key: o.key}, result)
}

// finish checks the postconditions of a block, which may look at instances that were built later,
// and lets its builder go.
func (run *weaving) finish(block int) {
	b, build, list := run.blocks[block], run.builders[block], run.lists[block]
	if build == nil {
		return
	}
	if len(b.lifecycle.postconditions) > 0 {
		for i := range list.objects {
			if o := &list.objects[i]; o.final {
				run.e.postconditions(b, build, list.at(i), o)
			}
		}
	}
	build.release()
}

// maxCircle is how many images of a circle are named.
const maxCircle = 8

// circle reports images that need each other: the one that is wanted again, and those begun since.
func (run *weaving) circle(again want) {
	var around []want
	for _, w := range run.todo {
		switch {
		case run.states[w.block][w.index] != begun:
		case w.slot == again.slot:
			around = append(around[:0], w)
		case len(around) > 0:
			around = append(around, w)
		}
	}
	around = append(around, again)
	// Each is now named at the place by which the one before it needs it.
	steps := make([]string, 0, len(around))
	for i, to := range around[1:] {
		if len(around)-1 > maxCircle && i == maxCircle-1 {
			steps = append(steps, fmt.Sprintf("and so on by way of %d more, until", len(around)-1-maxCircle))
		}
		if i >= maxCircle-1 && i < len(around)-2 {
			continue
		}
		steps = append(steps, fmt.Sprintf("%s needs %s (%s)", run.address(around[i].slot), run.address(to.slot), diag.Place(to.at)))
	}
	run.e.instance = run.address(again.slot)
	detail := "These images are made from each other in a circle, so none of them can come first: %s. Remove one of the references."
	if len(around) == 2 {
		detail = "An image cannot be made from itself: %s. Remove the reference."
	}
	run.e.fail(&run.blocks[again.block].node, diag.Problem(around[1].at, "Cycle", detail, strings.Join(steps, ", ")))
	for _, w := range around {
		run.e.taint(&run.blocks[w.block].node)
	}
}

func (run *weaving) address(at slot) addrs.Image {
	return addrs.Image{Module: run.scope.addr, Name: run.blocks[at.block].key, Key: run.lists[at.block].objects[at.index].key}
}

// attempt builds an instance of a member of a weave. It answers false, having reported nothing,
// where other instances have to be built first, which are then the weave's wants. Only what looks
// up instances is evaluated before that is clear.
func (d *builder) attempt(n int, x each) (img *image.Image, done bool) {
	w := d.b.weave
	w.reset()
	d.enter(x)
	for i := range d.b.args {
		if d.b.args[i].woven {
			d.values[i] = d.argument(i)
		}
	}
	for _, expr := range w.rules[d.b] {
		// Only what it looks up counts; what is wrong is reported when its turn comes.
		_, _ = expr.Value(d.instanceContext())
	}
	d.wantTriggers()
	if w.waiting() {
		return nil, false
	}
	if slices.ContainsFunc(w.rules[d.b], d.tooLate) {
		return nil, true
	}
	d.ready = true
	img = d.instance(n, x)
	d.ready = false
	return img, true
}

// wantTriggers asks for the images of the weave that replace_triggered_by names: they are decided
// on first.
func (d *builder) wantTriggers() {
	for _, expr := range d.b.lifecycle.triggers {
		steps, ok := referencePath(expr, func(key hcl.Expression) (cty.Value, bool) {
			v, diags := key.Value(d.instanceContext())
			return v, !diags.HasErrors()
		})
		if !ok || len(steps) < 2 || steps[0].name != "image" {
			continue
		}
		b := d.s.mod.images[steps[1].name]
		if b == nil || b.weave != d.b.weave {
			continue
		}
		key := addrs.NoKey
		if len(steps) > 2 && steps[2].isKey {
			key = steps[2].key
		}
		d.b.weave.get(b, key, expr.Range())
	}
}

// tooLate reports a place of an expression that was evaluated where it is not known in time which
// instance is looked up.
func (d *builder) tooLate(expr hcl.Expression) bool {
	w := d.b.weave
	if w == nil || len(w.late) == 0 {
		return false
	}
	if !d.b.tainted {
		d.report(diag.About(diag.Problem(w.late[0], "Value not known in time",
			"Which images of its own block %s is made from depends on an image that does not exist yet. The plan needs to know it to put the images in order. Use keys that do not come from another image's result.", d.addr(d.current)), expr, d.instanceContext()))
	}
	w.late = w.late[:0]
	return true
}
