package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
)

type simulatorOptions struct {
	listen, scenario, ledger  string
	seed                      uint64
	latency                   time.Duration
	spread                    float64
	realistic                 bool
	concurrency, workers      int
	keys, faults              []string
	region                    string
	sampleLifetime, retention time.Duration
	strictFields              bool
	undocumented              bool
	webhooks                  string
}

func (a *app) simulatorCommand() *cobra.Command {
	var o simulatorOptions
	cmd := &cobra.Command{
		Use: "simulator", Short: "Serve a simulated FLUX API on this machine", Args: cobra.NoArgs,
		Long: `Serves the FLUX API on a loopback address: the endpoints, their checks, limits and prices, and drawn images. Any key is taken, and nothing costs
anything. A page at the address itself shows what was made. Ctrl-C ends it, once the requests that are being answered are finished.

Point a client at it, or a provider block:

  provider "bfl" { endpoint = "http://127.0.0.1:8787" }

Faults are written STEP-EFFECT[-after][=VALUE] [xN] [skip=N] [p=PROBABILITY] [model=NAME]. STEP is submit, poll, download or webhook. EFFECT is an HTTP status
from 400 to 599, or one of reset, slow, html, corrupt, truncated, expired, never-ready, not-found, status, lost, twice and forged:

  submit-429=3 x2             two submissions are to be tried again in 3 seconds
  submit-reset-after p=0.05   some connections die once the task is paid for
  poll-slow=5s                polls take 5 seconds
  download-truncated model=flux-2-max

A prompt can ask for one as well, as in "a heron [fault:poll-500 x2]". The words [moderated], [moderated-content] and [error] in a prompt end its task so.

What flags say goes before what a scenario file says. -fault adds to its faults.`,
		Example: `  fluxbatch simulator
  fluxbatch simulator -listen 9000 -realistic -ledger charges.jsonl
  fluxbatch simulator -key alice=500 -key bob=2 -fault 'submit-429=3 p=0.1'`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runSimulator(cmd.Flags(), &o) },
	}
	o.bind(cmd.Flags())
	completeFlag(cmd, "scenario", cobra.FixedCompletions([]string{"hcl", "json"}, cobra.ShellCompDirectiveFilterFileExt))
	completeFlag(cmd, "region", cobra.FixedCompletions([]string{"eu", "us"}, cobra.ShellCompDirectiveNoFileComp))
	completeFlag(cmd, "webhooks", cobra.FixedCompletions([]string{"local", "http", "remote"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *simulatorOptions) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8787", "serve at this loopback `address`, or port (port 0 finds a free one)")
	flags.StringVar(&o.scenario, "scenario", "", "read settings from this `file`, HCL or JSON")
	flags.Uint64Var(&o.seed, "seed", 0, "make ids, latencies and faults repeatable with this `number`")
	flags.DurationVar(&o.latency, "latency", 0, "let a task take this `long`, as a median (default 150ms)")
	flags.Float64Var(&o.spread, "spread", 0, "spread latencies by this standard `deviation` of their logarithm, such as 0.5")
	flags.BoolVar(&o.realistic, "realistic", false, "let tasks take as long as users of the API see, model by model")
	flags.IntVar(&o.concurrency, "concurrency", 0, "allow an account this `number` of active tasks (default 24)")
	flags.IntVar(&o.workers, "workers", 0, "work on this `number` of tasks of one model at a time, and let more wait (default no bound)")
	flags.StringArrayVar(&o.keys, "key", nil, "take this key and no other, as `NAME[=CREDITS]` (can be repeated)")
	flags.StringVar(&o.ledger, "ledger", "", "append each charge to this `file`, as a line of JSON")
	flags.StringArrayVar(&o.faults, "fault", nil, "let this `fault` happen (can be repeated)")
	flags.StringVar(&o.region, "region", "", "answer with polling addresses of this `region`, which have to be polled as they are")
	flags.DurationVar(&o.sampleLifetime, "sample-lifetime", 0, "let the URL of an image die after this `long` (default 10m)")
	flags.DurationVar(&o.retention, "retention", 0, "forget a finished task after this `long` (default 1h)")
	flags.BoolVar(&o.strictFields, "strict-fields", false, "refuse fields that a model does not have, which the API ignores")
	flags.BoolVar(&o.undocumented, "undocumented-statuses", false, "answer with statuses that others have seen and the schema does not have")
	flags.StringVar(&o.webhooks, "webhooks", "local", "`where` to send webhooks: local (this machine, https), http (this machine), or remote (anywhere, https)")
}

// simulatorDrain is how long requests that are being answered have when the simulator ends.
const simulatorDrain = 5 * time.Second

func (a *app) runSimulator(flags *pflag.FlagSet, o *simulatorOptions) (err error) {
	address, err := listenAddress(o.listen)
	if err != nil {
		return err
	}
	options, err := a.simulatorSettings(flags, o)
	if err != nil {
		return err
	}
	if o.ledger != "" {
		ledger, err := os.OpenFile(o.ledger, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644) //nolint:gosec // charges of nobody's money
		if err != nil {
			return fmt.Errorf("opening the ledger: %w", err)
		}
		defer func() { err = errors.Join(err, ledger.Close()) }()
		options.Ledger = ledger
	}
	sim, err := simulator.New(options)
	if err != nil {
		return err
	}
	if err := errors.Join(a.serveSimulator(address, sim), sim.Close()); err != nil {
		return err
	}
	a.viewer().Say(simulatorSummary(sim.Stats()))
	return nil
}

// listenAddress reads what -listen says. A port alone is one of this machine.
func listenAddress(text string) (string, error) {
	if _, err := strconv.ParseUint(strings.TrimPrefix(text, ":"), 10, 16); err == nil {
		return "127.0.0.1:" + strings.TrimPrefix(text, ":"), nil
	}
	if _, _, err := net.SplitHostPort(text); err != nil {
		return "", explain("-listen cannot be %q. Use an address with a port, such as 127.0.0.1:8787.", text)
	}
	if !bfl.IsLoopback("http://" + text) {
		return "", explain("%s is not a loopback address.\nThe simulator draws for everybody who asks, so it is not for a network.", text)
	}
	return text, nil
}

// simulatorSettings joins the scenario file and the flags.
func (a *app) simulatorSettings(flags *pflag.FlagSet, o *simulatorOptions) (simulator.Options, error) {
	var options simulator.Options
	if o.scenario != "" {
		src, err := os.ReadFile(o.scenario)
		if err != nil {
			return options, fmt.Errorf("reading the scenario: %w", err)
		}
		var diags hcl.Diagnostics
		options, diags = simulator.ParseScenario(o.scenario, src)
		a.viewer().Diagnostics(diags, map[string]*hcl.File{o.scenario: {Bytes: src}})
		if diags.HasErrors() {
			return options, exitError(exitFailure)
		}
	}
	if err := o.check(); err != nil {
		return options, err
	}
	// given is for settings whose zero means something.
	given := func(name string) bool { return flags.Changed(name) }
	override(&options.Seed, o.seed, given("seed"))
	override(&options.Concurrency, o.concurrency, given("concurrency"))
	override(&options.Workers, o.workers, given("workers"))
	override(&options.Region, o.region, given("region"))
	override(&options.SampleLifetime, o.sampleLifetime, given("sample-lifetime"))
	override(&options.Retention, o.retention, given("retention"))
	override(&options.StrictFields, o.strictFields, given("strict-fields"))
	override(&options.Undocumented, o.undocumented, given("undocumented-statuses"))
	override(&options.Webhooks, simulator.Webhooks{HTTP: o.webhooks == "http", Remote: o.webhooks == "remote"}, given("webhooks"))
	if o.realistic {
		options.ModelLatency = simulator.RealisticLatency()
	}
	if given("latency") || given("spread") {
		// A median of zero would stand for the default; the shortest one is as good as none.
		if given("latency") {
			options.Latency.Median, options.ModelLatency = max(o.latency, time.Nanosecond), nil
		}
		options.Latency.Spread = o.spread
	}
	return options, o.accountsAndFaults(&options)
}

func override[T any](setting *T, value T, given bool) {
	if given {
		*setting = value
	}
}

// check refuses values that no setting has.
func (o *simulatorOptions) check() error {
	switch {
	case o.latency < 0, o.sampleLifetime < 0, o.retention < 0:
		return explain("-latency, -sample-lifetime and -retention must not be negative.")
	case o.spread < 0 || o.spread > 3:
		return explain("-spread must be from 0 to 3, but it is %v.", o.spread)
	case o.concurrency < 0, o.workers < 0:
		return explain("-concurrency and -workers must not be negative.")
	case o.realistic && o.latency != 0:
		return explain("-realistic and -latency contradict each other. Use one of them.")
	case o.webhooks != "local" && o.webhooks != "http" && o.webhooks != "remote":
		return explain("-webhooks cannot be %q. Use local, http or remote.", o.webhooks)
	default:
		return nil
	}
}

func (o *simulatorOptions) accountsAndFaults(options *simulator.Options) error {
	for i, text := range o.keys {
		if i == 0 {
			options.Keys = map[string]simulator.Account{}
		}
		key, amount, limited := strings.Cut(text, "=")
		account := simulator.Account{Credits: simulator.DefaultCredits}
		if limited {
			credits, err := strconv.ParseFloat(amount, 64)
			if err != nil || credits < 0 {
				return explain("-key %s has no number of credits: %q. Write one after the equals sign, as in alice=500.", key, amount)
			}
			account.Credits = bfl.CreditsOf(credits)
		}
		if key == "" {
			return explain("-key has no name.\nIt is what clients send as x-key, as in -key alice=500.")
		}
		options.Keys[key] = account
	}
	for _, text := range o.faults {
		fault, err := simulator.ParseFault(text)
		if err != nil {
			return explain("%v.\nSee how faults are written:%s", err, toType("fluxbatch simulator -h"))
		}
		if fault.Model != "" {
			if _, err := lookupModel(fault.Model); err != nil {
				return err
			}
		}
		options.Faults = append(options.Faults, fault)
	}
	return nil
}

// serveSimulator serves until the user asks to stop, and then finishes what is being answered.
func (a *app) serveSimulator(address string, sim *simulator.Simulator) error {
	var config net.ListenConfig
	listener, err := config.Listen(a.env.Drain, "tcp", address)
	if err != nil {
		return explain("The simulator cannot serve at %s: %w.\nAnother one may be running there. Use a free port:%s", address, err, toType("fluxbatch simulator -listen 0"))
	}
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	stop := context.AfterFunc(a.env.Drain, func() {
		ctx, cancel := context.WithTimeout(a.env.Abort, simulatorDrain)
		defer cancel()
		err := server.Shutdown(ctx)
		if err != nil {
			// Who still waits for an answer, as of a fault that is slow, gets none.
			err = server.Close()
		}
		ended <- err
	})
	a.heed()
	a.viewer().Say("Press Ctrl-C to end the simulator. It serves at http://" + listener.Addr().String())
	err = server.Serve(listener)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}

// simulatorSummary says what a simulator did.
func simulatorSummary(s simulator.Stats) string {
	refused := 0
	for _, n := range s.Refused {
		refused += n
	}
	text := fmt.Sprintf("The simulator has ended. Accepted: %d for %s. Refused: %d. Polls: %d. Downloads: %d.",
		s.Submissions, s.Spent.Dollars(), refused, s.Polls, s.Downloads)
	if s.Faults > 0 {
		text += fmt.Sprintf(" Faults: %d.", s.Faults)
	}
	if s.KeysAtDelivery > 0 {
		text += fmt.Sprintf(" Downloads that carried a key, which they should not: %d.", s.KeysAtDelivery)
	}
	return text
}
