package config

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/hclfast"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/modelblock"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

var topLevel = schema.Body{
	In: "a configuration",
	Blocks: []schema.Block{
		{Name: "fluxbatch"},
		{Name: "provider", Labels: []string{"name"}},
		{Name: "budget"},
		{Name: "defaults"},
		{Name: "variable", Labels: []string{"name"}},
		{Name: "locals"},
		{Name: "image", Labels: []string{"name"}},
		{Name: "asset", Labels: []string{"name"}},
		{Name: "sheet", Labels: []string{"name"}},
		{Name: "provenance"},
		{Name: "output", Labels: []string{"name"}},
		{Name: "module", Labels: []string{"name"}},
		{Name: "model", Labels: []string{"name"}},
		{Name: "moved"},
		{Name: "removed"},
		{Name: "import"},
		{Name: "check", Labels: []string{"name"}},
	},
	Foreign: foreignBlocks,
}

// foreignBlocks answer what users of Terraform type out of habit.
var foreignBlocks = map[string]string{
	"resource":  `There are no resources here. Declare an image with image "NAME" { ... }.`,
	"data":      "There are no data sources here. Read files with file, csvdecode or jsondecode.",
	"terraform": "The settings of this tool stand in a fluxbatch block.",
	"local":     "Local values stand in a block called locals.",
	"variables": `Each variable has a block of its own: variable "NAME" { ... }.`,
	"images":    `Each image has a block of its own: image "NAME" { ... }.`,
	"backend":   `Where the state is kept stands in the fluxbatch block: state "local" { path = "..." }.`,
}

// decoder turns the blocks of files into modules.
type decoder struct {
	collector
	schema.Reader
	parser
	opts *Options
	// dirs are the directories from the root down to the module being read, by which a module that
	// calls itself is noticed.
	dirs []string
	// unparsed says that a file of a module has syntax errors. What seems to be missing may stand
	// in it, so nothing more is reported.
	unparsed bool
	// refused says that the configuration is for another version of the program.
	refused *hcl.Diagnostic
}

// module decodes the files of one module, and those of the modules that it calls.
func (d *decoder) module(m *module, files []*hcl.File) {
	m.variables = map[string]*variable{}
	m.locals = map[string]*local{}
	m.images = map[string]*imageBlock{}
	m.sheets, m.assets = map[string]*sheetBlock{}, map[string]*assetBlock{}
	m.outputs = map[string]*output{}
	m.calls = map[string]*moduleCall{}
	m.models = map[string]*bfl.Model{}
	decode := func(block *hcl.Block) {
		if d.validName(block) {
			d.block(m, block)
		}
	}
	for _, file := range files {
		if long, ok := file.Body.(*hclfast.Body); ok {
			d.add(topLevel.ReadArguments(long.Body, nil)...)
			for i, block := range long.Blocks {
				if m.parent == nil {
					long.Blocks[i] = nil // The root module is decoded once.
				}
				d.add(topLevel.ReadBlock(block, decode)...)
			}
			continue
		}
		content, diags := topLevel.Read(file.Body)
		d.add(diags...)
		for _, block := range content.Blocks {
			decode(block)
		}
	}
	for _, name := range sortedKeys(m.calls) {
		d.child(m.calls[name])
	}
}

// rootOnly are the blocks that say something about the run as a whole.
var rootOnly = map[string]bool{"fluxbatch": true, "provider": true, "budget": true, "provenance": true}

func (d *decoder) block(m *module, block *hcl.Block) {
	if rootOnly[block.Type] && m.parent != nil {
		d.add(diag.Problem(block.DefRange, "Block not allowed in a module",
			"A %s block is about the whole run, so only the root module can have one. Move it there%s.", block.Type, map[bool]string{true: ", and pass the account with the providers " +
				"argument of the module block"}[block.Type == "provider"]))
		return
	}
	switch block.Type {
	case "fluxbatch":
		d.fluxbatch(m, block)
	case "provider":
		d.provider(m, block)
	case "budget":
		d.settings(m, block, &budgetSchema, (*evaluator).budget)
	case "provenance":
		d.settings(m, block, &provenanceSchema, (*evaluator).provenance)
	case "asset":
		d.asset(m, block)
	case "sheet":
		d.sheet(m, block)
	case "defaults":
		d.defaults(m, block)
	case "variable":
		d.variable(m, block)
	case "locals":
		d.locals(m, block)
	case "image":
		d.image(m, block)
	case "output":
		d.output(m, block)
	case "module":
		d.moduleCall(m, block)
	case "model":
		isArgument := func(field string) bool { _, ok := image.Parameter(field); return ok }
		modelblock.Decode(d.Reader, block, isArgument, m.models)
	case "moved":
		d.moved(m, block)
	case "removed":
		d.removed(m, block)
	case "import":
		d.imported(m, block)
	case "check":
		d.check(m, block)
	}
}

// validName checks a block's label, which stands in addresses and expressions.
func (d *decoder) validName(block *hcl.Block) bool {
	if len(block.Labels) == 0 || block.Type == "model" || hclfast.IsIdentifier(block.Labels[0]) {
		return true
	}
	d.add(diag.Problem(block.LabelRanges[0], "Invalid name",
		"%q cannot be a name. A name starts with a letter and has only letters, digits, underscores and dashes.",
		block.Labels[0]))
	return false
}

// duplicate reports a second block of one name.
func (d *decoder) duplicate(what string, second, first hcl.Range) {
	d.add(diag.Problem(second, "Duplicate declaration",
		"%s was declared at %s already. Give one of the two another name, or remove it.", what, diag.Place(first)))
}

func (d *decoder) locals(m *module, block *hcl.Block) {
	attrs, diags := block.Body.JustAttributes()
	d.add(diags...)
	for _, name := range sortedKeys(attrs) {
		attr := attrs[name]
		if !hclsyntax.ValidIdentifier(name) {
			d.add(diag.Problem(attr.NameRange, "Invalid name",
				"%q cannot be a name. A name starts with a letter and has only letters, digits, underscores and "+
					"dashes.", name))
			continue
		}
		if first, ok := m.locals[name]; ok {
			d.duplicate("local."+name, attr.NameRange, first.at)
			continue
		}
		l := &local{node: node{name: "local." + name, at: attr.NameRange}, expr: attr.Expr}
		m.locals[name] = l
		m.add(&l.node, l)
	}
}

var outputSchema = schema.Body{
	In:     "an output block",
	Args:   []string{"value", "description", "sensitive", "depends_on"},
	Blocks: []schema.Block{{Name: "precondition"}},
}

func (d *decoder) output(m *module, block *hcl.Block) {
	name := block.Labels[0]
	if first, ok := m.outputs[name]; ok {
		d.duplicate("Output "+name, block.DefRange, first.at)
		return
	}
	content, diags := outputSchema.Read(block.Body)
	d.add(diags...)
	o := &output{node: node{name: "output." + name, at: block.DefRange}, key: name}
	if attr, ok := content.Args["value"]; ok {
		o.value = attr.Expr
	} else if !diags.HasErrors() {
		d.add(diag.Problem(block.DefRange, "Missing required argument", "An output block needs a value, as in value = "+
			"image.logo.path."))
	}
	o.description = d.ConstantString(content.Args["description"])
	o.sensitive = d.ConstantBool(content.Args["sensitive"], false)
	o.dependsOn = d.Expressions(content.Args["depends_on"])
	for _, b := range content.Blocks {
		o.preconditions = append(o.preconditions, d.rule(b)...)
	}
	m.outputs[name] = o
	m.add(&o.node, o)
}

var checkSchema = schema.Body{In: "a check block", Blocks: []schema.Block{{Name: "assert"}}}

func (d *decoder) check(m *module, block *hcl.Block) {
	content, diags := checkSchema.Read(block.Body)
	d.add(diags...)
	c := &check{node: node{name: "check." + block.Labels[0], at: block.DefRange}}
	for _, b := range content.Blocks {
		c.asserts = append(c.asserts, d.rule(b)...)
	}
	if len(content.Blocks) == 0 && !diags.HasErrors() {
		d.add(diag.Problem(block.DefRange, "Missing required block", "A check block needs at least one assert block."))
	}
	if i := slices.IndexFunc(m.checks, func(other *check) bool { return other.name == c.name }); i >= 0 {
		d.duplicate("Check "+block.Labels[0], block.DefRange, m.checks[i].at)
		return
	}
	m.checks = append(m.checks, c)
	m.add(&c.node, c)
}

var ruleSchema = schema.Body{In: "a condition", Args: []string{"condition", "error_message"}}

// rule decodes a block with a condition and an error_message. It returns none where one of the two
// is missing.
func (d *decoder) rule(block *hcl.Block) []rule {
	content, diags := ruleSchema.Read(block.Body)
	d.add(diags...)
	condition, message := content.Args["condition"], content.Args["error_message"]
	if condition == nil || message == nil {
		if !diags.HasErrors() {
			d.add(diag.Problem(block.DefRange, "Missing required argument",
				"A %s block needs a condition, which must hold, and an error_message, which says what is wrong "+
					"where it does not.", block.Type))
		}
		return nil
	}
	return []rule{{condition: condition.Expr, message: message.Expr, at: condition.Expr.Range()}}
}

func (d *decoder) defaults(m *module, block *hcl.Block) {
	if m.defaults != nil {
		d.OnlyOne("The defaults block of this module", block.DefRange, m.defaults.at)
		return
	}
	s := schema.Body{In: "a defaults block", Args: image.Defaultable}
	content, diags := s.Read(block.Body)
	d.addWithHints(diags, providerHints)
	for _, attr := range content.Args {
		attr.Expr = hclfast.Compact(attr.Expr) // All images of the module take them over.
	}
	m.defaults = &defaultsBlock{node: node{name: "defaults", at: block.DefRange}, args: content.Args, misspelt: schema.Misspelt(diags)}
}

func cloneArgs(args map[string]*hcl.Attribute, without ...string) map[string]*hcl.Attribute {
	out := maps.Clone(args)
	for _, name := range without {
		delete(out, name)
	}
	return out
}
