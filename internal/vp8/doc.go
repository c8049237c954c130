// Package vp8 writes pictures as VP8 key frames, which is what a lossy WebP file holds (RFC 6386).
//
//   - A macroblock is 16 x 16 pixels: one block of luma, and two of chroma in half the resolution.
//   - A prediction is what a block is expected to look like by its neighbours above and to the left, as
//     they come out when they are decoded. One is made for a macroblock or for each 4 x 4 pixels of it.
//   - The residual is what is lacking. It is transformed, quantized, and written as tokens.
//
// All arithmetic is in whole numbers, so that a picture comes out byte for byte the same on every
// machine. Frames are written by one goroutine each; Encode is safe for concurrent use.
package vp8
