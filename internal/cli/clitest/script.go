package clitest

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/image/draw"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
)

// Command is a command of scripts.
type Command = func(ts *testscript.TestScript, neg bool, args []string)

type simulatorKey struct{}

// Scripts runs the scripts in testdata/script. Each has a simulator of its own at $SIMULATOR, a server
// on loopback, and the examples in $EXAMPLES. Beside testscript's commands, and others that are given,
// there is
//
//	charges N [MODEL]  the simulator charged for exactly N images so far, of that model
//	account KEY CREDITS  another simulator takes the place of the first, which knows this account alone
//	once            it charged for nothing twice
//	short           no message that the last command wrote to stderr has more than eight lines
//	samepicture A B   two files show the same picture, whatever else is in them
//	retag A B       B is the picture of A in a file with other metadata
//	halve A B       B is the picture of A at half its size, as a JPEG file of a poor quality
//	picture WxH F [SPACE]  F is a grey picture of that size, or one with a colour profile of a space
//	damage          every image in the store gets other bytes
func Scripts(t *testing.T, examples string, others map[string]Command) {
	t.Helper()
	examples, err := filepath.Abs(examples)
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]Command{
		"samepicture": samePicture, "retag": retag, "halve": halve, "picture": picture, "damage": damage, "short": short, "charges": charges, "account": account,
		"once": once,
	}
	maps.Copy(commands, others)
	testscript.Run(t, testscript.Params{
		Files:               scripts(t),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("EXAMPLES", examples)
			return startSimulator(env)
		},
		Cmds: commands,
	})
}

// scripts returns the files of the scripts.
func scripts(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(all) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	if !testing.Short() {
		return all
	}
	// With the race detector each process takes several times as long, and here it is what happens
	// inside of one that is looked at. All scripts run without it.
	kept := all[:0]
	for i, script := range all {
		if i%3 == 0 {
			kept = append(kept, script)
		}
	}
	t.Logf("with -short %d scripts of all", len(kept))
	return kept
}

func startSimulator(env *testscript.Env) error {
	sim, url, err := serve(env, simulator.Options{Seed: 1})
	if err != nil {
		return err
	}
	env.Values[simulatorKey{}] = sim
	env.Setenv("SIMULATOR", url)
	env.Setenv("FLUXBATCH_VAR_endpoint", url)
	return nil
}

// serve starts a simulator that ends with a script, which is no testing.TB.
func serve(script interface{ Defer(f func()) }, o simulator.Options) (sim *simulator.Simulator, url string, err error) {
	sim, err = simulator.New(o)
	if err != nil {
		return nil, "", err
	}
	server := httptest.NewServer(sim)
	script.Defer(func() {
		server.Close()
		// The test is over; what the simulator still had to do does not matter.
		_ = sim.Close()
	})
	return sim, server.URL, nil
}

func samePicture(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: samepicture A B")
	}
	var content [2]string
	for i, name := range args {
		f, err := os.Open(ts.MkAbs(name))
		ts.Check(err)
		info, err := imagefile.Check(f, 1<<26)
		ts.Check(errors.Join(err, f.Close()))
		content[i] = info.Content
	}
	if (content[0] == content[1]) == neg {
		ts.Fatalf("%s shows %s, and %s shows %s", args[0], content[0], args[1], content[1])
	}
}

func retag(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: retag A B")
	}
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	data, err = imagefile.SetXMP(data, []byte("<x/>"))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

func halve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: halve A B")
	}
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	src, _, err := image.Decode(f)
	ts.Check(errors.Join(err, f.Close()))
	size := src.Bounds().Size().Div(2)
	dst := image.NewRGBA(image.Rectangle{Max: size})
	draw.CatmullRom.Scale(dst, dst.Bounds(), src, src.Bounds(), draw.Src, nil)
	var content bytes.Buffer
	ts.Check(jpeg.Encode(&content, dst, &jpeg.Options{Quality: 60}))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), content.Bytes(), 0o600))
}

func picture(ts *testscript.TestScript, neg bool, args []string) {
	var width, height int
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: picture WIDTHxHEIGHT FILE [SPACE]")
	}
	_, err := fmt.Sscanf(args[0], "%dx%d", &width, &height)
	ts.Check(err)
	at := image.Rect(0, 0, width, height)
	var content bytes.Buffer
	if len(args) == 2 {
		ts.Check(png.Encode(&content, image.NewGray(at)))
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), content.Bytes(), 0o600))
		return
	}
	ts.Check(png.Encode(&content, image.NewNRGBA(at)))
	data, err := profiled(content.Bytes(), args[2])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

func damage(ts *testscript.TestScript, _ bool, _ []string) {
	blobs, err := filepath.Glob(ts.MkAbs(".fluxbatch/store/??/*"))
	ts.Check(err)
	for _, blob := range blobs {
		ts.Check(os.WriteFile(blob, []byte("other bytes"), 0o600))
	}
}

func short(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: short")
	}
	for message := range strings.SplitSeq(ts.ReadFile("stderr"), "╵") {
		if lines := spokenLines(message); lines > 8 {
			ts.Fatalf("a message has %d lines:\n%s", lines, message)
		}
	}
}

// spokenLines counts the lines of a message that say something; those that quote the source, and
// the frame, are not among them.
func spokenLines(message string) int {
	n := 0
	for line := range strings.Lines(message) {
		text := strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "│╷"))
		isSource := strings.HasPrefix(text, "on ") || strings.HasPrefix(text, "^") || len(text) > 0 && text[0] >= '0' && text[0] <= '9' && strings.Contains(text, ": ")
		if text != "" && !isSource {
			n++
		}
	}
	return n
}

// ledgerOf returns what the simulator of a script has charged.
func ledgerOf(ts *testscript.TestScript) []simulator.Charge {
	sim, ok := ts.Value(simulatorKey{}).(*simulator.Simulator)
	if !ok {
		ts.Fatalf("no simulator")
	}
	return sim.Ledger()
}

func charges(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: charges N [MODEL]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	charges := ledgerOf(ts)
	if len(args) > 1 {
		charges = slices.DeleteFunc(charges, func(c simulator.Charge) bool { return c.Model != args[1] })
	}
	if got := len(charges); got != want {
		ts.Fatalf("the simulator charged for %d images, want %d\n%+v", got, want, charges)
	}
}

func account(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: account KEY CREDITS")
	}
	credits, err := strconv.ParseFloat(args[1], 64)
	ts.Check(err)
	_, url, err := serve(ts, simulator.Options{Seed: 1, Keys: map[string]simulator.Account{args[0]: {Credits: bfl.CreditsOf(credits)}}})
	ts.Check(err)
	ts.Setenv("FLUXBATCH_VAR_endpoint", url)
}

func once(ts *testscript.TestScript, _ bool, _ []string) {
	seen := map[string]simulator.Charge{}
	for _, c := range ledgerOf(ts) {
		if first, isTwice := seen[c.Digest]; isTwice {
			ts.Fatalf("the simulator charged twice for the same:\n%+v\n%+v", first, c)
		}
		seen[c.Digest] = c
	}
}
