package hclfast

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// windowsNewline is what lines end with in a working copy that Git made under Windows. The same
// prompt must not be another one there: it would buy each image again.
const windowsNewline = "\r\n"

// unifyNewlines makes the lines of heredocs end as they do everywhere. start is where src begins in
// its file. Places stay those of the text as it is, and escapes in quoted strings what they say.
func unifyNewlines(body *hclsyntax.Body, src []byte, start int) {
	if !bytes.Contains(src, []byte(windowsNewline)) {
		return
	}
	_ = hclsyntax.VisitAll(body, func(node hclsyntax.Node) hcl.Diagnostics {
		literal, ok := node.(*hclsyntax.LiteralValueExpr)
		if !ok || literal.Val.Type() != cty.String {
			return nil
		}
		from, to := literal.SrcRange.Start.Byte-start, literal.SrcRange.End.Byte-start
		if from >= 0 && to <= len(src) && from < to && bytes.Contains(src[from:to], []byte(windowsNewline)) {
			literal.Val = cty.StringVal(strings.ReplaceAll(literal.Val.AsString(), windowsNewline, "\n"))
		}
		return nil
	})
}
