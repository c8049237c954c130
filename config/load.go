package config

import (
	"cmp"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/graph"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// Options are what a configuration is read with.
type Options struct {
	// Values are the -var and -var-file options in the order in which they were typed.
	Values []Value
	// Environ is the environment as os.Environ returns it. Only names that start with EnvPrefix are
	// looked at.
	Environ []string
	// Ask asks the user for the value of a variable that has none. An error leaves it missing. It
	// is nil where nobody can be asked.
	Ask func(Question) (string, error)
	// Version is that of the running program, for required_version. A text that is no version fits
	// every constraint.
	Version string
	// AllowEmpty lets a directory without configuration files be a configuration without images.
	AllowEmpty bool

	dir string
	// limit bounds the number of instances of a block instead of maxInstances, where it is not 0.
	limit int
	// general does without the shortcuts for common forms, so that what they give can be held
	// against it, and pieceSize is the length of the pieces of files instead of hclfast.PieceSize,
	// where it is not 0. ahead is how many instances of a block are worth helpers, and are built by
	// one in one go, instead of aheadLeast and aheadPiece, where it is not 0. All are for tests.
	general   bool
	pieceSize int
	ahead     int
	// functions are those of the expressions, and sizes what they ask for sizes.
	functions *lang.Functions
	sizes     *sizeFinder
}

// Question is about the value of a variable of the root module.
type Question struct {
	Variable    string
	Description string
	// Sensitive answers must not be shown while they are typed.
	Sensitive bool
}

// Config is a configuration that was read, with the values of all that does not depend on images.
type Config struct {
	// Dir is the directory of the root module as it was given to Load.
	Dir      string
	Settings Settings

	files map[string]*hcl.File
	// values are the hashes of the files of values, by path. Diagnostics show nothing of these
	// files, since a mistake may be in the line of a secret.
	values map[string]string
	// evaluator is nil where the files could not be parsed.
	evaluator *evaluator
	evaluated bool
}

// Files returns the configuration's files by the names that diagnostics use, for printing source
// lines with them. Files of values are not among them.
func (c *Config) Files() map[string]*hcl.File { return c.files }

// Load reads the configuration in a directory: it parses all files of the root module and of the
// modules that it calls, resolves what they name, and evaluates all that does not depend on images.
// It answers a Config also along with errors, so that Evaluate can report more; where a file cannot
// be parsed there is nothing to go on with, and the Config is good for its Files only.
func Load(dir string, o Options) (*Config, hcl.Diagnostics) {
	o.dir = filepath.Clean(dir)
	sizes := &sizeFinder{}
	o.functions = lang.New(lang.Options{Dir: o.dir, Opaque: isImage, Settled: isFound, Sizes: sizes.find})
	o.sizes = sizes
	d := &decoder{opts: &o, parser: parser{pieceSize: o.pieceSize}}
	d.Report = d.add
	c := &Config{Dir: dir, files: map[string]*hcl.File{}}
	d.files = c.files
	files, diags := d.directory(o.dir)
	d.add(diags...)
	if len(files) == 0 && !o.AllowEmpty && !diags.HasErrors() {
		d.add(diag.Error("No configuration files", "The directory %s has no *.flux.hcl file. Change to the directory of a "+
			"configuration, or start one with fluxbatch init.", dir))
	}
	if d.diags.HasErrors() {
		return c, d.list()
	}
	root := &module{dir: o.dir, rel: ".", providers: map[string]string{"bfl": "bfl"}}
	if identity, err := filepath.EvalSymlinks(o.dir); err == nil {
		if abs, err := filepath.Abs(identity); err == nil {
			d.dirs = []string{abs}
		}
	}
	d.module(root, files)
	for _, file := range c.files {
		// What is needed of the trees was taken over. Messages quote the text.
		file.Body = nil
	}
	if d.refused != nil {
		// The configuration is for another version, which may well know what looks wrong here.
		return c, hcl.Diagnostics{d.refused}
	}
	if d.unparsed {
		return c, d.list()
	}
	reader := &valueReader{decoder: d, root: root}
	reader.read()
	c.values = reader.hashes
	e := newEvaluator(d, root, reader.given)
	e.link()
	e.run(false)
	e.findMoves()
	e.add(o.functions.Warnings()...)
	e.atLoad = e.seen
	c.Settings, c.evaluator = e.settings, e
	return c, e.list()
}

func newEvaluator(d *decoder, root *module, given map[string]givenValue) *evaluator {
	e := &evaluator{
		collector: &d.collector, opts: d.opts, sources: &d.parser, given: given,
		settings: Settings{
			OutputDir: defaultOutputDir, StatePath: defaultStatePath,
			Providers: map[string]*Provider{"bfl": newProvider("bfl")},
		},
		scopes: map[*module][]*scope{},
		byAddr: map[addrs.Module]*scope{},
		base:   &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: d.opts.functions.Table},
		inputs: &inputFiles{}, labelSets: map[string]map[string]string{},
	}
	e.root = e.addScope(root, nil, each{})
	return e
}

// link makes the graph of all modules, and finds cycles and what depends on images.
func (e *evaluator) link() {
	root := e.root.mod
	l := &linker{collector: e.collector}
	l.module(root)
	nodes := root.allNodes()
	// A value that is wrong is to be found before it is used.
	slices.SortStableFunc(nodes, func(a, b *node) int { return cmp.Compare(turn(a), turn(b)) })
	sorted, cycles := graph.Order(nodes, needsOf)
	for _, members := range cycles {
		why, woven := weaveOf(members)
		if woven {
			continue
		}
		e.add(cmp.Or(why, cycleProblem(members)))
		for _, n := range members {
			n.skip = true
		}
	}
	for _, n := range sorted {
		n.tainted = n.tainted || n.broken
		_, isImage := n.work.(*imageBlock)
		_, isAsset := n.work.(*assetBlock) // Its paths are claimed with those of images.
		n.dynamic = isImage || isAsset || slices.ContainsFunc(n.needs, func(other *node) bool { return other.dynamic })
		switch n.work.(type) {
		case *settingsBlock, *importBlock:
			if n.dynamic {
				e.add(diag.Problem(n.at, "Settings depend on images",
					"The %s block names an image, by itself or by way of other values. It is needed before any "+
						"image is made.", n.name))
				n.skip = true
			}
		}
	}
	e.order = sorted
}

// turn is when a node comes as far as the others leave it open: validations first.
func turn(n *node) int {
	if _, ok := n.work.(*validation); ok {
		return 0
	}
	return 1
}

// allNodes returns the nodes of a module and of those below it.
func (m *module) allNodes() []*node {
	nodes := slices.Clone(m.nodes)
	for _, name := range sortedKeys(m.calls) {
		if child := m.calls[name].child; child != nil {
			nodes = append(nodes, child.allNodes()...)
		}
	}
	return nodes
}
