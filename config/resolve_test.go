package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

func TestDependencies(t *testing.T) {
	t.Parallel()
	c, images := evaluated(t, "testdata/fixtures/valid", nil)
	tests := map[string][]string{
		"image.logo": nil,
		"image.hero": {
			"image.logo", "image.numbered[0]", `image.product["a1"]`, `image.product["b2"]`, "module.brand.image.badge",
			`module.brands["eu"].image.badge`,
		},
		`image.small["a1"]`:               {`image.product["a1"]`},
		"module.brand.image.badge":        {"image.logo"},
		`module.brands["us"].image.badge`: {"image.logo"},
	}
	for addr, want := range tests {
		var got []string
		for _, other := range find(t, images, addr).Dependencies {
			got = append(got, other.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("dependencies of %s (-want +got):\n%s", addr, diff)
		}
	}
	decided := addresses(images)
	for _, img := range images {
		for _, other := range img.Dependencies {
			if slices.Index(decided, other.String()) > slices.Index(decided, img.Address.String()) {
				t.Errorf("%s was decided before %s", img.Address, other)
			}
		}
	}
	if len(decided) != 14 {
		t.Errorf("%d images: %v", len(decided), decided)
	}
	moves, removals, imports := c.Moves(), c.Removals(), c.Imports()
	if len(moves) != 2 || moves[0].From.String() != "image.emblem" || moves[1].To.String() != "module.brand" {
		t.Errorf("moves: %v", moves)
	}
	if len(removals) != 1 || removals[0].From.Name != "banner" || removals[0].Destroy {
		t.Errorf("removals: %v", removals)
	}
	if len(imports) != 1 || imports[0].To.String() != `image.product["a1"]` || imports[0].Size.Width != 64 {
		t.Errorf("imports: %v", imports)
	}
}

// dependencyCases are ways in which a value can come from an image. Each must be found to depend on
// image.a, whether a's result is known or not.
var dependencyCases = []string{
	`prompt = image.a.sha256`,
	`prompt = "x ${image.a.seed} y"`,
	`prompt = upper(image.a.id)`,
	`prompt = image.a.width > 5 ? "yes" : "no"`,
	`prompt = join(",", [for k, v in { x = image.a.id } : v])`,
	`prompt = join(",", [image.a][*].id)`,
	`prompt = try(image.a.id, "x")`,
	`prompt = can(image.a.id) ? "x" : "y"`,
	`prompt = jsonencode({ a = image.a })`,
	`prompt = jsondecode(image.a.id == "id" ? "\"x\"" : "\"y\"")`,
	`prompt = "${local.deep.list[0].id}"`,
	`prompt = local.picked`,
	`prompt = module.m.out`,
	`prompt = templatestring("$${x}", { x = image.a.id })`,
	`prompt = lookup({ a = image.a.id }, "a", "")`,
	`prompt = merge({ a = image.a.id }, { b = 1 })["a"]`,
	`prompt = element([image.a.id], 0)`,
	`prompt = flatten([[image.a.id]])[0]`,
	`prompt = { scene = image.a.id }`,
	`prompt = join("", [for c in try(split("", image.a.id), []) : c])`,
	`prompt = "%{ if image.a.seed == 1 }x%{ else }y%{ endif }"`,
	`prompt = "x"
	 seed = image.a.seed`,
	`prompt = "x"
	 references = [image.a]`,
	`prompt = "x"
	 references = [for i in [image.a] : i]`,
	`prompt = "x"
	 references = image.a.seed == 1 ? [] : ["https://example.com/a.png"]`,
	`prompt = "x"
	 depends_on = [image.a]`,
	`prompt = "x"
	 parameters = { x = image.a.id }`,
}

func TestEveryUseIsADependency(t *testing.T) {
	t.Parallel()
	for _, body := range dependencyCases {
		dir := write(t, "main.flux.hcl", head+`
			image "a" { prompt = "A" }
			image "other" { prompt = "O" }
			locals {
			  deep   = { list = [image.a] }
			  picked = [for i in [image.other, image.a] : i.id if i.address == "image.a"][0]
			}
			module "m" {
			  source = "./m"
			  in     = image.a.id
			}
			image "b" {
			  `+body+`
			}`,
			"m/main.flux.hcl", `
			variable "in" {}
			output "out" { value = var.in }`)
		made := &image.Result{SHA256: "00ff", TaskID: "id", Seed: new(int64(1)), Width: 1024, Height: 1024, Format: "jpeg"}
		for _, results := range []map[string]*image.Result{nil, {"image.a": made}} {
			_, images := evaluated(t, dir, results)
			if deps := find(t, images, "image.b").Dependencies; len(deps) == 0 || deps[0].String() != "image.a" {
				t.Errorf("%s: depends on %v, want image.a (results: %v)", body, deps, results)
			}
		}
	}
}

// TestDependenciesAmongInstances holds the table of the reference to what is done.
func TestDependenciesAmongInstances(t *testing.T) {
	t.Parallel()
	const first = `image.product["a1"]`
	const both = first + ` image.product["b2"]`
	const all = both + ` image.product["c3"]`
	for value, want := range map[string]string{
		`references = [image.product["a1"]]`:                                                 first,
		`references = [values(image.product)[0]]`:                                            first,
		`references = [for k, p in image.product : p if k == "a1"]`:                          first,
		`references = [for k, p in image.product : p if p.width == 1024]`:                    all,
		`references = [lookup(image.product, "a1", null)]`:                                   all,
		`references = [var.wide ? image.product["a1"] : image.product["b2"]]`:                both,
		`labels = { n = length(image.product), keys = join(",", keys(image.product)) }`:      "",
		`references = [for k, p in { for k, p in image.product : k => p } : p if k == "a1"]`: first,
	} {
		dir := write(t, "main.flux.hcl", head+`
			variable "wide" { default = true }
			image "product" {
			  for_each = toset(["a1", "b2", "c3"])
			  prompt   = each.key
			  width    = 1024
			}
			image "b" {
			  prompt = "x"
			  `+value+`
			}`)
		_, images := evaluated(t, dir, nil)
		var got []string
		for _, addr := range find(t, images, "image.b").Dependencies {
			got = append(got, addr.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: depends on %v, want %s", value, got, want)
		}
	}
}

func TestUnknownAndResolve(t *testing.T) {
	t.Parallel()
	dir := write(t, "main.flux.hcl", head+`
		image "a" { prompt = "A" }
		image "b" {
		  prompt     = "seed ${image.a.seed}"
		  seed       = image.a.seed
		  references = [image.a.width > 100 ? image.a : null]
		}
		locals { of_b = "${image.b.prompt} ${image.b.sha256}" }
		image "c" {
		  for_each   = { x = image.b, y = image.a }
		  prompt     = "${local.of_b} and ${each.value.id}"
		  references = [each.value]
		}
		image "d" {
		  for_each = image.c
		  prompt   = "of ${each.value.sha256}"
		}
		image "e" {
		  for_each = toset(["x", "y"])
		  prompt   = "${image.c[each.key].id} ${try(image.c["z"].id, "none")} ${each.key == "x" ? image.c["y"].width : 0}"
		}
		image "f" { prompt = "${length(image.c)} ${image.c["x"].id}" }
		output "seed" { value = image.b.seed }
		output "c" { value = { for k, i in image.c : k => i.prompt } }`)
	c, images := evaluated(t, dir, nil)
	b := find(t, images, "image.b")
	if want := `{"endpoint":"/v1/flux-2-pro","body":{"input_image":null,"prompt":null,"seed":null}}`; request(t, b) != want {
		t.Errorf("planned b: %s, want %s", request(t, b), want)
	}
	if !b.References[0].Unknown {
		t.Errorf("planned b has references %v, want an unknown one", b.References)
	}
	outputs, diags := c.Outputs(nil)
	if diags.HasErrors() || outputs[1].Whole().IsWhollyKnown() {
		t.Errorf("planned outputs are known: %v, %v", outputs, diags)
	}

	results := map[addrs.Image]*image.Result{}
	result := func(addr addrs.Image) *image.Result { return results[addr] }
	finish := func(addr string, n int) {
		results[parseAddr(t, addr)] = &image.Result{
			SHA256: fmt.Sprintf("sum%d", n), TaskID: fmt.Sprintf("id%d", n), Seed: new(int64(n)), Width: 1024, Height: 768, Format: "jpeg",
		}
	}
	resolve := func(addr, want string) {
		t.Helper()
		img, diags := c.Resolve(parseAddr(t, addr), result)
		if diags.HasErrors() || img == nil {
			t.Fatalf("resolving %s: %v", addr, diags)
		}
		if got := request(t, img); got != want {
			t.Errorf("resolved %s is %s\nwant %s", addr, got, want)
		}
	}
	finish("image.a", 1)
	resolve("image.b", `{"endpoint":"/v1/flux-2-pro","body":{"input_image":null,"prompt":"seed 1","seed":1}}`)
	img, _ := c.Resolve(parseAddr(t, "image.b"), result)
	if diff := cmp.Diff([]image.Reference{{Input: bfl.Input{Field: "input_image"}, Image: parseAddr(t, "image.a")}}, img.References, cmp.AllowUnexported(addrs.Key{})); diff != "" {
		t.Errorf("references of resolved b (-want +got):\n%s", diff)
	}
	finish("image.b", 2)
	resolve(`image.c["x"]`, `{"endpoint":"/v1/flux-2-pro","body":{"input_image":null,"prompt":"seed 1 sum2 and id2"}}`)
	resolve(`image.c["y"]`, `{"endpoint":"/v1/flux-2-pro","body":{"input_image":null,"prompt":"seed 1 sum2 and id1"}}`)
	finish(`image.c["y"]`, 3)
	resolve(`image.d["y"]`, `{"endpoint":"/v1/flux-2-pro","body":{"prompt":"of sum3"}}`)
	resolve(`image.d["x"]`, `{"endpoint":"/v1/flux-2-pro","body":{"prompt":null}}`)
	finish(`image.c["x"]`, 4)
	resolve(`image.d["x"]`, `{"endpoint":"/v1/flux-2-pro","body":{"prompt":"of sum4"}}`)

	resolve(`image.e["x"]`, `{"endpoint":"/v1/flux-2-pro","body":{"prompt":"id4 none 1024"}}`)
	resolve("image.f", `{"endpoint":"/v1/flux-2-pro","body":{"prompt":"2 id4"}}`)
	resolve(`image.e["y"]`, `{"endpoint":"/v1/flux-2-pro","body":{"prompt":"id3 none 0"}}`)

	outputs, diags = c.Outputs(result)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got, want := show(outputs[0].Whole()), `{x = "seed 1 sum2 and id2", y = "seed 1 sum2 and id1"}`; got != want {
		t.Errorf("output c = %s, want %s", got, want)
	}
	if got := show(outputs[1].Whole()); got != "1" {
		t.Errorf("output seed = %s, want 1", got)
	}

	// Once more from the start.
	_ = c.Evaluate(nil)
	outputs, _ = c.Outputs(nil)
	if got := show(outputs[1].Whole()); got != "unknown number" {
		t.Errorf("after another Evaluate, output seed = %s, want it unknown", got)
	}
}

func TestEvaluateStartsAfresh(t *testing.T) {
	t.Parallel()
	c := load(t, write(t, "main.flux.hcl", head+`
		image "a" { prompt = "A" }
		image "b" {
		  prompt = "B"
		  width  = image.a.width
		}`), Options{})
	for _, tt := range []struct{ width, images int }{{1000, 1}, {1024, 2}, {1001, 1}, {512, 2}} {
		n := 0
		diags := c.Evaluate(func(*image.Image) *image.Result {
			n++
			return &image.Result{Width: tt.width, Height: 10, Format: "jpeg"}
		})
		if diags.HasErrors() != (tt.images == 1) || n != tt.images {
			t.Errorf("with a width of %d: %d images, want %d; %v", tt.width, n, tt.images, diags)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	c, _ := evaluated(t, write(t, "main.flux.hcl", head+`image "a" { prompt = "A" }`), nil)
	for _, addr := range []string{"image.b", "module.m.image.a", `image.a["k"]`} {
		img, diags := c.Resolve(parseAddr(t, addr), func(addrs.Image) *image.Result { return nil })
		if img != nil || len(diags) != 1 || diags[0].Summary != "Image cannot be evaluated" {
			t.Errorf("resolving %s gives %v, %v", addr, img, diags)
		}
	}
}
