package planner

import (
	"cmp"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// Options are what a plan depends on besides the configuration.
type Options struct {
	// Prior is the state. The planner only reads it.
	Prior *state.State
	// Files tells of the prior images whose files are not as recorded. Images that it does not list
	// are there.
	Files map[addrs.Image]state.FileStatus
	// Made tells of what was made here and whose files are not as recorded.
	Made map[addrs.Rendition]state.FileStatus
	// Makings are renditions that are not on record any more, and what they were.
	Makings []state.Making
	// Only, when not nil, limits the plan to these images; see Select. Others are left as they are.
	Only map[addrs.Image]bool
	// Brief has the plan list images that stay as they are apart, in Plan.Unchanged, where there is
	// nothing to say about them. Large plans need much less memory so.
	Brief bool
	// Moves are the configuration's moved blocks in their order.
	Moves []addrs.Move
	// Imports are the files to take as images that do not exist yet.
	Imports []config.Import
	// Matches are what an earlier round of planning found; see Settle.
	Matches Matches
	// Holds reports whether the file at a path is one with these bytes: an image that was moved
	// there by hand, or by a run that was cut off before it could record it. It may be nil.
	Holds func(path, sha256 string) bool
	// Choices are the candidates that are picked, by the address of the image, where the
	// configuration picks none.
	Choices map[addrs.Image]int
	// Abandon are the addresses whose tasks are given up.
	Abandon []addrs.Image
	// Replace lists images to make anew although nothing changed.
	Replace []addrs.Image
	// Reroll lists images to replace with a new seed. Those without a seed are made with another
	// one in any case.
	Reroll []addrs.Image
	// Marked are those of which somebody said, in review, that they want another picture. They are
	// replaced as Reroll says.
	Marked []addrs.Image
	// Protected tells where the configuration protects an image from being removed, nil where it
	// does not. It may be nil itself.
	Protected func(addrs.Image) *hcl.Range
	// Stored looks in the store for images with a fingerprint, the best candidate for the address
	// first: those that no simulator made and, with simulated, those that one did too. It is nil
	// where there is no store.
	Stored func(addr addrs.Image, fingerprint string, simulated bool) []*state.Image
	// RetryModerated asks again for images that the API's moderation refused before.
	RetryModerated bool
	// Simulator tells whether a provider may be a simulator: one on this machine may also be a
	// proxy of the real API. Images that a simulator made count only there; real ones count
	// everywhere.
	Simulator func(provider string) bool

	// where tells where the block of an image is declared, for messages. It may be nil.
	where func(addrs.Image) *hcl.Range
}

// Planner collects desired images and plans them one by one. It is for one plan, and not safe for
// concurrent use.
type Planner struct {
	opts    Options
	prior   prior
	replace map[addrs.Image]bool
	// marked are the addresses of opts.Marked.
	marked  map[addrs.Image]bool
	imports map[addrs.Image]*config.Import
	// decided are the changes of all desired images, in the order in which they were decided on,
	// and index those of the first indexed of them by address. Most plans need no index: see
	// change.
	decided []*decision
	index   map[addrs.Image]*decision
	indexed int
	// unchanged are the images that stay as they are, which have no decision, and models those that
	// they have.
	unchanged state.Refs
	models    []*bfl.Model
	// room is memory for decisions to come, and again and record that of one that was dropped and of
	// its image on record; nil where there is none.
	room   []decision
	again  *decision
	record *state.Room
	// place is where the state has the image that the decision begun last is about, and read the memory
	// that it was read into.
	place state.Ref
	read  *state.Room
	// candidates are the decisions on the candidates of those that have some.
	candidates map[*decision][]*decision
	// matched counts the desired images that exist.
	matched int
	// restored are the pictures in the store that a change takes, so that two images that only
	// chance tells apart do not become one.
	restored map[string]bool
	// heirs are addresses that are to have what another one has.
	heirs map[addrs.Image]addrs.Image
	// told are the keys of the tasks that a change takes up.
	told map[string]bool
	// renditions are the changes of what is made here, keys has what identifies their arguments, and
	// found counts those on record that are declared.
	renditions []*RenditionChange
	spare      []RenditionChange
	keys       map[recipeUse]string
	found      int
	// makings has the content of all renditions on record, nil while that was not needed.
	makings map[making]string
	// ofAssets are the renditions of files that were decided on.
	ofAssets map[addrs.Rendition]bool
	// simulators has what opts.Simulator said of providers.
	simulators map[string]bool
	diags      hcl.Diagnostics
}

// New returns a Planner without any desired image.
func New(o Options) *Planner {
	p := &Planner{
		opts: o, prior: newPrior(o), replace: map[addrs.Image]bool{}, marked: map[addrs.Image]bool{}, imports: map[addrs.Image]*config.Import{},
		index: map[addrs.Image]*decision{}, candidates: map[*decision][]*decision{}, restored: map[string]bool{}, told: map[string]bool{},
		simulators: map[string]bool{}, keys: map[recipeUse]string{}, ofAssets: map[addrs.Rendition]bool{},
	}
	for _, addr := range o.Replace {
		p.replace[addr] = true
	}
	for _, addr := range o.Marked {
		p.replace[addr], p.marked[addr] = true, true
	}
	for i := range o.Imports {
		p.imports[o.Imports[i].To] = &o.Imports[i]
	}
	return p
}

// Decide plans one desired image. It must be called for upstream images before those made from
// them, as config.Config.Evaluate does, and answers as config.Decide asks.
func (p *Planner) Decide(desired *image.Image) *image.Result {
	c := p.begin(desired.Address)
	c.unread = desired.Unread
	if c.Prior != nil {
		p.matched++
	}
	if c.Prior != nil && c.Prior.Made != nil && !p.isReplaced(c.Address) && p.opts.Choices[c.Address] == 0 {
		// Somebody's work stays until they want it gone.
		c.edited = !desired.Lifecycle().Frozen
		desired.Rare().Lifecycle.Frozen = true
	}
	var result *image.Result
	if desired.HasChoice() {
		if first := cmp.Or(c.Prior, p.prior.images.Get(desired.Address.Nth(1))); first != nil {
			own := desired.Rare()
			own.More = first.More
			own.Candidates = min(max(own.Candidates, 1)+own.More, image.MaxCandidates)
		}
		result = c.results(p.choose(c, desired))
	} else {
		result = p.decide(c, desired)
	}
	if p.opts.Brief && c.isUnchanged(desired) {
		p.forgo(c, desired, result)
		return result
	}
	p.decided = push(p.decided, c)
	p.decideRenditions(c, desired)
	return result
}

func (p *Planner) decide(c *decision, desired *image.Image) *image.Result {
	prior := c.Prior
	if p.opts.Only != nil && !p.opts.Only[desired.Address.Of()] {
		return p.leave(c)
	}
	Ignore(desired, prior)
	p.reseed(desired, prior)
	img := desired
	c.Desired, c.Simulator = img, p.simulates(img.Provider)
	p.noteMove(&c.Change)
	p.complete(img)
	before := ""
	if prior != nil {
		before = prior.Fingerprint
	}
	c.Fingerprint = img.Request().FingerprintAs(before)
	c.file = p.status(c)
	c.Reasons = p.reasons(img, prior, c)
	p.act(c)
	if c.Frozen && p.freeze(c, desired) {
		return c.keep(c.Kept())
	}
	switch {
	case c.Action == Import:
		p.takeFile(c)
		return nil
	case !c.Makes():
		return c.keep(prior)
	case prior != nil:
		p.guard(img, c)
	}
	p.originate(c)
	p.claim(c)
	if c.Kept() != nil {
		return c.keep(c.Kept())
	}
	c.size = outputSize(img)
	p.sources(c)
	p.extents(c)
	return nil
}

// freeze keeps an image as it is, and has the plan say what it would be. It reports whether it is
// restored, since only its file is not there. Where nothing else is wrong with it, it comes back where
// it is to be now, as it would be moved if the file were there: at its former path another image may
// be by now, with which it swaps paths.
func (p *Planner) freeze(c *decision, desired *image.Image) bool {
	c.Desired = new(*desired)
	isGone, place := onlyReason(c.Reasons, FileMissing), desired.Output
	desired.Rare().Lifecycle.IgnoreAll = true
	Ignore(desired, c.Prior)
	kept := p.comesBack(c)
	if kept == nil {
		return false
	}
	if isGone {
		desired.Output = place
	}
	c.Frozen, c.Desired, c.Fingerprint = false, desired, c.Prior.Fingerprint
	c.Origin, c.Rare().Kept = Restore, kept
	return true
}

// takeFile plans the image of a file that is imported.
func (p *Planner) takeFile(c *decision) {
	if c.Fingerprint == "" {
		p.diags = append(p.diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Image cannot be imported yet",
			Detail:   c.Address.String() + " is made from images that do not exist yet, or change in this plan. Create or import these first.",
			Subject:  p.where(c.Address),
		})
	}
	c.size = c.Import().Size
}

// comesBack returns what the store has of a frozen image whose file here is not the one on record,
// though nobody here made it another one: it is gone, or other machines have put another picture
// on record.
func (p *Planner) comesBack(c *decision) *state.Image {
	if c.file != state.Missing && c.file != state.Outdated {
		return nil
	}
	kept := p.keptOf(c)
	switch {
	case kept == nil:
	case c.file == state.Missing:
		c.Action, c.Reasons = Create, []Reason{{Kind: FileMissing}}
	default:
		c.Action, c.Reasons = Replace, []Reason{{Kind: FileOutdated}}
	}
	return kept
}

// act chooses the action for a desired image.
func (p *Planner) act(c *decision) {
	lost := c.file == state.Missing
	switch {
	case c.Prior == nil && p.imports[c.Address] != nil:
		c.Action, c.Rare().Import = Import, p.imports[c.Address]
	case c.Prior == nil:
		c.Action = Create
	case len(c.Reasons) > 0 && c.Desired.Lifecycle().Frozen:
		c.Action, c.Frozen = NoOp, true
	case lost && onlyReason(c.Reasons, FileMissing):
		c.Action = Create
	case len(c.Reasons) > 0:
		c.Action = Replace
	case c.Prior.DiffersFreely(c.Desired):
		c.Action = Update
	case c.From() != nil:
		c.Action = Move
	default:
		c.Action = NoOp
	}
}

// noteMove notes the former address of an image that moves.
func (p *Planner) noteMove(c *Change) {
	if from, ok := p.prior.from[c.Address]; ok {
		c.Rare().From = new(from)
	}
}

// has reports whether an argument is given.
func (c *Change) has(argument string) bool { return c.Desired.Request().Has(argument) }

// where returns where the block of an image is declared, nil where nobody knows.
func (p *Planner) where(addr addrs.Image) *hcl.Range {
	if p.opts.where == nil {
		return nil
	}
	return p.opts.where(addr)
}

// notInState is the reason of every new image; of a hundred thousand they share it.
var notInState = []Reason{{Kind: NotInState}}

// status returns how the image's file is. One that has the recorded bytes at the path where it is
// to be is the image, wherever a run that was cut off, or the user, left it.
func (p *Planner) status(c *decision) state.FileStatus {
	status := p.prior.files[c.Address]
	if c.spare {
		return state.Present
	}
	if status == state.Present || c.Prior == nil || c.Desired.Output == c.Prior.Output.Path || p.opts.Holds == nil {
		return status
	}
	if p.opts.Holds(c.Desired.Output, c.Prior.Output.SHA256) {
		return state.Present
	}
	return status
}

// guard refuses a change that prevent_destroy forbids.
func (p *Planner) guard(img *image.Image, c *decision) {
	if !img.Lifecycle().PreventDestroy || onlyReason(c.Reasons, FileMissing) || onlyReason(c.Reasons, FileOutdated) {
		return
	}
	p.diags = append(p.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Image is protected from being replaced",
		Detail:   c.Address.String() + " has lifecycle.prevent_destroy, but this plan would replace it. Undo the change that makes a new image necessary, remove prevent_destroy, or leave the image out with -exclude.",
		Subject:  p.where(img.Address),
	})
}

// sources refuses to generate an image from a file that is not what is on record and will not be
// made again. The request names the recorded bytes, so apply could not send it.
func (p *Planner) sources(c *decision) {
	if c.Origin != Generate {
		return
	}
	for i := range c.Desired.References {
		r := &c.Desired.References[i]
		up := p.change(r.Image)
		if !r.IsImage() || up == nil || !up.Frozen || r.Derived != nil && r.SHA256 != "" && !p.isLost(r.Derived, up.From()) {
			continue
		}
		d := &hcl.Diagnostic{Severity: hcl.DiagError, Subject: p.where(c.Address)}
		switch up.file {
		case state.Present:
			continue
		case state.Missing:
			d.Summary = "Frozen image is missing"
			d.Detail = fmt.Sprintf("%s is to be made from %s, which is frozen, and whose file %s is gone. Bring that file back, or remove frozen to generate the image again.", c.Address, r.Image, up.Prior.Output.Path)
		case state.Changed, state.Outdated:
			d.Summary = "Frozen image was edited"
			d.Detail = fmt.Sprintf("%s is to be made from %s, which is frozen, and whose file %s is not the one on record. Bring that file back, keep it as it is now with fluxbatch apply -refresh-only, or remove frozen to generate the image again.",
				c.Address, r.Image, up.Prior.Output.Path)
		}
		p.diags = append(p.diags, d)
	}
}

// claim notes the tasks that a change takes up: the one that it resumes, and those of which it says
// that they may have been charged.
func (p *Planner) claim(c *decision) {
	if c.Task() != nil {
		p.told[c.Task().Key] = true
	}
	if c.Origin != Generate {
		return
	}
	for _, task := range p.unanswered(c) {
		p.told[task.Key] = true
		c.Rare().Unanswered = append(c.Unanswered(), task)
	}
}

// unanswered returns the submissions without an answer that a change is about.
func (p *Planner) unanswered(c *decision) []*state.Task {
	var found []*state.Task
	for _, l := range p.prior.unanswered {
		isSame := c.Fingerprint == "" || l.task.Fingerprint == c.Fingerprint
		if isSame && l.addr == c.Address && !p.told[l.task.Key] {
			found = append(found, l.task)
		}
	}
	return found
}
