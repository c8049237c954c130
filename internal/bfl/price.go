package bfl

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Credits is an amount of the API's currency in thousandths of a credit. One credit is one US cent. It is an integer
// so that thousands of prices such as 1.4 add up exactly.
type Credits int64

// CreditsOf returns an amount given in credits, rounded to a thousandth. Amounts that are no number, or that are too
// large to be a price, are 0.
func CreditsOf(credits float64) Credits {
	if math.IsNaN(credits) || math.Abs(credits) > 1e12 {
		return 0
	}
	return Credits(math.Round(credits * 1000))
}

// Float returns the amount in credits.
func (c Credits) Float() float64 { return float64(c) / 1000 }

// Dollars returns the amount as US dollars with two decimals, such as "$0.19".
func (c Credits) Dollars() string {
	sign := ""
	if c < 0 {
		sign, c = "-", -c
	}
	cents := (int64(c) + 500) / 1000
	return fmt.Sprintf("%s$%d.%02d", sign, cents/100, cents%100)
}

// ExactDollars is Dollars with further decimals where there are any, such as "$0.014", for amounts that are compared.
func (c Credits) ExactDollars() string {
	if c%1000 == 0 {
		return c.Dollars()
	}
	return strings.Replace("$"+strconv.FormatFloat(c.USD(), 'f', -1, 64), "$-", "-$", 1)
}

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

// PricesAsOf is the month of the price table.
const PricesAsOf = "2026-02"

// Price is what a model charges for an image: either by its megapixels, or a fixed amount.
type Price struct {
	// First is for the first megapixel of the output, Further for each one after it and for each of the inputs.
	First, Further Credits
	// Image, when not 0, is for the image whatever its size.
	Image Credits
}

// pixelsPerMegapixel is the API's unit of price: a megapixel is 1024 x 1024, as its answers show for the sizes known.
const pixelsPerMegapixel = 1024 * 1024

// Megapixels returns how many megapixels a size is charged as: each image is rounded up to whole ones.
func Megapixels(s Size) int {
	if s.Width <= 0 || s.Height <= 0 {
		return 0
	}
	return megapixelsOf(min(s.Width, maxSide) * min(s.Height, maxSide))
}

func megapixelsOf(pixels int) int { return (pixels + pixelsPerMegapixel - 1) / pixelsPerMegapixel }

// Cost returns the price of an image of outputMP megapixels made from inputs of inputMP megapixels together:
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

// The API scales references down before it makes anything of them, and charges what is left: the only one to about 4 megapixels, each of several to 1.
const (
	maxOnlyReference = 2024 * 2024
	maxEachReference = 1024 * 1024
)

// BilledPixels returns how many pixels each of a request's inputs is charged with, 0 for one whose extent is not known.
func BilledPixels(inputs []Size) []int {
	most := maxOnlyReference
	if len(inputs) > 1 {
		most = maxEachReference
	}
	pixels := make([]int, len(inputs))
	for i, s := range inputs {
		if s.Width > 0 && s.Height > 0 {
			pixels[i] = min(s.Width, maxSide) * min(s.Height, maxSide)
		}
		pixels[i] = min(pixels[i], most)
	}
	return pixels
}

// Estimate returns what a request costs by the price table, given the extents of its inputs in their order, zero for one that is not known, such as
// that of an image behind a URL. Something that is not known counts as one megapixel; atLeast reports that the request may cost more for that.
func Estimate(r *Request, inputs []Size) (cost Credits, atLeast bool) {
	all := make([]Size, len(r.Inputs))
	copy(all, inputs)
	size, known := r.OutputSize(all)
	inputMP := 0
	for _, pixels := range BilledPixels(all) {
		inputMP += max(megapixelsOf(pixels), 1)
		// Of several, none counts more than that one.
		known = known && (pixels > 0 || len(all) > 1)
	}
	outputMP := 1
	if known || size.Width > 0 {
		outputMP = Megapixels(size)
	}
	price := r.Model.Price
	return price.Cost(outputMP, inputMP), !known && price.Image == 0 && price.Further != 0
}
