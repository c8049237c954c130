package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/planner"
)

func (a *app) importCommand() *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use: "import ADDRESS FILE", Short: "Take an existing file as an image", Args: cobra.ExactArgs(2),
		Long: `Takes an existing file as the image at ADDRESS, which the configuration in the current directory declares and which was not made yet. Nothing is
generated and nothing is spent. The file is copied to the image's path, unless it is there already. An import block in the configuration does the
same, and shows it to those who read the plan.`,
		Example: `  fluxbatch import image.logo old/logo.png
  fluxbatch import 'image.card["winter"]' winter.png`,
		RunE: func(_ *cobra.Command, args []string) error { return a.runImport(args[0], args[1], &o) },
	}
	o.inputOptions.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.simulate, "simulate", false, "import into the simulation")
	cmd.Flags().DurationVar(&o.lockTimeout, "lock-timeout", 0, "wait this `long` for another command to release the state, as in 30s")
	return cmd
}

func (a *app) runImport(address, path string, o *applyOptions) (err error) {
	addr, err := addrs.Parse(address)
	if err != nil {
		return err
	}
	imported, format, err := describeImport(addr, path)
	if err != nil {
		return err
	}
	w, err := a.openHere("import", &o.planOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.close()) }()
	plan, err := w.planImport(imported, &o.planOptions)
	if err != nil {
		return err
	}
	if output := plan.Changes[0].Desired.Output; formats[strings.ToLower(filepath.Ext(output))] != format {
		return fmt.Errorf("the file %s is of the format %s, and %s is written to %s. Set output or output_format in its block, so that they agree",
			path, format, addr, output)
	}
	a.viewer().Plan(plan, view.PlanInfo{Command: "apply", Simulated: o.simulate})
	return w.apply(plan, &connections{}, o)
}

// formats are those of files by their extension.
var formats = map[string]string{".png": imagefile.PNG, ".jpg": imagefile.JPEG, ".jpeg": imagefile.JPEG, ".webp": imagefile.WebP}

// describeImport reads the file, all of it: it has to be an image.
func describeImport(addr addrs.Image, path string) (imported config.Import, format string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return config.Import{}, "", fmt.Errorf("there is no file to import: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := imagefile.Check(f, 4*bfl.MaxInputBytes)
	if err != nil {
		return config.Import{}, "", fmt.Errorf("the file %s cannot be imported: %w", path, err)
	}
	imported = config.Import{To: addr, File: path, Name: path, SHA256: info.SHA256, Content: info.Content, Size: bfl.Size{Width: info.Width, Height: info.Height}}
	return imported, info.Format, nil
}

// planImport plans the import and nothing else.
func (w *workspace) planImport(imported config.Import, o *planOptions) (*planner.Plan, error) {
	options, err := w.plannerOptions(o)
	if err != nil {
		return nil, err
	}
	if options.Prior.Images[imported.To] != nil {
		return nil, fmt.Errorf("the image %s exists already. Remove it with fluxbatch destroy -target, or forget it with fluxbatch state rm, to import another", imported.To)
	}
	if len(options.Prior.TasksOf(imported.To)) > 0 {
		return nil, errTaskOpen
	}
	options.Imports = []config.Import{imported}
	options.Only = map[addrs.Image]bool{imported.To: true}
	plan, diags := planner.Once(w.config, options)
	if plan != nil {
		diags = slices.Concat(diags, w.strangers(plan), occupied(plan, options.Prior))
	}
	w.app.showDiagnostics(w.config, diags)
	if diags.HasErrors() {
		return nil, exitError(exitFailure)
	}
	if len(plan.Changes) != 1 || plan.Changes[0].Action != planner.Import {
		return nil, fmt.Errorf("the configuration declares no %s. Write its image block first, so that it is known what the file is", imported.To)
	}
	return plan, nil
}
