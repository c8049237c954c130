package diag

// Case is the Extra of a diagnostic about one image, of which many can have the same cause: a state
// that is lost is one mistake, and not one for each of a thousand images. Views show the first
// cases of a cause, and count the rest.
type Case struct {
	// Subject is what the diagnostic is about, such as an address.
	Subject string
	// Cause is the same for all that have the same way out.
	Cause string
}
