package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/zclconf/go-cty/cty"
)

// stateFile returns the state file that a command is about. Mostly the text of the configuration tells it, so that neither a mistake elsewhere
// in it nor a variable without a value keeps anybody from looking after the state.
func (a *app) stateFile(dir string, o *stateOptions) (string, error) {
	switch {
	case o.path != "":
		return o.path, nil
	case o.simulate:
		return filepath.Join(baseOf(dir, true), stateName), nil
	}
	if path, ok := declaredState(dir); ok {
		return resolvePath(dir, path), nil
	}
	return a.statePath(dir, false)
}

// mentionsSettings finds files that may have a fluxbatch block, in either syntax.
var mentionsSettings = regexp.MustCompile(`(?m)^[\s{,]*"?fluxbatch"?\s*[{:]`)

// declaredState returns the path of the state that the configuration in a directory names, or the usual one. It reports false where that takes
// more than reading: where the path is made from other values, the files have mistakes, or there is neither a configuration nor a state.
func declaredState(dir string) (string, bool) {
	path := stateName
	configured := false
	for _, name := range manifests(dir) {
		configured = true
		src, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", false
		}
		if !mentionsSettings.Match(src) {
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
		for _, expr := range statePaths(file.Body) {
			value, diags := expr.Value(nil)
			if diags.HasErrors() || value.IsNull() || value.Type() != cty.String || value.AsString() == "" {
				return "", false
			}
			path = filepath.Clean(filepath.FromSlash(value.AsString()))
		}
	}
	if !configured {
		_, err := os.Stat(filepath.Join(dir, stateName))
		return path, err == nil
	}
	return path, true
}

// statePaths returns the expressions for the state's path in a file. Anything else in it is for others to judge.
func statePaths(body hcl.Body) []hcl.Expression {
	settings, _, _ := body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "fluxbatch"}}})
	var found []hcl.Expression
	for _, block := range settings.Blocks {
		states, _, _ := block.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "state", LabelNames: []string{"kind"}}}})
		for _, state := range states.Blocks {
			content, _, _ := state.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "path"}}})
			if attr := content.Attributes["path"]; attr != nil {
				found = append(found, attr.Expr)
			}
		}
	}
	return found
}
