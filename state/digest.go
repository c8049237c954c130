package state

// Digest identifies the state file that the session began with: the SHA-256 of its content, ""
// where there was none. What a journal of an interrupted run adds to it is not part of the digest.
func (s *Session) Digest() string { return s.sum }
