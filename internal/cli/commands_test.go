package cli

import (
	"strings"
	"testing"
)

// The commands that are made for a command line are those that it can be about.
func TestCommandsOf(t *testing.T) {
	t.Parallel()
	a := &app{}
	a.groups = a.commandGroups()
	for _, group := range a.groups {
		for _, c := range group.commands {
			if name := c.make().Name(); name != c.name {
				t.Errorf("%s stands in the list as %s, and would not be found", name, c.name)
			}
		}
	}
	const one = "plan help"
	tests := map[string]string{
		"plan": one, "plan -x": one, "--chdir=x plan": one, "--chdir x plan": one, "--no-color plan dir": one,
		"": "all", "-h": "all", "help plan": "all", "completion bash": "all", "__complete plan": "all",
		"--no-color": "all", "--chdir": "all", "plam": "all", "--help plan": "all", "-- plan": "all",
	}
	for line, want := range tests {
		isWanted := a.commandsOf(strings.Fields(line))
		var names []string
		for _, name := range []string{"plan", "version", "help"} {
			if isWanted(name) {
				names = append(names, name)
			}
		}
		got := strings.Join(names, " ")
		if got == "plan version help" {
			got = "all"
		}
		if got != want {
			t.Errorf("%q makes %s, not %s", line, got, want)
		}
	}
}

func TestIsLongFlag(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]bool{
		"-chdir": true, "-chdir=x y": true, "-var-file": true, "-a1": true, "-v": false, "-v=1": false, "--chdir": false,
		"-": false, "": false, "chdir": false, "-Chdir": false, "-1a": false, "-a_b": false, "-a b": false,
	} {
		if isLongFlag(arg) != want {
			t.Errorf("%q: %v", arg, !want)
		}
	}
}
