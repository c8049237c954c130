package image

// Rare is what few images have. It is set through Image.Rare, and read through methods of its
// fields' names.
type Rare struct {
	// Renditions are made from it here, sorted by name.
	Renditions []Rendition
	Lifecycle  Lifecycle
	// Candidates is how many pictures are to be made to choose one from, 0 or 1 for an image
	// without a choice, and Pick the number of the one that the configuration picks, 0 where it
	// picks none.
	Candidates, Pick int
	// Gates judge the candidates.
	Gates []Gate
	// More is how many candidates somebody wants beyond those that the configuration names. They
	// are in Candidates once the planner has seen the image.
	More int
	// Sensitive are the names of arguments, and the fields of references, that come from sensitive
	// values, sorted. They are sent, and neither shown nor recorded.
	Sensitive []string
	// ConfiguredSeed is the seed that the configuration names, where another one was drawn in its
	// place and stands among the arguments; nil otherwise.
	ConfiguredSeed *int64
}

// nothingRare is what most images have. Nobody sets anything in it.
var nothingRare Rare

// Rare gives the image what few images have in a copy of its own, to be set at once. So an image
// that was copied from another one does not change with it.
func (img *Image) Rare() *Rare {
	own := *img.few()
	img.rare = &own
	return img.rare
}

// few returns the same, to be read.
func (img *Image) few() *Rare {
	if img.rare == nil {
		return &nothingRare
	}
	return img.rare
}

// Renditions returns Rare.Renditions.
func (img *Image) Renditions() []Rendition { return img.few().Renditions }

// Lifecycle returns Rare.Lifecycle.
func (img *Image) Lifecycle() Lifecycle { return img.few().Lifecycle }

// Candidates returns Rare.Candidates.
func (img *Image) Candidates() int { return img.few().Candidates }

// Pick returns Rare.Pick.
func (img *Image) Pick() int { return img.few().Pick }

// Gates returns Rare.Gates.
func (img *Image) Gates() []Gate { return img.few().Gates }

// More returns Rare.More.
func (img *Image) More() int { return img.few().More }

// Sensitive returns Rare.Sensitive.
func (img *Image) Sensitive() []string { return img.few().Sensitive }

// ConfiguredSeed returns Rare.ConfiguredSeed.
func (img *Image) ConfiguredSeed() *int64 { return img.few().ConfiguredSeed }
