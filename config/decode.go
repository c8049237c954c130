package config

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/hclfast"
)

var topLevel = schema{
	in: "a configuration",
	blocks: []blockSchema{
		{name: "fluxbatch"},
		{name: "provider", labels: []string{"name"}},
		{name: "budget"},
		{name: "defaults"},
		{name: "variable", labels: []string{"name"}},
		{name: "locals"},
		{name: "image", labels: []string{"name"}},
		{name: "output", labels: []string{"name"}},
		{name: "module", labels: []string{"name"}},
		{name: "model", labels: []string{"name"}},
		{name: "moved"},
		{name: "removed"},
		{name: "import"},
		{name: "check", labels: []string{"name"}},
	},
}

// foreignBlocks answer what users of Terraform type out of habit.
var foreignBlocks = map[string]string{
	"resource":  `There are no resources here: an image is written image "NAME" { ... }.`,
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
	parser
	opts *Options
	// dirs are the directories from the root down to the module being read, by which a module that calls itself is
	// noticed.
	dirs []string
	// unparsed says that a file of a module has syntax errors. What seems to be missing may stand in it, so nothing
	// more is reported.
	unparsed bool
	// refused says that the configuration is for another version of the program.
	refused *hcl.Diagnostic
}

// module decodes the files of one module, and those of the modules that it calls.
func (d *decoder) module(m *module, files []*hcl.File) {
	m.variables = map[string]*variable{}
	m.locals = map[string]*local{}
	m.images = map[string]*imageBlock{}
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
			d.add(topLevel.readArguments(long.Body, nil)...)
			for i, block := range long.Blocks {
				if m.parent == nil {
					long.Blocks[i] = nil // The root module is decoded once.
				}
				d.add(topLevel.readBlock(block, decode)...)
			}
			continue
		}
		content, diags := topLevel.read(file.Body)
		d.add(diags...)
		for _, block := range content.blocks {
			decode(block)
		}
	}
	for _, name := range sortedKeys(m.calls) {
		d.child(m.calls[name])
	}
}

// rootOnly are the blocks that say something about the run as a whole.
var rootOnly = map[string]bool{"fluxbatch": true, "provider": true, "budget": true}

func (d *decoder) block(m *module, block *hcl.Block) {
	if rootOnly[block.Type] && m.parent != nil {
		d.add(diag.Problem(block.DefRange, "Block not allowed in a module",
			"A %s block says something about the whole run, so only the root module may have one. "+
				"Move it there%s.", block.Type, map[bool]string{true: ", and pass the account with the providers " +
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
		d.model(m, block)
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

// onlyOne reports a second block of a kind that there can be one of.
func (d *decoder) onlyOne(what string, second, first hcl.Range) {
	d.add(diag.Problem(second, "Duplicate declaration",
		"%s stands at %s already, and there can be only one. Put all of it into one block.", what, diag.Place(first)))
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

var outputSchema = schema{
	in:     "an output block",
	args:   []string{"value", "description", "sensitive", "depends_on"},
	blocks: []blockSchema{{name: "precondition"}},
}

func (d *decoder) output(m *module, block *hcl.Block) {
	name := block.Labels[0]
	if first, ok := m.outputs[name]; ok {
		d.duplicate("Output "+name, block.DefRange, first.at)
		return
	}
	content, diags := outputSchema.read(block.Body)
	d.add(diags...)
	o := &output{node: node{name: "output." + name, at: block.DefRange}, key: name}
	if attr, ok := content.args["value"]; ok {
		o.value = attr.Expr
	} else if !diags.HasErrors() {
		d.add(diag.Problem(block.DefRange, "Missing required argument", "An output block needs a value, as in value = "+
			"image.logo.path."))
	}
	o.description = d.constantString(content.args["description"])
	o.sensitive = d.constantBool(content.args["sensitive"], false)
	o.dependsOn = d.expressions(content.args["depends_on"])
	for _, b := range content.blocks {
		o.preconditions = append(o.preconditions, d.rule(b)...)
	}
	m.outputs[name] = o
	m.add(&o.node, o)
}

var checkSchema = schema{in: "a check block", blocks: []blockSchema{{name: "assert"}}}

func (d *decoder) check(m *module, block *hcl.Block) {
	content, diags := checkSchema.read(block.Body)
	d.add(diags...)
	c := &check{node: node{name: "check." + block.Labels[0], at: block.DefRange}}
	for _, b := range content.blocks {
		c.asserts = append(c.asserts, d.rule(b)...)
	}
	if len(content.blocks) == 0 && !diags.HasErrors() {
		d.add(diag.Problem(block.DefRange, "Missing required block", "A check block needs at least one assert block."))
	}
	if i := slices.IndexFunc(m.checks, func(other *check) bool { return other.name == c.name }); i >= 0 {
		d.duplicate("Check "+block.Labels[0], block.DefRange, m.checks[i].at)
		return
	}
	m.checks = append(m.checks, c)
	m.add(&c.node, c)
}

var ruleSchema = schema{in: "a condition", args: []string{"condition", "error_message"}}

// rule decodes a block with a condition and an error_message. It returns none where one of the two is missing.
func (d *decoder) rule(block *hcl.Block) []rule {
	content, diags := ruleSchema.read(block.Body)
	d.add(diags...)
	condition, message := content.args["condition"], content.args["error_message"]
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

// defaultable are the arguments of an image that a defaults block may set for all of them.
var defaultable = func() []string {
	names := slices.Clone(requestArguments)
	names = append(names, "model", "references", "inputs", "mask", "parameters", "labels", "provider")
	slices.Sort(names)
	return names
}()

func (d *decoder) defaults(m *module, block *hcl.Block) {
	if m.defaults != nil {
		d.onlyOne("The defaults block of this module", block.DefRange, m.defaults.at)
		return
	}
	s := schema{in: "a defaults block", args: defaultable}
	content, diags := s.read(block.Body)
	d.addWithHints(diags, providerHints)
	for _, attr := range content.args {
		attr.Expr = hclfast.Compact(attr.Expr) // All images of the module take them over.
	}
	m.defaults = &defaultsBlock{node: node{name: "defaults", at: block.DefRange}, args: content.args, misspelt: misspelt(diags)}
}

// expressions splits a list that is written out, such as that of depends_on.
func (d *decoder) expressions(attr *hcl.Attribute) []hcl.Expression {
	if attr == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		d.add(diag.Problem(attr.Expr.Range(), "Invalid list",
			"%s is a list that is written out, as in %s = [image.logo].", attr.Name, attr.Name))
	}
	return exprs
}

// constant evaluates an argument that may not name anything, and converts it. It returns a null where the argument is
// absent or wrong.
func (d *decoder) constant(attr *hcl.Attribute, ty cty.Type) cty.Value {
	if attr == nil {
		return cty.NullVal(ty)
	}
	if vars := attr.Expr.Variables(); len(vars) > 0 {
		d.add(diag.Problem(vars[0].SourceRange(), "Value must be constant",
			"%s must be written out here, because it is read before there are any variables.", attr.Name))
		return cty.NullVal(ty)
	}
	v, diags := attr.Expr.Value(nil)
	d.add(diags...)
	if diags.HasErrors() {
		return cty.NullVal(ty)
	}
	converted, err := convert.Convert(v, ty)
	if err != nil {
		d.add(diag.Problem(attr.Expr.Range(), "Invalid argument type", "%s is wrong here: %s.", attr.Name, err))
		return cty.NullVal(ty)
	}
	return converted
}

func (d *decoder) constantString(attr *hcl.Attribute) string {
	if v := d.constant(attr, cty.String); !v.IsNull() {
		return v.AsString()
	}
	return ""
}

func (d *decoder) constantBool(attr *hcl.Attribute, absent bool) bool {
	if v := d.constant(attr, cty.Bool); !v.IsNull() {
		return v.True()
	}
	return absent
}

func cloneArgs(args map[string]*hcl.Attribute, without ...string) map[string]*hcl.Attribute {
	out := maps.Clone(args)
	for _, name := range without {
		delete(out, name)
	}
	return out
}
