package image

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// MaxCandidates bounds how many candidates an image has.
const MaxCandidates = 64

// CandidateDir is where the files of candidates are, beside the paths of images. The picture that
// is picked of them stands at the image's own path too.
const CandidateDir = ".fluxbatch/candidates"

// HasChoice reports whether the image has candidates to choose from.
func (img *Image) HasChoice() bool { return img.Candidates() > 1 || len(img.Gates()) > 0 }

// Nth returns the nth candidate of an image, counted from 1: an image of its own, which differs in
// its seed, seed + n - 1, where the image has one, and in where its file is. The image must not
// have been given a candidate's picture yet.
func (img *Image) Nth(n int) *Image {
	c := *img
	c.Address = img.Address.Nth(n)
	c.Output = CandidatePath(img.Output, n)
	own := c.Rare()
	own.Candidates, own.Pick, own.Gates, own.Renditions = 0, 0, nil, nil
	if n > 1 {
		own.More = 0 // The first keeps it, as long as the image itself has no picture.
	}
	// What the block says about its image, it says about the picture that is picked.
	own.Lifecycle = Lifecycle{Undecided: own.Lifecycle.Undecided, ReplaceTriggeredBy: own.Lifecycle.ReplaceTriggeredBy}
	c.Arguments = img.NthArguments(n)
	return &c
}

// NthArguments returns the arguments of the nth candidate.
func (img *Image) NthArguments(n int) []bfl.Argument {
	if n == 1 {
		return img.Arguments
	}
	at := slices.IndexFunc(img.Arguments, func(a bfl.Argument) bool { return a.Name == "seed" })
	if at < 0 {
		return img.Arguments
	}
	seed, ok := img.Arguments[at].Value.(int64)
	if !ok {
		return img.Arguments
	}
	arguments := slices.Clone(img.Arguments)
	arguments[at].Value = seed + int64(n) - 1
	return arguments
}

// CandidatePath returns where the nth candidate of the image with an output is.
func CandidatePath(output string, n int) string {
	ext := path.Ext(output)
	return CandidateDir + "/" + strings.TrimSuffix(output, ext) + "-" + strconv.Itoa(n) + ext
}
