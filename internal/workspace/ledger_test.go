package workspace

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/executor"
)

// A ledger that takes no line gets all of them when it does again: in the same run, or from the next
// command.
func TestLedgerTakesNothing(t *testing.T) {
	t.Parallel()
	for _, mended := range []string{"in the run", "after it", "after another command"} {
		t.Run(mended, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			manifest := "image \"logo\" {\n  count = 2\n  model = \"flux-2-klein-4b\"\n  prompt = \"a heron ${count.index}\"\n}\n"
			if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(manifest), 0o600); err != nil {
				t.Fatal(err)
			}
			path := LedgerPath(dir, true)
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			mend := sync.OnceFunc(func() {
				if err := os.Remove(path); err != nil {
					t.Error(err)
				}
			})
			began := time.Now().Truncate(time.Second)
			told := 0
			within(t, dir, Options{}, func(w *Workspace) {
				w.env.OnDiagnostics = func(diags hcl.Diagnostics) { told += len(diags) }
				w.env.OnEvent = func(e executor.Event) {
					if _, isOne := e.(executor.Completed); isOne && mended == "in the run" {
						mend()
					}
				}
				carryOut(t, w)
			})
			if _, err := os.Stat(filepath.Join(Base(dir, true), machineDir, ".gitignore")); err != nil {
				t.Errorf("version control sees what is this machine's: %v", err)
			}
			if isTold := told == 1; isTold != (mended != "in the run") {
				t.Errorf("warned %d times", told)
			}
			if mended == "after another command" {
				within(t, dir, Options{}, func(*Workspace) {})
			}
			mend()
			ended := time.Now()
			within(t, dir, Options{}, func(*Workspace) {})
			all := lines(t, dir)
			if len(all) != 2 || all[0].TaskID == all[1].TaskID || all[0].Time.Before(began) || all[0].Time.After(ended) {
				t.Errorf("the ledger has %+v, want two lines of the time of the run", all)
			}
			if _, err := os.Stat(filepath.Join(Base(dir, true), chargesLeftFile)); err == nil {
				t.Error("what the ledger has by now is left for another command")
			}
		})
	}
}
