package machine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/costs"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// WriteOutputs writes the outputs on record as Terraform does: an object by name, of sensitive,
// type and value.
func WriteOutputs(out io.Writer, outputs map[string]state.OutputValue) {
	type output struct {
		Sensitive bool            `json:"sensitive"`
		Type      json.RawMessage `json:"type"`
		Value     json.RawMessage `json:"value"`
	}
	all := make(map[string]output, len(outputs))
	for name, o := range outputs {
		all[name] = output{o.Sensitive, o.Type, o.Value}
	}
	document(out, all)
}

// WriteOutput writes the value of one output as JSON. It reports an error for one whose value is
// not kept.
func WriteOutput(out io.Writer, name string, o state.OutputValue) error {
	if o.Sensitive {
		return fmt.Errorf("the output %q is sensitive, and its value is not kept in the state", name)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, o.Value, "", "  "); err != nil {
		return fmt.Errorf("the output %q on record is damaged: %w", name, err)
	}
	b.WriteByte('\n')
	_, _ = out.Write(layout.VisibleJSON(b.Bytes())) // As in documentWriter.
	return nil
}

// WriteCredits writes what accounts have left as a JSON list of objects.
func WriteCredits(out io.Writer, balances []view.Balance) {
	type balance struct {
		Provider string `json:"provider"`
		Host     string `json:"host"`
		// Credits are of one US cent; USD is the same amount in dollars.
		Credits   bfl.Credits `json:"credits"`
		USD       float64     `json:"usd"`
		Simulated bool        `json:"simulated"`
	}
	all := make([]balance, len(balances))
	for i, x := range balances {
		all[i] = balance{x.Provider, x.Host, x.Credits, x.Credits.USD(), x.Simulated}
	}
	document(out, all)
}

// WriteSlots writes who has which slots of shared accounts, as a JSON list.
func WriteSlots(out io.Writer, slots []view.Slot) {
	type slot struct {
		Account string `json:"account"`
		Slot    string `json:"slot"`
		Who     string `json:"who"`
		Image   string `json:"image"`
		Model   string `json:"model"`
		// Task is absent where it was not submitted yet, or nobody knows.
		Task  string    `json:"task,omitempty"`
		Since time.Time `json:"since"`
		// Lives says that the run which has it lives.
		Lives bool `json:"lives"`
	}
	all := make([]slot, len(slots))
	for i, s := range slots {
		all[i] = slot(s)
	}
	document(out, all)
}

// WriteVersion says which program this is, as one JSON object: its version, such as "0.1.0", the
// platform, such as "linux_amd64", and how old its prices are.
func WriteVersion(out io.Writer, version, platform string) {
	document(out, struct {
		Version    string `json:"fluxbatch_version"`
		Platform   string `json:"platform"`
		PricesAsOf string `json:"prices_as_of"`
	}{version, platform, bfl.PricesAsOf})
}

// estimatedUSD is what a change is estimated to cost in US dollars, nil where that is unknown: a
// zero would say that it is free.
func estimatedUSD(c *planner.Change) *float64 {
	if c.PriceUnknown {
		return nil
	}
	return new(c.Cost.USD())
}

// costsDocument is what "fluxbatch costs -json" prints.
type costsDocument struct {
	FormatVersion string      `json:"format_version"`
	By            string      `json:"by"`
	Sums          []costs.Sum `json:"sums"`
	Total         costs.Sum   `json:"total"`
}

// WriteCosts prints what was charged. Amounts are in credits; a credit is one US cent.
func WriteCosts(out io.Writer, by string, sums []costs.Sum, total costs.Sum) {
	if sums == nil {
		sums = []costs.Sum{}
	}
	document(out, costsDocument{"1.0", by, sums, total})
}
