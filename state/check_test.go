package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

func TestRecordsThatCannotFollow(t *testing.T) {
	t.Parallel()
	a, b, c := addr(t, "image.a"), addr(t, "image.b"), addr(t, "image.c")
	open1, open2 := Intent{testTask(c, 3)}, Submitted{Key: key(3), ID: "task-3", PollingURL: "https://api.bfl.ai/x"}
	outside, noHash, list := testTask(c, 3), *testImage(1), *testImage(1)
	outside.Path = "../x.png"
	noHash.Output.SHA256 = ""
	list.Request = json.RawMessage("[]")
	tests := map[string]struct {
		before []Record
		bad    Record
	}{
		"no address":                 {nil, Removed{}},
		"bad key":                    {nil, Stored{Address: addrs.Image{Name: "a", Key: addrs.IntKey(-3)}, Image: testImage(1)}},
		"bad destination":            {nil, Moved{a, addrs.Image{Module: "brand", Name: "a"}}},
		"submitted without intent":   {nil, open2},
		"submitted without id":       {[]Record{open1}, Submitted{Key: key(3)}},
		"another id":                 {[]Record{open1, open2}, Submitted{Key: key(3), ID: "task-4"}},
		"ready without intent":       {nil, Ready{key(3)}},
		"ready without answer":       {[]Record{open1}, Ready{key(3)}},
		"fetched without answer":     {[]Record{open1}, Fetched{key(3), testImage(3).Output, testImage(3).Result, "x"}},
		"fetched outside":            {[]Record{open1, open2}, Fetched{key(3), testImage(3).Output, testImage(3).Result, "../x"}},
		"failed without task":        {nil, Failed{key(3), "x"}},
		"the same key again":         {[]Record{open1, open2}, open1},
		"over already":               {[]Record{open1, open2, Lost{Key: key(3)}}, Ready{key(3)}},
		"lost without answer":        {[]Record{open1}, Lost{Key: key(3)}},
		"stored of no task":          {nil, Stored{c, testImage(3), key(3)}},
		"intent outside":             {nil, Intent{outside}},
		"stored nothing":             {nil, Stored{Address: c}},
		"stored without hash":        {nil, Stored{Address: c, Image: &noHash}},
		"stored with a list":         {nil, Stored{Address: c, Image: &list}},
		"moderated without task":     {nil, Moderated{Key: key(3)}},
		"moved nothing":              {nil, Moved{c, addr(t, "image.d")}},
		"moved onto another":         {nil, Moved{a, b}},
		"moved task onto an image":   {[]Record{open1}, Moved{c, a}},
		"intent that is not JSON":    {nil, Intent{Task{Key: "k", Address: c, Provider: "bfl", Model: "m", Fingerprint: testHash(1), Path: "x", Request: json.RawMessage("{x")}}},
		"intent without fingerprint": {nil, Intent{Task{Key: "k", Address: c, Provider: "bfl", Model: "m", Path: "x", Request: json.RawMessage("{}")}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := withImages(t)
			s := open(t, path, Options{})
			appendAll(t, s, test.before...)
			before, _ := os.ReadFile(path + ".journal")
			want := snapshotOf(s.State())
			err := s.Append(test.bad)
			var refused *RecordError
			if err == nil || !errors.As(err, &refused) && name != "intent that is not JSON" {
				t.Errorf("Append returns %v, want a RecordError", err)
			}
			if diff := cmp.Diff(want, s.State(), sameState); diff != "" {
				t.Errorf("the state changed:\n%s", diff)
			}
			if after, _ := os.ReadFile(path + ".journal"); !bytes.Equal(before, after) {
				t.Error("the journal changed")
			}
		})
	}
}

// An address can have several tasks: none that is known to be paid for, or may be, is forgotten for
// another one.
func TestTasksOfOneAddress(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	s := open(t, path, Options{})
	a, c := addr(t, "image.a"), addr(t, "image.c")
	appendAll(t, s, Intent{testTask(c, 3)}, Submitted{Key: key(3), ID: "paid"}, Intent{testTask(c, 4)}, Intent{testTask(a, 5)})
	// The image of another run, though it was made from the same request, ends no task but its own.
	appendAll(t, s, Stored{Address: c, Image: testImage(3)}, Intent{testTask(c, 6)}, Stored{c, testImage(6), key(6)})
	var got []string
	for _, task := range read(t, path).TasksOf(c) {
		got = append(got, task.Key+" "+task.ID)
	}
	if diff := cmp.Diff([]string{key(3) + " paid", key(4) + " "}, got); diff != "" {
		t.Errorf("the open tasks are others (-want +got):\n%s", diff)
	}
}

// What was paid for in vain stays on record until somebody was told.
func TestLostTaskStays(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	s := open(t, path, Options{})
	c := addr(t, "image.c")
	appendAll(t, s,
		Intent{testTask(c, 3)}, Submitted{Key: key(3), ID: "x", Cost: 3000}, Lost{key(3), "failed", 2000},
		Intent{testTask(c, 4)}, Submitted{Key: key(4), ID: "y", Cost: 3000}, Moderated{Key: key(4)},
		Intent{testTask(c, 5)}, Submitted{Key: key(5), ID: "z", Cost: 3000}, Moderated{Key: key(5), Cost: 1000})
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, task := range read(t, path).Tasks {
		got[task.ID] = fmt.Sprint(task.Lost, " ", task.Cost, " ", task.Open())
	}
	if diff := cmp.Diff(map[string]string{"x": "failed 2000 false", "z": "moderated 1000 false"}, got); diff != "" {
		t.Errorf("other losses are on record (-want +got):\n%s", diff)
	}
	appendAll(t, s, Failed{Key: key(3)}, Failed{Key: key(5)})
	if got := read(t, path).Tasks; len(got) > 0 {
		t.Errorf("losses that were told are still on record: %v", got)
	}
}
