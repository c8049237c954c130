// Package team_test tries states, pictures and accounts that several machines share, against an object
// store and a broker on loopback. These two are linked here alone: with them the program that the other
// tests start two thousand times would be a third larger.
package team_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
	"github.com/fluxbatch/fluxbatch/internal/s3/s3test"
)

func TestMain(m *testing.M) { clitest.Main(m, nil) }

// TestScripts runs testdata/script with two more commands:
//
//	s3 [readonly | damaged | stale | whole]   an object store with the bucket art runs, at $FLUXBATCH_VAR_store
//	nats                       a broker runs, at $FLUXBATCH_VAR_broker
func TestScripts(t *testing.T) {
	t.Parallel()
	clitest.Scripts(t, "../../../examples", map[string]clitest.Command{"s3": storeCommand, "nats": brokerCommand})
}

// stores are the object stores that scripts have started, by their addresses.
var stores sync.Map

// storeCommand starts an object store with the bucket art for a script, at $FLUXBATCH_VAR_store, or has
// that which runs take nothing more, or return damaged images or stale
// listings, until it is whole again.
func storeCommand(ts *testscript.TestScript, neg bool, args []string) {
	store, isRunning := stores.Load(ts.Getenv("FLUXBATCH_VAR_store"))
	switch what := strings.Join(args, " "); {
	case neg:
		ts.Fatalf("usage: s3 [readonly | damaged | stale | whole]")
	case what == "":
		store, err := s3test.Start()
		ts.Check(err)
		ts.Defer(store.Close)
		stores.Store(store.URL, store)
		ts.Setenv("FLUXBATCH_VAR_store", store.URL)
		ts.Setenv("AWS_ACCESS_KEY_ID", "id")
		ts.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	case what == "readonly" && isRunning:
		store.(*s3test.Server).Meddle(s3test.ReadOnly)
	case what == "damaged" && isRunning:
		store.(*s3test.Server).Meddle(s3test.Damaged)
	case what == "stale" && isRunning:
		store.(*s3test.Server).Meddle(s3test.StaleLists())
	case what == "whole" && isRunning:
		store.(*s3test.Server).Meddle(nil)
	default:
		ts.Fatalf("usage: s3 [readonly | damaged | stale | whole]")
	}
}

// brokerCommand starts a broker for a script, at $FLUXBATCH_VAR_broker.
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
