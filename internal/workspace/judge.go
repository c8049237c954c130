package workspace

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/gate"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// judge asks a gate about a picture of this workspace.
func (w *Workspace) judge(ctx context.Context, g image.Gate, subject executor.Subject) (image.Verdict, error) {
	picture := gate.Picture{Address: subject.Address.String(), Path: w.file(subject.Image), Record: subject.Image}
	for _, other := range subject.Others {
		picture.Others = append(picture.Others, w.file(other))
	}
	return gate.Judge(ctx, &g, picture, w.withoutKeys())
}

// file returns the path of an image's file, wherever the program runs.
func (w *Workspace) file(img *state.Image) string {
	path := filepath.Join(w.outputs.Path(), filepath.FromSlash(img.Output.Path))
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// withoutKeys returns the environment without the keys of accounts and the secrets of webhooks.
func (w *Workspace) withoutKeys() []string {
	hidden := map[string]bool{"BFL_API_KEY": true}
	for _, provider := range w.Config.Settings.Providers {
		hidden[provider.KeyEnv] = true
		if provider.Webhook != nil {
			hidden[provider.Webhook.SecretEnv] = true
		}
	}
	var environ []string
	for _, pair := range w.env.Environ {
		if name, _, _ := strings.Cut(pair, "="); !hidden[name] {
			environ = append(environ, pair)
		}
	}
	return environ
}
