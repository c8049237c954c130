package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

// Slots is where all who use an account share its limits.
type Slots struct {
	// URL is the broker's address, and Account the name that the account has there.
	URL, Account string
}

// The arguments of a slots block are kept with those of its provider, under names of their own.
const slotsURL, slotsAccount = "slots.url", "slots.account"

var (
	slotsSchema = schema.Body{In: `a slots "nats" block`, Args: []string{"url", "account"}}
	accountName = lazyregexp.New(`^[A-Za-z0-9_-]+$`)
)

// slots decodes the slots block of a provider.
func (d *decoder) slots(b *settingsBlock, blocks []*hcl.Block) {
	for _, block := range d.First("The slots block of this provider", blocks) {
		if kind := block.Labels[0]; kind != "nats" {
			d.add(diag.Problem(block.LabelRanges[0], "Unsupported kind of slots",
				`There are no slots %q. Write slots "nats" { url = "...", account = "..." } to share the account's limits through a broker.`, kind))
			continue
		}
		content, diags := slotsSchema.Read(block.Body)
		d.addWithHints(diags, map[string]string{"token": brokerHint, "user": brokerHint, "password": brokerHint, "credentials": brokerHint})
		for _, name := range slotsSchema.Args {
			if attr := content.Args[name]; attr != nil {
				b.args["slots."+name] = attr
			} else if !slices.Contains(schema.Misspelt(diags), name) {
				d.add(diag.Problem(block.DefRange, "Missing required argument",
					`A slots block needs %s. url is the broker's address, as in "tls://q.studio:4222". account is one name for the account, which all who use it write here.`, name))
			}
		}
	}
}

const brokerHint = "Credentials never stand in a configuration. Name a file of credentials in NATS_CREDS, or set NATS_USER and NATS_PASSWORD."

// slots evaluates what the slots block says, where there is one.
func (e *evaluator) slots(s *scope, b *settingsBlock, p *Provider) {
	address, at, hasURL := e.setting(s, b, slotsURL, cty.String)
	account, accountAt, hasAccount := e.setting(s, b, slotsAccount, cty.String)
	if !hasURL || !hasAccount {
		return
	}
	if reason := refusedBroker(address.AsString()); reason != "" {
		e.add(diag.Problem(at, "Invalid broker", "%s", reason))
		return
	}
	if !accountName().MatchString(account.AsString()) {
		e.add(diag.Problem(accountAt, "Invalid account name", "account is a name of letters, digits, underscores and dashes, such as \"studio-eu\"."))
		return
	}
	p.Slots = &Slots{URL: address.AsString(), Account: account.AsString()}
}

// refusedBroker says why a URL cannot be a broker's, "" where it can. One that has several nodes can
// have the URLs of all of them, with commas between them.
func refusedBroker(text string) string {
	for one := range strings.SplitSeq(text, ",") {
		if reason := refusedNode(one); reason != "" {
			return reason
		}
	}
	return ""
}

func refusedNode(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "tls" && u.Scheme != "nats":
		return fmt.Sprintf("%q is not the address of a broker such as tls://q.studio:4222.", text)
	case u.User != nil:
		return "The address has credentials in it. " + brokerHint
	case u.Scheme == "nats" && !bfl.IsLoopback("http://"+u.Host):
		return "What is said to a broker that is not on this machine must be encrypted. Write tls:// in the place of nats://."
	}
	return ""
}

// budget evaluates what may be spent.
func (e *evaluator) budget(s *scope, b *settingsBlock) {
	e.settings.MaxCost = e.amount(s, b, "max_cost", "for one apply, such as 5.00")
	e.settings.PerDay = e.amount(s, b, "per_day", "for one day, such as 20.00")
	e.settings.PerMonth = e.amount(s, b, "per_month", "for one month, such as 300.00")
	for _, name := range []string{"per_day", "per_month"} {
		if attr := b.args[name]; attr != nil && !slices.ContainsFunc(s.mod.settings, func(other *settingsBlock) bool { return other.args[slotsURL] != nil }) {
			e.add(diag.Problem(attr.NameRange, "Budget without slots",
				`%s bounds what all who use the account spend, so that they need a place to add it up. Add slots "nats" { ... } to the provider, or set max_cost, which is for one apply.`, name))
		}
	}
}

// amount evaluates an amount of US dollars, nil where there is none.
func (e *evaluator) amount(s *scope, b *settingsBlock, name, what string) *bfl.Credits {
	v, at, ok := e.setting(s, b, name, cty.Number)
	if !ok {
		return nil
	}
	dollars, _ := v.AsBigFloat().Float64()
	if dollars < 0 || dollars > 1e9 {
		e.add(diag.Problem(at, "Invalid budget", "%s must be an amount of US dollars %s.", name, what))
		return nil
	}
	return new(bfl.CreditsOf(dollars * 100))
}
