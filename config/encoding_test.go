package config

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// A file that an editor wrote in UTF-16 is one mistake, wherever it is read.
func TestOtherEncodings(t *testing.T) {
	t.Parallel()
	write := func(order binary.ByteOrder, mark bool, text string) []byte {
		var b bytes.Buffer
		if mark {
			text = "\ufeff" + text
		}
		// A buffer takes all that is written.
		_ = binary.Write(&b, order, utf16.Encode([]rune(text)))
		return b.Bytes()
	}
	const manifest = `image "a" { prompt = "A heron" }`
	for name, file := range map[string]struct {
		path, text string
	}{
		"a manifest":           {"main.flux.hcl", manifest},
		"a manifest in JSON":   {"main.flux.json", `{"image": {"a": {"prompt": "A heron"}}}`},
		"values":               {"fluxbatch.fluxvars.hcl", `season = "summer"`},
		"a file of rows":       {"rows.csv", "sku,name\n1,Cup\n"},
		"one with few letters": {"rows.csv", "日本語,name\n1,Cup\n"},
	} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			for _, mark := range []bool{true, false} {
				dir := t.TempDir()
				files := map[string][]byte{
					"base.flux.hcl": []byte("locals { rows = csvdecode(file(\"rows.csv\")) }\noutput \"rows\" { value = local.rows }\n"),
					"rows.csv":      []byte("a\n1\n"),
				}
				files[file.path] = write(order, mark, file.text)
				for path, content := range files {
					if err := os.WriteFile(filepath.Join(dir, path), content, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				c, diags := Load(dir, Options{AllowEmpty: true})
				if c != nil && !diags.HasErrors() {
					_, more := c.Outputs(nil)
					diags = append(diags, more...)
				}
				if len(diags) != 1 || !strings.Contains(diags[0].Detail, "UTF-16") || !strings.Contains(diags[0].Detail, "Save it as UTF-8") {
					t.Errorf("%s, %v, with a mark %v: %v", name, order, mark, diags)
				}
			}
		}
	}
}
