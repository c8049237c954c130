package state

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

func TestFetchedTaskIsFound(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	done := testImage(1)
	done.Output.SHA256 = sum("downloaded")
	task := testTask(addrs.Image{Name: "a"}, 1)
	if at, err := task.Found(p.dir); at != "" || err != nil {
		t.Errorf("before the download: %q, %v", at, err)
	}
	task.Fetched = &Fetch{Output: done.Output, Result: done.Result, Temporary: "images/.fluxbatch-tmp-x"}
	for _, step := range []struct{ path, content, want string }{
		{"unrelated", "", ""},
		{done.Output.Path, "the old image", ""},
		{"images/.fluxbatch-tmp-x", "downl", ""},
		{"images/.fluxbatch-tmp-x", "downloaded", "images/.fluxbatch-tmp-x"},
		{done.Output.Path, "downloaded", done.Output.Path},
	} {
		p.write(t, step.path, step.content)
		if at, err := task.Found(p.dir); at != step.want || err != nil {
			t.Errorf("with %q in %s: %q, %v, want %q", step.content, step.path, at, err, step.want)
		}
	}
	st := newState("x")
	st.Tasks["a"], st.Tasks["b"] = &task, &Task{}
	if diff := cmp.Diff([]string{"images/.fluxbatch-tmp-x"}, st.Temporaries()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(done, task.Image(task.Fetched.Output, task.Fetched.Result), sameState); diff != "" {
		t.Errorf("the task's image (-want +got):\n%s", diff)
	}
}
