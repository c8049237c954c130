package state

import (
	"context"
	"fmt"
	"time"
)

// Wait says that a state is waited for, since somebody else has it.
type Wait struct {
	// Path is the state's.
	Path string
	// Holder is who has it; its ID is "" where that is not known.
	Holder LockInfo
	// Lapses is after how long a lease that nobody renews is taken over, 0 for a lock, which the
	// system frees when its process ends.
	Lapses time.Duration
}

func (w Wait) String() string {
	text := fmt.Sprintf("Waiting for the state %s, in use by %s", w.Path, w.Holder)
	if w.Lapses > 0 {
		text += fmt.Sprintf(" (if that was killed, its hold lapses in %.0f seconds)", w.Lapses.Seconds())
	}
	return text
}

type waitKey struct{}

// ReportWaits returns a context whose waits for a state are told to a function, each once and when
// it is no short one.
func ReportWaits(ctx context.Context, tell func(Wait)) context.Context {
	return context.WithValue(ctx, waitKey{}, tell)
}

// Tell tells whoever listens on ctx.
func (w Wait) Tell(ctx context.Context) {
	if tell, ok := ctx.Value(waitKey{}).(func(Wait)); ok {
		tell(w)
	}
}
