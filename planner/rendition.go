package planner

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// What is made here from pictures is planned beside the images: it costs nothing, and no image is
// ever made for its sake. Where it goes into the request of another image, see derived. It is made again exactly when one of the
// pictures, an argument, what it tells of its origin, or the maker is another, or its file is not
// there as it was made.

// The reasons for which files are made here again, besides those that they share with images.
const (
	// PictureChanged: a picture that it is made from is another one, or will be.
	PictureChanged ReasonKind = "picture_changed"
	// ArgumentsChanged: an argument is another, or what the file tells of its origin.
	ArgumentsChanged ReasonKind = "arguments_changed"
	// PathChanged: the file has another path.
	PathChanged ReasonKind = "path_changed"
	// MakerChanged: this version makes it otherwise.
	MakerChanged ReasonKind = "maker_changed"
)

// Made is what a configuration declares to be made here besides the renditions of images.
type Made struct {
	Sheets []*image.Sheet
	Assets []*image.Asset
}

// RenditionChange is what a plan does with a rendition or a sheet: Create, Replace, Move, Destroy or
// Forget.
type RenditionChange struct {
	Address addrs.Rendition
	Action  Action
	Reason  ReasonKind
	// From is the address that it had before, nil where it does not move.
	From *addrs.Rendition
	// Prior is what is on record, nil where there is nothing.
	Prior *state.Rendition
	// Recipe says how it is made, of which pictures, and where it goes; nil where it goes away.
	Recipe        *image.Recipe
	Cells         []image.Cell
	Output, Atlas string
	// Asset is the picture of a rendition that is made from a file.
	Asset *image.Asset
}

// Makes reports whether files are made.
func (c *RenditionChange) Makes() bool { return c.Action == Create || c.Action == Replace }

// recipeUse is what a key is remembered by: nearly all renditions of a block have one.
type recipeUse struct {
	recipe    *image.Recipe
	model     string
	composite bool
}

// decideRenditions plans the renditions of an image that was decided on.
func (p *Planner) decideRenditions(c *decision, desired *image.Image) {
	if len(desired.Renditions()) == 0 {
		return
	}
	var cells []image.Cell
	for i := range desired.Renditions() {
		r := &desired.Renditions()[i]
		change := RenditionChange{
			Address: addrs.Rendition{Of: desired.Address, Name: r.Name}, Recipe: r.Recipe, Output: r.Output,
		}
		p.recall(&change, c.From())
		if c.left || c.Withheld() || c.Lost() {
			continue // The picture stays what it is, if it is there at all.
		}
		same := change.Prior != nil && len(change.Prior.From) == 1 && change.Prior.From[0] == c.content()
		if !p.due(&change, same, func() string { return p.key(r.Recipe, c) }) {
			continue
		}
		if cells == nil {
			cells = []image.Cell{{Image: desired.Address}} // shared by all of the image
		}
		change.Cells = cells
		p.plans(&change)
	}
}

// piece is how many changes are allocated at once.
const piece = 256

// plans adds a change to the plan.
func (p *Planner) plans(c *RenditionChange) {
	if len(p.spare) == 0 {
		p.spare = make([]RenditionChange, piece)
	}
	p.spare[0] = *c
	p.renditions = append(p.renditions, &p.spare[0])
	p.spare = p.spare[1:]
}

// assets plans what is made of files that nobody bought.
func (p *Planner) assets(assets []*image.Asset) {
	if p.opts.Only != nil {
		return // Those that an image is made from were planned with it.
	}
	for _, asset := range assets {
		for i := range asset.Renditions {
			p.ofAsset(asset, &asset.Renditions[i])
		}
	}
}

// ofAsset plans a rendition of a file that nobody bought, unless that was done.
func (p *Planner) ofAsset(asset *image.Asset, r *image.Rendition) {
	at := addrs.Rendition{Kind: addrs.OfAsset, Of: asset.Address, Name: r.Name}
	if p.ofAssets[at] {
		return
	}
	p.ofAssets[at] = true
	change := RenditionChange{Address: at, Recipe: r.Recipe, Output: r.Output, Asset: asset}
	p.recall(&change, nil)
	same := change.Prior != nil && slices.Equal(change.Prior.From, []string{asset.Content})
	if p.due(&change, same, func() string { return r.Key(image.Mark{}, nil) }) {
		p.plans(&change)
	}
}

// recall finds what is on record of a rendition, perhaps under an address that its image had before.
func (p *Planner) recall(change *RenditionChange, from *addrs.Image) {
	if p.opts.Prior == nil || len(p.opts.Prior.Renditions) == 0 {
		return
	}
	if change.Prior = p.recorded(change.Address, from); change.Prior == nil {
		return
	}
	p.found++
	if from != nil && p.opts.Prior.Renditions[change.Address] == nil {
		change.From = &addrs.Rendition{Of: *from, Name: change.Address.Name}
	}
}

// due decides what is to be done for a rendition or a sheet, and reports whether there is anything.
// same says that it was made from the pictures that will be there, which are then all known.
func (p *Planner) due(change *RenditionChange, same bool, key func() string) bool {
	prior := change.Prior
	if prior == nil {
		change.Action, change.Reason = Create, NotInState
		return true
	}
	change.Action = Replace
	at := change.Address
	if change.From != nil {
		at = *change.From
	}
	switch {
	case !same:
		change.Reason = PictureChanged
	case key() != prior.Arguments:
		change.Reason = ArgumentsChanged
	case prior.Maker != image.Maker:
		change.Reason = MakerChanged
	case !hasFiles(prior, change.Files()):
		change.Reason = PathChanged
	case len(p.opts.Made) > 0 && p.opts.Made[at] == state.Missing:
		change.Action, change.Reason = Create, FileMissing
	case len(p.opts.Made) > 0 && p.opts.Made[at] == state.Changed:
		change.Reason = FileChanged
	case change.From != nil:
		change.Action = Move
	default:
		return false
	}
	return true
}

// Files are the paths of the files that are made.
func (c *RenditionChange) Files() []string {
	if c.Address.Kind != addrs.Sheet {
		return []string{c.Output}
	}
	return c.Recipe.SheetFiles(len(c.Cells), c.Output, c.Atlas)
}

// Pages is how many files of pictures are made: one, but for large sheets.
func (c *RenditionChange) Pages() int {
	if c.Atlas != "" {
		return len(c.Files()) / 2
	}
	return len(c.Files())
}

// hasFiles reports whether the files on record are at these paths.
func hasFiles(prior *state.Rendition, paths []string) bool {
	return slices.EqualFunc(prior.Files, paths, func(f state.File, path string) bool { return f.Path == path })
}

// key identifies the arguments of a rendition of an image whose picture is known.
func (p *Planner) key(recipe *image.Recipe, c *decision) string {
	if c.shown == nil {
		// It is imported, and then the model is what the configuration says.
		return recipe.Key(image.Mark{Models: []string{c.Desired.Model.Name}}, nil)
	}
	if recipe.Prompt {
		return recipe.Key(state.MarkOf(recipe, c.shown), nil)
	}
	use := recipeUse{recipe, c.shown.Model, c.shown.Made != nil}
	key, isKnown := p.keys[use]
	if !isKnown {
		key = recipe.Key(state.MarkOf(recipe, c.shown), nil)
		p.keys[use] = key
	}
	return key
}

// renditionsGo plans to remove what is on record and not declared any more.
func (p *Planner) renditionsGo(sheets []*image.Sheet, assets []*image.Asset, removals []config.Removal) {
	if p.opts.Prior == nil || p.found == len(p.opts.Prior.Renditions) {
		return
	}
	stays := map[addrs.Rendition]bool{}
	for _, c := range p.decided {
		if c.Desired == nil {
			continue // The plan is limited to others.
		}
		for _, r := range c.Desired.Renditions() {
			stays[addrs.Rendition{Of: c.Address, Name: r.Name}] = true
			if c.From() != nil {
				stays[addrs.Rendition{Of: *c.From(), Name: r.Name}] = true
			}
		}
	}
	for _, s := range sheets {
		stays[s.Address] = true
	}
	for _, a := range assets {
		for _, r := range a.Renditions {
			stays[addrs.Rendition{Kind: addrs.OfAsset, Of: a.Address, Name: r.Name}] = true
		}
	}
	for addr, prior := range p.opts.Prior.Renditions {
		if stays[addr] || p.opts.Only != nil && (addr.Kind != addrs.OfImage || !p.opts.Only[addr.Of]) {
			continue
		}
		change := &RenditionChange{Address: addr, Action: Destroy, Reason: NotInConfiguration, Prior: prior}
		for _, removal := range removals {
			if addr.Kind == addrs.OfImage && removal.From.Contains(addr.Of) && !removal.Destroy {
				change.Action = Forget
			}
		}
		p.renditions = append(p.renditions, change)
	}
}

// renditionsDestroyed plans to remove all that was made here, or what was made of the images that the
// plan is limited to.
func (p *Planner) renditionsDestroyed() {
	if p.opts.Prior == nil {
		return
	}
	for addr, prior := range p.opts.Prior.Renditions {
		if p.opts.Only == nil || addr.Kind == addrs.OfImage && p.opts.Only[addr.Of] {
			p.renditions = append(p.renditions, &RenditionChange{Address: addr, Action: Destroy, Reason: DestroyRequested, Prior: prior})
		}
	}
}

func (p *Planner) sortedRenditions() []*RenditionChange {
	slices.SortFunc(p.renditions, func(a, b *RenditionChange) int { return a.Address.Compare(b.Address) })
	return p.renditions
}
