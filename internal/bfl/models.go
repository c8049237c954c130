package bfl

import (
	"slices"
	"strings"
)

// The catalogue. Sources: the API's endpoint document, which wins where sources disagree; the
// published OpenAPI schema of April 2026; BFL's documentation for prices and sizes, and for what
// came after the schema. Where the first two draw a limit differently, differences.go says which
// one stands here.

var catalogue = []*Model{
	{
		Name: "flux-3-image", Title: "FLUX 3 Image: generation and editing, grounded in a search",
		Endpoint: "/v1/flux-3-image",
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
	{
		Name: "flux-2-klein-4b", Title: "FLUX.2 [klein] 4B: fastest generation and editing",
		Endpoint: "/v1/flux-2-klein-4b",
		Params:   flux2, Inputs: references(4), MaxPixels: maxPixels, Sizes: listedSizes, Repeatable: true,
		Price: Price{First: 1_400, Further: 100, Source: Listed},
	},
	{
		Name: "flux-2-klein-9b", Title: "FLUX.2 [klein] 9B: fast, better quality",
		Endpoint: "/v1/flux-2-klein-9b",
		Params:   flux2, Inputs: references(4), MaxPixels: maxPixels, Sizes: listedSizes, Repeatable: true,
		Price: Price{First: 1_500, Further: 200, Source: Listed},
	},
	{
		Name: "flux-2-klein-9b-preview", Title: "FLUX.2 [klein] 9B KV: fast editing with caching, preview",
		Endpoint: "/v1/flux-2-klein-9b-preview",
		Params:   flux2, Inputs: references(4), MaxPixels: maxPixels, Sizes: listedSizes, Repeatable: true, Preview: true,
		Price: Price{First: 1_500, Further: 200, Source: Unlisted, Of: "flux-2-klein-9b"},
	},
	kleinFinetuned("4b", "flux-2-klein-4b"),
	kleinFinetuned("9b", "flux-2-klein-9b"),
	kleinFinetuned("9b-kv", "flux-2-klein-9b"),
	kleinFinetuned("9b-kv-bf16", "flux-2-klein-9b"),
	kleinFinetuned("base-4b", "flux-2-klein-4b"),
	kleinFinetuned("base-9b", "flux-2-klein-9b"),
	{
		Name: "flux-2-pro", Title: "FLUX.2 [pro]: balanced quality and speed",
		Endpoint: "/v1/flux-2-pro",
		Params:   flux2Pro, Inputs: references(8), MaxPixels: maxPixels, Sizes: listedSizes, Repeatable: true,
		Price: Price{First: 3_000, Further: 1_500, Source: Seen},
	},
	{
		Name: "flux-2-pro-preview", Title: "FLUX.2 [pro], preview",
		Endpoint: "/v1/flux-2-pro-preview",
		Params:   flux2Pro, Inputs: references(8), MaxPixels: maxPixels, Sizes: listedSizes, Repeatable: true, Preview: true,
		Price: Price{First: 3_000, Further: 1_500, Source: Unlisted, Of: "flux-2-pro"},
	},
	{
		Name: "flux-2-max", Title: "FLUX.2 [max]: highest quality, grounding search",
		Endpoint: "/v1/flux-2-max",
		Params:   flux2Pro, Inputs: references(8), MaxPixels: maxPixels, Sizes: listedSizes, Repeatable: true,
		Price: Price{First: 7_000, Further: 3_000, Source: Listed},
	},
	{
		Name: "flux-2-flex", Title: "FLUX.2 [flex]: typography, adjustable steps and guidance",
		Endpoint: "/v1/flux-2-flex",
		Params: slices.Concat(flux2, []Param{
			withDefault(upsampling, true),
			{
				Name: "steps", Kind: Integer, Nullable: true, Min: 1, Max: 50, Bounded: Between, Default: 50,
				About: "inference steps",
			},
			{
				// Defaults to 4.5 in the endpoint document and to 5.0 in the schema.
				Name: "guidance", Kind: Number, Nullable: true, Min: 1.5, Max: 10, Bounded: Between, Default: 4.5,
				About: "how closely the prompt is followed",
			},
			{Name: "input_image_blob_path", Kind: String, Nullable: true, About: "BFL's own storage path of the first reference"},
		}),
		Inputs: references(8), MaxPixels: maxPixels, Sizes: listedSizes, Repeatable: true,
		Price: Price{First: 5_000, Further: 5_000, Source: Listed},
	},
	{
		Name: "flux-pro-1.1", Title: "FLUX1.1 [pro]: text to image",
		Endpoint: "/v1/flux-pro-1.1",
		Params: []Param{
			nullable(optionalPrompt), side("width", 1024), side("height", 768), withDefault(upsampling, false).notNullable(),
			seed, tolerance(6), format("jpeg"),
		},
		Inputs: imagePrompt, Repeatable: true,
		Price: Price{Image: 4_000, Source: Listed},
	},
	{
		Name: "flux-pro-1.1-ultra", Title: "FLUX1.1 [pro] ultra: up to 4 megapixels, raw mode",
		Endpoint: "/v1/flux-pro-1.1-ultra",
		Params: slices.Concat(ultra, []Param{{
			Name: "raw", Kind: Boolean, Default: false, About: "less processed, more natural looking",
		}}),
		Inputs: imagePrompt, Repeatable: true,
		Price: Price{Image: 6_000, Source: Listed},
	},
	{
		Name: "flux-pro-1.1-ultra-finetuned", Title: "FLUX1.1 [pro] ultra with a fine-tune of your own",
		Endpoint: "/v1/flux-pro-1.1-ultra-finetuned",
		Params:   slices.Concat(finetune(1.2), ultra),
		Inputs:   imagePrompt, Repeatable: true,
		Price: Price{Image: 6_000, Source: Unlisted, Of: "flux-pro-1.1-ultra"},
	},
	{
		Name: "flux-dev", Title: "FLUX.1 [dev]: open weights",
		Endpoint: "/v1/flux-dev",
		Params: []Param{
			optionalPrompt, side("width", 1024), side("height", 768),
			{
				Name: "steps", Kind: Integer, Nullable: true, Min: 1, Max: 50, Bounded: Between, Default: 28,
				About: "inference steps",
			},
			withDefault(upsampling, false).notNullable(), seed,
			{
				Name: "guidance", Kind: Number, Nullable: true, Min: 1.5, Max: 5, Bounded: Between, Default: 3.0,
				About: "how closely the prompt is followed",
			},
			tolerance(6), format("jpeg"),
		},
		Inputs: imagePrompt, Repeatable: true,
		Price: Price{Image: 2_500, Source: Listed},
	},
	{
		Name: "flux-kontext", Title: "FLUX.1 Kontext: editing",
		Endpoint:   "/v1/flux-kontext",
		Deprecated: true,
		Params:     kontext, Inputs: editing, MaxPixels: maxPixels, Sizes: listedSizes, Repeatable: true,
		Price: Price{Image: 4_000, Source: Listed},
	},
	{
		Name: "flux-kontext-pro", Title: "FLUX.1 Kontext [pro]: editing, the same service as flux-kontext",
		Endpoint:   "/v1/flux-kontext-pro",
		Deprecated: true,
		Params:     kontext, Inputs: editing, MaxPixels: maxPixels, Sizes: listedSizes, Repeatable: true,
		Price: Price{Image: 4_000, Source: Listed},
	},
	{
		Name: "flux-kontext-max", Title: "FLUX.1 Kontext [max]: editing with several references",
		Endpoint:   "/v1/flux-kontext-max",
		Deprecated: true,
		Params:     kontext, Inputs: editing, MaxPixels: maxPixels, Sizes: listedSizes, Repeatable: true,
		Price: Price{Image: 8_000, Source: Listed}, Concurrency: 6,
	},
	{
		Name: "flux-fill", Title: "FLUX.1 Fill: inpainting and object removal",
		Endpoint: "/v1/flux-fill",
		Params:   fill, Inputs: painting, Repeatable: true,
		Price: Price{Image: 5_000, Source: Listed},
	},
	{
		Name: "flux-pro-1.0-fill", Title: "FLUX.1 Fill [pro]: inpainting, the same service as flux-fill",
		Endpoint: "/v1/flux-pro-1.0-fill",
		Params:   fill, Inputs: painting, Repeatable: true,
		Price: Price{Image: 5_000, Source: Listed},
	},
	{
		Name: "flux-pro-1.0-fill-finetuned", Title: "FLUX.1 Fill [pro] with a fine-tune of your own",
		Endpoint: "/v1/flux-pro-1.0-fill-finetuned",
		Params:   slices.Concat(finetune(1.1), fillFinetuned), Inputs: painting, Repeatable: true,
		Price: Price{Image: 5_000, Source: Unlisted, Of: "flux-pro-1.0-fill"},
	},
	{
		Name: "flux-pro-1.0-expand", Title: "FLUX.1 Expand [pro]: adds pixels on any side",
		Endpoint: "/v1/flux-pro-1.0-expand",
		Params:   slices.Concat([]Param{margin("top"), margin("bottom"), margin("left"), margin("right")}, fill),
		Inputs:   Inputs{References: []string{"image"}, Required: 1, NoURL: true}, Repeatable: true,
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
			{
				Name: "dilate_pixels", Kind: Integer, Min: 0, Max: 25, Bounded: Between, Default: 10,
				About: "pixels that the mask is widened by",
			},
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

// kleinFinetuned describes one of the endpoints for fine-tunes of klein. No price list has them;
// the base model's price stands in.
func kleinFinetuned(size, base string) *Model {
	prices := map[string]Price{
		"flux-2-klein-4b": {First: 1_400, Further: 100, Source: Unlisted, Of: base},
		"flux-2-klein-9b": {First: 1_500, Further: 200, Source: Unlisted, Of: base},
	}
	return &Model{
		Name: "flux-2-klein-" + size + "-finetuned", Title: "FLUX.2 [klein] " + strings.ToUpper(size) + " with a fine-tune of your own",
		Endpoint: "/v1/flux-2-klein-" + size + "-finetuned",
		Params:   slices.Concat(finetune(1.0), flux2), Inputs: references(4), MaxPixels: maxPixels, Sizes: listedSizes, Repeatable: true,
		Price: prices[base],
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
	tolerance(6), format("jpeg"),
	{
		Name: "image_prompt_strength", Kind: Number, Min: 0, Max: 1, Bounded: Between, Default: 0.1,
		About: "blend between the prompt and the reference",
	},
}

var fillSteps = Param{
	Name: "steps", Kind: Integer, Nullable: true, Min: 15, Max: 50, Bounded: Between, Default: 50, About: "inference steps",
}

var fillGuidance = Param{
	Name: "guidance", Kind: Number, Nullable: true, Min: 1.5, Max: 100, Bounded: Between, Default: 60.0,
	About: "how closely the prompt is followed",
}

var fill = []Param{
	nullable(optionalPrompt), fillSteps, withDefault(upsampling, false), seed, fillGuidance, format("jpeg"), tolerance(6),
}

var fillFinetuned = []Param{
	optionalPrompt, fillSteps.notNullable(), withDefault(upsampling, false).notNullable(), seed, fillGuidance.notNullable(),
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

func side(name string, byDefault int) Param {
	return Param{
		Name: name, Kind: Integer, Min: 256, Max: 1440, Bounded: Between, MultipleOf: 32, Default: byDefault, About: "pixels",
	}
}

func margin(name string) Param {
	return Param{
		Name: name, Kind: Integer, Nullable: true, Min: 0, Max: 2048, Bounded: Between, Default: 0,
		About: "pixels to add on this side",
	}
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
	return Param{
		Name: "safety_tolerance", Kind: Integer, Min: 0, Max: most, Bounded: Between, Default: 2,
		About: "moderation, 0 is the strictest",
	}
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
		{
			Name: "finetune_strength", Kind: Number, Min: 0, Max: 2, Bounded: Between, Default: strength,
			About: "0 is no influence, 1 full influence",
		},
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
