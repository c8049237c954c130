package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/internal/web"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/planner"
)

type reportOptions struct {
	planOptions
	plan, since string
	out         string
	all         bool
	markdown    bool
}

func (a *app) reportCommand() *cobra.Command {
	var o reportOptions
	cmd := directoryCommand("report", "Write a page that shows the images, before and after",
		`Writes a folder with a page of the images of the configuration in DIRECTORY (the current one by default). It opens from disk, without a server.
What changes comes first and the greatest difference first of all. What stays is folded away. Each image can be compared with what was there before: side by
side, sliding, blended, and as the difference between the two.

It shows what the next apply changes. With -plan, that is what the saved plan does, if it still holds. With -since, it shows what changed since a revision of
the git repository, such as main or HEAD~1. A former report in the folder is replaced.`,
		`  fluxbatch report -out report
  fluxbatch report -plan release.fluxplan -out report
  fluxbatch report -since main -markdown -out report
  fluxbatch report -simulate -out report examples/quickstart`,
		func(dir string) error { return a.runReport(dir, &o) })
	cmd.Flags().StringVar(&o.out, "out", "", "write the report into this `folder`")
	cmd.Flags().StringVar(&o.plan, "plan", "", "show what the saved plan in this `file` changes")
	cmd.Flags().StringVar(&o.since, "since", "", "show what changed since this `revision` of the git repository")
	cmd.MarkFlagsMutuallyExclusive("plan", "since")
	cmd.Flags().BoolVar(&o.markdown, "markdown", false, "write report.md as well, for a comment of a pull request")
	cmd.Flags().BoolVar(&o.all, "all", false, "copy every picture in full, rather than those alone that change")
	cmd.Flags().BoolVar(&o.Simulate, "simulate", false, "show the simulation's images")
	o.inputOptions.bind(cmd.Flags())
	return cmd
}

func (a *app) runReport(dir string, o *reportOptions) (err error) {
	if o.out == "" {
		return explain("-out is missing.\nName the folder that the report is written into:%s", toType("fluxbatch report -out report"))
	}
	if o.since != "" {
		return a.reportSince(dir, o)
	}
	w, plan, err := a.planShown(dir, o)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	album, err := web.FromPlan(plan, w.State(), w, web.Options{Title: projectName(w.Dir), Whole: o.all, Simulated: o.Simulate})
	if err != nil {
		return err
	}
	return a.writeReport(w, album, o)
}

// planShown makes the plan that a report is of.
func (a *app) planShown(dir string, o *reportOptions) (*workspace.Workspace, *planner.Plan, error) {
	var saved *workspace.SavedPlan
	if o.plan != "" {
		var err error
		if saved, err = workspace.ReadPlan(a.environment(), o.plan); err != nil {
			return nil, nil, err
		}
		o.adopt(saved)
		dir = saved.Dir
	}
	// Looking does not keep others from working.
	o.Look()
	w, plan, err := a.makePlan(dir, "report", &o.planOptions)
	if err != nil || saved == nil {
		return w, plan, err
	}
	if err := w.CheckSaved(saved, plan); err != nil {
		return nil, nil, errors.Join(err, w.Close())
	}
	return w, plan, nil
}

func (a *app) writeReport(w *workspace.Workspace, album *web.Album, o *reportOptions) error {
	room, err := darkroom(w)
	if err != nil {
		return err
	}
	if err := room.Develop(a.env.Abort, album); err != nil {
		return err
	}
	if err := web.WriteReport(a.env.Abort, album, room, o.out, web.ReportOptions{Markdown: o.markdown}); err != nil {
		if foreign, ok := errors.AsType[*web.NotReportError](err); ok {
			return explain("The folder %s has files in it that are no report's.\nNothing was changed. Name another folder with -out.", foreign.Dir)
		}
		if file, ok := errors.AsType[*fs.PathError](err); ok {
			return explain("The report cannot be written into %s: %w.\nName another folder with -out.", o.out, file)
		}
		return err
	}
	a.viewer().Say(fmt.Sprintf("The report of %s, %d of which change, is at %s.", layout.Count(len(album.Entries), "image"), album.Changed(),
		filepath.Join(o.out, "index.html")))
	return nil
}

// darkroom returns the workspace's darkroom.
func darkroom(w *workspace.Workspace) (*web.Darkroom, error) {
	dir, err := w.Thumbs()
	if err != nil {
		return nil, err
	}
	return web.NewDarkroom(dir), nil
}

// projectName is what a page calls the root module: the name of its folder.
func projectName(dir string) string {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	return filepath.Base(absolute)
}
