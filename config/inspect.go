package config

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"

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
		list = append(list, Variable{
			Name: name, Description: v.description, Sensitive: v.sensitive, Given: given,
			Value: unmark(e.root.get(&v.node)).value,
		})
	}
	return list
}

// Digest identifies everything that the configuration was read from: the files of its modules and of values, the
// values of variables from the command line and the environment, and the files that its functions and references
// named. It is to be called after Evaluate. Two configurations with one digest ask for the same images, as long as
// the program is the same.
func (c *Config) Digest() string {
	h := sha256.New()
	if c.evaluator == nil {
		return ""
	}
	for _, name := range sortedKeys(c.files) {
		if name == "<console>" {
			continue
		}
		sum := sha256.Sum256(c.files[name].Bytes)
		digestLine(h, c.evaluator.fromRoot(name), hex.EncodeToString(sum[:]))
	}
	for _, path := range sortedKeys(c.evaluator.opts.read) {
		digestLine(h, c.evaluator.fromRoot(path), c.evaluator.opts.read[path])
	}
	for _, path := range sortedKeys(c.evaluator.inputs.files) {
		digestLine(h, c.evaluator.fromRoot(path), c.evaluator.inputs.files[path].sha256)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func digestLine(h hash.Hash, name, sum string) {
	// Writing to a hash never fails.
	_, _ = h.Write([]byte(strconv.Quote(name) + " " + sum + "\n"))
}
