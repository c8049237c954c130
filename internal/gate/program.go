package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/fluxbatch/fluxbatch/internal/image"
)

const (
	// maxOutput bounds what is read of a program's output, in bytes.
	maxOutput = 64 << 10
	// maxReason bounds what is kept of a reason, in characters.
	maxReason = 200
	// closing is how long the output of a program that was killed is waited for.
	closing = 2 * time.Second
)

// run has a program judge a picture.
func run(ctx context.Context, g *image.Gate, p Picture, environ []string, v *image.Verdict) error {
	ctx, cancel := context.WithTimeout(ctx, g.Timeout)
	defer cancel()
	input, err := json.Marshal(map[string]any{"address": p.Address, "path": p.Path, "record": p.Record})
	if err != nil {
		return err
	}
	program := g.Command[0]
	if strings.ContainsAny(program, `/\`) && !filepath.IsAbs(program) {
		if program, err = filepath.Abs(filepath.Join(g.Dir, program)); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, program, g.Command[1:]...) //nolint:gosec // running what a configuration names is what gates are for
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.WaitDelay = g.Dir, environ, bytes.NewReader(input), closing
	out, complaint := &limited{left: maxOutput}, &limited{left: maxOutput}
	cmd.Stdout, cmd.Stderr = out, complaint
	ownGroup(cmd)
	err = cmd.Run()
	exit, isExit := errors.AsType[*exec.ExitError](err)
	switch {
	case context.Cause(ctx) != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%s did not end within %s", g.Command[0], g.Timeout)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && !isExit:
		return err
	case isExit && exit.ExitCode() != 1:
		return fmt.Errorf("%s ended with the status %d%s", g.Command[0], exit.ExitCode(), because(complaint.String()))
	}
	v.Passed = err == nil
	said(out.String(), v)
	return nil
}

// said takes what a program says of its verdict: a line, or a JSON object with a reason and a
// score.
func said(text string, v *image.Verdict) {
	var object struct {
		Reason string   `json:"reason"`
		Score  *float64 `json:"score"`
	}
	if json.Unmarshal([]byte(text), &object) == nil {
		v.Reason, v.Score = clean(object.Reason), object.Score
		return
	}
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	v.Reason = clean(line)
}

// because returns the first line of what a program complained of, after a colon.
func because(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if line = clean(line); line != "" {
		return ": " + line
	}
	return ""
}

// clean returns text on a line without what cannot be seen, not longer than a reason may be.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if runes := []rune(text); len(runes) > maxReason {
		text = string(runes[:maxReason-1]) + "…"
	}
	return strings.TrimSpace(text)
}

// limited keeps the beginning of what is written to it, and drops the rest.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	_, _ = l.Buffer.Write(p[:n]) // it never fails
	return len(p), nil
}
