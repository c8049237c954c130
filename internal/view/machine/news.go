package machine

import (
	"maps"
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/state"
)

// newsMessage tells what others did to the state.
type newsMessage struct {
	header
	Runs []newsRun `json:"runs"`
	Type string    `json:"type"`
}

type newsRun struct {
	Who       string    `json:"who"`
	Operation string    `json:"operation"`
	At        time.Time `json:"at"`
	// Images are those that the run did something to, More counts further ones.
	Images []newsImage `json:"images"`
	More   int         `json:"more,omitempty"`
}

type newsImage struct {
	Addr string `json:"addr"`
	// Was is "made", "replaced", "picked", "accepted", "destroyed" or "moved".
	Was string `json:"was"`
}

// News writes a "state_moved" message, whether or not it was asked for, where there is something to
// tell.
func (j *Stream) News(runs []state.PastRun, _ bool) {
	if len(runs) == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	m := newsMessage{header: j.header("info", view.NewsLine(runs)), Type: "state_moved"}
	for i := range runs {
		r := newsRun{Who: runs[i].Who, Operation: runs[i].Operation, At: runs[i].At.UTC(), Images: []newsImage{}, More: runs[i].More}
		for _, a := range slices.SortedFunc(maps.Keys(runs[i].Did), addrs.Image.Compare) {
			r.Images = append(r.Images, newsImage{a.String(), string(runs[i].Did[a])})
		}
		m.Runs = append(m.Runs, r)
	}
	j.emit(m)
}
