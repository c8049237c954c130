package viewtest

import (
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// News are what two others did to a state.
func News() []state.PastRun {
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	return []state.PastRun{
		{
			First: 7, Last: 9, Run: "a", Operation: "apply", Who: "ann@studio", At: at,
			Did: map[addrs.Image]state.Deed{{Name: "logo"}: state.DeedReplaced, {Name: "card"}: state.DeedMade}, More: 3,
		},
		{First: 10, Last: 11, Run: "b", Operation: "pick", Who: "bob@laptop", At: at.Add(time.Hour), Did: map[addrs.Image]state.Deed{{Name: "hero"}: state.DeedPicked}},
	}
}
