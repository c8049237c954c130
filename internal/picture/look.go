package picture

import "image"

// Look is what a picture looks like, as far as scaling and compressing it again leave it as it is.
type Look struct {
	hash    uint64
	colours [192]uint8 // of 8 x 8 places
}

// LookOf looks at a picture.
func LookOf(img image.Image) Look {
	l := Look{hash: Hash(img)}
	small := Shrink(img, 8, 8)
	for i := range 64 {
		copy(l.colours[3*i:3*i+3], small.Pix[4*i:4*i+3])
	}
	return l
}

// Like returns how much two pictures look alike, from 0 to 1: by their shapes and by their colours,
// whichever are less alike.
func (l *Look) Like(other *Look) float64 {
	far := 0
	for i, v := range l.colours {
		d := int(v) - int(other.colours[i])
		far += max(d, -d)
	}
	return min(Likeness(l.hash, other.hash), max(1-float64(far)/192/64, 0))
}
