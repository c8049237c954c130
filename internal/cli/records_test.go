package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// A long state file is remembered, where there is a place for this machine's secret, and a plan
// then sees what it saw without; but never what the file had before somebody changed it.
func TestLongStateIsRemembered(t *testing.T) {
	t.Parallel()
	dir, home := t.TempDir(), t.TempDir()
	path, records := filepath.Join(dir, "fluxbatch.state.json"), filepath.Join(dir, ".fluxbatch", "records")
	clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte(
		"image \"tile\" {\n  count = 2000\n  model = \"flux-2-pro\"\n  prompt = \"tile ${count.index} in oak\"\n}\n"))
	clitest.Write(t, path, recorded(t, dir))
	plan := func(home string) string {
		t.Helper()
		out, errs, code := clitest.Run(t, []string{"HOME=" + home, "LocalAppData=" + home}, "plan", "-refresh=false", dir)
		if code != 0 {
			t.Fatalf("plan ends with %d: %s", code, errs)
		}
		return out
	}
	if out := plan(""); !strings.Contains(out, "No changes") {
		t.Fatalf("the plan is\n%s", out)
	}
	if _, err := os.Stat(records); err == nil {
		t.Error("there are records without a secret")
	}
	first := plan(home)
	if info, err := os.Stat(filepath.Join(home, ".cache")); err == nil && info.Mode().Perm() != 0o700 {
		t.Errorf("the folder for caches was made with %v, which others can look into", info.Mode())
	}
	written, err := os.Stat(records)
	if err != nil {
		t.Fatal(err)
	}
	if again := plan(home); again != first {
		t.Errorf("the plan with records is\n%s\nand without\n%s", again, first)
	}
	if now, err := os.Stat(records); err != nil || !os.SameFile(now, written) {
		t.Errorf("records that are good are written again: %v", err)
	}

	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edited := `"fingerprint": "`
	at := bytes.Index(text, []byte(edited)) + len(edited)
	text[at] = "0123456789abcdef"[(strings.IndexByte("0123456789abcdef", text[at])+1)%16]
	clitest.Write(t, path, text)
	if err := os.Chtimes(path, before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	if out := plan(home); !strings.Contains(out, "1 to replace") {
		t.Errorf("of a state file in which a fingerprint was changed, the plan is\n%s", out)
	}
}

// recorded is the state file after all images of a directory's configuration were made.
func recorded(t *testing.T, dir string) []byte {
	t.Helper()
	cfg, diags := config.Load(dir, config.Options{})
	st := &state.State{Lineage: "00000000-0000-4000-8000-000000000000", Images: new(state.Images)}
	made := state.File{SHA256: strings.Repeat("0", 64), Bytes: 1, Width: 1024, Height: 1024, Format: "png"}
	diags = append(diags, cfg.Evaluate(func(img *image.Image) *image.Result {
		st.Images.Set(img.Address, recordOf(img, made))
		return nil
	})...)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var file bytes.Buffer
	if err := st.Write(&file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}
