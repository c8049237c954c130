package executor_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// What a configuration declares is planned and made, by the simulator in the place of the API.
func ExampleApply() {
	dir, err := os.MkdirTemp("", "brand")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover harms nobody
	const manifest = `
defaults {
  model  = "flux-2-klein-4b"
  width  = 64
  height = 64
}
image "logo" { prompt = "A heron" }
image "hero" {
  prompt     = "The logo on a beach"
  references = [image.logo]
}
`
	if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(manifest), 0o600); err != nil {
		log.Fatal(err)
	}
	if err := makeImages(dir); err != nil {
		log.Fatal(err)
	}
	// Output:
	// image.logo is there
	// image.hero is there
	// 2 created
}

// makeImages makes all images of a directory, and tells of each.
func makeImages(dir string) (err error) {
	cfg, diags := config.Load(dir, config.Options{})
	if diags.HasErrors() {
		return diags
	}
	outputs, err := safefile.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, outputs.Close()) }()
	local, err := state.OpenLocal(outputs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, local.Close()) }()
	session, err := state.Open(context.Background(), filepath.Join(dir, cfg.Settings.StatePath), state.Options{Operation: "apply", Local: local})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()

	plan, diags := planner.Make(cfg, planner.Options{Prior: session.State(), Stored: local.Store().Candidates})
	if diags.HasErrors() {
		return diags
	}
	sim, err := simulator.New(simulator.Options{Latency: simulator.Latency{Median: time.Millisecond}})
	if err != nil {
		return err
	}
	client, err := bfl.NewClient(bfl.ClientOptions{BaseURL: simulator.BaseURL, Key: "simulated", HTTP: sim.Transport()})
	if err != nil {
		return err
	}
	defer func() {
		client.Close()
		err = errors.Join(err, sim.Close())
	}()
	cfg.See(plan.See())
	summary, err := executor.Apply(context.Background(), plan, executor.Options{
		Accounts: map[string]executor.Account{"bfl": {API: client, Concurrency: 24}},
		Journal:  session, Store: local.Store(), Index: local.Index(), Dir: outputs, Prior: session.State(),
		Drain: context.Background(),
		Resolve: func(addr addrs.Image, results func(addrs.Image) *image.Result) (*image.Image, error) {
			img, diags := cfg.Resolve(addr, results)
			if diags.HasErrors() {
				return nil, diags
			}
			return img, nil
		},
		OnEvent: func(e executor.Event) {
			if done, ok := e.(executor.Completed); ok {
				fmt.Println(done.Address, "is there")
			}
		},
	})
	fmt.Println(summary.Created, "created")
	return errors.Join(err, session.Commit(nil))
}
