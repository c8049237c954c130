package workspace

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// damaged warns of what the store has and was passed over, since its bytes are not what they were: what it was kept for may be paid for again.
func (w *Workspace) damaged() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, blob := range w.local.Store().Damaged() {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning,
			Summary:  "An image in the store is damaged",
			Detail: fmt.Sprintf("The bytes of %s are not what its name, their SHA-256, says: the file was changed or damaged since it was put there. It is passed over, "+
				"and an image that it would have been restored for is priced and generated. To have that for free, put the file back from a copy.", blob.Path),
		})
	}
	return diags
}

// storedLate is Store.Candidates during an apply, when what is found damaged is told at once.
func (w *Workspace) storedLate(a addrs.Image, fingerprint string, simulated bool) []*state.Image {
	images := w.local.Store().Candidates(a, fingerprint, simulated)
	if diags := w.damaged(); len(diags) > 0 {
		w.env.OnDiagnostics(diags)
	}
	return images
}
