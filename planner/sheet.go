package planner

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// sheets plans the sheets, when all images were decided on.
func (p *Planner) sheets(sheets []*image.Sheet) {
	for _, sheet := range sheets {
		p.ofAssetCells(sheet)
	}
	changed := map[addrs.Rendition]bool{}
	if len(sheets) > 0 {
		for _, c := range p.renditions {
			changed[c.Address] = c.Makes()
		}
	}
	for _, sheet := range sheets {
		change := RenditionChange{Address: sheet.Address, Recipe: sheet.Recipe, Output: sheet.Output, Atlas: sheet.Atlas, Cells: sheet.Cells}
		p.recall(&change, nil)
		pictures, ok := p.pictures(sheet, changed)
		same := ok && change.Prior != nil && slices.Equal(contentsOf(pictures), change.Prior.From)
		if !ok || !p.due(&change, same, func() string { return sheetKey(sheet, pictures) }) {
			continue
		}
		p.plans(&change)
	}
}

// ofAssetCells plans what a sheet shows of files that nobody bought, where a plan that is limited to
// some images has the sheet.
func (p *Planner) ofAssetCells(sheet *image.Sheet) {
	if p.opts.Only == nil || !p.isSelected(sheet) {
		return
	}
	for _, cell := range sheet.Cells {
		if cell.Asset != nil {
			p.ofAsset(cell.Asset, cell.Asset.Rendition(cell.Rendition))
		}
	}
}

// isSelected reports whether a sheet is in the plan: one that is limited to some images leaves out
// those that show others, or no image at all.
func (p *Planner) isSelected(sheet *image.Sheet) bool {
	images := 0
	for _, cell := range sheet.Cells {
		if cell.Asset != nil {
			continue
		}
		if images++; !p.isThereFor(cell) {
			return false
		}
	}
	return images > 0 || p.opts.Only == nil
}

// isThereFor reports whether the image of a cell will be there when the sheet is made.
func (p *Planner) isThereFor(cell image.Cell) bool {
	c := p.change(cell.Image)
	return c != nil && !c.left && !c.Withheld() && !c.Lost()
}

// picture is a cell of a sheet as far as it is known: content is "" where it is not.
type picture struct {
	content string
	image   *state.Image
	model   string
	// own says that nobody bought it.
	own bool
}

// pictures finds the pictures of a sheet. It reports false where one of them will not be there, or
// the plan is limited to others.
func (p *Planner) pictures(sheet *image.Sheet, changed map[addrs.Rendition]bool) ([]picture, bool) {
	if !p.isSelected(sheet) {
		return nil, false
	}
	pictures := make([]picture, len(sheet.Cells))
	for i, cell := range sheet.Cells {
		at, isRendition := cell.At()
		if cell.Asset != nil {
			pictures[i].own = true
		} else {
			c := p.change(cell.Image)
			pictures[i] = picture{content: c.content(), image: c.shown}
			if c.Desired != nil {
				pictures[i].model = c.Desired.Model.Name
			}
			if isRendition && c.From() != nil {
				changed[at] = true
			}
		}
		if !isRendition {
			continue
		}
		pictures[i].content = ""
		if prior := p.recorded(at, nil); prior != nil && !changed[at] {
			pictures[i].content = prior.Picture().Identity()
		}
	}
	return pictures, true
}

// contentsOf returns the contents of pictures, "" for those that are not known.
func contentsOf(pictures []picture) []string {
	contents := make([]string, len(pictures))
	for i, p := range pictures {
		contents[i] = p.content
	}
	return contents
}

func sheetKey(sheet *image.Sheet, pictures []picture) string {
	var mark image.Mark
	own := false
	for _, p := range pictures {
		switch {
		case p.own:
			own = true
		case p.image != nil:
			mark = state.AddMark(mark, p.image)
		case !slices.Contains(mark.Models, p.model):
			mark.Models = append(mark.Models, p.model)
		}
	}
	if own {
		mark = mark.WithOwn()
	}
	return sheet.Key(mark, cellNames(sheet.Cells))
}

// cellNames are the names by which the pictures of a sheet are found in its atlas.
func cellNames(cells []image.Cell) []string {
	names := make([]string, len(cells))
	for i, c := range cells {
		names[i] = c.String()
	}
	return names
}
