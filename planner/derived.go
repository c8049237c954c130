package planner

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// A rendition that goes into the request of an image is what the picture of an image upstream is:
// its content is known where what is on record is what would be made, and known only after apply
// where it is not. What is lost or was edited is made again by the same recipe, and so comes out as
// it was: the image made from it stays.

// derived returns what is known of a rendition that goes into a request: the identity of its
// picture, "" where only apply can tell, and the extent that it has or is expected to have.
func (p *Planner) derived(d *image.Derived) (content string, size bfl.Size) {
	if d.Asset != nil {
		p.ofAsset(d.Asset, d.Rendition)
		of := bfl.Size{Width: d.Asset.Width, Height: d.Asset.Height}
		key := func() string { return d.Key(image.Mark{}, nil) }
		return p.made(p.recorded(d.Address, nil), d.Asset.Content, key), derivedSize(d.Recipe, of)
	}
	c := p.change(d.Address.Of)
	if c == nil {
		return "", bfl.Size{}
	}
	size = derivedSize(d.Recipe, c.size)
	if c.content() == "" {
		return "", size
	}
	return p.made(p.recorded(d.Address, c.From()), c.content(), func() string { return p.key(d.Recipe, c) }), size
}

// made returns the content of what would be made of a picture, if that is on record: as prior, or
// under any address, since the same comes out wherever it is made, or was once. Else it returns "".
func (p *Planner) made(prior *state.Rendition, of string, key func() string) string {
	if p.opts.Prior == nil {
		return ""
	}
	recipe := making{of, key()}
	if prior != nil && prior.Maker == image.Maker && slices.Equal(prior.From, []string{recipe.of}) && prior.Arguments == recipe.key {
		return prior.Picture().Identity()
	}
	if p.makings == nil {
		p.makings = map[making]string{}
		for _, r := range p.opts.Prior.Renditions {
			if r.Maker == image.Maker && len(r.From) == 1 {
				p.makings[making{r.From[0], r.Arguments}] = r.Picture().Identity()
			}
		}
		for _, m := range p.opts.Makings {
			if at := (making{m.From, m.Arguments}); m.Maker == image.Maker && p.makings[at] == "" {
				p.makings[at] = m.Content
			}
		}
	}
	return p.makings[recipe]
}

// making is what decides on a rendition: the picture that it is made of, and its arguments.
type making struct{ of, key string }

// recorded finds what is on record of a rendition, perhaps under an address that its image had
// before.
func (p *Planner) recorded(at addrs.Rendition, from *addrs.Image) *state.Rendition {
	if p.opts.Prior == nil {
		return nil
	}
	if prior := p.opts.Prior.Renditions[at]; prior != nil || from == nil {
		return prior
	}
	return p.opts.Prior.Renditions[addrs.Rendition{Of: *from, Name: at.Name}]
}

// derivedSize returns the extent of what is made of a picture, zero where that cannot be told.
func derivedSize(r *image.Recipe, of bfl.Size) bfl.Size {
	switch {
	case of.Width > 0 && of.Height > 0:
		w, h := r.Size(of.Width, of.Height)
		return bfl.Size{Width: w, Height: h}
	case r.IsExact():
		return bfl.Size{Width: r.Width, Height: r.Height}
	default:
		return bfl.Size{}
	}
}

// renditionReasons lists the renditions that an image is made from and that are made anew although
// the pictures that they are made of stay.
func (p *Planner) renditionReasons(img *image.Image) []Reason {
	var reasons []Reason
	for i := range img.References {
		r := &img.References[i]
		if r.Derived == nil || r.SHA256 != "" {
			continue
		}
		if up := p.change(r.Image); r.IsImage() && (up == nil || up.content() == "") {
			continue // It is the image that is the reason.
		}
		if reason := (Reason{Kind: RenditionChanges, Rendition: r.Derived.Address}); !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

// isLost reports whether the file of a rendition is not there as it was made.
func (p *Planner) isLost(d *image.Derived, from *addrs.Image) bool {
	at := d.Address
	if from != nil && p.opts.Prior.Renditions[at] == nil {
		at.Of = *from
	}
	return p.opts.Made[at] != state.Present
}
