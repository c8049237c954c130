package simulator

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Statuses of a task, as the schema has them.
const (
	statusNotFound         = "Task not found"
	statusPending          = "Pending"
	statusRequestModerated = "Request Moderated"
	statusContentModerated = "Content Moderated"
	statusReady            = "Ready"
	statusError            = "Error"
)

// Statuses that others have seen and the schema does not have.
const (
	statusReasoning  = "Reasoning"
	statusGenerating = "Generating"
	statusFailed     = "Failed"
)

// Words in a prompt that decide how its task ends.
const (
	MarkRequestModerated = "[moderated]"
	MarkContentModerated = "[moderated-content]"
	MarkError            = "[error]"
)

// task is an accepted order. What is not below mu never changes.
type task struct {
	id     string
	order  *order
	size   bfl.Size
	charge Charge
	// seed is the number that the picture is drawn from and that the result tells.
	seed string
	// end is the final status; reason says why where that is not statusReady.
	end    string
	reason string
	// start is when a worker takes the task up, ready when it ends. A task that is never ready has
	// no end.
	submitted, start, ready time.Time
	never                   bool
	// settled is what the task costs in the end, nil where that is what its acceptance said.
	settled *bfl.Credits
	// base begins the URLs in the task's results.
	base string

	mu sync.Mutex // serialises drawing
	// holder is set where the order has inputs; the shelf guards it and the inputs' data.
	holder *holder
	// webhook tells how its delivery goes, as a string for people.
	webhook atomic.Value
}

// isActive reports whether the task holds a slot.
func (t *task) isActive(now time.Time) bool { return t.never || now.Before(t.ready) }

// progress returns how far the task is, from 0 to 1.
func (t *task) progress(now time.Time) float64 {
	if t.never || !now.After(t.start) {
		return 0
	}
	done := float64(now.Sub(t.start)) / float64(max(t.ready.Sub(t.start), 1))
	return math.Round(min(done, 1)*100) / 100
}

// expires returns when the task's sample ends. Signed URLs carry whole seconds.
func (t *task) expires(lifetime time.Duration) time.Time {
	return t.ready.Add(lifetime).Truncate(time.Second)
}

// fate decides how an order will end.
func fate(o *order) (status, reason string) {
	prompt := o.text("prompt")
	switch {
	case strings.Contains(prompt, MarkRequestModerated):
		return statusRequestModerated, "Prompt Filter"
	case strings.Contains(prompt, MarkContentModerated):
		return statusContentModerated, "Image Filter"
	case strings.Contains(prompt, MarkError):
		return statusError, "The prompt asked the simulator for an error."
	}
	for _, in := range o.inputs {
		if in.size == (bfl.Size{}) {
			return statusError, fmt.Sprintf("The image in %s could not be read. Images are PNG, JPEG or WebP.", in.field)
		}
	}
	if size := o.size(); size.Width*size.Height > maxExpanded {
		return statusError, fmt.Sprintf("The image of %d x %d would be too large.", size.Width, size.Height)
	}
	return statusReady, ""
}

// dice returns 64 random bits that depend on the simulator's seed and on what they are for.
func (s *Simulator) dice(purpose string, n uint64) uint64 {
	text := binary.LittleEndian.AppendUint64(nil, s.seed)
	text = binary.LittleEndian.AppendUint64(text, n)
	sum := sha256.Sum256(append(text, purpose...))
	return binary.LittleEndian.Uint64(sum[:])
}

// fraction maps 64 random bits to a number between 0 and 1, both excluded.
func fraction(bits uint64) float64 { return (float64(bits>>11) + 0.5) / (1 << 53) }

// latency draws how long the nth task takes.
func (s *Simulator) latency(m *bfl.Model, n uint64) time.Duration {
	l := s.opts.latency(m)
	if l.Spread <= 0 {
		return l.Median
	}
	normal := math.Sqrt2 * math.Erfinv(2*fraction(s.dice("latency", n))-1)
	return time.Duration(float64(l.Median) * math.Exp(l.Spread*normal))
}

// newID returns a task's id in the form of a UUID.
func (s *Simulator) newID(n uint64) string {
	a, b := s.dice("id", n), s.dice("more id", n)
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffff_ffff_ffff)
}

// drawnSeed returns the seed of an order that has none: random in the eyes of a client, and yet the
// same whenever the same orders come in the same number, so that what a demonstration shows does
// not change. The nth order of a kind differs from the others, because at the API no image without
// a seed can be made twice.
func drawnSeed(o *order, nth int) string {
	sum := sha256.Sum256([]byte(o.digest + strconv.Itoa(nth)))
	return strconv.FormatUint(uint64(binary.LittleEndian.Uint32(sum[:])), 10)
}

// result is the answer about a task.
type result struct {
	ID       string         `json:"id"`
	Status   string         `json:"status"`
	Result   *made          `json:"result"`
	Progress *float64       `json:"progress"`
	Details  map[string]any `json:"details"`
	Preview  map[string]any `json:"preview"`
	// Error is not in the schema; the endpoint document has it beside the status Error.
	Error string `json:"error,omitempty"`
	// Cost is not in the schema either: what the task costs in the end, in credits, which some have
	// seen.
	Cost *float64 `json:"cost,omitempty"`
}

// made tells of a finished picture. Times are seconds since 1970.
type made struct {
	Sample    string      `json:"sample"`
	Prompt    string      `json:"prompt"`
	Seed      json.Number `json:"seed"`
	StartTime float64     `json:"start_time"`
	EndTime   float64     `json:"end_time"`
	Duration  float64     `json:"duration"`
}

// result tells the task's state at a time.
func (s *Simulator) result(t *task, now time.Time) result {
	r := result{ID: t.id, Status: t.end}
	switch {
	case t.isActive(now):
		r.Status = s.pending(t, now)
		r.Progress = new(t.progress(now))
	case t.end == statusReady:
		r.Result = &made{
			Sample:    s.sampleURL(t),
			Prompt:    t.order.elaborated(),
			Seed:      json.Number(t.seed),
			StartTime: seconds(t.start),
			EndTime:   seconds(t.ready),
			Duration:  math.Round(t.ready.Sub(t.start).Seconds()*1000) / 1000,
		}
	case t.end == statusError:
		if s.opts.Undocumented {
			r.Status = statusFailed
		}
		r.Error = t.reason
		r.Details = map[string]any{"error": t.reason}
	default:
		r.Details = map[string]any{"Moderation Reasons": []string{t.reason}}
	}
	if t.settled != nil && !t.isActive(now) {
		r.Cost = new(t.settled.Float())
	}
	return r
}

// pending returns the status of an active task.
func (s *Simulator) pending(t *task, now time.Time) string {
	switch progress := t.progress(now); {
	case !s.opts.Undocumented || progress == 0:
		return statusPending
	case progress < 0.3:
		return statusReasoning
	default:
		return statusGenerating
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// elaborated returns the prompt as the model used it: longer where prompt upsampling is on.
func (o *order) elaborated() string {
	prompt := o.text("prompt")
	on, given := o.request.Value("prompt_upsampling").(bool)
	if p := o.model.Param("prompt_upsampling"); !given && p != nil {
		on, _ = p.Default.(bool)
	}
	if !on || prompt == "" {
		return prompt
	}
	return strings.TrimRight(prompt, ". ") + ". Balanced composition, soft natural light, rich detail."
}
