package workspace

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// inTheWay refuses to put images where something else is, or stays.
func (w *Workspace) inTheWay(plan *planner.Plan) hcl.Diagnostics {
	return slices.Concat(w.strangers(plan), occupied(plan, w.session.State()))
}

// strangers refuses to put images where files are that this program did not make: they may be
// somebody's work, or images paid for whose state was lost.
func (w *Workspace) strangers(plan *planner.Plan) hcl.Diagnostics {
	if !slices.ContainsFunc(plan.Changes, writes) {
		return nil
	}
	known, ours := w.known(plan), sync.OnceValue(w.hashes)
	var diags hcl.Diagnostics
	there := map[string]map[string]fs.DirEntry{}
	folders := w.folders(plan)
	for _, c := range plan.Changes {
		if !writes(c) {
			continue
		}
		if d := folders.blocked(c); d != nil {
			diags = append(diags, d)
			continue
		}
		if known[c.Desired.Output] {
			// What stands there is kept, if it is a file.
			if info, err := w.outputs.Stat(c.Desired.Output); err == nil && !info.Mode().IsRegular() && !folders.makesWay(c.Desired.Output) {
				diags = append(diags, noFile(plan, c))
			}
			continue
		}
		dir, name := path.Split(c.Desired.Output)
		names, ok := there[dir]
		if !ok {
			names = w.listing(dir)
			there[dir] = names
		}
		entry := names[name]
		if entry == nil || entry.IsDir() && folders.makesWay(c.Desired.Output) || w.importedInPlace(c) || w.isOurs(c, ours) {
			continue
		}
		if !entry.Type().IsRegular() && entry.Type()&fs.ModeSymlink == 0 {
			diags = append(diags, noFile(plan, c))
			continue
		}
		if c.Address.Candidate > 0 {
			continue // Nobody else's work is in that folder, and what stands there is kept.
		}
		diags = append(diags, refusal(plan, c, "A file is in the way", fmt.Sprintf(
			"%s would be written to %s, but a file is there that fluxbatch did not make, or does not remember. Move it away, or give the image another path with output. If it is this image, made earlier, bring back the state file that goes with it, or adopt the file with an import block.", c.Address, c.Desired.Output)))
	}
	return diags
}

// writes reports whether a change puts an image at its path, or lets it stay there as another one.
func writes(c *planner.Change) bool { return c.Action != planner.NoOp && c.Desired != nil }

// written are the paths of the changes that write. Of a hundred thousand images, mostly few do.
func written(plan *planner.Plan) map[string]bool {
	paths := map[string]bool{}
	for _, c := range plan.Changes {
		if writes(c) {
			paths[c.Desired.Output] = true
		}
	}
	return paths
}

// known returns those of the paths that a plan writes that are on record.
func (w *Workspace) known(plan *planner.Plan) map[string]bool {
	known := map[string]bool{}
	if images := w.session.State().Images; images.Len() > 0 {
		paths := written(plan)
		for _, path := range images.Paths() {
			if paths[path] {
				known[path] = true
			}
		}
	}
	for _, task := range w.session.State().Tasks {
		known[task.Path] = true
	}
	return known
}

// hashes returns those of all images on record.
func (w *Workspace) hashes() map[string]bool {
	hashes := map[string]bool{}
	for _, f := range w.session.State().Images.Files() {
		hashes[f.SHA256] = true
	}
	return hashes
}

// noFile refuses to put an image where something is that is no file, before it is bought.
func noFile(plan *planner.Plan, c *planner.Change) *hcl.Diagnostic {
	return refusal(plan, c, "A directory is in the way", fmt.Sprintf(
		"%s would be written to %s, and that is a directory, or something else that is not a file. Move it away, or give the image another path with output.", c.Address, c.Desired.Output))
}

// refusal is an error about a desired image.
func refusal(plan *planner.Plan, c *planner.Change, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: plan.Where(c.Address), Extra: diag.Case{Subject: c.Address.String(), Cause: summary}}
}

// occupied refuses to put images where the files of others are on record and stay. The
// configuration has no path twice, but not all images are what it says: they can be left out of the
// plan, forgotten, frozen, refused, or keep a path that is ignored.
func occupied(plan *planner.Plan, prior *state.State) hcl.Diagnostics {
	if prior.Images.Len() == 0 {
		return nil
	}
	written := written(plan)
	if len(written) == 0 {
		return nil
	}
	stays := map[string]addrs.Image{} // by path, of those that are written
	stay := func(path string, addr addrs.Image) {
		if written[path] {
			stays[path] = addr
		}
	}
	// What the plan has among its Unchanged is found with what it leaves aside: both stay.
	planned := map[addrs.Image]bool{}
	for _, c := range plan.Changes {
		if c.Prior == nil {
			continue
		}
		if planned[c.Address] = true; c.From() != nil {
			planned[*c.From()] = true
		}
		switch {
		case c.Action == planner.Destroy:
		case c.Action == planner.NoOp, c.Action == planner.Forget, c.Withheld():
			stay(c.Prior.Output.Path, c.Address)
		default:
			if _, isTaken := stays[c.Desired.Output]; !isTaken {
				stay(c.Desired.Output, c.Address)
			}
		}
	}
	for addr, path := range prior.Images.Paths() {
		if !planned[addr] {
			stay(path, addr)
		}
	}
	var diags hcl.Diagnostics
	for _, c := range plan.Changes {
		if !writes(c) {
			continue
		}
		owner, isTaken := stays[c.Desired.Output]
		if !isTaken || owner == c.Address {
			continue
		}
		diags = append(diags, refusal(plan, c, "The path belongs to another image", fmt.Sprintf(
			"%s would be written to %s, which is the file of %s and stays there in this plan. Give one of them another path with output, or include both in the plan if only one is.", c.Address, c.Desired.Output, owner)))
	}
	return diags
}

// listing returns what is in an output directory, by name: one look for all images in it.
func (w *Workspace) listing(dir string) map[string]fs.DirEntry {
	// A directory that cannot be listed cannot be written to either; apply says why.
	entries, _ := w.outputs.ReadDir(path.Clean(dir))
	names := make(map[string]fs.DirEntry, len(entries))
	for _, entry := range entries {
		names[entry.Name()] = entry
	}
	return names
}

// isOurs reports whether the file at a change's path is an image on record, one of the store, or
// the one that the change is to put there: a run that was cut off, or the user, left it there.
// Nothing is lost when it makes way.
func (w *Workspace) isOurs(c *planner.Change, ours func() map[string]bool) bool {
	sum, err := w.local.Index().Hash(w.outputs, c.Desired.Output)
	switch {
	case err != nil:
		return false
	case ours()[sum], c.Import() != nil && c.Import().SHA256 == sum:
		return true
	case c.Task() != nil && c.Task().Fetched != nil && c.Task().Fetched.Output.SHA256 == sum:
		return true
	}
	return w.local.Store().Whole(sum)
}

// importedInPlace reports whether the file at the image's path is the one to import.
func (w *Workspace) importedInPlace(c *planner.Change) bool {
	if c.Import() == nil {
		return false
	}
	file, err := os.Stat(c.Import().File)
	if err != nil {
		return false
	}
	there, err := w.outputs.Stat(c.Desired.Output)
	return err == nil && os.SameFile(file, there)
}
