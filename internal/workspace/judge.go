package workspace

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/gate"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// judge asks a gate about a picture of this workspace.
func (w *Workspace) judge(ctx context.Context, g image.Gate, subject executor.Subject) (image.Verdict, error) {
	picture := gate.Picture{Address: subject.Address.String(), Path: w.file(subject.Image), Record: subject.Image}
	for _, other := range subject.Others {
		picture.Others = append(picture.Others, gate.Other{Address: other.Address.String(), Path: w.file(other.Image), SHA256: other.Image.Output.SHA256})
	}
	return gate.Judge(ctx, &g, picture, WithoutKeys(w.env.Environ, w.Config))
}

// file returns the path of an image's file, wherever the program runs.
func (w *Workspace) file(img *state.Image) string {
	path := filepath.Join(w.outputs.Path(), filepath.FromSlash(img.Output.Path))
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// WithoutKeys returns an environment without the keys of a configuration's accounts and the secrets
// of its webhooks, for programs that are not to have them.
func WithoutKeys(environ []string, cfg *config.Config) []string {
	hidden := map[string]bool{"BFL_API_KEY": true}
	for _, provider := range cfg.Settings.Providers {
		hidden[provider.KeyEnv] = true
		if provider.Webhook != nil {
			hidden[provider.Webhook.SecretEnv] = true
		}
	}
	var kept []string
	for _, pair := range environ {
		if name, _, _ := strings.Cut(pair, "="); !hidden[name] {
			kept = append(kept, pair)
		}
	}
	return kept
}
