package vp8

// frame is a picture in the making.
type frame struct {
	*planes
	index             int // of the quantizers
	luma, means, tint quantizer
	// lambda is what a bit is worth, in 64ths of a unit of difference.
	lambda int32
	// smooth is the level of the loop filter: the coarser the steps, the higher.
	smooth int32

	blocks []block
	parts  []tokens
	counts [allProbs][2]uint32

	// made has the planes as a decoder has them, before it smoothes them.
	made planes
	// aboveHas and leftHas say which neighbours have coefficients: four of luma, two of each chroma, and
	// the means.
	aboveHas [][9]bool
	leftHas  [9]bool
	// aboveModes and leftModes are the predictions of neighbours.
	aboveModes []uint8
	leftModes  [4]uint8
}

// block is a macroblock.
type block struct {
	// whole says that its luma is predicted as one block, by luma[0].
	whole  bool
	luma   [16]uint8
	chroma uint8
	// skip says that there are no coefficients.
	skip bool
}

// manyPixels is how many a partition has at most; there can be eight.
const manyPixels = 1 << 23

func newFrame(p *planes, index int) *frame {
	f := &frame{planes: p, index: index, blocks: make([]block, p.across*p.down)}
	n := 1
	for n < 8 && len(p.y) > n*manyPixels {
		n *= 2
	}
	f.parts = make([]tokens, n)
	for i := range f.parts {
		f.parts[i] = tokens{list: make([]token, 0, len(p.y)/n), counts: &f.counts}
	}
	f.made = planes{y: make([]uint8, len(p.y)), u: make([]uint8, len(p.u)), v: make([]uint8, len(p.v))}
	f.aboveHas, f.aboveModes = make([][9]bool, p.across), make([]uint8, 4*p.across)
	mean, other := meanSteps[index], steps[index]
	f.luma = newQuantizer(mean, other, 96, 110)
	f.means = newQuantizer(2*mean, max(other*155/100, 8), 96, 108)
	f.tint = newQuantizer(min(mean, 132), other, 110, 115)
	f.lambda = other * lambdaOf
	if f.smooth = min(other/4*300/256, 63); f.smooth < 2 {
		f.smooth = 0
	}
	return f
}

const lambdaOf = 12

// encode goes through the macroblocks.
func (f *frame) encode() {
	var m macroblock
	for y := range f.down {
		f.leftHas, f.leftModes = [9]bool{}, [4]uint8{}
		for x := range f.across {
			m.load(f, x, y)
			b := &f.blocks[y*f.across+x]
			m.predict(f, b)
			m.tokens(f, b, &f.parts[y%len(f.parts)])
			m.store(f)
		}
	}
}
