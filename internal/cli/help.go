package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fluxbatch/fluxbatch/internal/apilog"
	"github.com/fluxbatch/fluxbatch/internal/view"
)

// environment are the variables that the program looks at.
var environment = view.HelpGroup{Title: "Environment variables", Entries: []view.HelpEntry{
	{Term: "BFL_API_KEY", Text: "the key of the account, unless a provider block names another variable"},
	{Term: "FLUXBATCH_VAR_name", Text: "the value of the variable called name"},
	{Term: apilog.LevelVariable, Text: "tell of each call of the API: debug, info, warn or error"},
	{Term: apilog.PathVariable, Text: "append that to a file, rather than to standard error"},
	{Term: "NO_COLOR", Text: "print without colour, whatever it is set to"},
}}

// setHelp makes the commands speak with the program's own voice: their help, and what they say of
// arguments and flags that do not fit.
func (a *app) setHelp(root *cobra.Command) {
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(findCommand(root, helpName))
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.viewer().Help(a.helpOf(cmd)) })
	root.SetFlagErrorFunc(a.flagError)
	// As in Terraform; there is a command for it as well, which is what the help shows.
	root.Flags().BoolP("version", "v", false, "print the version")
	root.Flags().Lookup("version").Hidden = true
	eachCommand(root, func(cmd *cobra.Command) {
		explainArguments(cmd)
		if cmd.HasSubCommands() {
			// Cobra would take a mistyped name for an argument of the group, and answer it with the
			// group's help.
			cmd.Args = cobra.ArbitraryArgs
			cmd.RunE = a.runGroup
		}
	})
}

// eachCommand visits a command and all below it.
func eachCommand(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		eachCommand(sub, visit)
	}
}

// runGroup is what a command does that is only there for the commands inside of it.
func (a *app) runGroup(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	if asked, err := cmd.Flags().GetBool("version"); err == nil && asked {
		version := findCommand(cmd, "version")
		return version.RunE(version, nil)
	}
	return cmd.Help()
}

func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND...]", Short: "Explain a command",
		Long: "Explains a command: what it does, its arguments and flags, with examples. It is the same as the command with -h.",
		Example: `  fluxbatch help plan
  fluxbatch help state mv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			at := cmd.Root()
			for _, name := range args {
				next := findCommand(at, name)
				if next == nil {
					return unknownCommand(at, name)
				}
				at = next
			}
			return at.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			at := cmd.Root()
			for _, name := range args {
				if at = findCommand(at, name); at == nil {
					return nil, cobra.ShellCompDirectiveNoFileComp
				}
			}
			return commandNames(at), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func findCommand(parent *cobra.Command, name string) *cobra.Command {
	for _, sub := range parent.Commands() {
		if sub.Name() == name || sub.HasAlias(name) {
			return sub
		}
	}
	return nil
}

// commandNames are the names that can follow a command.
func commandNames(parent *cobra.Command) []string {
	var names []string
	for _, sub := range parent.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			names = append(names, sub.Name())
		}
	}
	return names
}

// helpOf collects what a command tells of itself.
func (a *app) helpOf(cmd *cobra.Command) view.Help {
	about := cmd.Long
	if about == "" {
		about = cmd.Short + "."
	}
	h := view.Help{
		About: about, Usage: usageLine(cmd), Groups: a.helpGroups(cmd), Examples: cmd.Example,
		Flags: helpFlags(cmd.LocalFlags()), Global: helpFlags(cmd.InheritedFlags()),
	}
	if cmd.HasSubCommands() {
		h.Hint = cmd.CommandPath() + " COMMAND -h explains a command."
	}
	if !cmd.HasParent() {
		h.Groups = append(h.Groups, environment)
		h.Flags, h.Global = nil, h.Flags
		h.Hint += " Long flags are written with one dash or two."
	}
	h.Global = append(h.Global, view.HelpEntry{Term: "-h, -help", Text: "explain the command, and do nothing"})
	return h
}

// usageLine says how a command is typed. Flags stand before arguments, as everything may follow an
// argument that is a pattern.
func usageLine(cmd *cobra.Command) string {
	line := cmd.CommandPath()
	if cmd.HasSubCommands() {
		return line + " COMMAND [FLAGS] [ARGUMENTS]"
	}
	if len(helpFlags(cmd.LocalFlags())) > 0 {
		line += " [FLAGS]"
	}
	if _, arguments, ok := strings.Cut(cmd.Use, " "); ok {
		line += " " + arguments
	}
	return line
}

// helpGroups lists the commands inside of a command, for the root under headings.
func (a *app) helpGroups(cmd *cobra.Command) []view.HelpGroup {
	if !cmd.HasParent() {
		groups := make([]view.HelpGroup, len(a.groups))
		for i, g := range a.groups {
			commands := make([]*cobra.Command, len(g.commands))
			for i, c := range g.commands {
				commands[i] = findCommand(cmd, c.name)
			}
			groups[i] = view.HelpGroup{Title: g.title, Entries: helpEntries(commands)}
		}
		return groups
	}
	if entries := helpEntries(cmd.Commands()); len(entries) > 0 {
		return []view.HelpGroup{{Title: "Commands", Entries: entries}}
	}
	return nil
}

// helpEntries are the lines of those commands that are not hidden.
func helpEntries(commands []*cobra.Command) []view.HelpEntry {
	var entries []view.HelpEntry
	for _, sub := range commands {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			entries = append(entries, view.HelpEntry{Term: sub.Name(), Text: sub.Short})
		}
	}
	return entries
}

// plainDefaults are defaults that go without saying.
var plainDefaults = []string{"", "0", "0s", "false", "[]"}

// helpFlags describes flags, all with one dash as Terraform writes them.
func helpFlags(flags *pflag.FlagSet) []view.HelpEntry {
	var entries []view.HelpEntry
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		term := "-" + f.Name
		value, text := pflag.UnquoteUsage(f)
		if f.Value.Type() == "duration" {
			value = "time"
		}
		if value != "" {
			term += " " + strings.ToUpper(value)
		}
		if !slices.Contains(plainDefaults, f.DefValue) {
			text += " (default " + f.DefValue + ")"
		}
		entries = append(entries, view.HelpEntry{Term: term, Text: text})
	})
	return entries
}
