package bfl

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Credits is an amount of the API's currency in thousandths of a credit. One credit is one US cent.
// It is an integer so that thousands of prices such as 1.4 add up exactly.
type Credits int64

// CreditsOf returns an amount given in credits, rounded to a thousandth. Amounts that are no
// number, or that are too large to be a price, are 0.
func CreditsOf(credits float64) Credits {
	if math.IsNaN(credits) || math.Abs(credits) > 1e12 {
		return 0
	}
	return Credits(math.Round(credits * 1000))
}

// Float returns the amount in credits.
func (c Credits) Float() float64 { return float64(c) / 1000 }

// Dollars returns the amount as US dollars, such as "$0.19": with two decimals, and with as many
// more as it has, such as "$0.045", so that amounts which are shown add up to their sum.
func (c Credits) Dollars() string {
	sign := ""
	if c < 0 {
		sign, c = "-", -c
	}
	return sign + "$" + c.decimal()
}

// decimal returns an amount that is not negative in US dollars as an exact decimal number of at
// least two places.
func (c Credits) decimal() string {
	whole, part := int64(c)/creditsPerDollar, fmt.Sprintf("%05d", int64(c)%creditsPerDollar)
	return fmt.Sprintf("%d.%s", whole, part[:2]+strings.TrimRight(part[2:], "0"))
}

// creditsPerDollar is how many thousandths of a credit a dollar is.
const creditsPerDollar = 100_000

// Decimal returns the amount in US dollars as an exact decimal number, such as "0.045", for
// arithmetic that must not see binary fractions.
func (c Credits) Decimal() string { return strings.Replace(c.Dollars(), "$", "", 1) }

// USD returns the amount in US dollars.
func (c Credits) USD() float64 { return float64(c) / 100_000 }

// MarshalJSON writes the amount in credits as a JSON number.
func (c Credits) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, c.Float(), 'f', -1, 64), nil
}

// UnmarshalJSON reads an amount in credits. Null leaves it as it is.
func (c *Credits) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	f, err := strconv.ParseFloat(string(data), 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > 1e12 {
		return fmt.Errorf("%q is not an amount of credits", data)
	}
	*c = CreditsOf(f)
	return nil
}

// PricesAsOf is the month in which the price table was last held against its sources.
const PricesAsOf = "2026-10"

// PriceSource says how a price is known.
type PriceSource string

// The sources of prices.
const (
	// Listed prices stand in BFL's price list.
	Listed PriceSource = "list"
	// Seen prices stand there too, and answers of the API were seen that charge them.
	Seen PriceSource = "seen"
	// Unlisted prices stand nowhere. There is none, or that of another model stands in.
	Unlisted PriceSource = "unlisted"
)

// Price is what a model charges for an image: by its megapixels, a fixed amount, or by the value of
// an argument. The zero Price costs nothing.
type Price struct {
	// First is for the first megapixel of the output, Further for each one after it and for each of
	// the inputs.
	First, Further Credits
	// Image, when not 0, is for the image whatever its size.
	Image Credits
	// By, when not "", names the argument whose value decides, and Tiers are the values that have a
	// price.
	By    string
	Tiers []Tier
	// Unknown says that no price is known.
	Unknown bool
	// Source says how the price is known; "" for models that a configuration declares.
	Source PriceSource
	// Of is the model whose price stands in for one that is Unlisted, "" where none does.
	Of string
}

// Tier is the price of an image for one value of the argument that decides.
type Tier struct {
	Value string
	Price Credits
}

// highest returns the highest price of a model that has one for each value of an argument, false
// where no price is known of it.
func (p Price) highest() (Credits, bool) {
	var most Credits
	for _, tier := range p.Tiers {
		most = max(most, tier.Price)
	}
	return most, len(p.Tiers) > 0 && !p.Unknown
}

// pixelsPerMegapixel is the API's unit of price: a megapixel is 1024 x 1024, as its answers show
// for the sizes known.
const pixelsPerMegapixel = 1024 * 1024

// Megapixels returns how many megapixels a size is charged as: each image is rounded up to whole
// ones.
func Megapixels(s Size) int {
	if s.Width <= 0 || s.Height <= 0 {
		return 0
	}
	return megapixelsOf(min(s.Width, maxSide) * min(s.Height, maxSide))
}

func megapixelsOf(pixels int) int { return (pixels + pixelsPerMegapixel - 1) / pixelsPerMegapixel }

// Cost returns the price of an image of outputMP megapixels made from inputs of inputMP megapixels
// together:
//
//	first + (outputMP - 1) x further + inputMP x further
//
// as BFL's price pages give it.
func (p Price) Cost(outputMP, inputMP int) Credits {
	if p.Image != 0 {
		return p.Image
	}
	return p.First + Credits(max(outputMP, 1)-1)*p.Further + Credits(max(inputMP, 0))*p.Further
}

// The API scales references down before it makes anything of them, and charges what is left: the
// only one to about 4 megapixels, each of several to 1.
const (
	maxOnlyReference = 2024 * 2024
	maxEachReference = 1024 * 1024
)

// BilledPixels returns how many pixels each of the request's inputs is charged with, 0 for one
// whose extent is not known.
func (r *Request) BilledPixels() []int {
	most := maxOnlyReference
	if len(r.Inputs) > 1 {
		most = maxEachReference
	}
	pixels := make([]int, len(r.Inputs))
	for i, in := range r.Inputs {
		if s := in.Size; s.Width > 0 && s.Height > 0 {
			pixels[i] = min(s.Width, maxSide) * min(s.Height, maxSide)
		}
		pixels[i] = min(pixels[i], most)
	}
	return pixels
}

// Quote is what a request costs by the price table.
type Quote struct {
	// Cost is the price, 0 where it is unknown.
	Cost Credits
	// AtLeast says that it may be more, because something is known only later, or never, such as
	// the extent of an image behind a URL. That counts as one megapixel.
	AtLeast bool
	// Unknown says that the table has no price for the request, or that what decides about it is
	// known only later.
	Unknown bool
	// Reserve is what counts against a cap: Cost or, where that is unknown, the highest price that
	// is known of the model.
	Reserve Credits
	// Uncapped says that no price at all is known of the model, so that no cap can be kept.
	Uncapped bool
}

// Quote returns what the request costs, as far as the extents of its inputs are known.
func (r *Request) Quote() Quote {
	price := r.Model.Price
	switch {
	case price.Unknown, price.By != "":
		return r.tierQuote()
	case price.Image != 0:
		return Quote{Cost: price.Image, Reserve: price.Image}
	}
	size, known := r.OutputSize()
	inputMP := 0
	for _, pixels := range r.BilledPixels() {
		inputMP += max(megapixelsOf(pixels), 1)
		// Of several, none counts more than that one.
		known = known && (pixels > 0 || len(r.Inputs) > 1)
	}
	outputMP := 1
	if known || size.Width > 0 {
		outputMP = Megapixels(size)
	}
	cost := price.Cost(outputMP, inputMP)
	return Quote{Cost: cost, Reserve: cost, AtLeast: !known && price.Further != 0}
}

// tierQuote is Quote for prices that are unknown, or that an argument decides on.
func (r *Request) tierQuote() Quote {
	price := r.Model.Price
	if value, ok := r.decisive(price.By); ok && !price.Unknown {
		for _, tier := range price.Tiers {
			if tier.Value == value {
				return Quote{Cost: tier.Price, Reserve: tier.Price}
			}
		}
	}
	most, ok := price.highest()
	return Quote{Unknown: true, Reserve: most, Uncapped: !ok}
}

// decisive returns the value of the argument that decides on the price, or what it is by default.
// It reports false where that is not known.
func (r *Request) decisive(name string) (string, bool) {
	switch v := r.Value(name).(type) {
	case string:
		return v, true
	case json.RawMessage:
		if text := jsonText(v); text != "" {
			return text, true
		}
		return string(v), true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return number(v), true
	}
	p := r.Model.Param(name)
	if p == nil || p.Default == nil || r.Has(name) {
		return "", false
	}
	return fmt.Sprint(p.Default), true
}
