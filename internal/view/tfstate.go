package view

import (
	"encoding/json"
	"maps"
	"slices"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// StateJSON writes a state in the format of Terraform's "show -json". version is the program's own.
func (v *View) StateJSON(s *state.State, version string) { v.document(stateDocument(s, version, nil)) }

// stateDocument returns a state in Terraform's format. hidden names the arguments of images that must not be shown.
func stateDocument(s *state.State, version string, hidden map[addrs.Image][]string) *tfjson.State {
	doc := &tfjson.State{FormatVersion: stateFormat, TerraformVersion: version}
	if s == nil || len(s.Images) == 0 && len(s.Outputs) == 0 {
		return doc
	}
	tree := newModuleTree()
	for _, addr := range slices.SortedFunc(maps.Keys(s.Images), addrs.Image.Compare) {
		img := s.Images[addr]
		values, sensitive := recordedObject(img, hidden[addr])
		resource := stateResource(addr, values, sensitive)
		for _, d := range img.Dependencies {
			resource.DependsOn = append(resource.DependsOn, d.String())
		}
		tree.add(addr.Module, resource)
	}
	doc.Values = &tfjson.StateValues{RootModule: tree.root}
	for name, o := range s.Outputs {
		if doc.Values.Outputs == nil {
			doc.Values.Outputs = map[string]*tfjson.StateOutput{}
		}
		out := &tfjson.StateOutput{Sensitive: o.Sensitive}
		if !o.Sensitive {
			out.Value = o.Value
		}
		// A type that does not decode is left out: the value says enough.
		if t, err := ctyjson.UnmarshalType(o.Type); err == nil {
			out.Type = t
		}
		doc.Values.Outputs[name] = out
	}
	return doc
}

func stateResource(addr addrs.Image, values, sensitive object) *tfjson.StateResource {
	marks, err := json.Marshal(sensitive)
	if err != nil {
		panic("view: encoding marks: " + err.Error()) // They are maps and lists of true.
	}
	return &tfjson.StateResource{
		Address: addr.String(), Mode: tfjson.ManagedResourceMode, Type: resourceType, Name: addr.Name, Index: keyValue(addr.Key),
		ProviderName: providerName, AttributeValues: values, SensitiveValues: marks,
	}
}

// moduleTree nests modules as Terraform's format does.
type moduleTree struct {
	root    *tfjson.StateModule
	modules map[addrs.Module]*tfjson.StateModule
}

func newModuleTree() *moduleTree {
	root := &tfjson.StateModule{}
	return &moduleTree{root, map[addrs.Module]*tfjson.StateModule{"": root}}
}

func (t *moduleTree) add(m addrs.Module, r *tfjson.StateResource) {
	parent := t.modules[m]
	if parent == nil {
		parent = t.root
		for _, path := range lineage(m) {
			child := t.modules[path]
			if child == nil {
				child = &tfjson.StateModule{Address: string(path)}
				t.modules[path] = child
				parent.ChildModules = append(parent.ChildModules, child)
			}
			parent = child
		}
	}
	parent.Resources = append(parent.Resources, r)
}

// jsonOutput returns a value as JSON with what is unknown as null, and marks for what is unknown: true, or an object or list of marks, or false
// where all is known.
func jsonOutput(v cty.Value) (value json.RawMessage, unknown any) {
	v, _ = v.UnmarkDeep()
	if v == cty.NilVal {
		return json.RawMessage("null"), false
	}
	known := cty.UnknownAsNull(v)
	encoded, err := ctyjson.Marshal(known, known.Type())
	if err != nil {
		// Outputs are data, which encodes but for an infinite number.
		encoded = []byte("null")
	}
	return encoded, unknownMarks(v)
}

func unknownMarks(v cty.Value) any {
	switch t := v.Type(); {
	case !v.IsKnown():
		return true
	case v.IsNull() || v.IsWhollyKnown():
		return false
	case t.IsObjectType() || t.IsMapType():
		marks := object{}
		for it := v.ElementIterator(); it.Next(); {
			key, element := it.Element()
			if mark := unknownMarks(element); mark != false {
				marks[key.AsString()] = mark
			}
		}
		return marks
	case t.IsTupleType() || t.IsListType():
		var marks []any
		for it := v.ElementIterator(); it.Next(); {
			_, element := it.Element()
			marks = append(marks, unknownMarks(element))
		}
		return marks
	default:
		// A set has no place for a mark of one element.
		return true
	}
}
