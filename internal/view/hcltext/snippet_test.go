package hcltext

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
)

// A file that was read in pieces has its bytes and no blocks to ask.
func TestContextWithoutBlocks(t *testing.T) {
	t.Parallel()
	file := &hcl.File{Bytes: []byte(viewtest.Manifest)}
	for text, want := range map[string]string{
		"width": `image "hero"`, "default": `variable "season"`, `image "hero"`: `image "hero"`, "\n\nimage": "",
	} {
		if got := contextOf(file, strings.Index(viewtest.Manifest, text)); got != want {
			t.Errorf("context at %q is %q, want %q", text, got, want)
		}
	}
}
