package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Outputs that are gathered beside each other are what they are one after the other, also where they
// call functions that remember what they did. The race detector sees the rest.
func TestOutputsBesideEachOther(t *testing.T) {
	t.Parallel()
	var module strings.Builder
	module.WriteString(head + "image \"p\" {\n  for_each = toset([for n in range(300) : \"p${n}\"])\n  prompt = each.key\n  width = 512\n  height = 512\n}\n")
	for n, v := range []string{
		"i.path", "fileexists(i.path)", `"${k}-${i.width}"`, "i.width > 100", "upper(k)", "i.nothing", "fileexists(k)", "[k, i.prompt]", "i.sha256", `filesha256(k)`,
		"length(fileset(path.module, k))", "yamldecode(i.prompt)", "try(i.seed, 1)", `templatestring(i.prompt, {})`, "basename(i.path)",
	} {
		fmt.Fprintf(&module, "output \"list%d\" {\n  value = [for k, i in image.p : %s]\n}\n", n, v)
		fmt.Fprintf(&module, "output \"map%d\" {\n  value = { for k, i in image.p : k => %s if endswith(k, \"7\") }\n}\n", n, v)
		fmt.Fprintf(&module, "output \"group%d\" {\n  value = { for k, i in image.p : i.width => %s... }\n}\n", n, v)
	}
	beside := observe(t, module.String(), []string{"path"}, nil, Options{})
	evaluated := observe(t, module.String(), []string{"path"}, nil, Options{general: true})
	if diff := cmp.Diff(evaluated, beside); diff != "" {
		t.Errorf("-evaluated +beside each other:\n%s", diff)
	}
}
