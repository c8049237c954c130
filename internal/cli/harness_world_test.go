package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/rendition"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
)

// world is a project with all that the harness knows of it.
type world struct {
	dir string
	// aside is a directory for what is no part of the project.
	aside string
	bank  *bank
	m     *manifest
	// strangers are files that fluxbatch did not make, by the hash of their bytes; they may be
	// moved and never lost.
	strangers map[string]string
	// foreign are the pixels of pictures that people made.
	foreign map[string]bool
	// charges are oldest first.
	charges []*charge
	// wishes are the prompts that each address ever had.
	wishes map[string]map[string]bool
	log    []string
	count  *figures
	inv    *inventory
}

// violation is a promise that was broken.
type violation struct{ kind, text string }

func (v *violation) Error() string { return v.kind + ": " + v.text }

func broken(kind, format string, args ...any) error {
	return &violation{kind, fmt.Sprintf(format, args...)}
}

// mishap is a failure of the harness itself.
type mishap struct{ error }

func (w *world) must(err error) {
	if err != nil {
		panic(mishap{err})
	}
}

func newWorld(dir string, b *bank, m *manifest, count *figures) (*world, error) {
	w := &world{
		dir: filepath.Join(dir, "project"), aside: dir, bank: b, m: m, count: count,
		strangers: map[string]string{}, foreign: map[string]bool{}, wishes: map[string]map[string]bool{},
	}
	err := errors.Join(os.MkdirAll(w.join("refs"), 0o777), os.MkdirAll(w.join("attic"), 0o777))
	if err == nil {
		err = errors.Join(os.WriteFile(w.join("refs/stone.png"), drawing(1), 0o644), os.WriteFile(w.join("judge"), []byte(judgeOf), 0o644))
	}
	return w, err
}

// fork returns a copy of a world in another directory, with the same bank.
func (w *world) fork(dir string, count *figures) (*world, error) {
	fork := *w
	fork.dir, fork.aside, fork.count = filepath.Join(dir, "project"), dir, count
	fork.strangers, fork.foreign, fork.wishes = maps.Clone(w.strangers), maps.Clone(w.foreign), maps.Clone(w.wishes)
	fork.log = nil
	return &fork, os.CopyFS(fork.dir, os.DirFS(w.dir))
}

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

// write writes the manifest, and remembers who wants what.
func (w *world) write() error {
	for _, it := range w.m.items() {
		if w.wishes[it.address()] == nil {
			w.wishes[it.address()] = map[string]bool{}
		}
		w.wishes[it.address()][it.prompt] = true
		if it.seed == 0 && it.most() > max(1, it.kept[it.prompt]) {
			it.kept = maps.Clone(it.kept)
			if it.kept == nil {
				it.kept = map[string]int{}
			}
			it.kept[it.prompt] = it.most()
		}
		for n := 1; n <= it.most(); n++ {
			w.wishes[fmt.Sprintf("%s.candidate[%d]", it.address(), n)] = w.wishes[it.address()]
		}
	}
	w.note("%s", w.m.render())
	return os.WriteFile(w.join("main.flux.hcl"), []byte(w.m.render()), 0o644)
}

// edited takes the inventory anew after people did something: what they lose, they lose.
func (w *world) edited() error {
	before := map[*charge]whereabouts{}
	for _, c := range w.charges {
		before[c] = c.where
	}
	err := w.look()
	for _, c := range w.charges {
		c.told = c.told || c.where == lost || c.where < open && before[c] >= open
	}
	return err
}

// look takes the inventory anew.
func (w *world) look() error {
	var err error
	if w.inv, err = takeInventory(w.dir); err != nil {
		return err
	}
	if w.charges, err = w.bank.all(); err != nil {
		return err
	}
	for _, c := range w.charges {
		c.where = w.inv.place(c)
	}
	maps.DeleteFunc(w.strangers, func(sum, _ string) bool { return w.inv.sums[sum] == "" })
	return nil
}

// command runs a command and compares what is there with what was there before: nothing may be
// lost.
func (w *world) command(f fate, mood string, args ...string) (*outcome, []*charge, error) {
	before := map[*charge]whereabouts{}
	for _, c := range w.charges {
		before[c] = c.where
	}
	strangers := maps.Clone(w.strangers)
	for text := range strings.SplitSeq(mood, ";") {
		if text == "" {
			continue
		}
		fault, err := simulator.ParseFault(text)
		if err == nil {
			err = w.bank.sim.Inject(fault)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	o, err := w.run(f, mood, args...)
	w.bank.sim.ClearFaults()
	if err != nil {
		return nil, nil, err
	}
	w.count.of(f, mood, o)
	w.note("$ fluxbatch %s  # %s\nexit %d\n%s", strings.Join(args, " "), f.with(mood), o.code, readable(o.text()))
	if err := w.look(); err != nil {
		return nil, nil, err
	}
	fresh := w.charges[len(before):]
	w.count.charged.Add(int64(len(fresh)))
	if o.hung && f.As == "" && mood == "" {
		return o, fresh, broken("hangs", "fluxbatch %s did not end within %v", strings.Join(args, " "), o.took)
	}
	for sum, name := range strangers {
		if w.strangers[sum] == "" {
			return o, fresh, broken("people's file lost", "the bytes of somebody's file, once at %s, are nowhere any more", name)
		}
	}
	w.hear(o)
	for _, c := range w.charges {
		place, known := before[c]
		if c.where == lost && (!known || place != lost) && !c.told {
			was := "was " + place.String()
			if !known {
				was = "was just charged"
			}
			return o, fresh, broken("paid and lost", "the image %q, seed %d, task %s, %s, and is nowhere any more", c.prompt, c.seed, c.id, was)
		}
	}
	return o, fresh, nil
}

// readable leaves of machines' lines what people would read.
func readable(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		var m struct {
			Message string `json:"@message"`
			Change  struct {
				Origin string
				Cost   float64 `json:"estimated_cost"`
				May    bool    `json:"may_have_been_charged"`
			}
			Diagnostic planDiagnostic
		}
		if json.Unmarshal([]byte(line), &m) != nil || m.Message == "" {
			continue
		}
		lines[i] = "  " + m.Message
		if m.Change.Origin != "" {
			lines[i] += fmt.Sprintf(" (%s, $%.3f)", m.Change.Origin, m.Change.Cost)
		}
		if m.Change.May {
			lines[i] += " may have been charged"
		}
		if m.Diagnostic.Detail != "" {
			lines[i] += ": " + m.Diagnostic.Detail
		}
	}
	return strings.Join(lines, "\n")
}

var unwanted = regexp.MustCompile(`(image\.\S+): it got no answer, may have been charged`)

// hear finds in a text which tasks are told to be given up.
func (w *world) hear(o *outcome) {
	text := strings.Join(strings.Fields(strings.ReplaceAll(o.text(), "#", " ")), " ")
	for _, found := range unwanted.FindAllStringSubmatch(text, -1) {
		w.tell(w.wishes[found[1]])
		w.count.announced.Add(1)
	}
	if strings.Contains(text, "sent a request that got no answer and may have been charged") {
		for _, c := range w.charges {
			c.told = c.told || c.where == lost
		}
	}
}

// tell notes that requests which got no answer are told to be given up or sent again.
func (w *world) tell(prompts map[string]bool) {
	for _, c := range w.charges {
		if (c.where == sent || c.where == lost) && prompts[c.prompt] {
			c.told = true
		}
	}
}

// announcement is what a plan says, as machines read it.
type announcement struct {
	changes []planned
	cost    float64
	errors  []planDiagnostic
	empty   bool
}

type planned struct {
	address, action, origin string
	mayHaveBeenCharged      bool
	// again says that it is a lost picture that is to be made again, with the seed that made it:
	// another throw would be another picture.
	again bool
}

type planDiagnostic struct{ Severity, Summary, Detail string }

func readPlan(text string) (*announcement, error) {
	a := &announcement{empty: true}
	for line := range strings.Lines(text) {
		var m struct {
			Type   string
			Change struct {
				Resource struct{ Addr string }
				Action   string
				Origin   string
				May      bool   `json:"may_have_been_charged"`
				Seed     *int64 `json:"recorded_seed"`
			}
			Changes struct {
				Cost float64 `json:"estimated_cost"`
			}
			Diagnostic planDiagnostic
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			return nil, fmt.Errorf("a line of a plan: %w\n%s", err, line)
		}
		switch m.Type {
		case "planned_change":
			a.changes = append(a.changes, planned{
				address: m.Change.Resource.Addr, action: m.Change.Action, origin: m.Change.Origin,
				mayHaveBeenCharged: m.Change.May, again: m.Change.Seed != nil,
			})
		case "change_summary":
			a.cost = m.Changes.Cost
		case "diagnostic":
			if m.Diagnostic.Severity == "error" {
				a.errors = append(a.errors, m.Diagnostic)
			}
		}
	}
	return a, nil
}

// generates are the changes that the plan says it buys.
func (a *announcement) generates() []planned {
	return slices.DeleteFunc(slices.Clone(a.changes), func(p planned) bool { return p.origin != "generate" })
}

// available counts the pictures of a request that are in a file or an open task.
func (w *world) available(suits func(*charge) bool) int {
	n := 0
	for _, c := range w.charges {
		if c.where >= open && suits(c) {
			n++
		}
	}
	return n
}

// wanted counts the images that may want a throw of their own of a request without a seed: those
// that ask for it, and all that can hold one while the manifest asks for another.
func (w *world) wanted(prompt string, e *errand) int {
	n := 0
	for _, it := range w.m.items() {
		if it.prompt == prompt && it.seed == 0 || it.block.frozen || e.limited {
			n += max(it.most(), it.kept[prompt])
		} else {
			n += it.kept[prompt] // Candidates stay, whatever the image asks for by now.
		}
	}
	return n
}

// checkPlan holds what a plan wants to buy against what is there. Of images that are made from
// others it is not known yet what they ask for; what is bought for them is checked when it is.
func (w *world) checkPlan(a *announcement, e *errand) error {
	buys := map[string]int{}
	for _, p := range a.generates() {
		it, n := w.m.find(p.address)
		if p.mayHaveBeenCharged {
			w.count.announced.Add(1)
			if it != nil {
				w.tell(map[string]bool{it.prompt: true})
			}
		}
		if it == nil || len(it.block.refs) > 0 || it == e.replaced || p.again {
			continue
		}
		stone := ""
		if it.block.stone {
			stone = w.stone()
		}
		seed := it.seed
		if seed != 0 {
			seed += max(n, 1) - 1
		}
		request := wishOf(it.prompt, seed) + stone
		buys[request]++
		there := w.available(func(c *charge) bool {
			return c.prompt == it.prompt && c.seed == seed && strings.Contains(c.request, `"input_image"`) == it.block.stone &&
				strings.Contains(c.request, stone) && !strings.Contains(c.request, "input_image_2")
		})
		switch {
		case it.seed != 0 && there > 0:
			return broken("plan sells what is there", "%s is to be bought, and its request (%q, seed %d) was paid for and is %s", p.address, it.prompt, seed, w.whereIs(it))
		case it.seed != 0 && buys[request] > 1:
			return broken("plan buys one seed twice", "%s is to be bought, and another image of the plan with the same request (%q, seed %d)", p.address, it.prompt, seed)
		case it.seed == 0 && buys[request] > max(0, w.wanted(it.prompt, e)-there):
			return broken("plan sells what is there", "%s is to be bought; %d images want a throw of %q, %d were paid for and are there, such as %s",
				p.address, w.wanted(it.prompt, e), it.prompt, there, w.whereIs(it))
		}
	}
	return nil
}

func (w *world) stone() string {
	data, err := os.ReadFile(w.join("refs/stone.png"))
	w.must(err)
	return pixelsOf(data)
}

// whereIs says where a picture of an image's request is.
func (w *world) whereIs(it *item) string {
	var all []string
	for _, c := range w.charges {
		if c.prompt == it.prompt && c.seed == it.seed && c.where >= open {
			where := "an open task, " + c.id
			if c.where == had {
				where = "in " + w.inv.pixels[c.pixels]
			}
			all = append(all, where)
		}
	}
	return strings.Join(all, " and ")
}

// checkCharges holds what an apply bought against what its plan had announced, and against what was
// there before it.
func (w *world) checkCharges(fresh []*charge, a *announcement, e *errand, before map[string]int) error {
	announced, bought, ofRequest, sum, cap := map[string]int{}, map[string]int{}, map[string]int{}, 0.0, a.cost
	for _, p := range a.generates() {
		if it, _ := w.m.find(p.address); it != nil {
			announced[it.prompt]++
		}
	}
	// What gates ask for besides is not looked for among what other images have kept of former
	// requests.
	retried := map[string]int{}
	for _, it := range w.m.items() {
		if it.block.gated {
			announced[it.prompt] += gateRetries
			cap += gateRetries * dearest
			retried[it.prompt] += gateRetries
		}
	}
	for _, c := range fresh {
		sum += c.credits / 100
		if bought[c.prompt]++; bought[c.prompt] > announced[c.prompt] {
			return broken("bought unannounced", "an image %q, seed %d, task %s, was charged, and the plan had announced %d of that prompt", c.prompt, c.seed, c.id, announced[c.prompt])
		}
		ofRequest[c.request]++
		allowed := 1 - min(1, before[c.request])
		if c.seed == 0 {
			allowed = max(0, w.wanted(c.prompt, e)-before[c.request]) + retried[c.prompt]
		}
		if e.replaced != nil && e.replaced.prompt == c.prompt {
			allowed += e.replaced.most()
		}
		if ofRequest[c.request] > allowed {
			return broken("paid twice", "an image %q, seed %d, task %s, was charged %d times by this apply, and %d of the very same request were there before it",
				c.prompt, c.seed, c.id, ofRequest[c.request], before[c.request])
		}
	}
	if sum > cap+1e-6 {
		return broken("dearer than announced", "$%.4f were charged, and the plan had said $%.4f", sum, cap)
	}
	return nil
}

// dearest bounds what one image costs, in dollars.
const dearest = 0.02

// there counts, for each request, the pictures that are there.
func (w *world) there() map[string]int {
	n := map[string]int{}
	for _, c := range w.charges {
		if c.where >= open {
			n[c.request]++
		}
	}
	return n
}

// checkEnd holds a project in which nothing is left to do against the books.
func (w *world) checkEnd() error {
	if len(w.inv.temporary) > 0 {
		return broken("leftover", "temporary files are left: %v", w.inv.temporary)
	}
	for _, c := range w.charges {
		if c.where < had && !c.told {
			return broken("paid without a trace", "the image %q, seed %d, task %s is %v", c.prompt, c.seed, c.id, c.where)
		}
	}
	owner := map[string]*item{}
	for _, it := range w.m.items() {
		if err := w.checkSmall(it); err != nil {
			return err
		}
		p, ok := w.inv.byPath[it.path()]
		if err := w.checkChoice(it, p); err != nil {
			return err
		}
		if w.foreign[p] {
			continue
		}
		if !ok {
			return broken("no file", "%s has no file at %s", it.address(), it.path())
		}
		if !slices.ContainsFunc(w.charges, func(c *charge) bool {
			return c.pixels == p && c.prompt == it.prompt && (it.seed == 0 || c.seed >= it.seed && c.seed < it.seed+it.most()+gateRetries)
		}) {
			return broken("another picture", "the file of %s, %s, is not what was charged for %q, seed %d", it.address(), it.path(), it.prompt, it.seed)
		}
		if other := owner[p]; it.seed == 0 && other != nil && other.seed == 0 {
			return broken("two throws became one", "%s and %s have the same picture", it.address(), other.address())
		}
		owner[p] = it
	}
	return nil
}

// checkSmall holds what was made here of an image against the image: it was made of this very picture,
// and says so.
func (w *world) checkSmall(it *item) error {
	if it.block.small == 0 {
		return nil
	}
	small, err := os.ReadFile(w.join(it.smallPath()))
	if err != nil {
		return broken("no rendition", "%s has none at %s", it.address(), it.smallPath())
	}
	from, err := os.ReadFile(w.join(it.path()))
	w.must(err)
	picture, err := imagefile.Check(bytes.NewReader(from), int64(len(from)))
	if err != nil {
		return broken("no picture", "%s of %s: %v", it.path(), it.address(), err)
	}
	made, err := imagefile.Check(bytes.NewReader(small), int64(len(small)))
	mark := rendition.ReadMark(imagefile.ReadMetadata(small).XMP)
	if err != nil || made.Width != it.block.small || !slices.Equal(mark.Contents, []string{picture.Content}) {
		return broken("another rendition", "%s was made from %v, and is %v (%v)", it.smallPath(), mark.Contents, made, err)
	}
	return nil
}
