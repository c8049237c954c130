package addrs

import "strings"

// Endpoint is one end of a moved block, or what a removed block names: an image block or a module,
// or with a key one instance of either.
type Endpoint struct {
	// Parent is the module instance that it stands in.
	Parent Module
	// IsModule tells a module from an image.
	IsModule bool
	Name     string
	Key      Key
}

// String returns the endpoint as users write it.
func (e Endpoint) String() string {
	if e.IsModule {
		return string(e.Parent.Child(e.Name, e.Key))
	}
	return Image{Module: e.Parent, Name: e.Name, Key: e.Key}.String()
}

// Contains reports whether an image is the endpoint or inside of it. An endpoint without a key
// contains all instances.
func (e Endpoint) Contains(a Image) bool {
	_, _, ok := e.match(a, e.Key.IsNone())
	return ok
}

// match tells the key of the instance that a is or is in, and for a module what follows that step
// in the module path of a.
func (e Endpoint) match(a Image, anyKey bool) (key Key, rest string, ok bool) {
	if !e.IsModule {
		return a.Key, "", a.Module == e.Parent && a.Name == e.Name && (anyKey || a.Key == e.Key)
	}
	path := string(a.Module)
	if e.Parent != "" {
		if path, ok = strings.CutPrefix(path, string(e.Parent)+"."); !ok {
			return NoKey, "", false
		}
	}
	p := parser{text: path}
	if p.name() != "module" || !p.accept('.') || p.name() != e.Name {
		return NoKey, "", false
	}
	key = p.key()
	return key, path[p.pos:], anyKey || key == e.Key
}

// Move renames images: a block, a module, or an instance of either.
type Move struct {
	From, To Endpoint
}

// Apply returns the new address of an image, and whether the move is about it. Where neither end
// has a key, all instances move and keep their keys; otherwise an end without a key means the
// instance that has none.
func (m Move) Apply(a Image) (Image, bool) {
	whole := m.From.Key.IsNone() && m.To.Key.IsNone()
	key, rest, ok := m.From.match(a, whole)
	if !ok {
		return a, false
	}
	if !whole {
		key = m.To.Key
	}
	if !m.To.IsModule {
		return Image{Module: m.To.Parent, Name: m.To.Name, Key: key, Candidate: a.Candidate}, true
	}
	a.Module = m.To.Parent.Child(m.To.Name, key) + Module(rest)
	return a, true
}
