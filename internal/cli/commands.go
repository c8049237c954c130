package cli

import "github.com/spf13/cobra"

// commandGroup is a heading of the list of commands, and what stands under it, in order.
type commandGroup struct {
	title    string
	commands []*cobra.Command
}

// commandGroups are all commands. Each has a file of its own, and nothing else names it.
func (a *app) commandGroups() []commandGroup {
	return []commandGroup{
		{"Make images", []*cobra.Command{a.initCommand(), a.validateCommand(), a.planCommand(), a.applyCommand(), a.destroyCommand()}},
		{"Look at what was made", []*cobra.Command{
			a.showCommand(), a.reportCommand(), a.reviewCommand(), a.openCommand(), a.outputCommand(), a.verifyCommand(), a.inspectCommand(), a.costsCommand(),
		}},
		{"Look after it", []*cobra.Command{a.pickCommand(), a.acceptCommand(), a.restoreCommand(), a.importCommand(), a.pruneCommand(), a.stateCommand(), a.forceUnlockCommand()}},
		{"Write manifests", []*cobra.Command{a.fmtCommand(), a.consoleCommand(), a.graphCommand()}},
		{"The FLUX API", []*cobra.Command{a.modelsCommand(), a.creditsCommand(), a.slotsCommand(), a.simulatorCommand()}},
		{"This program", []*cobra.Command{a.versionCommand(), a.completionCommand(), a.helpCommand()}},
	}
}
