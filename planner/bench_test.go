package planner

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// products are the images of one block, and the state after they were made.
func products(n int) ([]*image.Image, *state.State) {
	images := make([]*image.Image, n)
	made := &state.State{Images: new(state.Images)}
	for i := range images {
		images[i] = &image.Image{
			Address:  addrs.Image{Name: "product", Key: addrs.StringKey(fmt.Sprintf("sku-%07d", i))},
			Provider: "bfl", Output: fmt.Sprintf("images/product-%07d.png", i),
			Model: bfl.Lookup("flux-2-pro"),
			Arguments: []bfl.Argument{
				{Name: "height", Value: int64(1024)},
				{Name: "prompt", Value: fmt.Sprintf("Studio photo of product number %d in blue, flat vector", i)},
				{Name: "width", Value: int64(1024)},
			},
		}
		canonical, err := images[i].Request().MarshalJSON()
		if err != nil {
			panic(err) // It has no value that cannot be written.
		}
		made.Images.Set(images[i].Address, &state.Image{
			Provider: "bfl", Model: "flux-2-pro", Fingerprint: images[i].Request().Fingerprint(), Request: json.RawMessage(canonical),
			Output: state.File{Path: images[i].Output, SHA256: "00", Width: 1024, Height: 1024, Format: "png"},
		})
	}
	return images, made
}

// BenchmarkPlan plans images that are new, and images that are there already.
func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		images, made := products(n)
		for _, c := range []struct {
			name  string
			prior *state.State
		}{{"new", &state.State{}}, {"unchanged", made}} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					p := New(Options{Prior: c.prior})
					for _, img := range images {
						p.Decide(img)
					}
					plan, diags := p.Finish(nil, nil)
					if diags.HasErrors() || plan.Empty() != (c.prior == made) {
						b.Fatal(plan.Summary(), diags)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/image")
			})
		}
	}
}

// BenchmarkPlanCandidates plans 10,000 images with four candidates each, which is to cost per
// candidate what an image of its own does.
func BenchmarkPlanCandidates(b *testing.B) {
	const n, each = 10_000, 4
	images, _ := products(n)
	made := &state.State{Images: new(state.Images)}
	for i, img := range images {
		img.Rare().Candidates = each
		for k := 1; k <= each; k++ {
			one := img.Nth(k)
			canonical, err := one.Request().MarshalJSON()
			if err != nil {
				b.Fatal(err)
			}
			made.Images.Set(one.Address, &state.Image{
				Provider: "bfl", Model: "flux-2-pro", Fingerprint: one.Request().Fingerprint(), Request: json.RawMessage(canonical),
				Output: state.File{Path: one.Output, SHA256: fmt.Sprintf("%d %d", i, k), Width: 1024, Height: 1024, Format: "png"},
			})
		}
		first := *made.Images.Get(img.Address.Nth(1))
		first.Output.Path, first.Candidate = img.Output, 1
		made.Images.Set(img.Address, &first)
	}
	for _, c := range []struct {
		name  string
		prior *state.State
	}{{"new", &state.State{}}, {"unchanged", made}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p := New(Options{Prior: c.prior})
				for _, img := range images {
					p.Decide(img)
				}
				plan, diags := p.Finish(nil, nil)
				if diags.HasErrors() || plan.Empty() != (c.prior == made) {
					b.Fatal(plan.Summary(), diags)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(n*each), "ns/candidate")
		})
	}
}
