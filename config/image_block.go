package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/hclfast"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

var imageSchema = schema.Body{
	In:     "an image block",
	Args:   slices.Concat(image.Arguments, metaArguments),
	Blocks: []schema.Block{{Name: "lifecycle"}, {Name: "gate", Labels: []string{"name"}}, {Name: "rendition", Labels: []string{"name"}}},
}

const listReferences = `Use references for the images that go into the request, ` +
	`as in references = [image.logo, "bottle.png"].`

const giveInputs = `Use inputs for images that each have a role, as in inputs = { person = image.model, garment = "coat.png" }.`

// foreignArguments answer what users of the API type out of habit.
var foreignArguments = map[string]string{
	"input_image":     listReferences,
	"input_images":    listReferences,
	"images":          listReferences,
	"image":           listReferences,
	"image_prompt":    listReferences,
	"reference":       listReferences,
	"person":          giveInputs,
	"garment":         giveInputs,
	"negative_prompt": "FLUX models do not support a negative prompt. Say in the prompt what should be there instead.",
	"webhook_url":     "Webhooks belong to the account. Write a webhook block in its provider block.",
	"webhook_secret":  "Webhooks belong to the account. Write a webhook block in its provider block.",
	"filename":        `Use output to name the file, as in output = "hero.png".`,
	"path":            `Use output to name the file, as in output = "hero.png". Other blocks can read path.`,
	"api_key":         keyHint,
}

const keyHint = "A key must not stand in a shared file. Put it into the environment variable BFL_API_KEY, or into another one that api_key_env in the provider block names. If you have shared the file already, revoke the key."

func (d *decoder) image(m *module, block *hcl.Block) {
	name := block.Labels[0]
	if first, ok := m.images[name]; ok {
		d.duplicate("image."+name, block.DefRange, first.at)
		return
	}
	b := &imageBlock{node: node{name: "image." + name, at: block.DefRange}, key: name, lifecycle: &noLifecycle}
	body := readImage(block.Body)
	b.misspelt = schema.Misspelt(body.diags)
	d.addWithHints(body.diags, foreignArguments)
	if b.args = body.args; m.parent != nil {
		b.args = slices.Clone(b.args) // A module that is called twice is linked twice, which writes to them.
	}
	b.repeat = d.repeat(body.meta)
	b.dependsOn = d.Expressions(body.meta["depends_on"])
	if account := body.meta["provider"]; account != nil {
		b.account = account.Expr
	}
	var lifecycles []*hcl.Block
	for _, inner := range body.blocks {
		switch inner.Type {
		case "gate":
			d.gate(b, inner)
		case "rendition":
			d.rendition(&b.renditions, "image."+b.key, inner)
		default:
			lifecycles = append(lifecycles, inner)
		}
	}
	for _, inner := range d.First("The lifecycle block of image."+name, lifecycles) {
		d.lifecycle(b, inner)
	}
	m.images[name] = b
	m.add(&b.node, b)
}

// imageBody is what stands in an image block. Embedding its emptied body makes it one of HCL's.
type imageBody struct {
	hcl.Body
	// args are sorted by name, without the metaArguments.
	args []argument
	meta map[string]*hcl.Attribute
	// blocks are those in the block.
	blocks []*hcl.Block
	diags  hcl.Diagnostics
}

// readImage holds the body of an image block against its schema. It is safe for concurrent use.
func readImage(body hcl.Body) *imageBody {
	if ready, ok := body.(*imageBody); ok {
		return ready
	}
	img := &imageBody{}
	native, ok := body.(*hclsyntax.Body)
	if ok {
		img.Body = hcl.EmptyBody()
		img.args = make([]argument, 0, len(native.Attributes))
		img.diags = imageSchema.ReadNative(native,
			func(attr *hclsyntax.Attribute) {
				if slices.Contains(metaArguments, attr.Name) {
					img.addMeta(attr.AsHCLAttribute())
				} else {
					img.add(attr.Name, attr.Expr, attr.NameRange.Start)
				}
			},
			func(block *hcl.Block) { img.blocks = append(img.blocks, block) })
	} else {
		var content *schema.Content
		content, img.diags = imageSchema.Read(body)
		img.blocks = content.Blocks
		for name, attr := range content.Args {
			if slices.Contains(metaArguments, name) {
				img.addMeta(attr)
			} else {
				img.add(name, attr.Expr, attr.NameRange.Start)
			}
		}
	}
	slices.SortFunc(img.args, func(x, y argument) int { return strings.Compare(x.Name, y.Name) })
	return img
}

func (b *imageBody) add(name string, expr hcl.Expression, start hcl.Pos) {
	b.args = append(b.args, newArgument(name, hclfast.Compact(expr), start))
}

func (b *imageBody) addMeta(attr *hcl.Attribute) {
	if b.meta == nil {
		b.meta = map[string]*hcl.Attribute{}
	}
	attr.Expr = hclfast.Compact(attr.Expr)
	b.meta[attr.Name] = attr
}

// metaArguments are the arguments that say how an image is treated rather than what it is.
var metaArguments = []string{"provider", "for_each", "count", "depends_on"}

// secretArguments are names under which keys and secrets are written into files by mistake.
var secretArguments = []string{"api_key", "key", "secret", "webhook_secret"}

// addWithHints adds diagnostics about a body. It replaces the details of errors about unknown
// arguments whose meaning here is known, and hides the values of those that are keys.
func (d *decoder) addWithHints(diags hcl.Diagnostics, hints map[string]string) {
	for _, diag := range diags {
		unknown, ok := diag.Extra.(schema.UnknownName)
		if !ok {
			continue
		}
		if hint, ok := hints[unknown.Name]; ok {
			diag.Detail = hint
		}
		if slices.Contains(secretArguments, unknown.Name) {
			d.conceal(unknown.Value)
		}
	}
	d.add(diags...)
}

// repeat decodes for_each and count.
func (d *decoder) repeat(args map[string]*hcl.Attribute) repeat {
	var r repeat
	forEach, count := args["for_each"], args["count"]
	if forEach != nil {
		r.forEach = forEach.Expr
	}
	if count == nil {
		return r
	}
	if forEach != nil {
		d.add(diag.Problem(count.NameRange, "Invalid combination of arguments",
			"A block gets its instances from for_each or from count. Use one of them."))
		return r
	}
	r.count = count.Expr
	return r
}

// noLifecycle is the lifecycle of images without such a block.
var noLifecycle lifecycleBlock

var lifecycleSchema = schema.Body{
	In:     "a lifecycle block",
	Args:   []string{"prevent_destroy", "ignore_changes", "replace_triggered_by", "frozen", "require_pick"},
	Blocks: []schema.Block{{Name: "precondition"}, {Name: "postcondition"}},
}

func (d *decoder) lifecycle(b *imageBlock, block *hcl.Block) {
	content, diags := lifecycleSchema.Read(block.Body)
	d.addWithHints(diags, map[string]string{
		"create_before_destroy": "There is nothing to set. A replacement is always made before the old file goes, and the store keeps the old file.",
	})
	l := new(lifecycleBlock)
	b.lifecycle = l
	if attr := content.Args["prevent_destroy"]; attr != nil {
		l.preventDestroy = attr.Expr
	}
	if attr := content.Args["frozen"]; attr != nil {
		l.frozen = attr.Expr
	}
	if attr := content.Args["require_pick"]; attr != nil {
		l.requirePick = attr.Expr
	}
	if attr := content.Args["ignore_changes"]; attr != nil {
		d.ignoreChanges(l, attr)
	}
	l.triggers = d.Expressions(content.Args["replace_triggered_by"])
	for _, inner := range content.Blocks {
		switch rules := d.rule(inner); inner.Type {
		case "precondition":
			l.preconditions = append(l.preconditions, rules...)
		case "postcondition":
			l.postconditions = append(l.postconditions, rules...)
		}
	}
}

// whatInstead says what to do about the arguments that ignore_changes cannot name.
var whatInstead = map[string]string{
	"candidates": "Nothing is lost when the number is lowered: the candidates stay.",
	"pick":       "Leave the argument out, and choose with the command fluxbatch pick.",
}

func (d *decoder) ignoreChanges(l *lifecycleBlock, attr *hcl.Attribute) {
	if hcl.ExprAsKeyword(attr.Expr) == "all" {
		l.ignoreAll = true
		return
	}
	exprs, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		d.add(diag.Problem(attr.Expr.Range(), "Invalid list", "ignore_changes must be all, or a list of arguments as in [prompt, seed]."))
		return
	}
	for _, expr := range exprs {
		if key, ok := labelKey(expr); ok {
			l.ignoreChanges = append(l.ignoreChanges, image.LabelName(key))
			continue
		}
		name := hcl.ExprAsKeyword(expr)
		if name == "candidates" || name == "pick" {
			d.add(diag.Problem(expr.Range(), "Invalid argument to ignore",
				"ignore_changes cannot name %s, which is not on record with the image. %s", name, whatInstead[name]))
			continue
		}
		if !slices.Contains(image.Arguments, name) {
			d.add(diag.Problem(expr.Range(), "Invalid argument to ignore",
				"ignore_changes lists arguments of the image by their bare names, as in [prompt, seed], and single labels as in [labels[\"season\"]].%s",
				diag.DidYouMean(name, image.Arguments)))
			continue
		}
		l.ignoreChanges = append(l.ignoreChanges, name)
	}
}

// labelKey returns the key of an expression that names one label: labels["season"] or
// labels.season.
func labelKey(expr hcl.Expression) (string, bool) {
	traversal, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() || len(traversal) != 2 || traversal.RootName() != "labels" {
		return "", false
	}
	switch step := traversal[1].(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		key, ok := lang.Key(step.Key)
		if !ok {
			return "", false
		}
		return key.Text()
	}
	return "", false
}
