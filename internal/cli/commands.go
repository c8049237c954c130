package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// commandGroup is a heading of the list of commands, and what stands under it, in order.
type commandGroup struct {
	title    string
	commands []maker
}

// maker makes a command of a name. Most command lines are about one, and the flags of all would take
// longer to make than some take to run.
type maker struct {
	name string
	make func() *cobra.Command
}

const helpName = "help"

// commandGroups are all commands. Each has a file of its own, and nothing else names it.
func (a *app) commandGroups() []commandGroup {
	return []commandGroup{
		{"Make images", []maker{
			{"init", a.initCommand}, {"validate", a.validateCommand}, {"plan", a.planCommand}, {"apply", a.applyCommand}, {"destroy", a.destroyCommand},
		}},
		{"Look at what was made", []maker{
			{"show", a.showCommand},
			{"report", a.reportCommand},
			{"review", a.reviewCommand},
			{"open", a.openCommand},
			{"output", a.outputCommand},
			{"verify", a.verifyCommand},
			{"inspect", a.inspectCommand},
			{"costs", a.costsCommand},
		}},
		{"Look after it", []maker{
			{"pick", a.pickCommand},
			{"accept", a.acceptCommand},
			{"restore", a.restoreCommand},
			{"import", a.importCommand},
			{"prune", a.pruneCommand},
			{"state", a.stateCommand},
			{"force-unlock", a.forceUnlockCommand},
		}},
		{"Write manifests", []maker{{"fmt", a.fmtCommand}, {"console", a.consoleCommand}, {"graph", a.graphCommand}}},
		{"The FLUX API", []maker{
			{"models", a.modelsCommand}, {"credits", a.creditsCommand}, {"slots", a.slotsCommand}, {"simulator", a.simulatorCommand},
		}},
		{"This program", []maker{{"version", a.versionCommand}, {"completion", a.completionCommand}, {helpName, a.helpCommand}}},
	}
}

// addCommands adds to the root those commands that are wanted and not there yet.
func (a *app) addCommands(root *cobra.Command, isWanted func(name string) bool) {
	for _, group := range a.groups {
		for _, c := range group.commands {
			if isWanted(c.name) && findCommand(root, c.name) == nil {
				root.AddCommand(c.make())
			}
		}
	}
}

// addAllCommands is for those who look at commands other than the one that runs.
func (a *app) addAllCommands(root *cobra.Command) {
	a.addCommands(root, func(string) bool { return true })
}

// commandsOf says which commands a command line needs: the one it names, and all where it is not plain
// that it names one, or where that one is about the others.
func (a *app) commandsOf(args []string) (isWanted func(name string) bool) {
	all := func(string) bool { return true }
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch flag, _, hasValue := strings.Cut(args[0], "="); {
		case flag == "--no-color", hasValue:
			args = args[1:]
		case flag == "--chdir":
			args = args[min(2, len(args)):]
		default:
			return all
		}
	}
	if len(args) == 0 || args[0] == helpName || args[0] == "completion" || !a.isCommand(args[0]) {
		return all
	}
	// Without a command of that name the library makes one of its own.
	return func(name string) bool { return name == args[0] || name == helpName }
}

func (a *app) isCommand(name string) bool {
	return slices.ContainsFunc(a.groups, func(g commandGroup) bool {
		return slices.ContainsFunc(g.commands, func(c maker) bool { return c.name == name })
	})
}
