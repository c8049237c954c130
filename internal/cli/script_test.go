package cli_test

import (
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
)

func TestMain(m *testing.M) {
	clitest.Main(m, map[string]func(){
		"fluxbatch-crash":         crashingCommand,
		"fluxbatch-harness":       harnessCommand,
		"fluxbatch-bench-api":     benchCommand,
		"fluxbatch-bench-applied": appliedCommand,
		"fluxbatch-bench-bare":    bareCommand,
		"fluxbatch-bench-hcl":     hclCommand,
		"fluxbatch-bench-json":    jsonCommand,
	})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	clitest.Scripts(t, "../../examples", nil)
}
