package lang

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"go.yaml.in/yaml/v3"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// A few words can ask for more than any memory holds: a text in which each character is replaced by
// a thousand, a number with a billion digits, a list of all combinations. What one call makes is
// bounded, far above what a configuration needs. Functions that make about as much as they are
// given are held against the bounds afterwards, the others before.
const (
	maxText     = 256 << 20 // bytes of a text
	maxElements = 10_000_000
	// maxExponent bounds numbers, as a power of two: they have some 1,200 digits at most, where
	// written out.
	maxExponent = 4096
)

// amount is how much a call is going to make: bytes of text, and elements. Amounts that do not fit
// are the largest.
type amount struct{ text, elements int64 }

// estimates say how much a call makes at most, for the functions that can make far more than they
// are given.
var estimates = map[string]func(args []cty.Value) amount{
	"format":     func(args []cty.Value) amount { return amount{text: formatted(args, 1)} },
	"formatlist": func(args []cty.Value) amount { return amount{text: formatted(args, longest(args))} },
	"flatten":    func(args []cty.Value) amount { return amount{elements: contents(args).elements} },
	"jsonencode": func(args []cty.Value) amount { return amount{text: contents(args).text} },
	"yamlencode": func(args []cty.Value) amount { return amount{text: contents(args).text} },
	"indent": func(args []cty.Value) amount {
		n, text := wholeNumber(args[0]), plainString(args[1])
		return amount{text: plus(int64(len(text)), times(n, int64(strings.Count(text, "\n"))))}
	},
	"join": func(args []cty.Value) amount {
		total, count := int64(0), int64(0)
		for _, list := range args[1:] {
			for element := range elementsOf(list) {
				total, count = plus(total, int64(len(plainString(element)))), count+1
			}
		}
		return amount{text: plus(total, times(int64(len(plainString(args[0]))), count))}
	},
	"regexall":   matches,
	"replace":    func(args []cty.Value) amount { return amount{text: replaced(args)} },
	"setproduct": combinations,
	"yamldecode": func(args []cty.Value) amount { return amount{elements: yamlElements(plainString(args[0]))} },
}

// bounded makes a function refuse what would be too much.
func bounded(name string, params int, call caller) caller {
	estimate := estimates[name]
	return func(args []cty.Value) (cty.Value, error) {
		if estimate != nil && len(args) >= params {
			if err := estimate(args).refused(); err != nil {
				return cty.DynamicVal, err
			}
		}
		v, err := call(args)
		if err == nil {
			err = made(name, v).refused()
		}
		if err == nil && (IsHuge(v) || (name == "jsondecode" || name == "yamldecode") && HasHuge(v)) {
			err = ErrHuge
		}
		if err != nil {
			v = cty.DynamicVal
		}
		return v, err
	}
}

// made is how much a function made. The content of files has a bound of its own.
func made(name string, v cty.Value) amount {
	v, ok := content(v)
	switch {
	case !ok:
	case v.Type() == cty.String && name != "file":
		return amount{text: int64(len(v.AsString()))}
	case IsStructure(v.Type()):
		return amount{elements: int64(v.LengthInt())}
	}
	return amount{}
}

func (a amount) refused() error {
	switch {
	case a.text > maxText:
		return fmt.Errorf("the text would have more than %d MB, which is the most that a function may make", maxText>>20)
	case a.elements > maxElements:
		return fmt.Errorf("the result would have more than %d elements, which is the most that a function may make", maxElements)
	}
	return nil
}

// ErrHuge is what is wrong with a number that IsHuge.
var ErrHuge = errors.New("the number has more than 1,200 digits, which is more than there can be")

// IsHuge reports whether a value is a number that would fill the memory where it is written out.
func IsHuge(v cty.Value) bool {
	v, ok := content(v)
	if !ok || v.Type() != cty.Number {
		return false
	}
	n := v.AsBigFloat()
	exponent := n.MantExp(nil)
	return !n.IsInf() && (exponent > maxExponent || exponent < -maxExponent)
}

// HasHuge reports whether IsHuge is so for a value or a part of it.
func HasHuge(v cty.Value) bool {
	found := false
	// The function returns no error.
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		found = found || IsHuge(v)
		return !found, nil
	})
	return found
}

// hasLongExponent reports whether there may be a number that is too large: an exponent of four
// digits. It may as well stand in a text. A regular expression for it takes as long as reading the
// blocks of a large file.
func hasLongExponent(src []byte) bool {
	const digits = 4
	for i := 1; i < len(src)-digits; i++ {
		if src[i]|0x20 != 'e' || !isDigit(src[i-1]) {
			continue
		}
		exponent := src[i+1:]
		if exponent[0] == '+' || exponent[0] == '-' {
			exponent = exponent[1:]
		}
		if len(exponent) >= digits && !slices.ContainsFunc(exponent[:digits], func(c byte) bool { return !isDigit(c) }) {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// HugeNumbers reports numbers in a text of the language that are written with too large an
// exponent. It is to be asked before the text is evaluated.
func HugeNumbers(src []byte, filename string) hcl.Diagnostics {
	if !hasLongExponent(src) {
		return nil
	}
	var diags hcl.Diagnostics
	// What cannot be read is reported by the parser.
	tokens, _ := hclsyntax.LexConfig(src, filename, hcl.InitialPos)
	for _, t := range tokens {
		if t.Type != hclsyntax.TokenNumberLit {
			continue
		}
		if _, exponent, ok := strings.Cut(strings.ToLower(string(t.Bytes)), "e"); ok {
			if n, err := strconv.Atoi(exponent); err != nil || n > maxExponent/4 || n < -maxExponent/4 {
				diags = append(diags, diag.Problem(t.Range, "Number too large", "A number can have at most 1,000 digits."))
			}
		}
	}
	return diags
}

// plus and times do not overflow.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func times(a, b int64) int64 {
	if a != 0 && b > math.MaxInt64/a {
		return math.MaxInt64
	}
	return a * b
}

// content returns a value without its marks, and whether it is known and not null.
func content(v cty.Value) (cty.Value, bool) {
	v, _ = v.Unmark()
	return v, v.IsKnown() && !v.IsNull()
}

// plainString returns the text of a value, "" where it is none.
func plainString(v cty.Value) string {
	v, _ = v.Unmark()
	text, _ := PlainText(v)
	return text
}

// wholeNumber returns a number that is not negative, the largest where it does not fit.
func wholeNumber(v cty.Value) int64 {
	v, ok := content(v)
	if !ok || v.Type() != cty.Number || v.AsBigFloat().Sign() < 0 {
		return 0
	}
	n, _ := v.AsBigFloat().Int64()
	return n
}

// elementsOf goes through the elements of a value that has some.
func elementsOf(v cty.Value) func(yield func(cty.Value) bool) {
	return func(yield func(cty.Value) bool) {
		v, ok := content(v)
		if !ok || !v.CanIterateElements() {
			return
		}
		for it := v.ElementIterator(); it.Next(); {
			if _, element := it.Element(); !yield(element) {
				return
			}
		}
	}
}

// lengthOf returns how many elements a value has, 1 for one that has none.
func lengthOf(v cty.Value) int64 {
	v, ok := content(v)
	if !ok || !v.CanIterateElements() {
		return 1
	}
	return int64(v.LengthInt())
}

func longest(args []cty.Value) int64 {
	n := int64(1)
	for _, arg := range args[1:] {
		n = max(n, lengthOf(arg))
	}
	return n
}

var (
	formatVerb   = lazyregexp.New(`%[^%a-zA-Z]*[a-zA-Z]`)
	formatNumber = lazyregexp.New(`[0-9]+`)
)

// formatted is how long the texts of a format are together, with the widths and precisions that it
// asks for.
func formatted(args []cty.Value, times1 int64) int64 {
	text := plainString(args[0])
	each := int64(len(text))
	for _, verb := range formatVerb().FindAllString(text, -1) {
		for _, digits := range formatNumber().FindAllString(verb, -1) {
			// One that does not fit is the largest, with an error.
			n, _ := strconv.ParseInt(digits, 10, 64)
			each = plus(each, n)
		}
	}
	for _, arg := range args[1:] {
		each = plus(each, int64(len(plainString(arg))))
	}
	return times(each, times1)
}

// replaced is how long a text is after a replacement.
func replaced(args []cty.Value) int64 {
	text, old, replacement := plainString(args[0]), plainString(args[1]), plainString(args[2])
	if int64(len(text)+1)*int64(len(replacement)+1) <= maxText && !strings.Contains(replacement, "$") {
		return 0 // However often it is there.
	}
	if !isExpression(old) {
		return plus(int64(len(text)), times(int64(strings.Count(text, old)), int64(len(replacement))))
	}
	re, err := regexp.Compile(old[1 : len(old)-1])
	if err != nil {
		return 0
	}
	count, matched := int64(0), int64(0)
	for _, at := range re.FindAllStringIndex(text, -1) {
		count, matched = count+1, matched+int64(at[1]-at[0])
	}
	groups := int64(strings.Count(replacement, "$"))
	return plus(plus(int64(len(text)), times(count, int64(len(replacement)))), times(groups, matched))
}

// isExpression reports whether what replace looks for is a regular expression.
func isExpression(old string) bool {
	return len(old) > 1 && strings.HasPrefix(old, "/") && strings.HasSuffix(old, "/")
}

// matches is how many texts regexall returns.
func matches(args []cty.Value) amount {
	pattern, text := plainString(args[0]), plainString(args[1])
	re, err := regexp.Compile(pattern)
	if err != nil {
		return amount{}
	}
	groups := int64(re.NumSubexp() + 1)
	if most := times(groups, int64(len(text)+1)); most <= maxElements {
		return amount{}
	}
	return amount{elements: times(groups, int64(len(re.FindAllStringIndex(text, int(maxElements/groups)+1))))}
}

// contents is how much is in values, at all depths. One that stands in many places is in each.
func contents(args []cty.Value) amount {
	var all amount
	for _, arg := range args {
		// The function returns no error.
		_ = cty.Walk(arg, func(_ cty.Path, v cty.Value) (bool, error) {
			all.elements++
			all.text = plus(all.text, int64(len(plainString(v))))
			return all.refused() == nil, nil
		})
	}
	return all
}

// combinations is how many elements the lists of setproduct have together.
func combinations(args []cty.Value) amount {
	n := int64(len(args))
	for _, arg := range args {
		n = times(n, lengthOf(arg))
	}
	return amount{elements: n}
}

// yamlElements is how many values a text has with those that its aliases stand for, which may be
// other aliases.
func yamlElements(text string) int64 {
	if !strings.Contains(text, "*") || !strings.Contains(text, "&") {
		return 0
	}
	known := map[*yaml.Node]int64{}
	var count func(n *yaml.Node) int64
	count = func(n *yaml.Node) int64 {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		if size, ok := known[n]; ok {
			return size
		}
		known[n] = math.MaxInt64 // A node in itself has no end.
		size := int64(1)
		for _, inner := range n.Content {
			size = plus(size, count(inner))
		}
		known[n] = size
		return size
	}
	var document yaml.Node
	if yaml.NewDecoder(bytes.NewReader([]byte(text))).Decode(&document) != nil {
		return 0 // The function says what is wrong.
	}
	return count(&document)
}
