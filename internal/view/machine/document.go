package machine

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// document writes one value as indented JSON.
func document(out io.Writer, value any) { pieces(out, func(w *documentWriter) { w.value(value) }) }

// pieces writes a document that write writes piece by piece.
func pieces(out io.Writer, write func(w *documentWriter)) {
	w := &documentWriter{out: bufio.NewWriterSize(out, documentBuffer)}
	write(w)
	w.end()
}

// documentBuffer is how much of a document or of a stream is written at a time.
const documentBuffer = 64 << 10

// documentWriter writes indented JSON as it comes, so that what a long document is made of need not
// be in memory all at once. What cannot be written to a reader that went away is not missed:
// whoever gave the writer knows of it.
type documentWriter struct {
	out     *bufio.Writer
	encoded bytes.Buffer
	// depth counts the objects and lists that are open; isEmpty says that the innermost has nothing
	// in it yet.
	depth   int
	isEmpty bool
}

func (w *documentWriter) end() {
	w.text("\n")
	_ = w.out.Flush()
}

func (w *documentWriter) text(s string) { _, _ = w.out.WriteString(s) }

// value writes a value, which is a member if key came before it, an element if next did, or else
// the whole document.
func (w *documentWriter) value(value any) {
	w.encoded.Reset()
	enc := json.NewEncoder(&w.encoded)
	enc.SetEscapeHTML(false)
	enc.SetIndent(w.indent(), "  ")
	if err := enc.Encode(value); err != nil {
		// Everything that is written here has a type of this package or of terraform-json, all of
		// which encode.
		panic(fmt.Sprintf("machine: encoding a %T: %v", value, err))
	}
	_, _ = w.out.Write(layout.VisibleJSON(bytes.TrimSuffix(w.encoded.Bytes(), []byte("\n"))))
}

// object writes an object, whose members write writes.
func (w *documentWriter) object(write func()) {
	w.open("{")
	write()
	w.close("}")
}

// list writes a list, whose elements write writes.
func (w *documentWriter) list(write func()) {
	w.open("[")
	write()
	w.close("]")
}

func (w *documentWriter) open(bracket string) {
	w.text(bracket)
	w.depth++
	w.isEmpty = true
}

func (w *documentWriter) close(bracket string) {
	w.depth--
	if !w.isEmpty {
		w.text("\n" + w.indent())
	}
	w.isEmpty = false
	w.text(bracket)
}

// next goes on to the next element of a list.
func (w *documentWriter) next() {
	if !w.isEmpty {
		w.text(",")
	}
	w.isEmpty = false
	w.text("\n" + w.indent())
}

// key goes on to the next member of an object. The name is one that needs no escaping.
func (w *documentWriter) key(name string) {
	w.next()
	w.text(`"` + name + `": `)
}

func (w *documentWriter) member(name string, value any) {
	w.key(name)
	w.value(value)
}

func (w *documentWriter) indent() string { return strings.Repeat("  ", w.depth) }

// listMember writes a member that is a list, unless that is empty.
func listMember[T any](w *documentWriter, name string, all iter.Seq[T]) {
	isOpen := false
	for element := range all {
		if !isOpen {
			w.key(name)
			w.open("[")
			isOpen = true
		}
		w.next()
		w.value(element)
	}
	if isOpen {
		w.close("]")
	}
}
