package cli

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// errNoViewer says that this system has no program that knows which one shows a picture.
var errNoViewer = errors.New("no viewer")

// openWithSystem hands files to the programs that the user's desktop shows such files with, and
// waits for those who do the handing over, some of which stay until the viewer is closed. The
// viewers get the given environment, which must not have keys.
func (a *app) openWithSystem(environ []string, paths ...string) error {
	opener, err := systemOpener(runtime.GOOS, exec.LookPath)
	if err != nil {
		return explain("Nothing here opens pictures.\nOn Linux, xdg-open does, which is part of xdg-utils. The files are:\n\n    %s",
			strings.Join(paths, "\n    "))
	}
	// One program a file: xdg-open takes no more.
	var group errgroup.Group
	for _, path := range paths {
		group.Go(func() error { return handOver(a.env.Abort, opener, environ, path) })
	}
	return group.Wait()
}

// systemOpener returns the command that shows a file, which is added to it.
func systemOpener(system string, find func(string) (string, error)) ([]string, error) {
	openers := [][]string{{"xdg-open"}, {"wslview"}}
	switch system {
	case "darwin":
		openers = [][]string{{"open"}}
	case "windows":
		// Unlike start, it takes a path with any characters as it is.
		openers = [][]string{{"rundll32", "url.dll,FileProtocolHandler"}}
	}
	for _, opener := range openers {
		if _, err := find(opener[0]); err == nil {
			return opener, nil
		}
	}
	return nil, errNoViewer
}

func handOver(ctx context.Context, opener, environ []string, path string) error {
	// An absolute path is never taken for an option.
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, opener[0], append(opener[1:len(opener):len(opener)], path)...) //nolint:gosec // handing a file over is what it is for
	var complaint bytes.Buffer
	cmd.Env, cmd.Stderr = environ, &complaint
	if err := cmd.Run(); err != nil {
		why, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
		if why == "" {
			why = err.Error()
		}
		return explain("%s opens no picture here: %s.\nThe file is:\n\n    %s", opener[0], strings.TrimSuffix(layout.Harmless(why), "."), path)
	}
	return nil
}
