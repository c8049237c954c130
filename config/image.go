package config

import (
	"slices"
	"unsafe"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/hugepage"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// instances are what an image block makes in one scope.
type instances struct {
	*expansion
	// objects are what expressions see of the instances, in their order, for blocks that something
	// names.
	objects []object
	index   map[addrs.Key]int // of objects, made when it is needed
	// value is the block's value made of the objects, cty.NilVal while nothing needed it. It is
	// stale when an object has changed since.
	value cty.Value
	stale bool
	// bare is the value without marks for the images, cty.NilVal while nothing needed it as it is
	// now.
	bare cty.Value
}

// object returns what expressions see of the instance with a key, nil where there is no such.
func (list *instances) object(key addrs.Key) *object {
	if list.index == nil {
		list.index = make(map[addrs.Key]int, len(list.objects))
		for i := range list.objects {
			list.index[list.objects[i].key] = i
		}
	}
	if i, ok := list.index[key]; ok {
		return &list.objects[i]
	}
	return nil
}

// object is what expressions see of an instance.
type object struct {
	key addrs.Key
	// value is what they see, without the mark for the image. It is cty.NilVal while nothing looked
	// at it; see evaluator.look. Of a member of a weave it is there as soon as the instance is
	// built.
	value cty.Value
	// img is nil where the instance is wrong.
	img *image.Image
	// result is nil while it is not known.
	result *image.Result
	// final says that the result is in the value.
	final bool
}

// instanceMemory is how much memory a plan needs for an instance, in bytes.
const instanceMemory = 2 << 10

// evaluate builds, checks and decides the block's instances in a scope.
func (b *imageBlock) evaluate(e *evaluator, s *scope) {
	if b.weave != nil {
		if b == b.weave.last {
			b.weave.evaluate(e, s)
		}
		return
	}
	ctx := e.context(&b.node, s)
	list := &instances{}
	s.images[b] = list
	e.touch(&b.node)
	expansion, ok := e.expand(&b.node, b.repeat, ctx)
	if !ok {
		e.taint(&b.node)
		return
	}
	list.expansion = expansion
	e.adviseOnCount(b)
	e.noteBlankRows(b, s, expansion)
	if b.exported {
		list.objects = make([]object, 0, expansion.len())
	}
	hugepage.Expect(int64(expansion.len()) * instanceMemory)
	build := newBuilder(e, b, s, ctx, expansion)
	build.prepare()
	defer build.release()
	help := &ahead{block: build}
	for i := range expansion.len() {
		each := expansion.at(i)
		img := help.instance(i)
		var result *image.Result
		if img != nil && !b.tainted && e.decide != nil {
			result = e.decide(img)
		}
		switch {
		case b.exported:
			o := object{key: each.key, img: img, result: result, final: result != nil}
			list.objects = append(list.objects, o)
			if result != nil {
				e.postconditions(b, build, each, &o)
			}
		case img != nil && img.Spare:
			help.release(i, img)
		}
	}
}

// builder makes the instances of one block in one scope.
type builder struct {
	e         *evaluator
	b         *imageBlock
	s         *scope
	ctx       *hcl.EvalContext
	expansion *expansion
	// child is ctx with each or count in it. It is used again for the next instance, unless a
	// diagnostic keeps it.
	child *hcl.EvalContext
	// current is the instance in the making, and n its place.
	current each
	n       int
	defined bool // child is that of the current instance
	// values are those of b.args, in their order, for the instance in the making. Where an argument
	// is the same for all instances, so is its value.
	values []argumentValue
	// columns are prepared expressions of arguments, in the order of b.args, nil for those of other
	// forms.
	columns []*column
	// hoists are the arguments' expressions with what is the same for all instances taken out.
	hoists map[*argument]hcl.Expression
	// recipes are the last of each of the block's renditions, nil while there is none. Instances with
	// the same recipe share it.
	recipes []*image.Recipe
	// sameLabels are the labels, once they are known to be the same for all instances.
	sameLabels map[string]string
	// outputRange is where the output argument stands, nil while that was not needed.
	outputRange *hcl.Range
	after       []addrs.Image // what depends_on names
	// ready says that the arguments with lookups have their values for the instance in the making;
	// see attempt.
	ready      bool
	conditions []addrs.Image // what the preconditions of the instance in the making come from
	// writes has the files of the images written, and cuts those of each of the block's renditions; nil
	// while there is none.
	writes *maker
	cuts   []*maker
	// isHelper says that it builds ahead; see ahead. unsure says that the instance in the making has
	// to be built without help.
	isHelper, unsure bool
	// doubted is the request that Doubts is asked about.
	doubted *bfl.Request
	// images, and room for their arguments, are memory for those to come. again is that of an image
	// that nobody needs any more, nil where there is none. pieces is how many images were allocated
	// last, which is more for each of many blocks.
	images []image.Image
	pieces int
	room   []bfl.Argument
	again  *image.Image
}

// imagesPiece is how many images take one allocation: as many as fill a piece of memory of the
// largest kind that Go keeps at hand, so that nothing of it is wasted.
const imagesPiece = int(32 << 10 / unsafe.Sizeof(image.Image{}))

func newBuilder(e *evaluator, b *imageBlock, s *scope, ctx *hcl.EvalContext, x *expansion) *builder {
	build := e.spare
	if build == nil {
		build = &builder{}
	}
	e.spare = nil
	*build = builder{
		e: e, b: b, s: s, ctx: ctx, expansion: x, values: build.values, images: build.images, pieces: build.pieces,
	}
	if cap(build.values) < len(b.args) {
		build.values = make([]argumentValue, 0, max(len(b.args), len(image.Arguments)))
	}
	build.values = build.values[:len(b.args)]
	clear(build.values)
	for _, after := range b.after {
		build.after = append(build.after, e.waitsFor(after, s)...)
	}
	for at := s; at.parent != nil; at = at.parent {
		for _, after := range at.mod.call.after {
			build.after = append(build.after, e.waitsFor(after, at.parent)...)
		}
	}
	return build
}

// release lets the next builder have the memory of this one, which must not be used any more.
func (d *builder) release() { d.e.spare = d }

// prepare compiles the arguments of a block with many instances.
func (d *builder) prepare() {
	if d.b.forEach == nil || d.e.opts.general {
		return
	}
	d.columns = make([]*column, len(d.b.args))
	for i := range d.b.args {
		if arg := &d.b.args[i]; arg.perInstance {
			d.columns[i] = d.compile(arg.Expr)
		}
	}
}

func (d *builder) addr(x each) addrs.Image {
	return addrs.Image{Module: d.s.addr, Name: d.b.key, Key: x.key}
}

// enter turns to another instance.
func (d *builder) enter(x each) {
	d.current, d.defined = x, false
	if d.b.weave != nil {
		d.b.weave.scope = d.s
	}
	d.e.instance = d.addr(x)
}

// instanceContext returns the context in which each, or count, is that of the instance in the
// making.
func (d *builder) instanceContext() *hcl.EvalContext {
	if !d.current.isSet() {
		return d.ctx
	}
	switch {
	case d.child == nil:
		d.child = d.current.context(d.ctx)
	case !d.defined:
		d.current.define(d.child)
	}
	d.defined = true
	return d.child
}

// report adds diagnostics about the instance in the making, and leaves them its context.
func (d *builder) report(diags ...*hcl.Diagnostic) {
	if len(diags) == 0 {
		return
	}
	d.e.add(diags...)
	d.child = nil
	if hcl.Diagnostics(diags).HasErrors() {
		d.e.taint(&d.b.node)
	}
}

// blank returns memory for an image. It may have room for arguments.
func (d *builder) blank() *image.Image {
	if img := d.again; img != nil {
		d.again = nil
		*img = image.Image{Arguments: img.Arguments[:0]}
		return img
	}
	if len(d.images) == 0 {
		d.pieces = min(max(d.expansion.len(), 2*d.pieces), imagesPiece)
		d.images = make([]image.Image, d.pieces)
	}
	img := &d.images[0]
	d.images = d.images[1:]
	return img
}

// instance builds one image, that of the nth instance. It answers nil, having reported why, where
// something is wrong with it.
func (d *builder) instance(n int, x each) *image.Image {
	d.enter(x)
	d.n = n
	ok := d.evaluateArguments()
	img := d.blank()
	img.Address, img.Provider, img.Unread = d.addr(x), d.b.provider, !d.b.exported
	model := d.model()
	if model == nil {
		return nil
	}
	img.Model = model
	ok = d.arguments(img) && ok
	ok = d.parameters(img) && ok
	ok = d.inputs(img) && ok
	ok = d.output(img) && ok
	ok = d.labels(img) && ok
	ok = d.candidates(img) && ok
	ok = d.gates(img) && ok
	ok = ok && d.renditions(img)
	ok = d.lifecycle(img) && ok
	ok = d.check(img) && ok
	ok = d.adviseOnPrompt(img) && ok
	if !ok {
		return nil
	}
	slices.Sort(img.Sensitive())
	d.advise(img)
	d.dependencies(img)
	return img
}

// sensitiveShown is the summary where a sensitive value stands for something that is in every plan,
// in the state or in an address.
const sensitiveShown = "Sensitive value shown"

// maxLabelSets bounds what is kept for sharing, where each image has labels of its own.
const maxLabelSets = 1024
