package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/cli"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/s3/s3test"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
)

// The scripts run the command as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fluxbatch-crash":         crashingCommand,
		"fluxbatch-harness":       harnessCommand,
		"fluxbatch-bench-api":     benchCommand,
		"fluxbatch-bench-applied": appliedCommand,
		"fluxbatch-bench-bare":    bareCommand,
		"fluxbatch-bench-hcl":     hclCommand,
		"fluxbatch-bench-json":    jsonCommand,
		"fluxbatch": func() {
			os.Exit(cli.Run(cli.Environment{
				Args: os.Args[1:], Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
				Signals: cli.Signals(),
			}))
		},
	})
}

type simulatorKey struct{}

type storeKey struct{}

// storeCommand starts an object store for a script, or has the one that runs take nothing more.
func storeCommand(ts *testscript.TestScript, neg bool, args []string) {
	store, isRunning := ts.Value(storeKey{}).(**s3test.Server)
	switch what := strings.Join(args, " "); {
	case neg || !isRunning:
		ts.Fatalf("usage: s3 [readonly | writable]")
	case what == "":
		var err error
		*store, err = s3test.Start()
		ts.Check(err)
		ts.Defer((*store).Close)
		ts.Setenv("FLUXBATCH_VAR_store", (*store).URL)
		ts.Setenv("AWS_ACCESS_KEY_ID", "id")
		ts.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	case what == "readonly":
		(*store).Meddle(s3test.ReadOnly)
	case what == "writable":
		(*store).Meddle(nil)
	default:
		ts.Fatalf("usage: s3 [readonly | writable]")
	}
}

// brokerCommand starts a broker for a script.
func brokerCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: nats")
	}
	broker, err := startBroker(ts.MkAbs(".nats"))
	ts.Check(err)
	ts.Defer(broker.Shutdown)
	ts.Setenv("FLUXBATCH_VAR_broker", broker.ClientURL())
}

// startBroker starts a broker on loopback that keeps its files in a directory.
func startBroker(dir string) (*server.Server, error) { return startBrokerAt(dir, server.RANDOM_PORT) }

func startBrokerAt(dir string, port int) (*server.Server, error) {
	broker, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
	if err != nil {
		return nil, err
	}
	broker.Start()
	if !broker.ReadyForConnections(time.Minute) {
		return nil, errors.New("the broker does not start")
	}
	return broker, nil
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

// TestScripts runs testdata/script. Each script has a simulator of its own at $SIMULATOR, a server
// on loopback, and the examples in $EXAMPLES. Beside testscript's commands there is
//
//	charges N [MODEL]  the simulator charged for exactly N images so far, of that model
//	account KEY CREDITS  another simulator takes the place of the first, which knows this account alone
//	once            it charged for nothing twice
//	s3 [readonly | writable]   an object store with the bucket art runs, at $FLUXBATCH_VAR_store
//	nats            a broker runs, at $FLUXBATCH_VAR_broker
//	short           no message that the last command wrote to stderr has more than eight lines
//	samepicture A B   two files show the same picture, whatever else is in them
func TestScripts(t *testing.T) {
	t.Parallel()
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	if testing.Short() {
		// With the race detector each process takes several times as long, and here it is what happens
		// inside of one that is looked at. All scripts run without it.
		kept := scripts[:0]
		for i, script := range scripts {
			if i%3 == 0 {
				kept = append(kept, script)
			}
		}
		t.Logf("with -short %d scripts of all", len(kept))
		scripts = kept
	}
	testscript.Run(t, testscript.Params{
		Files:               scripts,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			sim, err := simulator.New(simulator.Options{Seed: 1})
			if err != nil {
				return err
			}
			server := httptest.NewServer(sim)
			env.Defer(func() {
				server.Close()
				// The test is over; what the simulator still had to do does not matter.
				_ = sim.Close()
			})
			env.Values[simulatorKey{}], env.Values[storeKey{}] = sim, new(*s3test.Server)
			env.Setenv("SIMULATOR", server.URL)
			env.Setenv("FLUXBATCH_VAR_endpoint", server.URL)
			env.Setenv("EXAMPLES", examples)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"samepicture": func(ts *testscript.TestScript, neg bool, args []string) {
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
			},
			"retag": func(ts *testscript.TestScript, neg bool, args []string) {
				// B gets the picture of A in a file with other metadata.
				if neg || len(args) != 2 {
					ts.Fatalf("usage: retag A B")
				}
				data, err := os.ReadFile(ts.MkAbs(args[0]))
				ts.Check(err)
				data, err = imagefile.SetXMP(data, []byte("<x/>"))
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
			},
			"picture": func(ts *testscript.TestScript, neg bool, args []string) {
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
				} else {
					ts.Check(png.Encode(&content, image.NewNRGBA(at)))
					data, err := profiled(content.Bytes(), args[2])
					ts.Check(err)
					content = *bytes.NewBuffer(data)
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), content.Bytes(), 0o600))
			},
			"damage": func(ts *testscript.TestScript, _ bool, _ []string) {
				// Every image in the store gets other bytes.
				blobs, err := filepath.Glob(ts.MkAbs(".fluxbatch/store/??/*"))
				ts.Check(err)
				for _, blob := range blobs {
					ts.Check(os.WriteFile(blob, []byte("other bytes"), 0o600))
				}
			},
			"short": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) > 0 {
					ts.Fatalf("usage: short")
				}
				for message := range strings.SplitSeq(ts.ReadFile("stderr"), "╵") {
					if lines := spokenLines(message); lines > 8 {
						ts.Fatalf("a message has %d lines:\n%s", lines, message)
					}
				}
			},
			"s3":   storeCommand,
			"nats": brokerCommand,
			"charges": func(ts *testscript.TestScript, neg bool, args []string) {
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
			},
			"account": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 2 {
					ts.Fatalf("usage: account KEY CREDITS")
				}
				credits, err := strconv.ParseFloat(args[1], 64)
				ts.Check(err)
				sim, err := simulator.New(simulator.Options{Seed: 1, Keys: map[string]simulator.Account{args[0]: {Credits: bfl.CreditsOf(credits)}}})
				ts.Check(err)
				server := httptest.NewServer(sim)
				ts.Defer(func() {
					server.Close()
					_ = sim.Close() // as in Setup
				})
				ts.Setenv("FLUXBATCH_VAR_endpoint", server.URL)
			},
			"once": func(ts *testscript.TestScript, _ bool, _ []string) {
				seen := map[string]simulator.Charge{}
				for _, c := range ledgerOf(ts) {
					if first, isTwice := seen[c.Digest]; isTwice {
						ts.Fatalf("the simulator charged twice for the same:\n%+v\n%+v", first, c)
					}
					seen[c.Digest] = c
				}
			},
		},
	})
}
