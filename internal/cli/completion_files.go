package cli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// What completions know of a configuration stands in its files as it is. Nothing is evaluated, and
// what cannot be read is left out: a key press should be answered at once.

// maxScanned bounds the size of files that are read for the names in them.
const maxScanned = 1 << 20

// declaredBlocks yields the blocks in the files of a directory.
func declaredBlocks(dir string) func(yield func(*hclsyntax.Block) bool) {
	return func(yield func(*hclsyntax.Block) bool) {
		entries, _ := os.ReadDir(dir) // a directory that cannot be read declares nothing
		for _, e := range entries {
			if info, err := e.Info(); err != nil || !strings.HasSuffix(e.Name(), ".flux.hcl") || info.Size() > maxScanned {
				continue
			}
			src, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				continue
			}
			// A file with mistakes still has the blocks before them.
			file, _ := hclsyntax.ParseConfig(src, e.Name(), hcl.InitialPos)
			body, ok := file.Body.(*hclsyntax.Body)
			if !ok {
				continue
			}
			for _, block := range body.Blocks {
				if !yield(block) {
					return
				}
			}
		}
	}
}

// declaredNames lists the image blocks and modules in the files of a directory.
func declaredNames(dir string) []string {
	var names []string
	for block := range declaredBlocks(dir) {
		if (block.Type == "image" || block.Type == "module") && len(block.Labels) == 1 {
			names = append(names, block.Type+"."+block.Labels[0])
		}
	}
	return names
}

// declaredLabels lists the labels in the files of a directory, as -target takes them, and without a
// value where that is not written out.
func declaredLabels(dir string) []string {
	var found []string
	for block := range declaredBlocks(dir) {
		labels := block.Body.Attributes["labels"]
		if block.Type != "image" && block.Type != "defaults" || labels == nil {
			continue
		}
		object, ok := labels.Expr.(*hclsyntax.ObjectConsExpr)
		if !ok {
			continue
		}
		for _, item := range object.Items {
			if key, ok := literalText(item.KeyExpr); ok {
				value, _ := literalText(item.ValueExpr)
				found = append(found, "label."+key+"="+value)
			}
		}
	}
	return found
}

// literalText returns the value of an expression that is a string, or a number, as it stands.
func literalText(expr hcl.Expression) (string, bool) {
	value, diags := expr.Value(nil)
	if diags.HasErrors() || !value.IsKnown() || value.IsNull() {
		return "", false
	}
	switch value.Type() {
	case cty.String:
		return value.AsString(), true
	case cty.Number:
		return value.AsBigFloat().Text('f', -1), true
	default:
		return "", false
	}
}
