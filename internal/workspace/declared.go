package workspace

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// mentionsSettings finds files that may have a fluxbatch block, in either syntax.
var mentionsSettings = lazyregexp.New(`(?m)^[\s{,]*"?fluxbatch"?\s*[{:]`)

// DeclaredState returns the path of the state that the configuration in a directory names, or the
// usual one, as the text of the configuration tells it: neither a mistake elsewhere in it nor a
// variable without a value keeps anybody from looking after the state. It reports false where that
// takes more than reading: where the path is made from other values, the state is no file, the
// files have mistakes, or there is neither a configuration nor a state.
func DeclaredState(dir string) (string, bool) {
	path := StateName
	configured := false
	for _, name := range Manifests(dir) {
		configured = true
		src, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", false
		}
		if !mentionsSettings().Match(src) {
			continue
		}
		parse := hclparse.NewParser().ParseHCL
		if strings.HasSuffix(name, ".json") {
			parse = hclparse.NewParser().ParseJSON
		}
		file, diags := parse(src, name)
		if diags.HasErrors() {
			return "", false
		}
		exprs, areFiles := statePaths(file.Body)
		if !areFiles {
			return "", false
		}
		for _, expr := range exprs {
			value, diags := expr.Value(nil)
			if diags.HasErrors() || value.IsNull() || value.Type() != cty.String || value.AsString() == "" {
				return "", false
			}
			path = filepath.Clean(filepath.FromSlash(value.AsString()))
		}
	}
	if !configured {
		_, err := os.Stat(filepath.Join(dir, StateName))
		return path, err == nil
	}
	return path, true
}

// statePaths returns the expressions for the state's path in a file of the configuration. It reports
// false where the state is kept elsewhere than in a file. Anything else in it is for others to
// judge.
func statePaths(body hcl.Body) (found []hcl.Expression, areFiles bool) {
	settings, _, _ := body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "fluxbatch"}}})
	for _, block := range settings.Blocks {
		states, _, _ := block.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "state", LabelNames: []string{"kind"}}}})
		for _, state := range states.Blocks {
			if state.Labels[0] != "local" {
				return nil, false
			}
			content, _, _ := state.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "path"}}})
			if attr := content.Attributes["path"]; attr != nil {
				found = append(found, attr.Expr)
			}
		}
	}
	return found, true
}

// Manifests lists the configuration files in a directory.
func Manifests(dir string) []string {
	// A directory that cannot be read cannot be written either, and that is said then.
	entries, _ := os.ReadDir(dir)
	var found []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".flux.hcl") || strings.HasSuffix(name, ".flux.json")) {
			found = append(found, name)
		}
	}
	return found
}
