package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// module is a directory as one place of the configuration uses it: the root module, or what one
// module block calls. A directory that is called from two places is two modules.
type module struct {
	call   *moduleCall // nil for the root
	parent *module
	depth  int
	// dir is usable with package os. rel is the path from the root module with slashes, "." for the
	// root itself.
	dir, rel string

	variables map[string]*variable
	locals    map[string]*local
	images    map[string]*imageBlock
	sheets    map[string]*sheetBlock
	assets    map[string]*assetBlock
	outputs   map[string]*output
	calls     map[string]*moduleCall
	models    map[string]*bfl.Model
	defaults  *defaultsBlock
	checks    []*check

	// settings are the nodes of the root module's fluxbatch, provider and budget blocks.
	settings []*settingsBlock
	// providers are the addresses by which images of this module may call an account, and what they
	// are in the root.
	providers map[string]string

	moves    []movedBlock
	removals []removedBlock
	imports  []*importBlock

	nodes []*node
}

// node is what is evaluated as one.
type node struct {
	// name is how expressions and messages call it, such as local.style; inside a child module it
	// is only unique there.
	name string
	mod  *module
	// index is the node's place in the values of its module's scopes.
	index int
	// at is the place to name in messages about the node as a whole.
	at hcl.Range
	// uses is what the node's expressions name, and needs the nodes among that, without duplicates.
	uses  uses
	needs []*node
	// dynamic says that the value depends on images, so that it is evaluated anew by each Evaluate.
	dynamic bool
	// skip says that the node is not evaluated and its value is unknown, for a reason that was
	// reported, such as a cycle.
	skip bool
	// broken says that an expression of the node names something that does not exist, or that the
	// node is declared wrong, which was reported.
	broken bool
	// tainted says that the value is unknown because of an error that was reported already, so that
	// more messages would only repeat it.
	tainted bool
	// exported says that something names this image block, so that its instances' values are worth
	// building.
	exported bool
	// stamp is the evaluator's clock when the value last changed.
	stamp uint64
	work  work
}

// work is what a node does when its turn comes: it sets its value in a scope.
type work interface {
	evaluate(e *evaluator, s *scope)
}

// add registers a node with its module.
func (m *module) add(n *node, w work) {
	n.mod, n.work, n.index = m, w, len(m.nodes)
	m.nodes = append(m.nodes, n)
}

// fullName is the node's name with that of its module, for messages that may be read far from the
// file.
func (n *node) fullName() string {
	name := n.name
	for m := n.mod; m.call != nil; m = m.parent {
		name = m.call.name + "." + name
	}
	return name
}

// local is one value of a locals block.
type local struct {
	node
	expr hcl.Expression
}

// variable is a variable block.
type variable struct {
	node
	key         string
	description string
	typ         cty.Type
	defaults    *typeexpr.Defaults
	// literal says that values from the command line and the environment are taken as text rather
	// than as expressions.
	literal   bool
	preset    cty.Value // the default, cty.NilVal where the variable is required
	sensitive bool
	nullable  bool
	// expr is what a module call passes in, nil where it passes nothing. The root module's values
	// come from outside.
	expr hcl.Expression
}

// validation is one validation block of a variable. It is a node of its own, since its condition
// may name other things that need the variable.
type validation struct {
	node
	variable *variable
	rule     rule
}

// rule is a condition with the message for when it does not hold.
type rule struct {
	condition, message hcl.Expression
	at                 hcl.Range
}

// output is an output block.
type output struct {
	node
	key           string
	description   string
	value         hcl.Expression
	sensitive     bool
	preconditions []rule
	dependsOn     []hcl.Expression
	after         []explicit
	// bare says that nothing in the value is marked; see evaluator.bare.
	bare bool
	// collection is the value of an output of the root module, where it is a gathering. It then
	// stands in the place of that of the node.
	collection *Collection
	// ahead is what was gathered beside other outputs, nil where nothing was; see
	// evaluator.gatherBeside.
	ahead *gathered
}

// check is a check block: assertions whose failure is a warning.
type check struct {
	node
	asserts []rule
}

// repeat is how a block gets its instances. At most one of the two is set.
type repeat struct {
	forEach, count hcl.Expression
}

func (r repeat) isSet() bool { return r.forEach != nil || r.count != nil }

// moduleCall is a module block.
type moduleCall struct {
	node
	key string // the block's label
	repeat
	source    string
	sourceAt  hcl.Range
	inputs    map[string]*hcl.Attribute
	dependsOn []hcl.Expression
	passed    []passedProvider
	child     *module // nil where the source could not be loaded
	// after are the image blocks that depends_on makes every image of the module wait for.
	after []explicit
}

// passedProvider is one entry of a module call's providers.
type passedProvider struct {
	inner, outer string
	at           hcl.Range
}

// imageBlock is an image block.
type imageBlock struct {
	node
	key string // the block's label
	repeat
	// args are those written in the block, sorted by name. Linking adds those of the module's
	// defaults.
	args []argument
	// account is the provider argument, nil where there is none, and provider its address in the
	// root module.
	account   hcl.Expression
	provider  string
	dependsOn []hcl.Expression
	after     []explicit
	lifecycle *lifecycleBlock
	gates     []gateBlock
	// renditions are sorted by name.
	renditions []renditionBlock
	demand     demand
	misspelt   []string
	// sized says that an argument calls size_for, which asks for the model.
	sized bool
	// weave is what the block is evaluated with, nil for one whose instances need none of their own
	// block.
	weave *weave
}

// argument is an argument of an image with the expression that gives it. There are as many as in
// all images together, so it is small.
type argument struct {
	Name string
	// kind is the type of an argument that goes into the request under its own name, "" for others.
	kind bfl.Kind
	Expr hcl.Expression
	// start is where the name stands.
	start hcl.Pos
	// inherited says that the expression stands in the module's defaults.
	inherited bool
	// perInstance says that the expression names each or count, so that it has a value of its own
	// for each instance.
	perInstance bool
	// woven says that the expression looks up instances of its own block, or of one that needs this
	// one in turn; see weave.
	woven bool
	// fallback is what the module's defaults say, for a value that turns out to be null.
	fallback *argument
}

func newArgument(name string, expr hcl.Expression, start hcl.Pos) argument {
	kind, _ := image.Parameter(name)
	return argument{Name: name, kind: kind, Expr: expr, start: start}
}

// valueAt returns where the value stands.
func (a *argument) valueAt() hcl.Range { return a.Expr.Range() }

// at returns where the argument stands, from its name to the end of its value.
func (a *argument) at() hcl.Range {
	at := a.Expr.Range()
	at.Start = a.start
	return at
}

// explicit is what an entry of a depends_on names: an image block, or all image blocks of a module
// and of those below it; of these either all instances, or with a key that of the image or module.
type explicit struct {
	blocks []*imageBlock
	call   *moduleCall // nil for an image
	key    addrs.Key
}

// defaultsBlock is the defaults block of a module.
type defaultsBlock struct {
	node
	args     map[string]*hcl.Attribute
	misspelt []string
}

// lifecycleBlock is the lifecycle block of an image.
type lifecycleBlock struct {
	preventDestroy, frozen        hcl.Expression
	requirePick                   hcl.Expression
	ignoreChanges                 []string
	ignoreAll                     bool
	triggers                      []hcl.Expression
	preconditions, postconditions []rule
}

// settingsBlock is a block that only the root module may have, and whose values never depend on
// images.
type settingsBlock struct {
	node
	block *hcl.Block
	args  map[string]*hcl.Attribute
	apply func(e *evaluator, s *scope, b *settingsBlock)
}
