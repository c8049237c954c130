package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

func (a *app) openCommand() *cobra.Command {
	var simulate bool
	cmd := &cobra.Command{
		Use: "open ADDRESS", Short: "Open an image in the system's viewer", Args: cobra.ExactArgs(1),
		Long: `Hands the file of the image, rendition or sheet at ADDRESS to the program with which the system shows pictures.`,
		Example: `  fluxbatch open image.hero
  fluxbatch open 'image.poster.candidate[3]'
  fluxbatch open sheet.icons`,
		RunE:              func(_ *cobra.Command, args []string) error { return a.runOpen(args[0], simulate) },
		ValidArgsFunction: firstArgument(a.completeMade),
	}
	cmd.Flags().BoolVar(&simulate, "simulate", false, "open an image of the simulation")
	return cmd
}

func (a *app) runOpen(address string, simulate bool) error {
	_, _, file, err := a.recordedFile(".", address, simulate)
	if err != nil {
		return err
	}
	if err := openWithSystem(a.env.Drain, file); err != nil {
		return explain("%s could not be opened: %w.\nThe file is %s.", address, err, file)
	}
	return nil
}

// recordedFile returns the picture on record at an address, of an image or of what was made here, its
// price for people, and its file as seen from the current directory.
func (a *app) recordedFile(dir, address string, simulate bool) (f state.File, price, file string, err error) {
	place, err := a.place(dir, &workspace.Options{Simulate: simulate})
	if err != nil {
		return f, "", "", err
	}
	s, err := place.Read(a.env.Abort)
	if err != nil {
		return f, "", "", err
	}
	if made, err := addrs.ParseRendition(address); err == nil && s.Renditions[made] != nil {
		f, price = *s.Renditions[made].Picture(), "made here"
	} else {
		addr, err := addrs.Parse(address)
		if err != nil {
			return f, "", "", err
		}
		img := s.Images.Get(addr)
		if img == nil {
			return f, "", "", notRecorded(s, address)
		}
		f, price = img.Output, img.Result.Cost.Dollars()
	}
	return f, price, filepath.Join(workspace.Base(dir, simulate), filepath.FromSlash(f.Path)), nil
}

// openWait is how long the system has to say that it has no program for a file.
const openWait = 2 * time.Second

// openWithSystem hands a file or an address to the program that the system has for it. It does not
// wait for that program to end.
func openWithSystem(ctx context.Context, what string) error {
	name, args := "xdg-open", []string{what}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		// start would take an & in the name for the end of its command.
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", what}
	}
	// A path that begins with a dash is not to be taken for a flag.
	if !strings.Contains(what, "://") {
		absolute, err := filepath.Abs(what)
		if err != nil {
			return err
		}
		if _, err := os.Stat(absolute); err != nil {
			return err
		}
		args[len(args)-1] = absolute
	}
	// It outlives this command, as a viewer does.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), name, args...) //nolint:gosec // a fixed program, and a file as its one argument
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	timer := time.NewTimer(openWait)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
		return nil
	}
}
