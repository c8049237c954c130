package cli

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/machine"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

type showOptions struct {
	simulate, json, markdown bool
	// preview is the address of the image to draw.
	preview string
}

func (a *app) showCommand() *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use: "show [DIRECTORY | PLAN]", Short: "Show the images that exist, or a saved plan", Args: cobra.MaximumNArgs(1),
		Long: `Prints what is on record of every image that was made: the request, the file, what it cost, and the outputs. With a PLAN that plan -out saved
it prints that plan, if it still holds.`,
		Example: `  fluxbatch show
  fluxbatch show -json
  fluxbatch show -markdown release.fluxplan
  fluxbatch show -preview image.hero
  fluxbatch show -simulate examples/quickstart`,
		RunE: func(_ *cobra.Command, args []string) error { return a.runShow(args, &o) },
	}
	cmd.Flags().BoolVar(&o.simulate, "simulate", false, "show the simulation's images")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON, in the form of terraform show")
	cmd.Flags().BoolVar(&o.markdown, "markdown", false, "print a saved plan as Markdown, for a pull request")
	cmd.Flags().StringVar(&o.preview, "preview", "", "draw the picture of the image at this `address` in the terminal")
	cmd.MarkFlagsMutuallyExclusive("json", "markdown", "preview")
	completeFlag(cmd, "preview", a.completeRecorded)
	return cmd
}

func (a *app) runShow(args []string, o *showOptions) error {
	if len(args) == 1 {
		if info, err := os.Stat(args[0]); err == nil && info.Mode().IsRegular() && o.preview == "" {
			return a.showPlan(args[0], o)
		}
	}
	if o.markdown {
		return errors.New("-markdown prints a saved plan only. Save one with fluxbatch plan -out FILE, and show that file")
	}
	dir, err := directory(args)
	if err != nil {
		return err
	}
	if o.preview != "" {
		return a.showPicture(dir, o.preview, o.simulate)
	}
	place, err := a.place(dir, &workspace.Options{Simulate: o.simulate})
	if err != nil {
		return err
	}
	s, err := place.Read(a.env.Abort)
	if err != nil {
		return err
	}
	if o.json {
		machine.WriteState(a.out, s, Version())
		return nil
	}
	a.viewer().State(s)
	return nil
}

// showPlan shows a saved plan.
func (a *app) showPlan(path string, o *showOptions) (err error) {
	saved, err := workspace.ReadPlan(a.environment(), path)
	if err != nil {
		return err
	}
	var options planOptions
	options.adopt(saved)
	options.ReadOnly = true
	w, plan, err := a.makePlan(saved.Dir, "show", &options)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	if err := w.CheckSaved(saved, plan); err != nil {
		return err
	}
	info := view.PlanInfo{Command: "show", Simulated: options.Simulate}
	switch {
	case o.markdown:
		a.viewer().PlanMarkdown(plan, info)
	case o.json:
		document := machine.PlanDocument{
			Plan: plan, Prior: w.State(), Settings: &w.Config.Settings, Variables: map[string]cty.Value{},
			Version: Version(), Limited: options.Limited(),
		}
		for _, v := range w.Config.Variables() {
			if !v.Sensitive {
				document.Variables[v.Name] = v.Value
			}
		}
		machine.WritePlan(a.out, document)
	default:
		a.viewer().Plan(plan, info)
	}
	return nil
}
