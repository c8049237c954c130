package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

// Move is a moved block: images under the one address are those under the other from now on.
type Move struct {
	addrs.Move
	Range hcl.Range
}

// Removal is a removed block: images under its address are no longer in the configuration.
type Removal struct {
	From addrs.Endpoint
	// Destroy says that their files go too; otherwise they are only forgotten.
	Destroy bool
	Range   hcl.Range
}

// movedBlock is a moved block, with ends relative to its module.
type movedBlock struct {
	from, to addrs.Endpoint
	at       hcl.Range
	fromAt   hcl.Range
}

type removedBlock struct {
	from    addrs.Endpoint
	destroy bool
	at      hcl.Range
	fromAt  hcl.Range
}

var (
	movedSchema   = schema.Body{In: "a moved block", Args: []string{"from", "to"}}
	removedSchema = schema.Body{In: "a removed block", Args: []string{"from"}, Blocks: []schema.Block{{Name: "lifecycle"}}}
	forgetSchema  = schema.Body{In: "the lifecycle of a removed block", Args: []string{"destroy"}}
)

func (d *decoder) moved(m *module, block *hcl.Block) {
	content, diags := movedSchema.Read(block.Body)
	d.add(diags...)
	from, ok1 := d.endpointArg(block, diags, content.Args["from"], "from")
	to, ok2 := d.endpointArg(block, diags, content.Args["to"], "to")
	if !ok1 || !ok2 {
		return
	}
	fromAt := content.Args["from"].Expr.Range()
	switch {
	case from.IsModule != to.IsModule:
		d.add(diag.Problem(content.Args["to"].Expr.Range(), "Invalid move", "An image moves to an image, and a module to a module. %s and %s are not of one kind.", from, to))
		return
	case from == to:
		d.add(diag.Problem(fromAt, "Invalid move", "from and to are the same."))
		return
	}
	m.moves = append(m.moves, movedBlock{from: from, to: to, at: block.DefRange, fromAt: fromAt})
}

func (d *decoder) removed(m *module, block *hcl.Block) {
	content, diags := removedSchema.Read(block.Body)
	d.add(diags...)
	from, ok := d.endpointArg(block, diags, content.Args["from"], "from")
	if !ok {
		return
	}
	r := removedBlock{from: from, destroy: true, at: block.DefRange, fromAt: content.Args["from"].Expr.Range()}
	for _, inner := range content.Blocks {
		lifecycle, diags := forgetSchema.Read(inner.Body)
		d.add(diags...)
		r.destroy = d.ConstantBool(lifecycle.Args["destroy"], true)
	}
	m.removals = append(m.removals, r)
}

// endpointArg reads an address that stands in a block, relative to the block's module. diags are
// about the block's arguments.
func (d *decoder) endpointArg(
	block *hcl.Block, diags hcl.Diagnostics, attr *hcl.Attribute, name string,
) (addrs.Endpoint, bool) {
	if attr == nil && slices.Contains(schema.Misspelt(diags), name) {
		return addrs.Endpoint{}, false
	}
	if attr == nil {
		d.add(diag.Problem(block.DefRange, "Missing required argument",
			"A %s block needs %s, as in %s = image.logo.", block.Type, name, name))
		return addrs.Endpoint{}, false
	}
	traversal, diags := hcl.AbsTraversalForExpr(attr.Expr)
	if !diags.HasErrors() {
		if steps, ok := appendSteps([]pathStep{{name: traversal.RootName()}}, traversal[1:]); ok {
			if e, ok := endpointOf(steps); ok {
				return e, true
			}
		}
	}
	d.add(diag.Problem(attr.Expr.Range(), "Invalid address",
		`%s must be the address of an image or module, such as image.logo, image.card["winter"] or module.brand.image.logo.`,
		name))
	return addrs.Endpoint{}, false
}

// endpointOf reads the steps of a reference as an address.
func endpointOf(steps []pathStep) (addrs.Endpoint, bool) {
	var e addrs.Endpoint
	for len(steps) >= 2 && !steps[0].isKey && !steps[1].isKey {
		kind, name := steps[0].name, steps[1].name
		steps = steps[2:]
		key := addrs.NoKey
		if len(steps) > 0 && steps[0].isKey {
			key, steps = steps[0].key, steps[1:]
		}
		e.Name, e.Key = name, key
		switch {
		case kind == "image":
			e.IsModule = false
			return e, len(steps) == 0
		case kind != "module":
			return e, false
		case len(steps) == 0:
			e.IsModule = true
			return e, true
		}
		e.Parent = e.Parent.Child(name, key)
	}
	return e, false
}

// below returns an endpoint seen from the root, where it is relative to a module instance.
func below(parent addrs.Module, e addrs.Endpoint) addrs.Endpoint {
	switch {
	case parent == "":
	case e.Parent == "":
		e.Parent = parent
	default:
		e.Parent = parent + "." + e.Parent
	}
	return e
}

// Moves returns the moved blocks of all modules in the order in which they are to be applied: one
// that ends where another begins comes first. They are known after Load, but for those in modules
// whose instances depend on images, which Evaluate adds.
func (c *Config) Moves() []Move {
	if c.evaluator == nil {
		return nil
	}
	return c.evaluator.moves
}

// Removals returns the removed blocks of all modules, known when Moves are.
func (c *Config) Removals() []Removal {
	if c.evaluator == nil {
		return nil
	}
	return c.evaluator.removals
}

// findMoves collects moved and removed blocks, and checks them against the configuration.
func (e *evaluator) findMoves() {
	e.moves, e.removals = nil, nil
	froms := map[addrs.Endpoint]hcl.Range{}
	for _, addr := range sortedKeys(e.byAddr) {
		s := e.byAddr[addr]
		e.instance = addrs.Image{Module: addr}
		for _, block := range s.mod.moves {
			move := Move{Move: addrs.Move{From: below(s.addr, block.from), To: below(s.addr, block.to)}, Range: block.at}
			if first, ok := froms[move.From]; ok {
				e.add(diag.Problem(block.fromAt, "Ambiguous move", "The block at %[2]s moves %[1]s already, and an image can go to one place only.", move.From, diag.Place(first)))
				continue
			}
			froms[move.From] = block.at
			if whole := move.From.Key.IsNone() && move.To.Key.IsNone(); e.declares(move.From, whole) {
				e.add(diag.Problem(block.fromAt, "Moved object still exists",
					"%s is still in the configuration, so it did not move. Remove its block, or the moved block.", move.From))
			}
			e.moves = append(e.moves, move)
		}
		for _, block := range s.mod.removals {
			r := Removal{From: below(s.addr, block.from), Destroy: block.destroy, Range: block.at}
			if e.declares(r.From, r.From.Key.IsNone()) {
				e.add(diag.Problem(block.fromAt, "Removed object still exists", "%s is still in the configuration. Remove its block, or the removed block.", r.From))
			}
			e.removals = append(e.removals, r)
		}
	}
	e.orderMoves()
}

// orderMoves puts a move before those that begin where it ends, and reports moves in a circle.
func (e *evaluator) orderMoves() {
	const visiting, done = 1, 2
	state := make([]int, len(e.moves))
	var sorted []Move
	var visit func(int)
	visit = func(i int) {
		state[i] = visiting
		for j, other := range e.moves {
			if j == i || other.To != e.moves[i].From {
				continue
			}
			switch state[j] {
			case visiting:
				e.add(diag.Problem(e.moves[i].Range, "Cyclic moves", "The moved block at %s leads back to %s. Moves "+
					"cannot go in a circle.", diag.Place(other.Range), e.moves[i].From))
			case 0:
				visit(j)
			}
		}
		state[i] = done
		sorted = append(sorted, e.moves[i])
	}
	for i := range e.moves {
		if state[i] == 0 {
			visit(i)
		}
	}
	e.moves = sorted
}

// declares reports whether the configuration has what an endpoint names: the block, or where whole
// is false the instance.
func (e *evaluator) declares(end addrs.Endpoint, whole bool) bool {
	s := e.byAddr[end.Parent]
	if s == nil {
		return false
	}
	if end.IsModule {
		call := s.mod.calls[end.Name]
		if call == nil {
			return false
		}
		isInstance := func(child *scope) bool { return child.each.key == end.Key }
		return whole || slices.ContainsFunc(s.children[call.child], isInstance)
	}
	b := s.mod.images[end.Name]
	if b == nil {
		return false
	}
	return whole || e.exists(addrs.Image{Module: end.Parent, Name: end.Name, Key: end.Key})
}
