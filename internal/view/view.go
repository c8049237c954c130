package view

import (
	"io"
	"os"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/term"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Operation shows a plan and its apply. *View does it for people, machine.Stream for programs; a
// command chooses once.
type Operation interface {
	// Diagnostics shows what is wrong with a configuration, or doubtful. files are the sources, for
	// snippets.
	Diagnostics(diags hcl.Diagnostics, files map[string]*hcl.File)
	// Error shows any other error. It does nothing for nil.
	Error(err error)
	// News shows what others did to the state since this machine last looked. asked says that
	// somebody wants to know all of it.
	News(runs []state.PastRun, asked bool)
	// Plan shows what a plan would do.
	Plan(p *planner.Plan, info PlanInfo)
	// StartApply is called before the first Event. FinishApply or Close ends what it begins.
	StartApply(p *planner.Plan)
	// Event shows something that happened during an apply.
	Event(e executor.Event)
	// FinishApply shows what an apply did, and the root module's outputs after it.
	FinishApply(s executor.Summary, outputs []config.Output, info ApplyInfo)
	// Close ends a progress display that is still shown. It may be called at any time, more than
	// once.
	Close()
}

var _ Operation = (*View)(nil)

// PlanInfo is what a plan does not say of itself.
type PlanInfo struct {
	// Command is the command that shows the plan: "plan", which then says how to go on; "destroy",
	// whose question is another one; "apply" or "show".
	Command string
	// Simulated says that the plan is for a simulation, where nothing is charged.
	Simulated bool
	// SavedAs is the file that the plan was saved to, "" if it was not.
	SavedAs string
	// Again is the command that carries the plan out, as it is typed in a shell, "" where the plan
	// will not be carried out as it is.
	Again string
	// Costs adds up what the plan costs by model.
	Costs bool
}

// ApplyInfo is what the summary of an apply does not say of itself.
type ApplyInfo struct {
	// Simulated says that it was a simulation, where nothing is charged.
	Simulated bool
	// Destroy says that the apply removed everything.
	Destroy bool
	// Pictures is the directory with a simulation's images, as the user would type it.
	Pictures string
	// Interrupted says that the user ended the run.
	Interrupted bool
	// Again is the command that takes up what is left, such as "fluxbatch apply brand"; "" stands
	// for "fluxbatch apply".
	Again string
	// Accounts are those that the apply used.
	Accounts []ApplyAccount
}

// ApplyAccount is what an apply can say of an account when it could not do all.
type ApplyAccount struct {
	// Provider is its address, KeyVariable the environment variable with its key.
	Provider, KeyVariable string
	// Left is what the account has left, if it could be asked, and Needed what is estimated for the
	// images that were not made.
	HasLeft      bool
	Left, Needed bfl.Credits
}

// Options say where a View writes and for whom.
type Options struct {
	// Stdout takes results, Stderr all else.
	Stdout, Stderr io.Writer
	// Color adds colours to both. The caller decides it from -no-color, NO_COLOR and the terminal.
	Color bool
	// Width is the number of columns to fill; 0 stands for 80. Live progress follows the terminal's
	// own width.
	Width int
	// Terminal says that Stderr is a terminal that can show live progress.
	Terminal bool
	// Concise leaves out what each image is: a line an image, and no line for work that merely goes
	// on.
	Concise bool
	// Unfolded lists every instance of a block, however many have the same change.
	Unfolded bool
}

const (
	defaultWidth = 80
	// Narrower than this, wrapping text does more harm than a line that is too long.
	minWidth = 40
)

// View writes text for people. It is safe for concurrent use.
type View struct {
	opts    Options
	colours layout.Palette
	// oneLine says that the lines of a concise plan are never broken, since no terminal was named
	// that they would have to fit: scripts read them.
	oneLine bool

	// mu guards all below, and the order of writes.
	mu    sync.Mutex
	apply *applyLog
	// planned is what was said of the last plan.
	planned PlanInfo
}

// New returns a View.
func New(o Options) *View {
	v := &View{colours: layout.NewPalette(o.Color), oneLine: o.Width == 0}
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	o.Width = max(o.Width, minWidth)
	v.opts = o
	return v
}

// stdout writes a result for people. Errors of writing are ignored here and below: a reader that
// went away, such as a pager, must not stop an apply from recording what it has paid for. Whoever
// gave the writer knows of them.
func (v *View) stdout(text string) { v.data(v.seen(text)) }

// data writes a result for programs as it is.
func (v *View) data(text string) { _, _ = io.WriteString(v.opts.Stdout, text) }

// stderr writes everything that is not a result.
func (v *View) stderr(text string) { v.screenText(v.seen(text)) }

// screenText writes to stderr what moves the cursor as well; all else in it has been made visible.
func (v *View) screenText(text string) { _, _ = io.WriteString(v.opts.Stderr, text) }

// seen returns text in which everything but our own styles can be seen.
func (v *View) seen(text string) string { return layout.VisibleBut(text, v.colours.Sequences) }

// screen returns the size of the terminal behind stderr, or what the options say where there is
// none.
func (v *View) screen() (width, height int) {
	if f, ok := v.opts.Stderr.(*os.File); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return v.opts.Width, 24
}

// canRedraw reports whether stderr may be a terminal. It can have been sent to a file while stdout
// is one.
func (v *View) canRedraw() bool {
	f, ok := v.opts.Stderr.(*os.File)
	return !ok || term.IsTerminal(int(f.Fd()))
}
