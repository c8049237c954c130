package planner_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/machine"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// TestBrief holds brief plans of random configurations and states against whole ones: what people
// and machines read of them, and what a saved plan keeps, is the same to the byte, and the images
// that a brief plan lists apart are those of which the whole one has nothing but that they stay.
func TestBrief(t *testing.T) {
	t.Parallel()
	configurations := uint64(2000)
	if testing.Short() {
		configurations = 200
	}
	dir := t.TempDir()
	apart, beside, idle := 0, 0, 0
	for seed := range configurations {
		g := &brief{rand.New(rand.NewPCG(seed, 7))}
		text := g.module()
		if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diags := config.Load(dir, config.Options{})
		if diags.HasErrors() {
			t.Fatalf("seed %d: %v\n%s", seed, diags, text)
		}
		o := g.options(g.applied(t, cfg))
		whole, wholeDiags := planner.Make(cfg, o)
		o.Brief = true
		short, shortDiags := planner.Make(cfg, o)
		if whole == nil || short == nil {
			t.Fatalf("seed %d: no plan: %v\n%s", seed, wholeDiags, text)
		}
		if diff := cmp.Diff(told(whole, wholeDiags), told(short, shortDiags)); diff != "" {
			t.Fatalf("seed %d: (-whole +brief)\n%s\nof\n%s", seed, diff, text)
		}
		if diff := cmp.Diff(seen(cfg, whole), seen(cfg, short)); diff != "" {
			t.Fatalf("seed %d: apply sees other images (-whole +brief)\n%s\nof\n%s", seed, diff, text)
		}
		if diff := cmp.Diff(changes(whole), changes(short.Whole())); diff != "" {
			t.Fatalf("seed %d: (-whole +brief)\n%s\nof\n%s", seed, diff, text)
		}
		apart += short.Unchanged.Len()
		beside += len(short.Changes)
		if whole.Empty() {
			idle++
		}
	}
	if n := int(configurations); apart < n || beside < n || idle < n/20 {
		t.Errorf("%d images are listed apart, %d are not, and %d plans are empty: this tests less than it should", apart, beside, idle)
	}
}

// told is all that a plan and what was said of it come to.
func told(p *planner.Plan, diags hcl.Diagnostics) map[string]string {
	var text, json bytes.Buffer
	info := view.PlanInfo{Command: "plan", Costs: true}
	v := view.New(view.Options{Stdout: &text, Stderr: &text})
	v.Plan(p, info)
	v.PlanMarkdown(p, info)
	machine.NewStream(machine.StreamOptions{Stdout: &json, Now: func() time.Time { return time.Time{} }}).Plan(p, info)
	said := map[string]string{"text": text.String(), "json": json.String(), "digest": p.Digest(), "summary": fmt.Sprintf("%+v", p.Summary()), "empty": fmt.Sprint(p.Empty())}
	maps.Copy(said, p.Marks())
	for _, d := range diags {
		said["diagnostics"] += d.Error() + "\n"
	}
	for _, c := range p.Changes {
		if c.Desired != nil && c.Desired.Lifecycle().Undecided {
			said["to be checked"] += c.Address.String() + "\n"
		}
	}
	for _, m := range p.Models() {
		said["model "+m.Name] = m.Endpoint
	}
	return said
}

// seen are the images of a configuration as an apply of the plan sees them.
func seen(cfg *config.Config, p *planner.Plan) map[addrs.Image]string {
	images, see := map[addrs.Image]string{}, p.See()
	_ = cfg.Evaluate(func(img *image.Image) *image.Result { // What is wrong was said by the plan.
		see(img)
		images[img.Address] = fmt.Sprintf("%s %s %v %+v", img.Output, img.Record(), img.Labels, img.Lifecycle())
		return nil
	})
	return images
}

func encoded(img *state.Image) string {
	data, err := json.Marshal(img)
	if err != nil {
		panic(err) // Its request is JSON.
	}
	return string(data)
}

// changes describes the changes of a plan, as far as one that stays as it is has anything to tell.
func changes(p *planner.Plan) []string {
	lines := make([]string, 0, len(p.Changes))
	for _, c := range p.Changes {
		line := fmt.Sprintf("%s %s %v %s frozen %t record %s %s", c.Address, c.Action, c.Reasons, c.Origin, c.Frozen, encoded(c.Prior), c.Fingerprint)
		if c.Action != planner.NoOp {
			line += fmt.Sprint(c.Attributes())
		}
		lines = append(lines, line)
	}
	return lines
}

// brief makes configurations, and states in which some of their images are.
type brief struct{ *rand.Rand }

func (g *brief) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g *brief) module() string {
	var text strings.Builder
	text.WriteString("defaults { model = \"flux-2-pro\" }\n")
	blocks := []string{"first", "second", "third", "fourth"}[:1+g.IntN(4)]
	for i, name := range blocks {
		text.WriteString(g.block(name, blocks[:i]))
	}
	if g.IntN(3) == 0 {
		fmt.Fprintf(&text, "output \"o\" { value = [for k, i in image.%s : i.sha256] }\n", blocks[0])
	}
	if g.IntN(4) == 0 {
		text.WriteString("moved {\n  from = image.former\n  to   = image." + blocks[0] + "\n}\n")
	}
	return text.String()
}

func (g *brief) block(name string, before []string) string {
	text := fmt.Sprintf("image %q {\n  for_each = toset([%s])\n  prompt = \"%s of ${each.key}\"\n", name, g.pick(`"a"`, `"a", "b"`, `"a", "b", "c", "d"`), name)
	text += g.pick("", "", "  seed = 7\n", "  width = 1024\n  height = 768\n", "  labels = { kind = each.key }\n", "  output = \"x/"+name+"-${each.key}.png\"\n")
	if g.IntN(6) == 0 {
		text += "  candidates = 2\n"
	}
	if len(before) > 0 && g.IntN(2) == 0 {
		text += "  references = [image." + before[g.IntN(len(before))] + "[\"a\"]]\n"
	}
	if g.IntN(5) == 0 {
		text += "  rendition \"thumb\" { width = 64 }\n"
	}
	rules := g.pick("", "", "", "frozen = true", "ignore_changes = [prompt]", "prevent_destroy = true")
	if strings.Contains(text, "candidates") && g.IntN(3) == 0 {
		rules = "require_pick = true"
	}
	if len(before) > 0 && g.IntN(6) == 0 {
		rules = g.pick("replace_triggered_by = [image."+before[0]+"]",
			"precondition {\n      condition = image."+before[0]+"[\"a\"].width > 0\n      error_message = \"no\"\n    }")
	}
	if rules != "" {
		text += "  lifecycle {\n    " + rules + "\n  }\n"
	}
	return text + "}\n"
}

// applied is the state after all that a configuration declares was made, images before those made
// from them.
func (g *brief) applied(t *testing.T, cfg *config.Config) *state.State {
	t.Helper()
	st := &state.State{Images: new(state.Images)}
	for before := -1; before < st.Images.Len(); {
		before = st.Images.Len()
		plan, _ := planner.Make(cfg, planner.Options{Prior: st})
		for _, c := range plan.Changes {
			if c.Desired != nil && c.Fingerprint != "" && c.Action != planner.NoOp && c.Origin != planner.Skipped {
				st.Images.Set(c.Address, record(c.Desired, c.Fingerprint))
			}
		}
	}
	return st
}

// record is that of an image that was made as it is desired.
func record(img *image.Image, fingerprint string) *state.Image {
	return &state.Image{
		Provider: img.Provider, Model: img.Model.Name, Fingerprint: fingerprint, Request: img.Record(),
		Output:       state.File{Path: img.Output, SHA256: "f" + fingerprint[1:], Bytes: 10, Width: 1024, Height: 1024, Format: "jpeg"},
		Result:       state.Result{TaskID: "task", Seed: new(int64(99)), Cost: 3000},
		Dependencies: img.Dependencies, Labels: img.Labels, Candidate: img.Candidate, Picked: img.Picked,
	}
}

// options are those of a plan after somebody changed something about a state.
func (g *brief) options(st *state.State) planner.Options {
	o := planner.Options{Prior: st, Files: map[addrs.Image]state.FileStatus{}}
	all := slices.Collect(st.Images.Addresses())
	for range g.IntN(4) {
		if len(all) == 0 {
			break
		}
		addr := all[g.IntN(len(all))]
		img := st.Images.Get(addr)
		if img == nil {
			continue
		}
		other := *img
		switch g.IntN(13) {
		case 0:
			st.Images.Delete(addr)
			continue
		case 1:
			other.Fingerprint = "0" + img.Fingerprint[1:]
		case 2:
			other.Output.Path = "elsewhere/" + img.Output.Path
		case 3:
			other.Labels = map[string]string{"kind": "other"}
		case 4:
			o.Files[addr] = state.FileStatus(1 + g.IntN(3))
		case 5:
			gone := addr
			gone.Name = g.pick("former", "gone")
			st.Images.Set(gone, img)
		case 6:
			o.Replace = append(o.Replace, addr)
		case 7:
			o.Reroll = append(o.Reroll, addr)
		case 8:
			other.Result.Simulated = true
		case 12:
			other.Request = bytes.Replace(img.Request, []byte(`"prompt":"`), []byte(`"prompt":"old `), 1)
			other.Fingerprint = fmt.Sprintf("%x", sha256.Sum256(other.Request))
		case 11:
			other.Result.ConfiguredSeed = new(int64(7))
			other.Request = bytes.Replace(img.Request, []byte(`"seed":7`), []byte(`"seed":70`), 1)
			other.Fingerprint = fmt.Sprintf("%x", sha256.Sum256(other.Request))
		case 9:
			other.Made = &img.Output
		case 10:
			o.Only = map[addrs.Image]bool{}
			for _, a := range all {
				o.Only[a.Of()] = g.IntN(2) == 0 || o.Only[a.Of()]
			}
		}
		st.Images.Set(addr, &other)
	}
	if g.IntN(6) == 0 && len(all) > 0 {
		task := &state.Task{Key: "key", Address: all[0], Provider: "bfl", ID: "id", Fingerprint: strings.Repeat("ab", 32), Cost: 3000}
		st.Tasks = map[string]*state.Task{"key": task}
	}
	return o
}
