package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

type pruneOptions struct {
	planOptions
	olderThan                  string
	remove, orphans, autoApply bool
}

func (a *app) pruneCommand() *cobra.Command {
	var o pruneOptions
	cmd := directoryCommand("prune", "Say what the store holds, and remove what is asked for",
		`Says what the store of the configuration in DIRECTORY (the current one by default), .fluxbatch/store, holds: by age, by what still uses it, and what buying it
again would cost. It removes nothing unless -remove is given, asks first, and never removes the copy of an image that is on record.

With -older-than it is about what the store took before that many days, with -orphans about the pictures of addresses that are no longer on record.`,
		`  fluxbatch prune
  fluxbatch prune -older-than 90d -orphans
  fluxbatch prune -older-than 90d -remove`,
		func(dir string) error { return a.runPrune(dir, &o) })
	flags := cmd.Flags()
	o.inputOptions.bind(flags)
	flags.StringVar(&o.olderThan, "older-than", "", "look only at what the store took this `long` ago, as in 90d or 12h")
	flags.BoolVar(&o.orphans, "orphans", false, "look only at pictures of addresses that are no longer on record")
	flags.BoolVar(&o.remove, "remove", false, "remove what is listed as not in use")
	flags.BoolVar(&o.autoApply, "auto-approve", false, "do not ask before removing")
	flags.BoolVar(&o.Simulate, "simulate", false, "look at the simulation's store")
	flags.DurationVar(&o.LockTimeout, "lock-timeout", 0, "wait this `long` for another command to release the state, as in 30s")
	return cmd
}

func (a *app) runPrune(dir string, o *pruneOptions) (err error) {
	before, err := ago(o.olderThan)
	if err != nil {
		return err
	}
	o.allowEmpty, o.ReadOnly = true, !o.remove
	cfg, diags := a.load(dir, &o.inputOptions)
	if cfg == nil || diags.HasErrors() {
		return a.invalid(cfg, diags)
	}
	w, err := a.open(dir, "prune", cfg, &o.Options)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	stock, err := w.Stock(before)
	if err != nil {
		return err
	}
	rows, doomed := sortStock(stock, o.orphans)
	if bucket := cfg.Settings.ImagesBucket; bucket != nil && !o.Simulate {
		defer a.viewer().Note(fmt.Sprintf("\nWhat is in %s is not counted, and nothing is removed there: other states may share it. "+
			"To be rid of former pictures there, give images another prefix. The next apply that changes something puts all that is on record there, "+
			"and the old prefix can be deleted when no state names it any more.", workspace.Place{Bucket: bucket}))
	}
	if len(stock) == 0 {
		a.viewer().Say("The store holds nothing that this asks for.")
		return nil
	}
	a.viewer().Stock(rows)
	if !o.remove || len(doomed) == 0 {
		return nil
	}
	if err := a.approvePrune(doomed, o); err != nil {
		return err
	}
	if err := w.Discard(doomed); err != nil {
		return err
	}
	a.viewer().Say(fmt.Sprintf("\nRemoved %s from the store.", layout.Count(len(doomed), "picture")))
	return nil
}

func (a *app) approvePrune(doomed []workspace.Stocked, o *pruneOptions) error {
	if o.autoApply {
		return nil
	}
	if !a.interactive() {
		return errors.New("prune asks before it removes pictures, but nobody can answer. Standard input is not a terminal. Use -auto-approve")
	}
	a.viewer().AskPrune(sumStock("", doomed))
	answer, err := readLine(a.env.Drain, bufio.NewReader(a.env.Stdin))
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("prune was not approved. Nothing was removed")
	}
	return nil
}

// ages are the rows for what is not in use, by how old it is in days.
var ages = []struct {
	days int
	what string
}{{7, "not in use, of this week"}, {30, "not in use, of this month"}, {365, "not in use, of this year"}, {1 << 20, "not in use, older"}}

// sortStock returns the rows that say what the store holds, and what may be removed.
func sortStock(stock []workspace.Stocked, orphans bool) (rows []view.StockRow, doomed []workspace.Stocked) {
	var used []workspace.Stocked
	aged := make([][]workspace.Stocked, len(ages))
	for _, kept := range stock {
		switch {
		case orphans && kept.Declared:
			continue
		case kept.InUse:
			used = append(used, kept)
			continue
		}
		doomed = append(doomed, kept)
		for i, age := range ages {
			if time.Since(kept.Since) < time.Duration(age.days)*24*time.Hour {
				aged[i] = append(aged[i], kept)
				break
			}
		}
	}
	if len(used) > 0 {
		rows = append(rows, sumStock("copies of images on record", used))
	}
	for i, files := range aged {
		if len(files) > 0 {
			rows = append(rows, sumStock(ages[i].what, files))
		}
	}
	return rows, doomed
}

func sumStock(what string, files []workspace.Stocked) view.StockRow {
	row := view.StockRow{What: what, Files: len(files)}
	for _, f := range files {
		row.Bytes += f.Bytes
		row.Cost += f.Cost
	}
	return row
}

// ago returns the time that a span before now is at, zero for no span.
func ago(span string) (time.Time, error) {
	if span == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(span, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 100_000 {
			return time.Now().AddDate(0, 0, -n), nil
		}
	}
	d, err := time.ParseDuration(span)
	if err != nil || d < 0 {
		return time.Time{}, explain("-older-than cannot be %q.\nUse a span such as 90d or 12h.", span)
	}
	return time.Now().Add(-d), nil
}
