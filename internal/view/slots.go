package view

import (
	"fmt"
	"strings"
	"time"
)

// Slot is one of an account's that a task has.
type Slot struct {
	// Account and Slot name it: "a.3" is one of the account's, "kmax.0" one of a model's.
	Account string
	Slot    string
	// Who has it for Image, which is made by Model, since when. Task is "" where it was not
	// submitted yet.
	Who   string
	Image string
	Model string
	Task  string
	Since time.Time
	// Lives says that the run which has it lives.
	Lives bool
}

// Slots writes who has which slots, a line a slot.
func (v *View) Slots(slots []Slot) {
	var b strings.Builder
	for _, s := range slots {
		task := s.Task
		if task == "" {
			task = "about to be submitted"
		}
		fmt.Fprintf(&b, "%s %s: %s (%s), since %s\n    %s, %s\n", s.Account, s.Slot, s.Image, s.Model, s.Since.Local().Format(time.DateTime), s.Who, task)
		if !s.Lives {
			b.WriteString("    The run has ended or is cut off. The slot is freed when its task is fetched, or when the task's time is over.\n")
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}
