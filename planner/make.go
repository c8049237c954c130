package planner

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Make plans all that a configuration declares, in rounds until nothing more is found that is to be
// had for nothing; see Settle. The configuration's moves and imports are added to those of the
// options. There is no plan where the configuration cannot be evaluated. Errors among the
// diagnostics of a plan say why it must not be carried out.
func Make(cfg *config.Config, o Options) (*Plan, hcl.Diagnostics) {
	plan, diags := Settle(o, func(o Options) (*Plan, hcl.Diagnostics) { return Once(cfg, o) })
	if plan != nil {
		diags = append(diags, renameHints(plan.Renamed)...)
	}
	return plan, diags
}

// Once is one round of Make. It looks for nothing that another address could give.
func Once(cfg *config.Config, o Options) (*Plan, hcl.Diagnostics) {
	p, diags := decideAll(cfg, o)
	outputs, outputDiags := cfg.Outputs(nil)
	if diags = append(diags, outputDiags...); diags.HasErrors() {
		return nil, diags
	}
	plan, planDiags := p.Finish(outputs, cfg.Removals(), Made{cfg.Sheets(), cfg.Assets()})
	return plan, slices.Concat(diags, planDiags, unusableImports(plan))
}

// Compare holds a configuration against what exists, without regard for what may be replaced, for
// outputs, and for what could be had for nothing.
func Compare(cfg *config.Config, o Options) (*Plan, hcl.Diagnostics) {
	p, diags := decideAll(cfg, o)
	if diags.HasErrors() {
		return nil, diags
	}
	plan, _ := p.Finish([]config.Output{}, cfg.Removals(), Made{cfg.Sheets(), cfg.Assets()}) // what may not be replaced is no matter
	return plan, diags
}

// RemoveAll plans to remove all that exists, or what the options limit it to; see
// Planner.DestroyAll.
func RemoveAll(cfg *config.Config, o Options) (*Plan, hcl.Diagnostics) {
	o.Moves = moves(cfg)
	return New(o).DestroyAll()
}

// decideAll has a planner decide on all desired images. Which of them move can depend on what the
// evaluation finds, in modules whose instances come from images; it is then made a second time.
func decideAll(cfg *config.Config, o Options) (*Planner, hcl.Diagnostics) {
	o.where = cfg.Where
	o.Moves = moves(cfg)
	o.Imports = append(o.Imports, cfg.Imports()...)
	p := New(o)
	diags := cfg.Evaluate(p.Decide)
	if found := moves(cfg); !slices.Equal(found, o.Moves) {
		o.Moves = found
		p = New(o)
		diags = cfg.Evaluate(p.Decide)
	}
	return p, diags
}

// moves are the configuration's moved blocks as far as they are known.
func moves(cfg *config.Config) []addrs.Move {
	var moves []addrs.Move
	for _, m := range cfg.Moves() {
		moves = append(moves, m.Move)
	}
	return moves
}

// unusableImports refuses to import what cannot be taken. Import blocks that have done their work
// need their files no more.
func unusableImports(plan *Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, c := range plan.Changes {
		if c.Import() != nil && c.Import().Problem != nil {
			diags = append(diags, c.Import().Problem)
		}
	}
	return diags
}

// renameHints suggests moved blocks for images that seem to have another address now.
func renameHints(renames []Rename) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, r := range renames {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning,
			Summary:  "Image seems to have moved",
			Detail:   fmt.Sprintf("%s, write:\n\nmoved {\n  from = %s\n  to   = %s\n}", renameHint(r), r.From, r.To),
		})
	}
	return diags
}

func renameHint(r Rename) string {
	if r.Instances > 0 {
		files := "Their files are taken over for free."
		if r.Lost {
			files = "Some of their files were changed. Those are generated again."
		}
		return fmt.Sprintf("%d instances of %s ask for exactly what made those of %s with the same keys, which is no longer "+
			"declared. %s To say that they are one block", r.Instances, r.To, r.From, files)
	}
	file := "Its file is taken over for free."
	if r.Lost {
		file = "Its file was changed, so it is generated again."
	}
	return fmt.Sprintf("%s asks for exactly what made %s, which is no longer declared. %s To say that they are one image",
		r.To, r.From, file)
}
