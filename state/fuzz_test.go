package state

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// What is accepted is what encoding/json understands by it, does not depend on how the file
// arrives, and comes back when it is written.
func FuzzSnapshot(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		st, _, err := readSnapshot(bytes.NewReader(data), "fluxbatch.state.json")
		piecewise, pieceErr := parseSnapshot(iotest.OneByteReader(bytes.NewReader(data)))
		if (err == nil) != (pieceErr == nil) {
			t.Fatalf("whole: %v; byte by byte: %v", err, pieceErr)
		}
		inPieces, cutErr := parsePieces(bytes.NewReader(data), 1024)
		if err != nil {
			if cutErr == nil {
				t.Fatalf("in pieces it is accepted, and otherwise not: %v", err)
			}
			return
		}
		text := written(t, st)
		if cutErr == nil {
			if got := written(t, inPieces); got != text {
				t.Errorf("in pieces it is another state:\n%s", cmp.Diff(text, got))
			}
		}
		if got := written(t, piecewise); got != text {
			t.Errorf("byte by byte it is another state:\n%s", cmp.Diff(text, got))
		}
		again, _, err := readSnapshot(strings.NewReader(text), "fluxbatch.state.json")
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, text)
		}
		if diff := cmp.Diff(st, again, sameState); diff != "" {
			t.Errorf("written and read again:\n%s", diff)
		}
		var file struct {
			Version int
			Lineage string
			Images  map[addrs.Image]*Image
			Outputs map[string]OutputValue
		}
		if err := decodeStrict(bytes.TrimRight(data, " \t\r\n"), &file); err != nil {
			t.Fatalf("encoding/json refuses what is accepted: %v", err)
		}
		theirs := &State{Lineage: file.Lineage, Images: ImagesOf(file.Images), Outputs: file.Outputs}
		if got := written(t, theirs); got != text {
			t.Errorf("encoding/json understands it otherwise (-ours +theirs):\n%s", cmp.Diff(text, got))
		}
	})
}

func FuzzJournal(f *testing.F) {
	f.Fuzz(checkJournal)
}

// The checksums of a journal keep mutations out. Here each line of the input is an entry, and gets
// its checksum.
func FuzzEntries(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		journal := appendLine(nil, []byte(`{"version":1,"lineage":"x"}`))
		for line := range bytes.Lines(data) {
			journal = appendLine(journal, bytes.TrimSuffix(line, []byte("\n")))
		}
		checkJournal(t, journal)
	})
}

// checkJournal: a journal that is accepted is accepted with a torn line after it too; what it does
// to a state can be written and read again, and so can the short journal that is left of it.
func checkJournal(t *testing.T, data []byte) {
	t.Helper()
	j, err := readJournal(bytes.NewReader(data), "journal", map[string]Moderation{})
	if err != nil {
		return
	}
	if j.valid > int64(len(data)) || (j.valid < int64(len(data))) != j.torn {
		t.Fatalf("%d of %d bytes are valid, torn %v", j.valid, len(data), j.torn)
	}
	whole := bytes.Clone(data[:j.valid])
	if j.open {
		whole = append(whole, '\n')
	}
	again, err := readJournal(bytes.NewReader(append(whole, `{"crc":"00`...)), "journal", map[string]Moderation{})
	if err != nil || again.valid != int64(len(whole)) || again.records != j.records {
		t.Fatalf("with a torn line after it: %v", err)
	}
	if j.header == nil || j.header.Snapshot != "" {
		return
	}
	st := newState(j.header.Lineage)
	if err := j.mergeInto(st, "", "state", "journal"); err != nil {
		t.Fatalf("onto no snapshot: %v", err)
	}
	if _, err := parseSnapshot(strings.NewReader(written(t, st))); err != nil {
		t.Errorf("the state that it leads to cannot be read: %v", err)
	}
	var short bytes.Buffer
	head, err := encode(j.header)
	if err != nil {
		t.Fatal(err)
	}
	short.Write(appendLine(nil, head))
	if err := writeEntries(&short, j.changes, j.state.Moderated, j.state.Tasks); err != nil {
		t.Fatal(err)
	}
	again, err = readJournal(&short, "journal", map[string]Moderation{})
	if err != nil {
		t.Fatalf("written anew: %v", err)
	}
	if diff := cmp.Diff(j.state, again.state, sameState); diff != "" {
		t.Errorf("written anew it leaves other tasks:\n%s", diff)
	}
	if diff := cmp.Diff(j.changes, again.changes, sameState, cmp.AllowUnexported(change{})); diff != "" {
		t.Errorf("written anew it does other things to images:\n%s", diff)
	}
}

// A line is accepted only as a whole.
func FuzzLine(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if rec, ok := cutLine(data); ok && string(appendLine(nil, rec)) != strings.TrimSuffix(string(data), "\n")+"\n" {
			t.Errorf("%q is accepted and not what appendLine writes", data)
		}
		for _, line := range [][]byte{data, appendLine(nil, data)} {
			rec, err := decodeRecipe(line)
			if err != nil {
				continue
			}
			again, err := encode(rec)
			if err != nil {
				t.Fatal(err)
			}
			back, err := decodeRecipe(appendLine(nil, again))
			if diff := cmp.Diff(rec, back, sameState); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		}
	})
}

func FuzzIndex(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, ok := parseIndex(data)
		if !ok {
			// The checksum keeps mutations out, so they get theirs.
			body := append([]byte(indexHead), data...)
			entries, ok = parseIndex(append(appendChecksum(body, body), '\n'))
		}
		if !ok {
			return
		}
		var b bytes.Buffer
		if err := (&Index{lines: entries}).write(&b); err != nil {
			t.Fatal(err)
		}
		again, ok := parseIndex(b.Bytes())
		if diff := cmp.Diff(entries, again, cmp.AllowUnexported(indexEntry{}, indexLine{})); diff != "" || !ok {
			t.Errorf("written again, accepted %v:\n%s", ok, diff)
		}
	})
}

// The printer's strings are those of encoding/json.
func FuzzPrintString(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		want, err := encode(s)
		if err != nil {
			t.Fatal(err)
		}
		var p printer
		p.string(s)
		if string(p.b) != string(want) {
			t.Errorf("%q is printed as %s, by encoding/json as %s", s, p.b, want)
		}
		got := newScanner(bytes.NewReader(p.b))
		read := string(got.string())
		var theirs string
		if err := json.Unmarshal(want, &theirs); err != nil || got.err != nil || read != theirs {
			t.Errorf("%s is read as %q, %v; by encoding/json as %q, %v", p.b, read, got.err, theirs, err)
		}
	})
}
