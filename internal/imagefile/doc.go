// Package imagefile tells whether a file is a whole image, by its structure.
//
// It reads a PNG, JPEG or WebP file once, from the first byte to the last, and never decodes it:
// memory is constant, and a small file that unpacks to something enormous does no harm. What it
// finds out is
//
//   - the format, by the file's own signature rather than its name or what a server called it;
//   - whether the file is complete: each PNG chunk with its checksum up to IEND, each JPEG segment and scan up to the end
//     marker, each WebP chunk up to the length that the file announces;
//   - its dimensions, its length, and the SHA-256 of its bytes;
//   - which picture it shows, by a hash of what makes the picture, which metadata and what stands behind the image do not change.
//
// A file that passes can still hold pixels that no decoder likes, since nothing is decompressed.
// For a file that came over a network the structure is what breaks: it ends early, it is an error
// page, or bytes in it were changed.
package imagefile
