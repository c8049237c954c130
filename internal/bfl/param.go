package bfl

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Check holds one value against the parameter. The value is a string, bool, int64 or float64;
// others are of the wrong type.
func (p *Param) Check(value any) *Violation {
	broken := func(rule Rule, format string, args ...any) *Violation {
		return &Violation{rule, p.Name, p, fmt.Sprintf(format, args...)}
	}
	switch p.Kind {
	case Boolean:
		if _, ok := value.(bool); !ok {
			return broken(RuleType, "%s must be true or false.", p.Name)
		}
	case String:
		s, ok := value.(string)
		switch {
		case !ok:
			return broken(RuleType, "%s must be a string.", p.Name)
		case len(p.Enum) > 0 && !slices.Contains(p.Enum, s):
			return broken(RuleEnum, "%s cannot be %q. Use %s.", p.Name, s, quoted(p.Enum))
		case p.Ratio && !isRatio(s):
			return broken(RuleRatio, "%q is not a ratio of width to height between 21:9 and 9:21, such as \"16:9\".", s)
		}
	case Integer, Number:
		return p.checkNumber(value, broken)
	}
	return nil
}

func (p *Param) checkNumber(value any, broken func(Rule, string, ...any) *Violation) *Violation {
	var n float64
	switch v := value.(type) {
	case int64:
		n = float64(v)
	case float64:
		n = v
	default:
		n = math.NaN()
	}
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return broken(RuleType, "%s is a number.", p.Name)
	}
	if p.Kind == Integer && n != math.Trunc(n) {
		return broken(RuleType, "%s must be a whole number, but %s is not.", p.Name, number(n))
	}
	below := p.Bounded&Below != 0 && n < p.Min
	above := p.Bounded&Above != 0 && n > p.Max
	switch {
	case (below || above) && p.Bounded == Between:
		rule := RuleMin
		if above {
			rule = RuleMax
		}
		return broken(rule, "%s must be from %s to %s, but it is %s.", p.Name, number(p.Min), number(p.Max), number(n))
	case below:
		return broken(RuleMin, "%s must be at least %s, but it is %s.", p.Name, number(p.Min), number(n))
	case above:
		return broken(RuleMax, "%s must be at most %s, but it is %s.", p.Name, number(p.Max), number(n))
	case p.MultipleOf > 0 && math.Mod(n, float64(p.MultipleOf)) != 0:
		low := math.Floor(n/float64(p.MultipleOf)) * float64(p.MultipleOf)
		return broken(RuleMultiple, "%s must be a multiple of %d, but it is %s. Use %s or %s.",
			p.Name, p.MultipleOf, number(n), number(low), number(low+float64(p.MultipleOf)))
	}
	return nil
}

// isRatio reports whether s is "W:H" with 9:21 <= W/H <= 21:9.
func isRatio(s string) bool {
	w, h, ok := strings.Cut(s, ":")
	if !ok {
		return false
	}
	width, err1 := strconv.ParseUint(w, 10, 16)
	height, err2 := strconv.ParseUint(h, 10, 16)
	if err1 != nil || err2 != nil || width == 0 || height == 0 {
		return false
	}
	return 9*width <= 21*height && 9*height <= 21*width
}
