// Package addrs names things: image instances, and the modules that they stand in.
//
// An address is written as in Terraform:
//
//	image.logo                     a single image
//	image.card[2]                  an instance of an image block with count
//	image.card["winter"]           an instance of an image block with for_each
//	module.brand["eu"].image.logo  an image inside an instance of a module
//	image.logo.candidate[3]        the third of the pictures to choose from for image.logo
//	image.logo.rendition.thumb     what is made here from image.logo
//
// Addresses are comparable values, so they serve as map keys. Their order (see Image.Compare) is
// the order of everything that the program lists or writes.
package addrs

import (
	"cmp"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Key tells the instances of one block apart. The zero Key is that of a block without count or
// for_each.
type Key struct {
	// n is one more than the number of a key that is one, ofText for a string, and 0 for no key.
	n int
	s string
}

const ofText = -1

// keyKind is what a key is, in the order of keys.
type keyKind uint8

const (
	noKey keyKind = iota
	intKey
	stringKey
)

func (k Key) kind() keyKind {
	switch k.n {
	case 0:
		return noKey
	case ofText:
		return stringKey
	default:
		return intKey
	}
}

// NoKey is the key of a block's only instance.
var NoKey = Key{}

// IntKey is the key of the nth instance of a block with count, counted from 0; n is not
// negative.
func IntKey(n int) Key { return Key{n: n + 1} }

// StringKey is the key of an instance of a block with for_each.
func StringKey(s string) Key { return Key{n: ofText, s: s} }

// IsNone reports whether k is NoKey.
func (k Key) IsNone() bool { return k.n == 0 }

// Int returns the number of an IntKey, and whether k is one.
func (k Key) Int() (int, bool) {
	if k.kind() != intKey {
		return 0, false
	}
	return k.n - 1, true
}

// Text returns the string of a StringKey, and whether k is one.
func (k Key) Text() (string, bool) { return k.s, k.n == ofText }

// String returns the key in brackets as it stands in an address, or "" for NoKey.
func (k Key) String() string {
	switch k.kind() {
	case intKey:
		return "[" + strconv.Itoa(k.n-1) + "]"
	case stringKey:
		return "[" + quote(k.s) + "]"
	default:
		return ""
	}
}

// Compare orders keys: none, then numbers by value, then strings.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.kind(), other.kind()), cmp.Compare(k.n, other.n), strings.Compare(k.s, other.s))
}

// Module is the path of a module instance in its written form, such as
// `module.brand["eu"].module.icons`; "" is the root.
type Module string

// Unkeyed returns the path without instance keys: that of the block which the instances come from.
func (m Module) Unkeyed() Module {
	if !strings.Contains(string(m), "[") {
		return m
	}
	var b strings.Builder
	inKey, inText := false, false
	for i := 0; i < len(m); i++ {
		switch c := m[i]; {
		case inText && c == '\\':
			i++
		case inKey && c == '"':
			inText = !inText
		case inText:
		case c == '[':
			inKey = true
		case c == ']':
			inKey = false
		case !inKey:
			b.WriteByte(c)
		}
	}
	return Module(b.String())
}

// Child returns the instance key of the module called name inside m.
func (m Module) Child(name string, key Key) Module {
	step := "module." + name + key.String()
	if m == "" {
		return Module(step)
	}
	return m + Module("."+step)
}

// Image is the address of one image instance, or of one of its candidates.
type Image struct {
	Module Module
	Name   string
	Key    Key
	// Candidate numbers the candidates of an instance from 1. It is 0 for the instance itself,
	// whose picture is that of one of them.
	Candidate int
}

// Of returns the address of the instance that a candidate is one of, and the address itself for an
// instance.
func (a Image) Of() Image {
	a.Candidate = 0
	return a
}

// Nth returns the address of the nth candidate of an instance.
func (a Image) Nth(n int) Image {
	a.Candidate = n
	return a
}

// String returns the address as users write it.
func (a Image) String() string {
	s := "image." + a.Name + a.Key.String()
	if a.Candidate > 0 {
		s += ".candidate[" + strconv.Itoa(a.Candidate) + "]"
	}
	if a.Module == "" {
		return s
	}
	return string(a.Module) + "." + s
}

// Block returns the address without its instance key: what all instances of one block share.
func (a Image) Block() Image { return Image{Module: a.Module, Name: a.Name} }

// Compare orders addresses: the root module first, then by module, name and key.
func (a Image) Compare(b Image) int {
	return cmp.Or(
		strings.Compare(string(a.Module), string(b.Module)),
		strings.Compare(a.Name, b.Name),
		a.Key.Compare(b.Key),
		cmp.Compare(a.Candidate, b.Candidate),
	)
}

// MarshalText implements encoding.TextMarshaler, so that addresses can be keys of JSON objects.
func (a Image) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Image) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// Parse reads an address. Its error says what was expected where, in words for the user who typed
// it.
func Parse(s string) (Image, error) { return parse(s, "image") }

// parse reads an address whose last step begins with a word.
func parse(s, word string) (Image, error) {
	p := parser{text: s}
	if !utf8.ValidString(s) {
		return Image{}, p.errorf("it is not valid UTF-8")
	}
	var addr Image
	for {
		kind := p.name()
		switch {
		case kind == "module" && p.accept('.'):
			name := p.name()
			key := p.key()
			if name == "" || !p.accept('.') {
				return Image{}, p.errorf("a module path continues with a name and what is in it, as in module.brand.image.logo")
			}
			addr.Module = addr.Module.Child(name, key)
		case kind == word && p.accept('.'):
			addr.Name = p.name()
			if addr.Name == "" {
				return Image{}, p.errorf("the image's name is missing, as in image.logo")
			}
			addr.Key = p.key()
			addr.Candidate = p.candidate()
			if p.err != nil || p.pos != len(p.text) {
				return Image{}, p.errorf("only an instance key such as [0] or [\"name\"] may follow an image's name")
			}
			return addr, nil
		default:
			return Image{}, p.errorf("an address looks like image.logo, image.card[\"winter\"] or module.brand.image.logo")
		}
	}
}

// parser reads an address from left to right. Addresses are read by the hundred thousand from state
// files, which is why this does not go through HCL's own (complete, and far slower) traversal
// parser.
type parser struct {
	text string
	pos  int
	err  error
}

func (p *parser) errorf(hint string) error {
	if p.err != nil {
		hint = p.err.Error()
	}
	return fmt.Errorf("%q is not an image's address: %s", p.text, hint)
}

func (p *parser) accept(c byte) bool {
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

// name reads an identifier; "" when there is none.
func (p *parser) name() string {
	start := p.pos
	for p.pos < len(p.text) && p.text[p.pos] != '.' && p.text[p.pos] != '[' {
		p.pos++
	}
	name := p.text[start:p.pos]
	if !plainName(name) && !hclsyntax.ValidIdentifier(name) {
		return ""
	}
	return name
}

// plainName reports whether a name is an identifier that only has ASCII letters, digits,
// underscores and dashes, as nearly all are. The general check goes through a whole scanner, which
// is a fifth of what reading a state costs.
func plainName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && ('0' <= c && c <= '9' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return name != ""
}

// key reads an instance key in brackets, if one stands here.
func (p *parser) key() Key {
	if !p.accept('[') {
		return NoKey
	}
	if p.pos < len(p.text) && p.text[p.pos] == '"' {
		value, rest, err := unquote(p.text[p.pos:])
		if err != nil {
			p.err = err
			return NoKey
		}
		p.pos = len(p.text) - len(rest)
		if !p.accept(']') {
			p.err = fmt.Errorf("the key lacks its closing bracket")
		}
		return StringKey(value)
	}
	end := strings.IndexByte(p.text[p.pos:], ']')
	if end < 0 {
		p.err = fmt.Errorf("the key lacks its closing bracket")
		return NoKey
	}
	digits := p.text[p.pos : p.pos+end]
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || strconv.Itoa(n) != digits {
		p.err = fmt.Errorf("a key is a whole number or a quoted string, as in [0] or [\"winter\"]. A shell needs single quotes around the address")
		return NoKey
	}
	p.pos += end + 1
	return IntKey(n)
}

// candidate reads what names a candidate, if that stands here; 0 if not.
func (p *parser) candidate() int {
	rest, ok := strings.CutPrefix(p.text[p.pos:], ".candidate[")
	if !ok || !strings.HasSuffix(rest, "]") {
		return 0
	}
	digits := strings.TrimSuffix(rest, "]")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || strconv.Itoa(n) != digits {
		p.err = fmt.Errorf("candidates are numbered from 1, as in image.logo.candidate[2]")
		return 0
	}
	p.pos = len(p.text)
	return n
}

// Steps goes through the module instances on the path from the root, outermost first.
func (m Module) Steps() iter.Seq2[string, Key] {
	return func(yield func(string, Key) bool) {
		p := parser{text: string(m)}
		for p.pos < len(p.text) {
			p.name() // "module"
			p.accept('.')
			name := p.name()
			if !yield(name, p.key()) || p.err != nil {
				return
			}
			p.accept('.')
		}
	}
}
