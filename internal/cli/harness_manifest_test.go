package cli_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
)

// The manifest that the harness edits: blocks of images, which know what they ask for, so that the
// harness can tell by itself what has to be bought.

type blockKind int

const (
	single blockKind = iota
	keyed            // for_each
	counted
)

type block struct {
	name   string
	kind   blockKind
	items  []*item
	refs   []*item // of blocks of a lower level only, so that there is no cycle
	stone  bool    // refs/stone.png is a reference too
	level  int
	frozen bool
	gated  bool // a gate judges it: see judgeOf
	// small is the width of what is made here of each image, 0 where nothing is, and cut says that
	// the references are what is made of these images, where something is.
	small int
	cut   bool
}

type item struct {
	block  *block
	key    string // of for_each
	prompt string
	seed   int // 0 for none
	output string
	// candidates are how many there are to choose from, where there is a choice, and more how many
	// were asked for besides, at most.
	candidates, more int
	// pick is the one that the manifest picks, 0 for none.
	pick int
	// picked is the request of the candidate that was picked, and accepted the pixels of the file
	// that was accepted; "" where there was none since the image was last changed by hand.
	picked   string
	accepted string
	// doubtful says that it may have been accepted: what was to do that was killed, or failed.
	doubtful bool
	// kept are how many throws of each prompt it can have kept among its candidates.
	kept map[string]int
}

type manifest struct {
	blocks []*block
	// moved are the moved blocks of this step: from, to.
	moved [][2]string
	names int
	// cell is the side of the cells of a sheet of all images, 0 where there is none.
	cell int
}

func (it *item) address() string {
	switch a := "image." + it.block.name; it.block.kind {
	case keyed:
		return a + `["` + it.key + `"]`
	case counted:
		return a + "[" + strconv.Itoa(slices.Index(it.block.items, it)) + "]"
	default:
		return a
	}
}

// path is where the image's file is, relative to the root.
// isByHand reports whether somebody's edit of the image may be on record.
func (it *item) isByHand() bool { return it.accepted != "" || it.doubtful }

func (it *item) path() string {
	if it.output != "" {
		return "images/" + it.output
	}
	switch name := "images/" + it.block.name; it.block.kind {
	case keyed:
		return name + "-" + it.key + ".png"
	case counted:
		return name + "-" + strconv.Itoa(slices.Index(it.block.items, it)) + ".png"
	default:
		return name + ".png"
	}
}

// smallPath is the file of what is made here of the image.
func (it *item) smallPath() string { return strings.TrimSuffix(it.path(), ".png") + "-small.png" }

// wish is what the request says beside its references.
func (it *item) wish() string { return wishOf(it.prompt, it.seed) }

// nth is what the request of the nth candidate says.
func (it *item) nth(n int) string {
	if it.seed == 0 {
		return it.wish()
	}
	return wishOf(it.prompt, it.seed+n-1)
}

// most is how many throws of its request the image can want.
func (it *item) most() int {
	n := max(1, it.candidates) + it.more
	if it.block.gated {
		n += gateRetries
	}
	return n
}

func (it *item) hasChoice() bool { return it.candidates > 1 || it.block.gated }

// find returns the image of an address, and which of its candidates it is; 0 for the image itself.
func (m *manifest) find(address string) (*item, int) {
	for _, it := range m.items() {
		if it.address() == address {
			return it, 0
		}
		var n int
		if rest, ok := strings.CutPrefix(address, it.address()+".candidate["); ok {
			if _, err := fmt.Sscanf(rest, "%d]", &n); err == nil {
				return it, n
			}
		}
	}
	return nil, 0
}

func wishOf(prompt string, seed int) string { return fmt.Sprintf("%s/%d", prompt, seed) }

func (m *manifest) items() []*item {
	var all []*item
	for _, b := range m.blocks {
		all = append(all, b.items...)
	}
	return all
}

// remember returns what puts the manifest back as it is now, for worlds that have it in common.
func (m *manifest) remember() (restore func()) {
	was := *m
	was.blocks = slices.Clone(m.blocks)
	blocks, items := map[*block]block{}, map[*item]item{}
	for _, b := range m.blocks {
		blocks[b] = *b
		for _, it := range b.items {
			items[it] = *it
		}
	}
	return func() {
		*m = was
		for b, value := range blocks {
			*b = value
		}
		for it, value := range items {
			*it = value
		}
	}
}

func (m *manifest) isAnyGated() bool {
	return slices.ContainsFunc(m.blocks, func(b *block) bool { return b.gated })
}

func (m *manifest) isAnyFrozen() bool {
	return slices.ContainsFunc(m.blocks, func(b *block) bool { return b.frozen })
}

// outputTwice returns an item whose path is written out and another one's too, nil where there is none.
func (m *manifest) outputTwice() *item {
	all := map[string][]*item{}
	for _, it := range m.items() {
		all[it.path()] = append(all[it.path()], it)
	}
	for _, it := range m.items() {
		if it.output != "" && len(all[it.path()]) > 1 {
			return it
		}
	}
	return nil
}

// fresh returns a number that nothing of the manifest was named by.
func (m *manifest) fresh() int {
	m.names++
	return m.names
}

func (m *manifest) add(level int, kind blockKind, n int) *block {
	b := &block{name: fmt.Sprintf("b%d", m.fresh()), kind: kind, level: level}
	for range n {
		id := m.fresh()
		b.items = append(b.items, &item{block: b, key: fmt.Sprintf("k%d", id), prompt: fmt.Sprintf("heron %d", id)})
	}
	m.blocks = append(m.blocks, b)
	return b
}

// newManifest returns a manifest of three to eight images, some of them made from others, two
// levels deep.
func newManifest(r *rand.Rand) *manifest {
	m := &manifest{}
	images := 0
	for level := 0; images < 3 || level < 3 && images < 6; level++ {
		kind := blockKind(r.IntN(3))
		n := 1
		if kind != single {
			n = 1 + r.IntN(3)
		}
		lower := m.items()
		b := m.add(min(level, 2), kind, n)
		images += n
		for _, it := range b.items {
			if r.IntN(2) == 0 {
				it.seed = 1 + r.IntN(1000)
			}
		}
		if kind != single && n > 1 && r.IntN(2) == 0 {
			// Twins: requests that only chance tells apart.
			b.items[1].prompt, b.items[0].seed, b.items[1].seed = b.items[0].prompt, 0, 0
		}
		b.stone, b.gated = r.IntN(4) == 0, r.IntN(6) == 0
		b.small, b.cut = []int{0, 24, 40}[r.IntN(3)], r.IntN(2) == 0
		if r.IntN(3) == 0 {
			b.items[0].candidates = 2 + r.IntN(2)
		}
		if level > 0 && r.IntN(4) > 0 {
			b.refs = append(b.refs, lower[r.IntN(len(lower))])
		}
	}
	return m
}

// drop takes an image out, and out of the references of others.
func (m *manifest) drop(it *item) {
	b := it.block
	b.items = slices.DeleteFunc(b.items, func(other *item) bool { return other == it })
	for _, other := range m.blocks {
		other.refs = slices.DeleteFunc(other.refs, func(ref *item) bool { return ref == it })
	}
	if len(b.items) == 0 {
		m.blocks = slices.DeleteFunc(m.blocks, func(other *block) bool { return other == b })
	}
}

func (m *manifest) render() string {
	var w strings.Builder
	w.WriteString(clitest.SmallImages)
	for _, b := range m.blocks {
		b.render(&w)
	}
	if m.cell > 0 && len(m.items()) > 0 {
		var cells []string
		for i, it := range m.items() {
			if cells = append(cells, it.address()); it.block.small > 0 && i%2 == 0 {
				cells[i] += ".rendition.small"
			}
		}
		fmt.Fprintf(&w, "sheet \"all\" {\n  images = [%s]\n  cell   = { width = %[2]d, height = %[2]d }\n  atlas  = \"all.json\"\n}\n", strings.Join(cells, ", "), m.cell)
	}
	for _, move := range m.moved {
		fmt.Fprintf(&w, "moved {\n  from = %s\n  to   = %s\n}\n", move[0], move[1])
	}
	return w.String()
}

func (b *block) render(w *strings.Builder) {
	object := func(it *item) string {
		return fmt.Sprintf("{ prompt = %q, seed = %s, output = %s, candidates = %d }", it.prompt, orNull(it.seed != 0, strconv.Itoa(it.seed)),
			orNull(it.output != "", strconv.Quote(it.output)), max(1, it.candidates))
	}
	from := ""
	switch b.kind {
	case keyed:
		fmt.Fprintf(w, "image %q {\n  for_each = {\n", b.name)
		for _, it := range b.items {
			fmt.Fprintf(w, "    %s = %s\n", it.key, object(it))
		}
		w.WriteString("  }\n")
		from = "each.value."
	case counted:
		fmt.Fprintf(w, "locals {\n  %s = [\n", b.name)
		for _, it := range b.items {
			fmt.Fprintf(w, "    %s,\n", object(it))
		}
		fmt.Fprintf(w, "  ]\n}\nimage %q {\n  count = %d\n", b.name, len(b.items))
		from = "local." + b.name + "[count.index]."
	case single:
		it := b.items[0]
		fmt.Fprintf(w, "image %q {\n  prompt = %q\n", b.name, it.prompt)
		if it.seed != 0 {
			fmt.Fprintf(w, "  seed = %d\n", it.seed)
		}
		if it.output != "" {
			fmt.Fprintf(w, "  output = %q\n", it.output)
		}
		if it.candidates > 1 {
			fmt.Fprintf(w, "  candidates = %d\n", it.candidates)
		}
		if it.pick > 0 {
			fmt.Fprintf(w, "  pick = %d\n", it.pick)
		}
	}
	if from != "" {
		fmt.Fprintf(w, "  prompt = %[1]sprompt\n  seed   = %[1]sseed\n  output = %[1]soutput\n  candidates = %[1]scandidates\n", from)
	}
	var refs []string
	for _, ref := range b.refs {
		address := ref.address()
		if b.cut && ref.block.small > 0 {
			address += ".rendition.small"
		}
		refs = append(refs, address)
	}
	if b.stone {
		refs = append(refs, `"refs/stone.png"`)
	}
	if len(refs) > 0 {
		fmt.Fprintf(w, "  references = [%s]\n", strings.Join(refs, ", "))
	}
	if b.small > 0 {
		fmt.Fprintf(w, "  rendition \"small\" {\n    width  = %d\n    format = \"png\"\n  }\n", b.small)
	}
	if b.gated {
		fmt.Fprintf(w, "  gate \"it\" {\n    command = [\"sh\", \"./judge\"]\n    timeout = \"%v\"\n    retries = %d\n  }\n", gateTimeout, gateRetries)
	}
	if b.frozen {
		w.WriteString("  lifecycle { frozen = true }\n")
	}
	w.WriteString("}\n")
}

func orNull(given bool, text string) string {
	if given {
		return text
	}
	return "null"
}
