package view

// Say prints one sentence as a command's result.
func (v *View) Say(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(text + "\n")
}
