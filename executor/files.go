package executor

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// files are the outputs in the root module's directory. Safe for concurrent use by workers that
// work on different images.
type files struct {
	dir     *safefile.Dir
	store   Store
	journal Journal
	index   Index
	// wanted are the paths that images have when the plan is carried out; a file there is never
	// removed. owners are the images on record by their paths.
	wanted map[string]bool
	owners map[string]owner
	// made are the hashes of what was made here, by path. It can be made again.
	made map[string]string
	// known finds the images on record by the hashes of their files. Few runs need it.
	known func() map[string]owner
}

// owner is an image on record.
type owner struct {
	addr addrs.Image
	img  *state.Image
}

func newFiles(plan *planner.Plan, o Options) *files {
	f := &files{dir: o.Dir, store: o.Store, journal: o.Journal, index: o.Index, wanted: map[string]bool{}, owners: map[string]owner{}, made: map[string]string{}}
	for _, c := range plan.Renditions {
		f.expectRendition(c)
	}
	for _, c := range plan.Changes {
		f.expect(c, o.Prior.Images)
	}
	// The journal changes the state while workers ask.
	tasks := slices.Collect(maps.Values(o.Prior.Tasks))
	f.known = sync.OnceValue(func() map[string]owner { return knownBy(plan, tasks) })
	return f
}

// expect notes the paths that an image has before a change and after it, and those of further candidates
// that it may come to.
func (f *files) expect(c *planner.Change, prior *state.Images) {
	switch {
	case c.Desired != nil:
		f.wanted[c.Desired.Output] = true
	case c.Action == planner.NoOp:
		f.wanted[c.Prior.Output.Path] = true
	}
	for i := range c.More() {
		more := c.Choice().Nth(c.NextCandidate() + i)
		f.wanted[more.Output] = true
		if was := prior.Get(more.Address); was != nil {
			f.owners[was.Output.Path] = owner{more.Address, was}
		}
	}
	if c.Prior != nil {
		f.owners[c.Prior.Output.Path] = owner{c.Address, c.Prior}
	}
}

func (f *files) expectRendition(c *planner.RenditionChange) {
	if c.Makes() {
		for _, path := range c.Files() {
			f.wanted[path] = true
		}
	}
	if c.Prior != nil {
		for i := range c.Prior.Files {
			f.made[c.Prior.Files[i].Path] = c.Prior.Files[i].SHA256
		}
	}
}

// knownBy returns the images on record by the hashes of their files.
func knownBy(plan *planner.Plan, tasks []*state.Task) map[string]owner {
	known := make(map[string]owner, len(plan.Changes))
	for _, c := range plan.Changes {
		if c.Prior != nil {
			known[c.Prior.Output.SHA256] = owner{c.Address, c.Prior}
		}
	}
	for _, task := range tasks {
		// A run that was cut off may have put it in place without a record of that.
		if task.Fetched != nil {
			known[task.Fetched.Output.SHA256] = owner{task.Address, task.Image(task.Fetched.Output, task.Fetched.Result)}
		}
	}
	return known
}

// changeFiles carries out all changes that ask the API for nothing, before anything is bought.
// Images go before others come: what goes into the store may be what another change takes out of
// it. On an error nothing may be bought.
func (r *run) changeFiles(plan *planner.Plan) error {
	if err := r.move(plan); err != nil {
		return err
	}
	if err := r.files.collect(plan); err != nil {
		return err
	}
	if err := r.clearPaths(plan); err != nil {
		return err
	}
	var going, coming []*planner.Change
	for _, c := range plan.Changes {
		switch {
		case !isFree(c):
		case c.Action == planner.Destroy || c.Action == planner.Forget:
			going = append(going, c)
		default:
			coming = append(coming, c)
		}
	}
	if err := errors.Join(r.freely(going), r.freely(coming)); err != nil {
		return err
	}
	return r.files.writable(plan)
}

// isFree reports whether there is something to do for a change that asks the API for nothing.
func isFree(c *planner.Change) bool {
	switch c.Action {
	case planner.Update:
		return !c.Judges && !c.Withheld()
	case planner.Destroy, planner.Forget, planner.Import:
		return true
	case planner.Create, planner.Replace:
		return c.Origin == planner.Restore && c.Twin() == nil && !c.Judges
	case planner.NoOp, planner.Move:
	}
	return false
}

// writable makes sure that there can be files in all folders to which bought images go: that one
// cannot be written is better known before.
func (f *files) writable(plan *planner.Plan) error {
	tried := map[string]bool{}
	for _, c := range plan.Changes {
		if !c.MayAsk() || tried[path.Dir(c.Desired.Output)] {
			continue
		}
		tried[path.Dir(c.Desired.Output)] = true
		pending, err := f.dir.Create(c.Desired.Output, 0o644)
		if err == nil {
			err = pending.Abort()
		}
		if disk := noFolder(c.Desired.Output, err); disk != nil {
			return disk
		}
		if err != nil {
			return fmt.Errorf("images cannot be written where they are to go: %w", err)
		}
	}
	return nil
}

// move records new addresses. It comes first, so that every later record is about the address that
// the plan names.
func (r *run) move(plan *planner.Plan) error {
	for _, c := range plan.Changes {
		if c.From() == nil {
			continue
		}
		if err := r.files.journal.Append(state.Moved{From: *c.From(), To: c.Address}); err != nil {
			return fmt.Errorf("moving %s to %s: %w", c.From(), c.Address, err)
		}
	}
	return nil
}

// collect puts into the store what images are to be restored from that stand at other addresses:
// they may be about to go.
func (f *files) collect(plan *planner.Plan) error {
	for _, c := range plan.Changes {
		if c.Donor() == nil {
			continue
		}
		if err := f.keep(*c.Donor(), c.Kept()); err != nil {
			return fmt.Errorf("%s is to have the picture of %s: %w", c.Address, c.Donor(), err)
		}
	}
	return nil
}

// keep makes sure that the store has the image of an address.
func (f *files) keep(addr addrs.Image, img *state.Image) error {
	if f.holds(img.Output.Path, img.Output.SHA256) {
		return f.store.KeepFile(f.dir, img.Output.Path, addr, img)
	}
	if f.store.Whole(img.Output.SHA256) {
		return nil
	}
	return fmt.Errorf("its file %s is not the one on record: %w", img.Output.Path, fs.ErrNotExist)
}

// holds reports whether the file at a path is one with these bytes.
func (f *files) holds(path, sha256 string) bool {
	sum, err := f.index.Hash(f.dir, path)
	return err == nil && sum == sha256
}

// clearPaths moves into the store every file at a path that another image is to have, as when two
// images swap paths. What a run that was cut off had put there already stays.
func (r *run) clearPaths(plan *planner.Plan) error {
	room := newRoom(r.files, plan)
	for _, c := range plan.Changes {
		if c.Action == planner.NoOp || c.Desired == nil {
			continue
		}
		if err := room.clear(c.Desired.Output); err != nil {
			return fmt.Errorf("%s is to be at %s: %w", c.Address, c.Desired.Output, err)
		}
		owner, isOwned := r.files.owners[c.Desired.Output]
		if !isOwned || owner.addr == c.Address || r.files.isInPlace(c) {
			continue
		}
		if err := r.files.moveAway(owner.addr, owner.img, owner.img.Output.Path); err != nil {
			return fmt.Errorf("%s is to have the path of %s: %w", c.Address, owner.addr, err)
		}
	}
	return nil
}

// isInPlace reports whether what a change is to put at its path is there.
func (f *files) isInPlace(c *planner.Change) bool {
	sum := ""
	switch {
	case c.Kept() != nil:
		sum = c.Kept().Output.SHA256
	case c.Import() != nil:
		sum = c.Import().SHA256
	case c.Task() != nil && c.Task().Fetched != nil:
		sum = c.Task().Fetched.Output.SHA256
	case c.Action == planner.Update:
		sum = c.Prior.Output.SHA256
	}
	return sum != "" && f.holds(c.Desired.Output, sum)
}

// moveAway moves the file at a path into the store, as that of an image, and as the one that it is
// where that is another. A file that is not there is no error, and neither is a folder there: the
// file has made way for it.
func (f *files) moveAway(addr addrs.Image, img *state.Image, path string) error {
	if info, err := f.dir.Stat(path); safefile.Gone(err) || err == nil && info.IsDir() {
		return nil
	}
	if sum, err := f.index.Hash(f.dir, path); err == nil && sum != img.Output.SHA256 {
		if is, isKnown := f.known()[sum]; isKnown {
			if err := f.store.KeepFile(f.dir, path, is.addr, is.img); err != nil {
				return err
			}
		}
	}
	if err := f.store.PutFile(f.dir, path, addr, img); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// makeWay keeps what stands at a path that an image is about to take, which has it until the very
// moment. Nothing that somebody else put there is ever lost: it goes into the store, and told says
// so. A file with the image's own bytes is the image.
func (f *files) makeWay(addr addrs.Image, img *state.Image, path string) (told string, err error) {
	// A link stands for what it leads to; one that leads to nothing, as of content that is
	// elsewhere, has nothing to keep.
	info, err := f.dir.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is in the way, and it is not a file. Move it away and apply again", path)
	}
	sum, err := f.index.Hash(f.dir, path)
	if err != nil || sum == img.Output.SHA256 || sum == f.made[path] {
		return "", err
	}
	if kept, err := f.store.Elsewhere(sum); kept && err == nil {
		return "", nil // It was made before, and can be had again from where it is kept.
	}
	// It may be the image that has the path, which somebody may have edited, and it may be another
	// one, moved or copied there by hand.
	has, isOwned := f.owners[path]
	if isOwned {
		err = f.store.KeepFile(f.dir, path, has.addr, has.img)
	}
	is, isKnown := f.known()[sum]
	if isKnown && err == nil && is != has {
		err = f.store.KeepFile(f.dir, path, is.addr, is.img)
	}
	if isOwned || isKnown {
		return "", notKept(err)
	}
	if err := f.store.KeepFile(f.dir, path, addr, unmade(img, path)); err != nil {
		return "", notKept(err)
	}
	return fmt.Sprintf("There was a file at %s that fluxbatch did not make. It is in the store now. fluxbatch restore -list shows it.", path), nil
}

// unmade returns a record for a file that no request made, under which the store keeps it for an
// address.
func unmade(img *state.Image, path string) *state.Image {
	record := *img
	record.Output, record.Result = state.File{Path: path, Format: img.Output.Format}, state.Result{}
	return &record
}

// retire moves the former file of an image, that has another path now, into the store. What is
// there by now may be the new owner's.
func (f *files) retire(addr addrs.Image, prior *state.Image, path string) error {
	if prior.Output.Path == path || f.wanted[prior.Output.Path] {
		return nil
	}
	return notKept(f.moveAway(addr, prior, prior.Output.Path))
}

// remember tells the index of a file that was just written.
func (f *files) remember(file state.File) {
	// A file that cannot be looked at is read when it matters.
	if info, err := f.dir.Stat(file.Path); err == nil {
		f.index.Record(file.Path, info, file.SHA256)
	}
}

// destroy moves the image's file into the store and forgets the image.
func (f *files) destroy(addr addrs.Image, img *state.Image) error {
	if err := f.retire(addr, img, ""); err != nil {
		return err
	}
	// A crash here leaves an image on record whose file is in the store; the next apply destroys it
	// again.
	return f.record("the image is gone", state.Removed{Address: addr})
}

// update gives an image the path, labels and account that the configuration says.
func (f *files) update(addr addrs.Image, prior *state.Image, desired *image.Image) (img *state.Image, told string, err error) {
	img = prior.Updated(desired)
	if img.Output.Path == prior.Output.Path {
		return img, "", f.record("the image is in place", state.Stored{Address: addr, Image: img})
	}
	if f.holds(prior.Output.Path, prior.Output.SHA256) {
		if err := f.keep(addr, prior); err != nil {
			return nil, "", err
		}
	}
	return placing{f, addr, prior, desired, prior}.run()
}

// takeOver records the image's file as it is now.
func (f *files) takeOver(c *planner.Change) (*state.Image, error) {
	img := *c.Prior
	img.Output = *c.Found()
	return &img, f.record("the image is in place", state.Stored{Address: c.Address, Image: &img})
}
