package config

import (
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

var gateSchema = schema.Body{
	In:   "a gate block",
	Args: []string{"command", "timeout", "retries", "not_blank", "min_contrast", "max_similarity", "palette"},
}

// gateBlock is a gate block of an image.
type gateBlock struct {
	name string
	at   hcl.Range
	args map[string]*hcl.Attribute
}

// gateConditions are the arguments that judge without a program.
var gateConditions = []string{"not_blank", "min_contrast", "max_similarity", "palette"}

func (d *decoder) gate(b *imageBlock, block *hcl.Block) {
	content, diags := gateSchema.Read(block.Body)
	d.add(diags...)
	g := gateBlock{name: block.Labels[0], at: block.DefRange, args: content.Args}
	if slices.ContainsFunc(b.gates, func(other gateBlock) bool { return other.name == g.name }) {
		d.add(diag.Problem(block.DefRange, "Duplicate gate", "image.%s has a gate %q already. Give each its own name.", b.key, g.name))
		return
	}
	judges := slices.ContainsFunc(gateConditions, func(name string) bool { return content.Args[name] != nil })
	switch {
	case diags.HasErrors():
	case content.Args["command"] != nil && judges:
		d.add(diag.Problem(block.DefRange, "Invalid combination of arguments",
			"A gate judges by a command or by conditions of its own, not by both. Write two gates."))
	case content.Args["command"] == nil && !judges:
		d.add(diag.Problem(block.DefRange, "Missing required argument",
			`A gate needs a command, as in command = ["./judges/ocr", "SALE"], or a condition such as not_blank = true.`))
	}
	b.gates = append(b.gates, g)
}

// gateTimeout bounds a gate's command where its block does not.
const gateTimeout = time.Minute

// maxRetries bounds how many candidates more a gate can ask for.
const maxRetries = 16

// gates evaluates the gates for an instance.
func (d *builder) gates(img *image.Image) bool {
	if len(d.b.gates) == 0 {
		return true
	}
	ok := true
	var gates []image.Gate
	for i := range d.b.gates {
		block := &d.b.gates[i]
		g := image.Gate{Name: block.name, Dir: d.s.mod.dir, Timeout: gateTimeout}
		ok = d.gate(block, &g) && ok
		gates = append(gates, g)
	}
	img.Rare().Gates = gates
	return ok
}

func (d *builder) gate(block *gateBlock, g *image.Gate) bool {
	r := d.inner(block.args, "Invalid gate", gateTypes)
	g.Command = r.texts("command")
	if block.args["command"] != nil && !r.wrong && (len(g.Command) == 0 || g.Command[0] == "") {
		r.bad("command", "command is a list that begins with a program, as in [\"./judges/ocr\", \"SALE\"].")
	}
	g.Palette = r.texts("palette")
	if slices.ContainsFunc(g.Palette, func(c string) bool { return !hexColour().MatchString(c) }) {
		r.bad("palette", `palette lists colours such as "#0b3d91".`)
	}
	g.Retries = r.whole("retries", 0, maxRetries)
	g.MinContrast = r.number("min_contrast", 0, 1)
	g.MaxSimilarity = r.number("max_similarity", 0, 1)
	if v, given := r.value("not_blank", cty.Bool); given {
		g.NotBlank = v.True()
	}
	if v, given := r.value("timeout", cty.String); given {
		timeout, err := time.ParseDuration(v.AsString())
		if err != nil || timeout <= 0 {
			r.bad("timeout", `timeout is how long the command may take, as in "30s".`)
		}
		g.Timeout = timeout
	}
	return !r.wrong
}

var hexColour = lazyregexp.New(`^#[0-9a-fA-F]{6}$`)

// gateTypes say what the arguments are.
var gateTypes = map[string]string{
	"command": "It is a list of strings.", "palette": "It is a list of strings.", "retries": "It is a whole number.",
	"min_contrast": "It is a number from 0 to 1.", "max_similarity": "It is a number from 0 to 1.", "not_blank": "It is true or false.",
	"timeout": `It is a time such as "30s".`,
}
