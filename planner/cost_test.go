package planner

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/internal/simulator/simtest"
)

func TestEstimate(t *testing.T) {
	t.Parallel()
	file := func(width, height int) bfl.Input {
		return bfl.Input{SHA256: "known", Size: bfl.Size{Width: width, Height: height}}
	}
	side := func(name string, value any) bfl.Argument { return bfl.Argument{Name: name, Value: value} }
	tests := []struct {
		name    string
		model   string
		args    []bfl.Argument
		inputs  []bfl.Input
		want    string
		atLeast bool
	}{
		{"a megapixel", "flux-2-pro", nil, nil, "$0.03", false},
		{"two megapixels", "flux-2-pro", []bfl.Argument{side("height", int64(1088)), side("width", int64(1920))}, nil, "$0.045", false},
		{"a reference of a megapixel", "flux-2-max", nil, []bfl.Input{file(640, 480)}, "$0.10", false},
		{"a reference behind a URL", "flux-2-max", nil, []bfl.Input{{}}, "$0.10", true},
		{
			"one of two behind a URL, which counts no more than a megapixel", "flux-2-max",
			[]bfl.Argument{side("height", int64(64)), side("width", int64(64))},
			[]bfl.Input{{}, file(4000, 3000)},
			"$0.13", false,
		},
		{"the same, with a size that follows it", "flux-2-max", nil, []bfl.Input{{}, file(4000, 3000)}, "$0.13", true},
		{"the second of two, which the size does not follow", "flux-2-max", nil, []bfl.Input{file(100, 100), {}}, "$0.13", false},
		{"a price by the image", "flux-kontext", nil, []bfl.Input{{}}, "$0.04", false},
		{"an unknown size", "flux-2-pro", []bfl.Argument{side("width", nil)}, nil, "$0.03", true},
		{"as large as its reference", "flux-2-pro", nil, []bfl.Input{file(2048, 1024)}, "$0.075", false},
		{"a reference whose multiple is larger", "flux-2-flex", nil, []bfl.Input{file(1448, 1448)}, "$0.25", false},
		{"a reference that is larger than what is made", "flux-2-pro", nil, []bfl.Input{file(5000, 4000)}, "$0.135", false},
		{"one side of a large one", "flux-2-pro", []bfl.Argument{side("width", int64(256))}, []bfl.Input{file(4000, 3000)}, "$0.09", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			model := bfl.Lookup(tt.model)
			img := &image.Image{Model: model, Arguments: tt.args}
			for i, in := range tt.inputs {
				in.Field = model.Inputs.References[i]
				img.References = append(img.References, image.Reference{Input: in})
			}
			got := img.Request().Quote()
			if got.Cost.Dollars() != tt.want || got.AtLeast != tt.atLeast {
				t.Errorf("estimate = %s, at least: %v; want %s, %v", got.Cost.Dollars(), got.AtLeast, tt.want, tt.atLeast)
			}
		})
	}
}

// TestEstimatesAreCharges sends random requests to the simulator, and holds what it charges against
// what a plan says.
func TestEstimatesAreCharges(t *testing.T) {
	t.Parallel()
	const requests = 2000
	list := bfl.ReferenceList("images", 10)
	declared := []*bfl.Model{
		{Name: "newest", Endpoint: "/v1/newest", Custom: true, Inputs: list, Price: bfl.Price{First: 2_000, Further: 1_100}},
		{Name: "newer", Endpoint: "/v1/newer", Custom: true, Inputs: list, Price: bfl.Price{Image: 4_800}},
		{
			Name: "tiered", Endpoint: "/v1/tiered", Custom: true, Inputs: bfl.Inputs{Roles: []string{"a", "b"}},
			Price: bfl.Price{By: "aspect_ratio", Tiers: []bfl.Tier{{Value: "1:1", Price: 1_000}, {Value: "16:9", Price: 2_000}}},
		},
		{Name: "unpriced", Endpoint: "/v1/unpriced", Custom: true, Inputs: list, Price: bfl.Price{Unknown: true}},
	}
	sim := simtest.New(t, simulator.Options{Models: declared, Latency: simulator.Latency{Median: time.Nanosecond}})
	client := simtest.Client(t, sim, bfl.ClientOptions{})
	draw := &drawer{rand.New(rand.NewPCG(1, 2))}
	models := append(slices.Clone(bfl.Models()), declared...)
	accepted := map[string]int{}
	for done, tries := 0, 0; done < requests; tries++ {
		if tries > 3*requests {
			t.Fatalf("only %d of %d requests were accepted", done, tries)
		}
		img := draw.image(models[tries%len(models)])
		if len(img.Request().Check()) > 0 {
			continue
		}
		task, err := client.Submit(t.Context(), img.Request(), func(in bfl.Input) (io.ReadCloser, int64, error) {
			file := emptyPNG(in.Size)
			return io.NopCloser(bytes.NewReader(file)), int64(len(file)), nil
		})
		if err != nil {
			// One side and a reference can make more than a model does, which only the API says.
			continue
		}
		done++
		accepted[img.Model.Name]++
		want := img.Request().Quote()
		if !want.Uncapped && task.Cost != want.Reserve || !task.HasCost {
			text, _ := img.Request().MarshalJSON()
			t.Errorf("%s from %v: planned %v, charged %v", text, img.References, want.Reserve.Float(), task.Cost.Float())
		}
	}
	if len(accepted) != len(models) {
		t.Errorf("of %d models only these accepted any request: %v", len(models), accepted)
	}
}

// drawer draws requests.
type drawer struct{ *rand.Rand }

func (d *drawer) image(m *bfl.Model) *image.Image {
	img := &image.Image{Model: m}
	set := func(name string, value any) {
		img.Arguments = append(img.Arguments, bfl.Argument{Name: name, Value: value})
	}
	has := func(name string) bool {
		return m.Param(name) != nil || m.Custom && name != "finetune_id" && name != "top"
	}
	if has("prompt") {
		set("prompt", "a")
	}
	if has("finetune_id") {
		set("finetune_id", "mine")
	}
	if has("aspect_ratio") && d.IntN(3) == 0 {
		set("aspect_ratio", []string{"1:1", "16:9", "9:21", "21:9", "7:5"}[d.IntN(5)])
	}
	if p := m.Param("resolution"); p != nil && d.IntN(5) > 0 {
		set("resolution", p.Enum[d.IntN(len(p.Enum))])
	}
	if has("width") && m.Param("auto_crop") == nil {
		d.size(m, set)
	}
	if m.Param("auto_crop") != nil {
		set("auto_crop", true)
		set("width", int64(16*(4+d.IntN(120))))
		set("height", int64(16*(4+d.IntN(120))))
	}
	if has("top") {
		for _, side := range []string{"top", "bottom", "left", "right"} {
			if d.IntN(2) == 0 {
				set(side, int64(d.IntN(400)))
			}
		}
	}
	bfl.SortArguments(img.Arguments)
	for _, field := range m.Inputs.References[:m.Inputs.Required+d.IntN(len(m.Inputs.References)-m.Inputs.Required+1)] {
		d.input(img, field)
	}
	for _, role := range m.Inputs.Roles {
		d.input(img, role)
	}
	if m.Inputs.Mask != "" && (m.Inputs.MaskRequired || d.IntN(2) == 0) {
		// A mask has its image's size.
		in := img.References[0]
		in.Field = m.Inputs.Mask
		img.References = append(img.References, in)
	}
	return img
}

// size asks for both sides, for one, or for none.
func (d *drawer) size(m *bfl.Model, set func(string, any)) {
	step, most := 16, 160
	if p := m.Param("width"); p != nil && p.MultipleOf > 16 {
		step, most = p.MultipleOf, int(p.Max)/p.MultipleOf
	}
	side := func() int64 { return int64(step * (8 + d.IntN(most-7))) }
	if m.Custom {
		side = func() int64 { return int64(100 + d.IntN(2000)) }
	}
	switch d.IntN(5) {
	case 0:
		set("width", side())
	case 1:
		set("height", side())
	case 2:
		set("width", side())
		set("height", side())
	case 3:
		if len(m.Sizes) > 0 {
			size := m.Sizes[d.IntN(len(m.Sizes))]
			set("width", int64(size.Width))
			set("height", int64(size.Height))
		}
	}
}

// input adds a reference: a file of any shape, often near a whole number of megapixels, or a URL.
func (d *drawer) input(img *image.Image, field string) {
	if d.IntN(5) == 0 && !img.Model.Inputs.NoURL {
		img.References = append(img.References, image.Reference{Input: bfl.Input{Field: field, URL: "https://example.com/a.png"}})
		return
	}
	size := bfl.Size{Width: 1 + d.IntN(5000), Height: 1 + d.IntN(4000)}
	switch d.IntN(4) {
	case 0:
		size = bfl.Size{Width: 1016 + d.IntN(16), Height: 1016 + d.IntN(16)}
	case 1:
		size = bfl.Size{Width: 1440 + d.IntN(16), Height: 1440 + d.IntN(16)}
	case 2:
		size = bfl.Size{Width: 2016 + d.IntN(48), Height: 2016 + d.IntN(48)}
	}
	img.References = append(img.References, image.Reference{Input: bfl.Input{Field: field, SHA256: "known", Size: size}})
}

// emptyPNG returns a file that says it is of that size, and that nobody decodes.
func emptyPNG(size bfl.Size) []byte {
	header := binary.BigEndian.AppendUint32(nil, uint32(size.Width))
	header = binary.BigEndian.AppendUint32(header, uint32(size.Height))
	file := []byte("\x89PNG\r\n\x1a\n")
	for _, chunk := range []string{"IHDR" + string(header) + "\x08\x02\x00\x00\x00", "IDATx", "IEND"} {
		file = binary.BigEndian.AppendUint32(file, uint32(len(chunk)-4))
		file = append(file, chunk...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE([]byte(chunk)))
	}
	return file
}
