package state_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/state"
)

// What is appended is durable at once: a run that is cut off between its request and the answer
// leaves a task that the next one knows of.
func ExampleSession_Append() {
	dir, err := os.MkdirTemp("", "brand")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover harms nobody
	path := filepath.Join(dir, "fluxbatch.state.json")
	session, err := state.Open(context.Background(), path, state.Options{Operation: "apply", Version: "0.1.0"})
	if err != nil {
		log.Fatal(err)
	}
	request := bfl.Request{Model: bfl.Lookup("flux-2-pro"), Arguments: []bfl.Argument{{Name: "prompt", Value: "A heron"}}}
	canonical, err := request.MarshalJSON()
	if err != nil {
		log.Fatal(err)
	}
	if err := session.Append(state.Intent{Task: state.Task{
		Key: "0123456789abcdef", Address: addrs.Image{Name: "logo"}, Provider: "bfl", Model: "flux-2-pro",
		Fingerprint: request.Fingerprint(), Request: canonical, Path: "images/logo.png", Cost: 3000,
	}}); err != nil {
		log.Fatal(err)
	}
	// No commit: this is where the run is cut off.
	if err := session.Close(); err != nil {
		log.Fatal(err)
	}
	s, err := state.Read(path)
	if err != nil {
		log.Fatal(err)
	}
	for _, task := range s.Tasks {
		fmt.Printf("%s for %s, answered: %v\n", task.Address, task.Cost.Dollars(), task.Answered())
	}
	// Output: image.logo for $0.03, answered: false
}
