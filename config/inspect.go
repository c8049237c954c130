package config

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// Variable is an input variable of the root module.
type Variable struct {
	Name        string
	Description string
	Sensitive   bool
	// Value is what it has in this run, without marks. It is unknown where it is wrong.
	Value cty.Value
	// Given says that the value comes from outside rather than from the default.
	Given bool
}

// Variables returns the root module's variables, sorted by name.
func (c *Config) Variables() []Variable {
	e := c.evaluator
	if e == nil {
		return nil
	}
	list := make([]Variable, 0, len(e.root.mod.variables))
	for _, name := range sortedKeys(e.root.mod.variables) {
		v := e.root.mod.variables[name]
		_, given := e.given[name]
		value := unmark(e.root.get(&v.node))
		list = append(list, Variable{
			// A default can be sensitive, or have a part that is.
			Name: name, Description: v.description, Sensitive: v.sensitive || value.sensitive, Given: given, Value: value.value,
		})
	}
	return list
}

// Digest identifies everything that the configuration was read from: the files of its modules and
// of values, the values of variables from the command line and the environment, and the files that
// its functions and references named. It is to be called after Evaluate. Two configurations with
// one digest ask for the same images, as long as the program is the same.
func (c *Config) Digest() string {
	if c.evaluator == nil {
		return ""
	}
	var lines []string
	add := func(name, sum string) { lines = append(lines, strconv.Quote(name)+" "+sum+"\n") }
	c.eachSource(add)
	fromRoot := c.evaluator.fromRoot
	for name, sum := range c.values {
		add(fromRoot(name), sum)
	}
	// Sorted as seen from the root module, the lines are the same wherever the program runs.
	slices.Sort(lines)
	h := sha256.New()
	for _, line := range lines {
		_, _ = h.Write([]byte(line)) // never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

// fileSum identifies the content of a file.
func fileSum(src []byte) string {
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:])
}

// Sources returns a digest of each file that the configuration is written in, by its name as seen
// from the root module. Files that expressions name are not among them: their names can be secrets.
func (c *Config) Sources() map[string]string {
	sources := map[string]string{}
	for name, file := range c.files {
		if c.evaluator != nil && !strings.HasPrefix(name, "<") {
			sources[c.evaluator.fromRoot(name)] = fileSum(file.Bytes)
		}
	}
	return sources
}

// eachSource tells of the files that the configuration consists of or names.
func (c *Config) eachSource(add func(name, sum string)) {
	fromRoot := c.evaluator.fromRoot
	for name, file := range c.files {
		if name == "<console>" {
			continue
		}
		if !strings.HasPrefix(name, "<") { // A name in such brackets is that of no file.
			name = fromRoot(name)
		}
		add(name, fileSum(file.Bytes))
	}
	for use, sum := range c.evaluator.opts.functions.Read {
		add(use.Function+" "+fromRoot(use.Path)+" "+use.Pattern, sum)
	}
	for file, input := range c.evaluator.inputs.files {
		add(fromRoot(file), input.sha256)
	}
}
