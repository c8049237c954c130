package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLevels plans and applies a catalogue of 1,000 rows in four levels, each row made from one of
// the level above: styles, characters, scenes and variants. When one row is edited, exactly what is
// made from it changes.
func TestLevels(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it makes 1,000 images")
	}
	const edited = "character-3"
	sizes := []int{4, 40, 200, 756}
	names := []string{"style", "character", "scene", "variant"}
	from := map[string]string{}
	table := func(prompt string) string {
		var rows bytes.Buffer
		rows.WriteString("id,prompt,from\n")
		// The order of the file is not that of the levels.
		for level, size := range slices.Backward(sizes) {
			for i := range size {
				id, of, text := fmt.Sprintf("%s-%d", names[level], i), "", "A picture"
				if level > 0 {
					of = fmt.Sprintf("%s-%d", names[level-1], i%sizes[level-1])
				}
				if id == edited {
					text = prompt
				}
				from[id] = of
				fmt.Fprintf(&rows, "%s,%s,%s\n", id, text, of)
			}
		}
		return rows.String()
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("art.csv", table("A picture"))
	write("main.flux.hcl", `
image "art" {
  for_each      = { for row in csvdecode(file("art.csv")) : row.id => row }
  model         = "flux-2-klein-4b"
  prompt        = "${each.value.prompt} ${each.key}"
  references    = each.value.from == "" ? [] : [image.art[each.value.from]]
  width         = 64
  height        = 64
  seed          = 1
  output_format = "png"
}
`)
	must(t, "apply", "-simulate", "-auto-approve", dir)
	if out := must(t, "plan", "-simulate", dir); !strings.Contains(out, "No changes.") {
		t.Fatalf("a second plan has changes:\n%s", out)
	}
	write("art.csv", table("An edited picture"))
	var want []string
	for id := range from {
		at := id
		for at != "" && at != edited {
			at = from[at]
		}
		if at == edited {
			want = append(want, fmt.Sprintf("image.art[%q]", id))
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, changed(t, must(t, "plan", "-simulate", "-json", dir))); diff != "" {
		t.Errorf("the plan changes other images (-want +got):\n%s", diff)
	}
	out := must(t, "apply", "-simulate", "-auto-approve", dir)
	if !strings.Contains(out, fmt.Sprintf("Apply complete: 0 created, %d replaced, 0 updated, 0 destroyed.", len(want))) {
		t.Errorf("applied otherwise:\n%s", out)
	}
}

// changed returns the addresses of the images that a plan in JSON changes, sorted.
func changed(t *testing.T, output string) []string {
	t.Helper()
	var addresses []string
	for line := range strings.Lines(output) {
		var message struct {
			Type   string
			Change struct {
				Resource struct{ Addr string }
				Action   string
			}
		}
		if err := json.Unmarshal([]byte(line), &message); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if message.Type == "planned_change" {
			addresses = append(addresses, message.Change.Resource.Addr)
		}
	}
	slices.Sort(addresses)
	return addresses
}
