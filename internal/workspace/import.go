package workspace

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/planner"
)

// Import is a file that is to be taken as an image.
type Import struct {
	config.Import
	format string
}

// ReadImport reads a file, all of it, that is to become the image at an address: it has to be an
// image.
func ReadImport(addr addrs.Image, path string) (*Import, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("there is no file to import: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := imagefile.Check(f, 4*bfl.MaxInputBytes)
	if err != nil {
		return nil, fmt.Errorf("the file %s cannot be imported: %w", path, err)
	}
	size := bfl.Size{Width: info.Width, Height: info.Height}
	return &Import{
		config.Import{To: addr, File: path, Name: path, SHA256: info.SHA256, Content: info.Content, Size: size}, info.Format,
	}, nil
}

// formats are those of files by their extension.
var formats = map[string]string{".png": imagefile.PNG, ".jpg": imagefile.JPEG, ".jpeg": imagefile.JPEG, ".webp": imagefile.WebP}

// PlanImport plans an import and nothing else. It refuses with ErrExists, with ErrTaskOpen,
// and where the configuration has no such image, or one of another format. Errors among the
// diagnostics say why the plan must not be carried out.
func (w *Workspace) PlanImport(imported *Import) (*planner.Plan, hcl.Diagnostics, error) {
	options, err := w.plannerOptions()
	if err != nil {
		return nil, nil, err
	}
	addr := imported.To
	if options.Prior.Images.Has(addr) {
		return nil, nil, ErrExists
	}
	if len(options.Prior.TasksOf(addr)) > 0 {
		return nil, nil, ErrTaskOpen
	}
	options.Imports = []config.Import{imported.Import}
	options.Only = map[addrs.Image]bool{addr: true}
	plan, diags := planner.Once(w.Config, options)
	if plan != nil {
		diags = slices.Concat(diags, w.inTheWay(plan))
	}
	if diags.HasErrors() {
		return nil, diags, nil
	}
	if len(plan.Changes) != 1 || plan.Changes[0].Action != planner.Import {
		return nil, diags, fmt.Errorf("the configuration declares no %s. Write its image block first", addr)
	}
	if output := plan.Changes[0].Desired.Output; formats[strings.ToLower(filepath.Ext(output))] != imported.format {
		return nil, diags, fmt.Errorf("the file %s does not have the format of the image. The file's format is %s, but the file of %s is %s. Set output or output_format in its block so that they agree", imported.File, imported.format, addr, output)
	}
	return plan, diags, nil
}
