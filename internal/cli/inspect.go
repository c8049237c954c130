package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/origin"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/internal/view/machine"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

type inspectOptions struct {
	stateOptions
	json bool
}

func (a *app) inspectCommand() *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use: "inspect FILE...", Short: "Say which image a file is, or was made from", Args: cobra.MinimumNArgs(1),
		Long: `Says of picture files, wherever they are and whatever they are called, which image of this directory they show: by their bytes, else by their
picture, whatever else is in the file, else by the mark that renditions carry, and last by their looks. Former images, candidates, renditions and sheets count
as well. A FILE can be a folder, of which all pictures are looked at. It changes nothing, and needs neither key nor network.`,
		Example: `  fluxbatch inspect ~/Downloads/photo.webp
  fluxbatch inspect -json press-kit/`,
		RunE: func(_ *cobra.Command, args []string) error { return a.runInspect(args, &o) },
	}
	o.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print an array of objects")
	return cmd
}

func (a *app) runInspect(args []string, o *inspectOptions) error {
	files, err := picturesIn(args)
	if err != nil {
		return err
	}
	s, err := a.readState(&o.stateOptions)
	if err != nil {
		return err
	}
	records := origin.Records{State: s, Base: workspace.Base(".", o.Simulate), Ledger: workspace.LedgerPath(".", o.Simulate)}
	origins, err := origin.Find(a.env.Abort, records, files)
	if err != nil {
		return err
	}
	return a.showOrigins(s, origins, o.json)
}

func (a *app) showOrigins(s *state.State, origins []origin.Origin, asJSON bool) error {
	if asJSON {
		return machine.WriteOrigins(a.out, s, origins)
	}
	a.viewer().Origins(s, origins)
	var diags hcl.Diagnostics
	for i := range origins {
		if o := &origins[i]; o.Err != nil {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "File cannot be looked at",
				Detail: o.File + ": " + layout.Sentence(layout.ErrorText(o.Err)) + " It takes PNG, JPEG and WebP files.",
			})
		}
	}
	a.showDiagnostics(nil, diags)
	if diags.HasErrors() {
		return exitError(exitFailure)
	}
	return nil
}

// picturesIn returns the files that are named, and of folders the pictures in them, but for those in
// hidden folders.
func picturesIn(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		before := len(files)
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && path != arg && strings.HasPrefix(d.Name(), "."):
				return fs.SkipDir
			case d.Type().IsRegular() && isPicture(path):
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(files) == before {
			return nil, fmt.Errorf("the folder %s has no pictures. inspect takes PNG, JPEG and WebP files", arg)
		}
	}
	return files, nil
}

// isPicture reports whether a file begins as pictures do.
func isPicture(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // only read
	_, err = imagefile.Header(f)
	return err == nil
}
