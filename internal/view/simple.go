package view

import (
	"fmt"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Valid says that a configuration has no errors.
func (v *View) Valid() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout("The configuration is valid.\n")
}

// Version says which program this is: its version, such as "0.1.0", the platform, such as
// "linux_amd64", and how old its prices are.
func (v *View) Version(version, platform string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(fmt.Sprintf("fluxbatch v%s\non %s\nprices as of %s\n", version, platform, bfl.PricesAsOf))
}
