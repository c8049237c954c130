package machine

import (
	"encoding/json"
	"io"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// WriteState writes a state in the format of Terraform's "show -json". version is the program's
// own.
func WriteState(out io.Writer, s *state.State, version string) {
	pieces(out, func(w *documentWriter) { writeState(w, s, version, nil) })
}

// writeState writes a state in Terraform's format, as tfjson.State describes it. hidden names the
// arguments of images that must not be shown.
func writeState(w *documentWriter, s *state.State, version string, hidden map[addrs.Image][]string) {
	w.object(func() {
		w.member("format_version", stateFormat)
		w.member("terraform_version", version)
		if s == nil || s.Images.Len()+len(s.Outputs)+len(s.Renditions) == 0 {
			return
		}
		tree := newModuleTree[func() *tfjson.StateResource]()
		for addr := range s.Images.Addresses() {
			tree.add(addr.Module, func() *tfjson.StateResource {
				img := s.Images.Get(addr)
				values, sensitive := recordedObject(s, img, hidden[addr])
				return stateResource(addr, values, sensitive, img.Dependencies)
			})
		}
		for _, addr := range s.SortedRenditions() {
			tree.add(addr.Of.Module, func() *tfjson.StateResource { return renditionResource(addr, s.Renditions[addr]) })
		}
		w.key("values")
		writeValues(w, recordedOutputs(s), tree, func(resource func() *tfjson.StateResource) *tfjson.StateResource { return resource() })
	})
}

func recordedOutputs(s *state.State) map[string]*tfjson.StateOutput {
	outputs := make(map[string]*tfjson.StateOutput, len(s.Outputs))
	for name, o := range s.Outputs {
		out := &tfjson.StateOutput{Sensitive: o.Sensitive}
		if !o.Sensitive {
			out.Value = o.Value
		}
		// A type that does not decode is left out: the value says enough.
		if t, err := ctyjson.UnmarshalType(o.Type); err == nil {
			out.Type = t
		}
		outputs[name] = out
	}
	return outputs
}

func stateResource(addr addrs.Image, values, sensitive object, upstream []addrs.Image) *tfjson.StateResource {
	marks, err := json.Marshal(sensitive)
	if err != nil {
		panic("machine: encoding marks: " + err.Error()) // They are maps and lists of true.
	}
	resource := &tfjson.StateResource{
		Address: addr.String(), Mode: tfjson.ManagedResourceMode, Type: resourceType, Name: addr.Name, Index: keyValue(addr.Key),
		ProviderName: providerName, AttributeValues: values, SensitiveValues: marks,
	}
	for _, up := range upstream {
		resource.DependsOn = append(resource.DependsOn, up.String())
	}
	return resource
}

// moduleTree nests modules as Terraform's format does. What becomes resources is put into it in
// order.
type moduleTree[T any] struct {
	root    *module[T]
	modules map[addrs.Module]*module[T]
}

type module[T any] struct {
	address   addrs.Module
	resources []T
	children  []*module[T]
}

func newModuleTree[T any]() *moduleTree[T] {
	root := &module[T]{}
	return &moduleTree[T]{root, map[addrs.Module]*module[T]{"": root}}
}

func (t *moduleTree[T]) add(m addrs.Module, resource T) {
	parent := t.modules[m]
	if parent == nil {
		parent = t.root
		for _, path := range lineage(m) {
			child := t.modules[path]
			if child == nil {
				child = &module[T]{address: path}
				t.modules[path] = child
				parent.children = append(parent.children, child)
			}
			parent = child
		}
	}
	parent.resources = append(parent.resources, resource)
}

// writeValues writes outputs, and the resources of all modules one by one, as tfjson.StateValues
// describes it.
func writeValues[T any](w *documentWriter, outputs map[string]*tfjson.StateOutput, tree *moduleTree[T], resource func(T) *tfjson.StateResource) {
	w.object(func() {
		if len(outputs) > 0 {
			w.member("outputs", outputs)
		}
		w.key("root_module")
		writeModule(w, tree.root, resource)
	})
}

func writeModule[T any](w *documentWriter, m *module[T], resource func(T) *tfjson.StateResource) {
	w.object(func() {
		listMember(w, "resources", func(yield func(*tfjson.StateResource) bool) {
			for _, r := range m.resources {
				if !yield(resource(r)) {
					return
				}
			}
		})
		if m.address != "" {
			w.member("address", m.address)
		}
		if len(m.children) > 0 {
			w.key("child_modules")
			w.list(func() {
				for _, child := range m.children {
					w.next()
					writeModule(w, child, resource)
				}
			})
		}
	})
}

// jsonOutput returns a value as JSON with what is unknown as null, and marks for what is unknown:
// true, or an object or list of marks, or false where all is known.
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
