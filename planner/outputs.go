package planner

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/state"
)

// outputChanges holds the outputs on record against those that the configuration has.
func outputChanges(prior map[string]state.OutputValue, outputs []config.Output) []OutputChange {
	changes := make([]OutputChange, 0, len(outputs))
	seen := map[string]bool{}
	for i := range outputs {
		after := &outputs[i]
		seen[after.Name] = true
		change := OutputChange{Name: after.Name, After: after, Changed: true}
		if before, ok := prior[after.Name]; ok {
			change.Before = &before
			encoded, ok := EncodeOutput(*after)
			change.Changed = !ok || !bytes.Equal(encoded.Value, before.Value) ||
				!bytes.Equal(encoded.Type, before.Type) || encoded.Sensitive != before.Sensitive
		}
		changes = append(changes, change)
	}
	for name, before := range prior {
		if !seen[name] {
			changes = append(changes, OutputChange{Name: name, Before: &before, Changed: true})
		}
	}
	slices.SortFunc(changes, func(a, b OutputChange) int { return cmp.Compare(a.Name, b.Name) })
	return changes
}

// EncodeOutput returns an output as it is recorded. It reports false for a value that is not wholly
// known. The value of a sensitive output is not recorded, since the state is there to be committed.
func EncodeOutput(o config.Output) (state.OutputValue, bool) {
	if o.Collection != nil {
		return encodeCollection(o.Collection)
	}
	if !o.Value.IsWhollyKnown() {
		return state.OutputValue{}, false
	}
	plain, _ := o.Value.UnmarkDeep()
	value, err := ctyjson.Marshal(plain, plain.Type())
	if err != nil {
		return state.OutputValue{}, false
	}
	typ, err := ctyjson.MarshalType(plain.Type())
	if err != nil {
		return state.OutputValue{}, false
	}
	if o.Sensitive {
		value, typ = []byte("null"), []byte(`"dynamic"`)
	}
	return state.OutputValue{Value: value, Type: typ, Sensitive: o.Sensitive}, true
}

// encodeCollection returns what the value of a collection is encoded as, without making that value.
func encodeCollection(c *config.Collection) (state.OutputValue, bool) {
	all := c.Elements()
	value, typ, ok := appendElements(make([]byte, 0, 64*all.Len), make([]byte, 0, 16*all.Len), all)
	if !ok {
		return state.OutputValue{}, false
	}
	return state.OutputValue{Value: value, Type: typ}, true
}

func appendElements(value, typ []byte, all lang.Elements) (_, _ []byte, ok bool) {
	open, end, kind := byte('['), byte(']'), "tuple"
	if all.IsObject {
		open, end, kind = '{', '}', "object"
	}
	value, typ = append(value, open), append(append(typ, `["`+kind+`",`...), open)
	isFirst := true
	for key, element := range all.All {
		if !isFirst {
			value, typ = append(value, ','), append(typ, ',')
		}
		isFirst = false
		if all.IsObject {
			value, typ = append(appendText(value, key), ':'), append(appendText(typ, key), ':')
		}
		if value, typ, ok = appendElement(value, typ, element); !ok {
			return nil, nil, false
		}
	}
	return append(value, end), append(typ, end, ']'), true
}

func appendElement(value, typ []byte, element lang.Element) (_, _ []byte, ok bool) {
	v := element.Value
	switch {
	case element.IsText():
		return appendText(value, element.Text), append(typ, `"string"`...), true
	case element.List != nil:
		return appendElements(value, typ, *element.List)
	case !v.IsWhollyKnown():
		return nil, nil, false
	}
	if text, ok := lang.PlainText(v); ok {
		return appendText(value, text), append(typ, `"string"`...), true
	}
	encoded, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return nil, nil, false
	}
	encodedType, err := ctyjson.MarshalType(v.Type())
	return append(value, encoded...), append(typ, encodedType...), err == nil
}

// appendText appends a text as encoding/json writes it.
func appendText(to []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			encoded, _ := json.Marshal(text) // A string always encodes.
			return append(to, encoded...)
		}
	}
	return append(append(append(to, '"'), text...), '"')
}
