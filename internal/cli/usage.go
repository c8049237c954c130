package cli

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/suggest"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// explained is an error in full sentences: what is wrong on the first line, then why and what to
// do.
type explained struct{ error }

// Unwrap returns the error with its causes.
func (e *explained) Unwrap() error { return e.error }

// explain returns an explained error. It takes what fmt.Errorf takes.
func explain(format string, args ...any) error { return &explained{fmt.Errorf(format, args...)} }

// elsewhere says what takes the place of commands that people know from Terraform and other tools:
// a sentence, and what to type.
var elsewhere = map[string]struct{ text, command string }{
	"taint":     {"Replace an image:", "fluxbatch apply -replace ADDRESS"},
	"untaint":   {"There is no mark to remove. -replace holds for one apply.", ""},
	"refresh":   {"Each plan looks at the images' files by itself:", "fluxbatch plan"},
	"get":       {"Modules are directories on this machine, and there is nothing to fetch.", ""},
	"login":     {"The key comes from the environment. Set BFL_API_KEY to one from " + bfl.Dashboard + ".", ""},
	"logout":    {"The key comes from the environment variable BFL_API_KEY, and is kept nowhere else.", ""},
	"workspace": {"A directory has one state. Use variables with -var-file, or a directory for each variant that shares a module.", ""},
	"providers": {"Accounts are declared by provider blocks. See what they have left:", "fluxbatch credits"},
	"generate":  {"Make images:", "fluxbatch apply"},
	"run":       {"Make images:", "fluxbatch apply"},
	"status":    {"fluxbatch show says what exists. See what would change:", "fluxbatch plan"},
	"list":      {"List the images on record:", "fluxbatch state list"},
	"ls":        {"List the images on record:", "fluxbatch state list"},
	"rm":        {"An image that is taken out of the configuration goes with the next apply. To forget it and leave its file:", "fluxbatch state rm ADDRESS"},
	"mv":        {"Change an address with a moved block, or:", "fluxbatch state mv FROM TO"},
	"price":     {"A plan says what it would cost. List the prices:", "fluxbatch models"},
	"cost":      {"A plan says what it would cost. List the prices:", "fluxbatch models"},
	"balance":   {"See what an account has left:", "fluxbatch credits"},

	"state ls":               {"List the images on record:", "fluxbatch state list"},
	"state move":             {"Change an address:", "fluxbatch state mv FROM TO"},
	"state rename":           {"Change an address:", "fluxbatch state mv FROM TO"},
	"state remove":           {"Forget an image:", "fluxbatch state rm ADDRESS"},
	"state delete":           {"Forget an image:", "fluxbatch state rm ADDRESS"},
	"state forget":           {"Forget an image:", "fluxbatch state rm ADDRESS"},
	"state replace-provider": {"The next apply records a changed provider by itself, and spends nothing on it.", ""},
}

// unknownCommand says that a command has no command of that name, and which may have been meant.
func unknownCommand(parent *cobra.Command, name string) error {
	path := parent.CommandPath()
	typed := strings.TrimSpace(strings.TrimPrefix(path, parent.Root().Name()) + " " + strings.TrimLeft(name, "-"))
	if instead, known := elsewhere[typed]; known {
		return explain("%s has no command %q.\n%s%s", path, name, instead.text, toType(instead.command))
	}
	hint := ""
	if near := suggest.Nearest(name, commandNames(parent)); near != "" {
		hint = fmt.Sprintf(" Did you mean %s?", near)
	}
	return explain("%s has no command %q.%s\nList the commands:%s", path, name, hint, toType(path+" -h"))
}

// toType returns a command as it stands at the end of a message, "" for none.
func toType(command string) string {
	if command == "" {
		return ""
	}
	return "\n\n  " + command
}

// explainArguments lets a command that is given the wrong number of arguments say how it is typed.
func explainArguments(cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		check = cobra.ArbitraryArgs
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		err := errors.Join(contradiction(cmd.Flags()), emptyValue(cmd), check(cmd, args))
		if err == nil {
			return nil
		}
		if _, own := errors.AsType[*explained](err); own {
			return err
		}
		problem := fmt.Sprintf("%q was given the wrong number of arguments: %s", cmd.CommandPath(), strings.Join(args, " "))
		switch _, wanted, takes := strings.Cut(cmd.Use, " "); {
		case len(args) == 0:
			problem = fmt.Sprintf("%q is not complete without %s", cmd.CommandPath(), firstWord(wanted))
		case !takes:
			problem = fmt.Sprintf("%q takes no arguments, and was given %s", cmd.CommandPath(), strings.Join(args, " "))
		}
		if hint := quotesHint(cmd, args); hint != "" {
			return explain("%s.\nA name with spaces needs quotes. Type:%s", problem, hint)
		}
		return explain("%s.\nType:%s", problem, toType(usageLine(cmd)))
	}
}

// quotesHint returns the command with quotes around arguments that are probably one name, "" where
// they are not.
func quotesHint(cmd *cobra.Command, args []string) string {
	if len(args) < 2 || !strings.Contains(cmd.Use, "DIRECTORY") {
		return ""
	}
	name := strings.Join(args, " ")
	if _, err := os.Stat(name); err != nil && !strings.HasSuffix(cmd.Use, " [DIRECTORY]") {
		return ""
	}
	return toType(cmd.CommandPath() + " " + strconv.Quote(name))
}

// contradiction returns an error for flags that cannot be given together. Cobra looks for them
// later, and says it in its own words.
func contradiction(flags *pflag.FlagSet) error {
	given := map[string][]string{}
	flags.Visit(func(f *pflag.Flag) {
		// Where the library's name for it changes, its own message is what remains.
		for _, group := range f.Annotations["cobra_annotation_mutually_exclusive"] {
			given[group] = append(given[group], "-"+f.Name)
		}
	})
	for _, group := range slices.Sorted(maps.Keys(given)) {
		if names := given[group]; len(names) > 1 {
			return explain("%s contradict each other.\nUse one of them.", strings.Join(names, " and "))
		}
	}
	return nil
}

// emptyValue returns an error for a flag that was given an empty text, as a script does whose
// variable is not set. None of them takes one.
func emptyValue(cmd *cobra.Command) error {
	var errs []error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" {
			errs = append(errs, valueNeeded(cmd, f, f.Name))
		}
	})
	return errors.Join(errs...)
}

// valueNeeded says what a flag takes, by the name that it was given with.
func valueNeeded(cmd *cobra.Command, f *pflag.Flag, name string) error {
	value, about := pflag.UnquoteUsage(f)
	return explain("-%s needs a value, as in -%[1]s %s: %s.\n%s", name, strings.ToUpper(value), about, flagsListed(cmd))
}

func flagsListed(cmd *cobra.Command) string {
	return "List the flags:" + toType(cmd.CommandPath()+" -h")
}

func firstWord(s string) string {
	first, _, _ := strings.Cut(s, " ")
	return first
}

// flagError puts what the flag library finds wrong into words.
func (a *app) flagError(cmd *cobra.Command, err error) error {
	more := flagsListed(cmd)
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return a.unknownFlag(cmd, unknown, more)
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return valueNeeded(cmd, missing.GetFlag(), missing.GetSpecifiedName())
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return explain("-%s cannot be %q. %s.\n%s", invalid.GetFlag().Name, invalid.GetValue(), layout.Sentence(wantedValue(invalid)), more)
	}
	return explain("%v.\n%s", err, more)
}

// wantedValue says what a flag takes.
func wantedValue(invalid *pflag.InvalidValueError) string {
	switch invalid.GetFlag().Value.Type() {
	case "int", "uint64":
		return "Use a whole number"
	case "float64":
		return "Use a number"
	case "bool":
		return "Use true or false"
	case "duration":
		return "Use a span of time, such as 30s or 5m"
	default:
		return invalid.Unwrap().Error()
	}
}

// unknownFlag says that a command has no such flag, and which may have been meant.
func (a *app) unknownFlag(cmd *cobra.Command, unknown *pflag.NotExistError, more string) error {
	// The library stops at a flag that follows a mistyped command.
	if arguments := cmd.Flags().Args(); cmd.HasSubCommands() && len(arguments) > 0 {
		return unknownCommand(cmd, arguments[0])
	}
	name := unknown.GetSpecifiedName()
	if group := unknown.GetSpecifiedShortnames(); group != "" {
		name = group
	}
	text := fmt.Sprintf("%s has no flag -%s.", cmd.CommandPath(), name)
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	// A name of one or two letters is near to everything short.
	near := suggest.Nearest(name, names)
	a.addAllCommands(cmd.Root())
	holders := commandsWithFlag(cmd.Root(), name)
	switch {
	case cmd.HasSubCommands() && len(holders) > 0:
		more = "Write the flags of a command after it:" + toType(a.namedCommand(holders)+" -"+name)
	case near != "" && len(name) > 2:
		text += fmt.Sprintf(" Did you mean -%s?", near)
	case len(holders) > 0:
		text += fmt.Sprintf(" It is a flag of %s.", strings.ReplaceAll(strings.Join(holders, ", "), cmd.Root().Name()+" ", ""))
	}
	return explain("%s\n%s", text, more)
}

// commandsWithFlag lists the commands that have a flag of their own of that name.
func commandsWithFlag(root *cobra.Command, name string) []string {
	var holders []string
	eachCommand(root, func(cmd *cobra.Command) {
		if cmd.HasParent() && cmd.LocalNonPersistentFlags().Lookup(name) != nil && name != "help" {
			holders = append(holders, cmd.CommandPath())
		}
	})
	return holders
}

// namedCommand returns the command among those given that the command line names, or the first one.
func (a *app) namedCommand(paths []string) string {
	for _, path := range paths {
		if slices.Contains(a.env.Args, path[strings.LastIndexByte(path, ' ')+1:]) {
			return path
		}
	}
	return paths[0]
}
