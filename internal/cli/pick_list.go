package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

// lookAtCandidates lists what there is to choose from, or shows it. It needs no lock: an apply may
// be under way.
func (a *app) lookAtCandidates(addr addrs.Image, o *pickOptions) error {
	cfg, diags := a.load(".", &o.inputOptions)
	if cfg == nil || diags.HasErrors() {
		return a.invalid(cfg, diags)
	}
	s, err := workspace.PlaceOf(".", &cfg.Settings, &o.Options).Read(a.env.Abort)
	if err != nil {
		return err
	}
	img := s.Images.Get(addr)
	if img != nil && img.Candidate == 0 || img == nil && !hasCandidates(s, addr) {
		return pickInWords(s, addr, workspace.ErrNoChoice)
	}
	if !o.open {
		a.listCandidates(s, addr, img)
		return nil
	}
	paths, err := a.candidateFiles(s, addr, workspace.Base(".", o.Simulate))
	if err != nil {
		return err
	}
	return a.openWithSystem(workspace.WithoutKeys(a.env.Environ, cfg), paths...)
}

// listCandidates lists the candidates of an image.
func (a *app) listCandidates(s *state.State, addr addrs.Image, img *state.Image) {
	lines := []string{fmt.Sprintf("Candidates of %s:", addr)}
	for n, c := range candidatesOf(s, addr) {
		lines = append(lines, candidateLine(n, c, img))
	}
	a.viewer().Say(strings.Join(lines, "\n"))
}

// candidatesOf yields the candidates of an image that are on record, by their numbers.
func candidatesOf(s *state.State, addr addrs.Image) func(yield func(int, *state.Image) bool) {
	return func(yield func(int, *state.Image) bool) {
		for _, c := range workspace.CandidatesOf(s, addr) {
			if !yield(c.Candidate, s.Images.Get(c)) {
				return
			}
		}
	}
}

// hasCandidates reports whether any candidate of an image is on record.
func hasCandidates(s *state.State, addr addrs.Image) bool {
	return len(workspace.CandidatesOf(s, addr)) > 0
}

// candidateFiles returns the files of the candidates of an image, and says which are not there: on
// another machine than the one that made them, only the one that is picked is.
func (a *app) candidateFiles(s *state.State, addr addrs.Image, base string) ([]string, error) {
	var paths []string
	for n, c := range candidatesOf(s, addr) {
		path := filepath.Join(base, filepath.FromSlash(c.Output.Path))
		switch _, err := os.Stat(path); {
		case errors.Is(err, fs.ErrNotExist):
			a.viewer().Note(fmt.Sprintf("Candidate %d has no file here: %s.", n, c.Output.Path))
		case err != nil:
			return nil, err
		default:
			a.viewer().Say(fmt.Sprintf("  %d  %s", n, path))
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return nil, explain("No candidate of %s has a file here.\nThey are kept on the machine that made them.", addr)
	}
	return paths, nil
}

func candidateLine(n int, c, of *state.Image) string {
	seed := "no seed"
	if c.Result.Seed != nil {
		seed = fmt.Sprintf("seed %d", *c.Result.Seed)
	}
	note := ""
	switch {
	case of == nil:
		// Its image has no picture yet: gates refuse all.
	case of.Candidate == n && of.Made != nil:
		note = "  used, and edited by hand"
	case of.Candidate == n && of.Picked:
		note = "  picked"
	case of.Candidate == n:
		note = "  used, nobody has picked"
	}
	line := fmt.Sprintf("  %d  %s  %s  %s%s", n, seed, c.Result.Cost.Dollars(), c.Output.Path, note)
	if len(c.Verdicts) > 0 {
		line += "\n       " + view.Verdicts(c.Verdicts)
	}
	return line
}

// completePick completes the address of an image with a choice, and after it the number of a
// candidate.
func (a *app) completePick(cmd *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
	s := recordedState(cmd, a.completionDir(nil))
	if s == nil || len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []string
	if len(args) == 0 {
		for addr := range s.Images.Addresses() {
			if addr.Candidate > 0 {
				found = append(found, addr.Of().String())
			}
		}
		return matching(found, text)
	}
	addr, err := addrs.Parse(args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for n, c := range candidatesOf(s, addr) {
		// Shells show what stands behind the tab.
		found = append(found, fmt.Sprintf("%d\t%s", n, view.CandidateText(c)))
	}
	return matching(found, text)
}
