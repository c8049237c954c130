// Package gate runs the judges of pictures that a configuration names.
//
//   - A gate is a program, or conditions that are checked here: see image.Gate.
//   - A verdict is what it said of a picture.
//   - A program is run in its module's directory, without a shell, with the picture and its record as
//     JSON on its standard input. It passes the picture by ending with 0 and refuses it by ending with 1.
//     Anything else is an error of the gate, and no verdict.
package gate

import (
	"context"

	"github.com/fluxbatch/fluxbatch/internal/image"
)

// Picture is what is judged.
type Picture struct {
	// Address is that of the candidate, and Path its file, usable with package os.
	Address, Path string
	// Record is what is on record of it, for the program, as JSON has it.
	Record any
	// Others are the other instances of its block.
	Others []Other
}

// Other is an image that a picture is compared with: its file, and the hash of that.
type Other struct{ Address, Path, SHA256 string }

// Judge asks a gate about a picture. environ is the environment of a program; it must not have
// keys. The error says why the gate could not judge.
func Judge(ctx context.Context, g *image.Gate, p Picture, environ []string) (image.Verdict, error) {
	verdict := image.Verdict{Gate: g.Name, Key: g.Key()}
	var err error
	if len(g.Command) > 0 {
		err = run(ctx, g, p, environ, &verdict)
	} else {
		err = look(g, p, &verdict)
	}
	return verdict, err
}
