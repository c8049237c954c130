package bfl

import (
	"slices"
	"strings"
)

// The catalogue. Sources: the API's endpoint document, which wins where sources disagree; the
// published OpenAPI schema of April 2026; BFL's documentation for prices and sizes, and for what
// came after the schema. Where the first two draw a limit differently, differences.go says which
// one stands here. An endpoint that is not named is /v1/ and the model's name.

var catalogue = []*Model{
	{
		Name: "flux-3-image", Title: "FLUX 3 Image: generation and editing, grounded in a search",
		Params: []Param{
			prompt,
			{
				Name: "aspect_ratio", Kind: String, Default: autoRatio, About: "width to height, or auto to leave it to the model",
				Enum: []string{
					"21:9", "2:1", "16:9", "3:2", "7:5", "4:3", "5:4", "1:1", "4:5", "3:4", "5:7", "2:3", "9:16", "1:2", "9:21", autoRatio,
				},
			},
			{
				Name: "resolution", Kind: String, Default: "1k", Enum: []string{"768sq", "1k", "1.5k", "2k", "4k"},
				About: "area of the image, which decides the price",
			},
			tolerance(4),
			{Name: "grounding", Kind: Boolean, Default: true, About: "looks things up before it draws"},
			{Name: "version", Kind: String, Default: "latest", About: "release of the model"},
		},
		Inputs: limited(ReferenceList("images", 10), InputLimits{MinSide: 256, MaxPixels: 16 * pixelsPerMegapixel}),
		Price: Price{
			By: "resolution", Tiers: []Tier{{"768sq", 4_100}, {"1k", 4_800}, {"2k", 10_000}, {"4k", 60_700}}, Source: Seen,
		},
		NoWebhook: true, Strict: true,
	},
	flux2Model("flux-2-klein-4b", "FLUX.2 [klein] 4B: fastest generation and editing", flux2, 4, klein4b),
	flux2Model("flux-2-klein-9b", "FLUX.2 [klein] 9B: fast, better quality", flux2, 4, klein9b),
	preview(flux2Model("flux-2-klein-9b-preview", "FLUX.2 [klein] 9B KV: fast editing with caching, preview", flux2, 4, klein9b.of("flux-2-klein-9b"))),
	kleinFinetuned("4b", klein4b.of("flux-2-klein-4b")),
	kleinFinetuned("9b", klein9b.of("flux-2-klein-9b")),
	kleinFinetuned("9b-kv", klein9b.of("flux-2-klein-9b")),
	kleinFinetuned("9b-kv-bf16", klein9b.of("flux-2-klein-9b")),
	kleinFinetuned("base-4b", klein4b.of("flux-2-klein-4b")),
	kleinFinetuned("base-9b", klein9b.of("flux-2-klein-9b")),
	flux2Model("flux-2-pro", "FLUX.2 [pro]: balanced quality and speed", flux2Pro, 8, pro),
	preview(flux2Model("flux-2-pro-preview", "FLUX.2 [pro], preview", flux2Pro, 8, pro.of("flux-2-pro"))),
	flux2Model("flux-2-max", "FLUX.2 [max]: highest quality, grounding search", flux2Pro, 8, Price{First: 7_000, Further: 3_000, Source: Listed}),
	flux2Model("flux-2-flex", "FLUX.2 [flex]: typography, adjustable steps and guidance", slices.Concat(flux2, []Param{
		withDefault(upsampling, true), nullable(steps(1, 50, 50)),
		// Defaults to 4.5 in the endpoint document and to 5.0 in the schema.
		nullable(guidance(10, 4.5)),
		{Name: "input_image_blob_path", Kind: String, Nullable: true, About: "BFL's own storage path of the first reference"},
	}), 8, Price{First: 5_000, Further: 5_000, Source: Listed}),
	{
		Name: "flux-pro-1.1", Title: "FLUX1.1 [pro]: text to image",
		Params: []Param{
			nullable(optionalPrompt), side("width", 1024), side("height", 768), withDefault(upsampling, false).notNullable(),
			seed, tolerance(6), format("jpeg"),
		},
		Inputs: imagePrompt, Repeatable: true,
		Price: Price{Image: 4_000, Source: Listed},
	},
	{
		Name: "flux-pro-1.1-ultra", Title: "FLUX1.1 [pro] ultra: up to 4 megapixels, raw mode",
		Params: slices.Concat(ultra, []Param{{
			Name: "raw", Kind: Boolean, Default: false, About: "less processed, more natural looking",
		}}),
		Inputs: imagePrompt, Repeatable: true,
		Price: Price{Image: 6_000, Source: Listed},
	},
	{
		Name: "flux-pro-1.1-ultra-finetuned", Title: "FLUX1.1 [pro] ultra with a fine-tune of your own",
		Params: slices.Concat(finetune(1.2), ultra),
		Inputs: imagePrompt, Repeatable: true,
		Price: Price{Image: 6_000, Source: Unlisted, Of: "flux-pro-1.1-ultra"},
	},
	{
		Name: "flux-dev", Title: "FLUX.1 [dev]: open weights",
		Params: []Param{
			optionalPrompt, side("width", 1024), side("height", 768), nullable(steps(1, 50, 28)), withDefault(upsampling, false).notNullable(),
			seed, nullable(guidance(5, 3.0)), tolerance(6), format("jpeg"),
		},
		Inputs: imagePrompt, Repeatable: true,
		Price: Price{Image: 2_500, Source: Listed},
	},
	kontextModel("flux-kontext", "FLUX.1 Kontext: editing", 4_000, 0),
	kontextModel("flux-kontext-pro", "FLUX.1 Kontext [pro]: editing, the same service as flux-kontext", 4_000, 0),
	kontextModel("flux-kontext-max", "FLUX.1 Kontext [max]: editing with several references", 8_000, 6),
	{
		Name: "flux-fill", Title: "FLUX.1 Fill: inpainting and object removal",
		Params: fill, Inputs: painting, Repeatable: true,
		Price: Price{Image: 5_000, Source: Listed},
	},
	{
		Name: "flux-pro-1.0-fill", Title: "FLUX.1 Fill [pro]: inpainting, the same service as flux-fill",
		Params: fill, Inputs: painting, Repeatable: true,
		Price: Price{Image: 5_000, Source: Listed},
	},
	{
		Name: "flux-pro-1.0-fill-finetuned", Title: "FLUX.1 Fill [pro] with a fine-tune of your own",
		Params: slices.Concat(finetune(1.1), fillFinetuned), Inputs: painting, Repeatable: true,
		Price: Price{Image: 5_000, Source: Unlisted, Of: "flux-pro-1.0-fill"},
	},
	{
		Name: "flux-pro-1.0-expand", Title: "FLUX.1 Expand [pro]: adds pixels on any side",
		Params: slices.Concat([]Param{margin("top"), margin("bottom"), margin("left"), margin("right")}, fill),
		Inputs: Inputs{References: []string{"image"}, Required: 1, NoURL: true}, Repeatable: true,
		Price: Price{Image: 5_000, Source: Listed},
	},
	{
		Name: "flux-outpainting-v1", Title: "FLUX Outpainting: puts an image on a larger canvas and paints the rest",
		Endpoint: "/v1/flux-tools/outpainting-v1",
		Params: []Param{
			nullable(optionalPrompt), required(freeSide("width")), required(freeSide("height")),
			{Name: "auto_crop", Kind: Boolean, Default: false, About: "cuts off what does not fit on the canvas"},
			offset("reference_offset_x", "left"), offset("reference_offset_y", "upper"),
			{Name: "mode", Kind: String, Enum: []string{"high", "fast"}, Default: "high", About: "fidelity or speed"},
			noUpsampling, seed, tolerance(5), format("png"),
		},
		Inputs: Inputs{References: []string{"input_image"}, Required: 1}, MaxPixels: maxPixels, Repeatable: true, Strict: true,
		Price: noPrice,
	},
	{
		Name: "flux-erase-v1", Title: "FLUX Erase: removes what is under the mask",
		Endpoint: "/v1/flux-tools/erase-v1",
		Params: []Param{
			ranged("dilate_pixels", Integer, 0, 25, 10, "pixels that the mask is widened by"),
			seed, tolerance(5), format("png"),
		},
		Inputs: Inputs{References: []string{"image"}, Required: 1, Mask: "mask", MaskRequired: true}, Repeatable: true,
		Price: noPrice,
	},
	{
		Name: "flux-deblur-v1", Title: "FLUX Deblur: sharpens an image",
		Endpoint: "/v1/flux-tools/deblur-v1",
		Params:   []Param{seed, tolerance(5), format("png")},
		Inputs:   Inputs{References: []string{"image"}, Required: 1}, Repeatable: true,
		Price: noPrice,
	},
	{
		Name: "flux-vto-v1", Title: "FLUX Virtual Try-On: a person in a garment",
		Endpoint: "/v1/flux-tools/vto-v1",
		Params:   []Param{prompt, seed, tolerance(5), format("jpeg")},
		Inputs:   Inputs{Roles: []string{"person", "garment"}}, Repeatable: true,
		Price: noPrice,
	},
	{
		Name: "flux-vto-v2", Title: "FLUX Virtual Try-On 2: a person in a garment, up to 4 megapixels",
		Endpoint: "/v1/flux-tools/vto-v2",
		Params:   []Param{prompt, seed, tolerance(5), format("jpeg")},
		Inputs:   Inputs{Roles: []string{"person", "garment"}}, Repeatable: true,
		Price: noPrice,
	},
}

// noPrice is that of models which no price list has.
var noPrice = Price{Unknown: true, Source: Unlisted}

// maxPixels is 4 megapixels, of which the documents give 2048 x 2048 as an example.
const maxPixels = 4 * pixelsPerMegapixel

// MaxPixelsAdvised is the other reading of "4 megapixels". A size between the two is worth a
// warning.
const MaxPixelsAdvised = 4_000_000

// listedSizes stand in the API's own table of common resolutions although 1080 is no multiple of
// 16.
var listedSizes = []Size{{1920, 1080}, {1080, 1920}}

// Bounds of an image that is sent as an input.
const (
	MaxInputBytes  = 20 << 20
	MaxInputPixels = 20_000_000
)

// parameters that models share.
var (
	prompt         = Param{Name: "prompt", Kind: String, Required: true, About: "what to make, or what to change"}
	optionalPrompt = Param{Name: "prompt", Kind: String, Default: "", About: "what to make, or what to change"}
	seed           = Param{Name: "seed", Kind: Integer, Nullable: true, About: "makes the same request give the same image"}
	noUpsampling   = Param{Name: "disable_pup", Kind: Boolean, Default: false, About: "keeps the API from elaborating the prompt"}
	upsampling     = Param{Name: "prompt_upsampling", Kind: Boolean, Nullable: true, About: "lets the API elaborate the prompt"}
)

var flux2 = []Param{
	prompt, seed, freeSide("width"), freeSide("height"), tolerance(5), format("jpeg"),
}

// flux2Pro has what the schema got after the one that is published: the prompt is elaborated unless
// this keeps the API from it.
var flux2Pro = slices.Concat(flux2, []Param{noUpsampling})

// Prices that several models have, or would have.
var (
	klein4b = Price{First: 1_400, Further: 100, Source: Listed}
	klein9b = Price{First: 1_500, Further: 200, Source: Listed}
	pro     = Price{First: 3_000, Further: 1_500, Source: Seen}
)

// of returns the price for a model that no price list has, as that of another which stands in.
func (p Price) of(model string) Price {
	p.Source, p.Of = Unlisted, model
	return p
}

func flux2Model(name, title string, params []Param, most int, price Price) *Model {
	return &Model{
		Name: name, Title: title, Params: params, Inputs: references(most), MaxPixels: maxPixels, Sizes: listedSizes,
		Repeatable: true, Price: price,
	}
}

func preview(m *Model) *Model {
	m.Preview = true
	return m
}

// kleinFinetuned describes one of the endpoints for fine-tunes of klein. No price list has them.
func kleinFinetuned(size string, price Price) *Model {
	title := "FLUX.2 [klein] " + strings.ToUpper(size) + " with a fine-tune of your own"
	return flux2Model("flux-2-klein-"+size+"-finetuned", title, slices.Concat(finetune(1.0), flux2), 4, price)
}

func kontextModel(name, title string, price Credits, concurrency int) *Model {
	return &Model{
		Name: name, Title: title, Params: kontext, Inputs: editing, MaxPixels: maxPixels, Sizes: listedSizes,
		Repeatable: true, Price: Price{Image: price, Source: Listed}, Deprecated: true, Concurrency: concurrency,
	}
}

var kontext = []Param{
	prompt, seed, freeSide("width"), freeSide("height"), nullable(aspectRatio), format("png"),
	withDefault(upsampling, false).notNullable(), tolerance(6),
}

var aspectRatio = Param{
	Name: "aspect_ratio", Kind: String, Ratio: true, About: "width to height, between 21:9 and 9:21",
}

var ultra = []Param{
	nullable(optionalPrompt), withDefault(upsampling, false).notNullable(), seed, withDefault(aspectRatio, "16:9"),
	tolerance(6), format("jpeg"), ranged("image_prompt_strength", Number, 0, 1, 0.1, "blend between the prompt and the reference"),
}

var (
	fillSteps    = steps(15, 50, 50)
	fillGuidance = guidance(100, 60.0)
)

var fill = []Param{
	nullable(optionalPrompt), nullable(fillSteps), withDefault(upsampling, false), seed, nullable(fillGuidance), format("jpeg"), tolerance(6),
}

var fillFinetuned = []Param{
	optionalPrompt, fillSteps, withDefault(upsampling, false).notNullable(), seed, fillGuidance,
	format("jpeg"), tolerance(6),
}

// inputs that models share.
var (
	imagePrompt = Inputs{References: []string{"image_prompt"}, NoURL: true}
	painting    = Inputs{References: []string{"image"}, Required: 1, Mask: "mask", NoURL: true}
	editing     = func() Inputs {
		in := references(8)
		// The schema has four fields, three of them "experimental"; the endpoint document has
		// eight.
		in.Documented = 4
		return in
	}()
)

// references returns the first n of the fields input_image, input_image_2, ...
func references(n int) Inputs {
	fields := []string{
		"input_image", "input_image_2", "input_image_3", "input_image_4",
		"input_image_5", "input_image_6", "input_image_7", "input_image_8",
	}
	return Inputs{References: fields[:n:n]}
}

// limited returns inputs whose one field is a list, or a single image, within limits.
func limited(in Inputs, limits InputLimits) Inputs {
	in.OneOrList, in.Limits = true, limits
	return in
}

func freeSide(name string) Param {
	return Param{
		Name: name, Kind: Integer, Nullable: true, Min: 64, Bounded: Below, MultipleOf: 16,
		About: "pixels, by default as the first reference, or 1024",
	}
}

// ranged describes a number from least to most.
func ranged(name string, kind Kind, least, most float64, byDefault any, about string) Param {
	return Param{Name: name, Kind: kind, Min: least, Max: most, Bounded: Between, Default: byDefault, About: about}
}

func steps(least, most float64, byDefault int) Param {
	return ranged("steps", Integer, least, most, byDefault, "inference steps")
}

func guidance(most, byDefault float64) Param {
	return ranged("guidance", Number, 1.5, most, byDefault, "how closely the prompt is followed")
}

func side(name string, byDefault int) Param {
	p := ranged(name, Integer, 256, 1440, byDefault, "pixels")
	p.MultipleOf = 32
	return p
}

func margin(name string) Param {
	return nullable(ranged(name, Integer, 0, 2048, 0, "pixels to add on this side"))
}

func offset(name, edge string) Param {
	return Param{
		Name: name, Kind: Integer, Nullable: true, About: "pixels from the canvas's " + edge + " edge to the image's, by default so that it is in the middle",
	}
}

func required(p Param) Param {
	p.Required, p.Nullable = true, false
	p.About = "pixels of the canvas"
	return p
}

func tolerance(most float64) Param {
	return ranged("safety_tolerance", Integer, 0, most, 2, "moderation, 0 is the strictest")
}

func format(byDefault string) Param {
	return Param{
		Name: "output_format", Kind: String, Nullable: true, Enum: []string{"jpeg", "png", "webp"}, Default: byDefault,
		About: "format of the file",
	}
}

func finetune(strength float64) []Param {
	return []Param{
		{Name: "finetune_id", Kind: String, Required: true, About: "name of the fine-tune, or organisation/name"},
		ranged("finetune_strength", Number, 0, 2, strength, "0 is no influence, 1 full influence"),
	}
}

func withDefault(p Param, value any) Param {
	p.Default = value
	return p
}

func nullable(p Param) Param {
	p.Nullable = true
	return p
}

func (p Param) notNullable() Param {
	p.Nullable = false
	return p
}
