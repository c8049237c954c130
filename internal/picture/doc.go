// Package picture holds pictures in memory: it decodes, scales and compares them.
//
// It knows files and pixels, and nothing of images as a configuration declares them. A picture that
// it returns stands upright, however the camera was held: the orientation that EXIF names is
// applied. All functions are pure but for Open, and safe for concurrent use.
package picture
