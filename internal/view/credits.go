package view

import (
	"fmt"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Balance is what an account has left.
type Balance struct {
	// Provider is its address, such as "bfl.eu".
	Provider string
	Credits  bfl.Credits
	// Host is who said so.
	Host string
	// Simulated says that it is a simulator on this machine, whose credits nobody has paid for.
	Simulated bool
}

// Credits writes what accounts have left, a line an account.
func (v *View) Credits(balances []Balance) {
	var b strings.Builder
	for _, balance := range balances {
		note := ""
		if balance.Simulated {
			note = ", simulated"
		}
		fmt.Fprintf(&b, "%s: %s (%s at %s%s)\n", balance.Provider, balance.Credits.Dollars(), creditsText(balance.Credits), balance.Host, note)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}
