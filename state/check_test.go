package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

func TestRecordsThatCannotFollow(t *testing.T) {
	t.Parallel()
	a, b, c := addr(t, "image.a"), addr(t, "image.b"), addr(t, "image.c")
	open1, open2 := Intent{c, testTask(3)}, Submitted{Address: c, ID: "task-3", PollingURL: "https://api.bfl.ai/x"}
	outside, noHash, list := testTask(3), *testImage(1), *testImage(1)
	outside.Path = "../x.png"
	noHash.Output.SHA256 = ""
	list.Request = json.RawMessage("[]")
	tests := map[string]struct {
		before []Record
		bad    Record
	}{
		"no address":                 {nil, Removed{}},
		"bad key":                    {nil, Stored{addrs.Image{Name: "a", Key: addrs.IntKey(-1)}, testImage(1)}},
		"bad destination":            {nil, Moved{a, addrs.Image{Module: "brand", Name: "a"}}},
		"submitted without intent":   {nil, open2},
		"submitted without id":       {[]Record{open1}, Submitted{Address: c}},
		"another id":                 {[]Record{open1, open2}, Submitted{Address: c, ID: "task-4"}},
		"ready without intent":       {nil, Ready{c}},
		"ready without answer":       {[]Record{open1}, Ready{c}},
		"fetched without answer":     {[]Record{open1}, Fetched{c, testImage(3).Output, testImage(3).Result, "x"}},
		"fetched outside":            {[]Record{open1, open2}, Fetched{c, testImage(3).Output, testImage(3).Result, "../x"}},
		"failed without task":        {nil, Failed{c, "x"}},
		"intent over a paid task":    {[]Record{open1, open2}, open1},
		"intent outside":             {nil, Intent{c, outside}},
		"stored nothing":             {nil, Stored{c, nil}},
		"stored without hash":        {nil, Stored{c, &noHash}},
		"stored with a list":         {nil, Stored{c, &list}},
		"moderated no fingerprint":   {nil, Moderated{Address: c}},
		"moved nothing":              {nil, Moved{c, addr(t, "image.d")}},
		"moved onto another":         {nil, Moved{a, b}},
		"moved onto a task":          {[]Record{open1}, Moved{a, c}},
		"moved task onto an image":   {[]Record{open1}, Moved{c, a}},
		"intent that is not JSON":    {nil, Intent{c, Task{Provider: "bfl", Model: "m", Fingerprint: testHash(1), Path: "x", Request: json.RawMessage("{x")}}},
		"intent without fingerprint": {nil, Intent{c, Task{Provider: "bfl", Model: "m", Path: "x", Request: json.RawMessage("{}")}}},
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

// An intent without an answer may be made again: nothing that is known to be paid for is forgotten.
func TestIntentMadeAgain(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	s := open(t, path, Options{})
	c := addr(t, "image.c")
	appendAll(t, s, Intent{c, testTask(3)}, Intent{c, testTask(4)})
	if got := s.State().Tasks[c]; got.Fingerprint != testHash(4) || got.Answered() {
		t.Errorf("the task is %+v", got)
	}
}
