//go:build unix

package gate

import (
	"context"
	"errors"
	"fmt"
	stdimage "image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/image"
)

// program writes a judge into a new directory. A shell runs it, since a program that was just
// written can be busy while other tests fork.
func program(t *testing.T, script string) *image.Gate {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "judge"), []byte("#!/bin/sh\n"+script+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &image.Gate{Name: "it", Command: []string{"sh", "./judge", "a b", "$HOME"}, Dir: dir, Timeout: time.Minute}
}

func TestProgram(t *testing.T) {
	t.Parallel()
	score := 0.25
	for _, tt := range []struct {
		name, script string
		want         image.Verdict
		error        string
	}{
		{"passes", "exit 0", image.Verdict{Passed: true}, ""},
		{"refuses", "exit 1", image.Verdict{}, ""},
		{"says why", "echo 'no SALE'; echo more; exit 1", image.Verdict{Reason: "no SALE"}, ""},
		{"counts", `echo '{"reason": "dim", "score": 0.25}'; exit 1`, image.Verdict{Reason: "dim", Score: &score}, ""},
		{"gets its arguments as they are", `[ "$1" = "a b" ] && [ "$2" = '$HOME' ]`, image.Verdict{Passed: true}, ""},
		{"gets the picture", `grep -q '"path":"/tmp/x.png"' && pwd | grep -q "$(basename "$PWD")"`, image.Verdict{Passed: true}, ""},
		{"has no key", `test -z "$BFL_API_KEY" && test -n "$KEPT"`, image.Verdict{Passed: true}, ""},
		{"does not read what it gets", "exec <&-; exit 0", image.Verdict{Passed: true}, ""},
		{"prints without end", `head -c 1000000 /dev/zero | tr '\0' x; exit 1`, image.Verdict{Reason: strings.Repeat("x", 199) + "…"}, ""},
		{"prints what cannot be seen", `printf 'a\033[31mb\n'; exit 1`, image.Verdict{Reason: "a[31mb"}, ""},
		{"fails", "echo broken >&2; exit 3", image.Verdict{}, "sh ended with the status 3: broken"},
		{"is killed", "kill -9 $$", image.Verdict{}, "ended with the status -1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := program(t, tt.script)
			got, err := Judge(t.Context(), g, Picture{Address: "image.a", Path: "/tmp/x.png"}, []string{"PATH=" + os.Getenv("PATH"), "KEPT=1"})
			if tt.error != "" {
				if err == nil || !strings.Contains(err.Error(), tt.error) {
					t.Fatalf("the error is %v, want %q", err, tt.error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Gate, tt.want.Key = "it", g.Key()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

// A program that hangs is ended with all that it started, which else would hold its output open.
func TestProgramThatHangs(t *testing.T) {
	t.Parallel()
	g := program(t, `sleep 600 & echo $! >child; wait`)
	g.Timeout = 200 * time.Millisecond
	if _, err := Judge(t.Context(), g, Picture{}, os.Environ()); err == nil || !strings.Contains(err.Error(), "did not end within 200ms") {
		t.Errorf("a judge that hangs ends with %v", err)
	}
	cause := errors.New("the run is over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := Judge(ctx, program(t, "sleep 600"), Picture{}, os.Environ()); !errors.Is(err, cause) {
		t.Errorf("a judge of a run that is over ends with %v", err)
	}
	if _, err := Judge(t.Context(), &image.Gate{Command: []string{"./nobody"}, Dir: t.TempDir(), Timeout: time.Minute}, Picture{}, nil); err == nil {
		t.Error("a judge that is not there judges")
	}
}

// drawn writes a picture, by the luminance of each place, into a new file.
func drawn(t *testing.T, at func(x, y int) color.Color) string {
	t.Helper()
	picture := stdimage.NewRGBA(stdimage.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			picture.Set(x, y, at(x, y))
		}
	}
	path := filepath.Join(t.TempDir(), "picture.png")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, picture), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConditions(t *testing.T) {
	t.Parallel()
	blue := color.RGBA{R: 0x0b, G: 0x3d, B: 0x91, A: 255}
	blank := drawn(t, func(int, int) color.Color { return blue })
	halves := func(x, _ int) color.Color {
		if x < 32 {
			return color.Black
		}
		return color.White
	}
	split := drawn(t, halves)
	same := drawn(t, func(x, y int) color.Color { return color.Gray{Y: 10 + uint8(x/32)*200} })
	waves := drawn(t, func(x, y int) color.Color { return color.Gray{Y: uint8((x * 13 % 64) * 4)} })
	for _, tt := range []struct {
		name   string
		gate   image.Gate
		path   string
		others []string
		want   string // "" where it passes
	}{
		{"blank", image.Gate{NotBlank: true}, blank, nil, "the picture is blank"},
		{"not blank", image.Gate{NotBlank: true}, split, nil, ""},
		{"black beside white has a contrast of a half", image.Gate{MinContrast: 0.49}, split, nil, ""},
		{"and no more", image.Gate{MinContrast: 0.51}, split, nil, "its contrast is 0.50, and at least 0.51 is wanted"},
		{"a colour that is there", image.Gate{Palette: []string{"#0b3d91", "#0c3e90"}}, blank, nil, ""},
		{"one that is not", image.Gate{Palette: []string{"#0b3d91", "#fc3d21"}}, blank, nil, "the colour #fc3d21 is not in it"},
		{"like another", image.Gate{MaxSimilarity: 0.9}, split, []string{waves, same}, "it is too much like image.a[1] (1.00, and at most 0.90 is wanted)"},
		{"unlike others", image.Gate{MaxSimilarity: 0.9}, split, []string{waves, "/nowhere.png"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := Picture{Path: tt.path}
			for i, path := range tt.others {
				p.Others = append(p.Others, Other{Address: fmt.Sprintf("image.a[%d]", i), Path: path})
			}
			got, err := Judge(t.Context(), &tt.gate, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.Passed != (tt.want == "") || !strings.HasPrefix(got.Reason, tt.want) {
				t.Errorf("the verdict is %+v, want %q", got, tt.want)
			}
		})
	}
	if _, err := Judge(t.Context(), &image.Gate{NotBlank: true}, Picture{Path: "/nowhere.png"}, nil); err == nil {
		t.Error("a picture that is not there is judged")
	}
}
