package planner

import (
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// reasons lists why the image has to be made, in the order in which they matter; none means that it
// is there.
func (p *Planner) reasons(img *image.Image, prior *state.Image, c *decision) []Reason {
	if prior == nil {
		return notInState
	}
	fingerprint := c.Fingerprint
	reasons := p.triggered(img)
	switch {
	case p.marked[img.Address]:
		reasons = append(reasons, Reason{Kind: Marked})
	case p.isReplaced(img.Address):
		reasons = append(reasons, Reason{Kind: Requested})
	}
	if p.taskFor(c, c.Simulator) != nil {
		reasons = append(reasons, Reason{Kind: Interrupted})
	}
	if prior.Result.Simulated && !p.simulates(img.Provider) {
		reasons = append(reasons, Reason{Kind: WasSimulated})
	}
	switch {
	case fingerprint != prior.Fingerprint && SameButIgnored(img, prior):
	case fingerprint == "":
		for _, upstream := range img.Dependencies {
			if up := p.change(upstream); up != nil && up.content() == "" {
				reasons = append(reasons, Reason{Kind: UpstreamChanges, Upstream: upstream})
			}
		}
		reasons = append(reasons, p.renditionReasons(img)...)
		if p.requestChanged(img, prior) {
			reasons = append(reasons, Reason{Kind: RequestChanged})
		}
		if len(reasons) == 0 {
			reasons = append(reasons, Reason{Kind: RequestChanged})
		}
	case fingerprint != prior.Fingerprint:
		reasons = append(reasons, Reason{Kind: RequestChanged})
	}
	switch c.file {
	case state.Missing:
		reasons = append(reasons, Reason{Kind: FileMissing})
	case state.Changed:
		reasons = append(reasons, Reason{Kind: FileChanged})
	case state.Outdated:
		reasons = append(reasons, Reason{Kind: FileOutdated})
	case state.Present:
	}
	return reasons
}

// requestChanged reports whether the request differs in more than the content of images upstream,
// whose fingerprint cannot tell.
func (p *Planner) requestChanged(img *image.Image, prior *state.Image) bool {
	recorded, err := prior.Asked(img.Model)
	return err != nil || !img.SameRequest(recorded.Reveal(img, prior.Fingerprint))
}

// isReplaced reports whether the user wants an image made again, alone or with all candidates of
// its image.
func (p *Planner) isReplaced(addr addrs.Image) bool { return p.replace[addr] || p.replace[addr.Of()] }

func onlyReason(reasons []Reason, kind ReasonKind) bool {
	return len(reasons) == 1 && reasons[0].Kind == kind
}
