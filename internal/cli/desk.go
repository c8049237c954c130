package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/web"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

// desk is what the review page works with. Each look and each act opens the root module anew, so
// that the configuration and the state are those of now, and holds the lock no longer than it acts.
type desk struct {
	app     *app
	dir     string
	options *planOptions
	state   string // the path of the state file
	place   workspace.Place
	// elsewhere is what goes on with a state that is in a bucket, as it was when that was last asked,
	// and colleague who is at work on it.
	elsewhere workspace.Elsewhere
	asked     time.Time
	colleague atomic.Pointer[state.LockInfo]
	room      *web.Darkroom
	// warned says that the warnings of the plan were shown: once is enough.
	warned bool
}

var errConfiguration = errors.New("the configuration has errors, which are shown in the terminal")

var _ web.Desk = (*desk)(nil)

func (a *app) newDesk(dir string, o *planOptions) (*desk, error) {
	d := &desk{app: a, dir: dir, options: o}
	w, err := d.look()
	if err != nil {
		return nil, err
	}
	d.state, d.place = w.StateFile(), w.Place()
	d.room, err = darkroom(w)
	// Values are asked for once.
	o.noInput = true
	return d, firstError(err, w.Close())
}

// look opens the root module for looking alone.
func (d *desk) look() (*workspace.Workspace, error) {
	o := *d.options
	o.Look()
	return d.app.openFit(d.dir, "review", &o)
}

// Gather implements web.Desk.
func (d *desk) Gather() (*web.Album, func() error, error) {
	w, err := d.look()
	if _, ok := errors.AsType[exitError](err); ok {
		return nil, nil, errConfiguration
	}
	if err != nil {
		return nil, nil, inWords(err)
	}
	album, err := d.album(w)
	if err != nil {
		return nil, nil, firstError(err, w.Close())
	}
	return album, w.Close, nil
}

func (d *desk) album(w *workspace.Workspace) (*web.Album, error) {
	plan, diags, err := w.Plan()
	if !d.warned || plan == nil {
		d.app.showDiagnostics(w.Config, diags)
		d.warned = true
	}
	if err != nil {
		return nil, inWords(err)
	}
	if plan == nil {
		return nil, errConfiguration
	}
	review, err := w.Review()
	if err != nil {
		return nil, err
	}
	marked, err := w.Marked()
	if err != nil {
		return nil, err
	}
	album, err := web.FromPlan(plan, w.State(), w, web.Options{Title: projectName(w.Dir), Whole: true, Simulated: d.options.Simulate})
	if err != nil {
		return nil, err
	}
	album.Remark(review.Notes(), marked)
	return album, nil
}

// Version implements web.Desk. It goes by the files that an album is gathered from.
func (d *desk) Version() string {
	files, _ := filepath.Glob(filepath.Join(d.dir, "*.flux*")) // the pattern is well formed
	files = append(files, d.state, d.state+".journal", filepath.Join(filepath.Dir(d.state), workspace.ReviewName))
	var b strings.Builder
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			fmt.Fprintf(&b, "%s %d %d\n", file, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String() + d.versionElsewhere()
}

// askEvery is how often a bucket is asked whether another machine changed the state, or is at work on
// it. Whoever is has renewed the lock in that time.
const askEvery = 10 * time.Second

// versionElsewhere is the version of a state in a bucket. While that cannot be reached it stays.
func (d *desk) versionElsewhere() string {
	if d.place.Bucket == nil || time.Since(d.asked) < askEvery {
		return d.elsewhere.Version
	}
	d.asked = time.Now()
	if now, err := d.place.Elsewhere(d.app.env.Abort); err == nil {
		d.colleague.Store(nil)
		if now.Mark != "" && now.Mark != d.elsewhere.Mark {
			d.colleague.Store(&now.Holder)
		}
		d.elsewhere = now
	}
	return d.elsewhere.Version
}

// Busy implements web.Desk.
func (d *desk) Busy() string {
	holder, held := state.Holder(d.state)
	if colleague := d.colleague.Load(); !held && colleague != nil {
		holder, held = *colleague, true
	}
	if !held || holder.PID == os.Getpid() && holder.Operation == reviewOperation {
		return ""
	}
	return fmt.Sprintf("fluxbatch %s is at work since %s, run by %s. The page follows it. Nothing can be changed here until it ends.",
		holder.Operation, holder.Created.Local().Format(time.TimeOnly), holder.Who)
}

const reviewOperation = "review"

// Act implements web.Desk.
func (d *desk) Act(act web.Act) (said string, err error) {
	addr, err := addrs.Parse(act.Address)
	if err != nil {
		return "", err
	}
	o := *d.options
	w, err := d.app.openFit(d.dir, reviewOperation, &o)
	if err == nil {
		said, err = d.do(w, addr, act)
		err = firstError(err, w.Close())
	}
	if locked, ok := errors.AsType[*state.LockedError](err); ok {
		return "", fmt.Errorf("fluxbatch %s is at work. Nothing was changed. Try again when it has ended", locked.Holder.Operation)
	}
	if _, ok := errors.AsType[exitError](err); ok {
		return "", errConfiguration
	}
	if err != nil {
		return "", inWords(err)
	}
	return said, nil
}

// do does what the command of the same name does.
func (d *desk) do(w *workspace.Workspace, addr addrs.Image, act web.Act) (said string, err error) {
	switch act.Do {
	case "pick":
		if act.Number < 1 || act.Number > image.MaxCandidates {
			return "", fmt.Errorf("%d is not the number of a candidate", act.Number)
		}
		said, note, err := d.app.pick(w, addr, act.Number)
		return strings.TrimSpace(said + " " + note), err
	case "restore":
		said, err := restore(w, addr, nil)
		if err == nil && w.WouldReplace(addr) {
			said += " The configuration asks for another image, so the next apply would replace it again."
		}
		return said, err
	case "accept", "unaccept":
		return accept(w, addr, act.Do == "unaccept")
	case "mark":
		if img := w.State().Images.Get(addr); img != nil && img.Candidate > 0 {
			diags, err := w.WantMore(addr, 1)
			if err == nil && diags.HasErrors() {
				err = diags
			}
			return fmt.Sprintf("%s: 1 more candidate will be generated by the next apply.", addr), err
		}
		return fmt.Sprintf("%s is marked. The next apply generates it again, at its price.", addr), mark(w, addr)
	case "unwant":
		return d.app.unreroll(w, addr)
	case "unmark":
		return fmt.Sprintf("%s is no longer marked.", addr), w.Remark(addr, func(r *workspace.Remark) { r.Mark = "" })
	case "note":
		return fmt.Sprintf("%s: the note is kept.", addr), w.Remark(addr, func(r *workspace.Remark) { r.Note = act.Note })
	default:
		return "", fmt.Errorf("%q is nothing that a review does", act.Do)
	}
}

// mark marks an image, and takes that back where the configuration forbids to replace it: no plan
// would be left.
func mark(w *workspace.Workspace, addr addrs.Image) error {
	if !w.State().Images.Has(addr) {
		return notRecorded(w.State(), addr.String())
	}
	if err := w.Mark(addr); err != nil {
		return err
	}
	_, diags, err := w.Plan()
	if err != nil || !diags.HasErrors() {
		return err
	}
	if err := w.Remark(addr, func(r *workspace.Remark) { r.Mark = "" }); err != nil {
		return err
	}
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			return fmt.Errorf("%s cannot be marked. %s", addr, d.Detail)
		}
	}
	return errConfiguration
}
