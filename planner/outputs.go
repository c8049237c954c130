package planner

import (
	"bytes"
	"cmp"
	"slices"

	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/fluxbatch/fluxbatch/config"
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
