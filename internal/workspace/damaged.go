package workspace

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// damaged warns of what the store has and was passed over, since its bytes are not what they were:
// what it was kept for may be paid for again.
func (w *Workspace) damaged() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, blob := range w.local.Store().Damaged() {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning,
			Summary:  "An image in the store is damaged",
			Detail:   fmt.Sprintf("The file %s was changed or damaged since it was stored, so nothing is restored from it. An image that needs it is priced and generated. Put the file back from a copy to have that for free.", blob.Path),
		})
	}
	return diags
}

// stored is Store.CandidatesBeside what is on record.
func (w *Workspace) stored(a addrs.Image, fingerprint string, simulated bool) []*state.Image {
	return w.local.Store().CandidatesBeside(w.session.State().Images.Get(a), a, fingerprint, simulated)
}

// storedLate is Store.Candidates during an apply, when the record changes under it, and what is
// found damaged is told at once. An error says that an image could not be looked at.
func (w *Workspace) storedLate(a addrs.Image, fingerprint string, simulated bool) ([]*state.Image, error) {
	store := w.local.Store()
	_ = store.TakeErr() // It is of other images.
	images := store.Candidates(a, fingerprint, simulated)
	if diags := w.damaged(); len(diags) > 0 {
		w.env.OnDiagnostics(diags)
	}
	return images, store.TakeErr()
}
