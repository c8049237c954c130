package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// valueFlag collects -var and -var-file in the order in which they were given, since a later one
// wins.
type valueFlag struct {
	values *[]config.Value
	file   bool
}

func (f valueFlag) String() string { return "" }

func (f valueFlag) Type() string {
	if f.file {
		return "file"
	}
	return "name=value"
}

func (f valueFlag) Set(text string) error {
	value := config.Value{Assignment: text}
	if f.file {
		if text == "" {
			return errors.New("use the name of a file")
		}
		value = config.Value{File: text}
	}
	*f.values = append(*f.values, value)
	return nil
}

// dollars is an amount given on the command line, nil where it is not.
type dollars struct{ credits **bfl.Credits }

func (d dollars) Type() string { return "dollars" }

func (d dollars) String() string {
	if d.credits == nil || *d.credits == nil {
		return ""
	}
	return (*d.credits).Dollars()
}

func (d dollars) Set(text string) error {
	amount, err := strconv.ParseFloat(strings.TrimPrefix(text, "$"), 64)
	if err != nil || math.IsNaN(amount) || amount < 0 || amount > 1e6 {
		return errors.New("use an amount in US dollars, such as 2.50")
	}
	*d.credits = new(bfl.CreditsOf(amount * 100))
	return nil
}

// bind adds the flags for variables.
func (o *inputOptions) bind(flags *pflag.FlagSet) {
	flags.Var(valueFlag{values: &o.values}, "var", "set a variable, as in -var 'season=winter' (can be repeated)")
	flags.Var(valueFlag{values: &o.values, file: true}, "var-file", "read variables from this file (can be repeated)")
}

// negated is a flag that is on by default, kept as its opposite so that the zero value of an
// options struct is the default.
type negated bool

func (n *negated) Type() string { return "bool" }

func (n *negated) String() string { return strconv.FormatBool(!bool(*n)) }

func (n *negated) Set(text string) error {
	on, err := strconv.ParseBool(text)
	*n = negated(!on)
	return err
}

// bind adds the flags that plan, apply and destroy share.
func (o *planOptions) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	o.inputOptions.bind(flags)
	flags.StringArrayVar(&o.Targets, "target", nil, "limit the plan to this `address`, pattern, label.KEY=VALUE or file, and what it needs (can be repeated)")
	flags.StringArrayVar(&o.targetFiles, "target-file", nil, "limit the plan to what this `file` lists, as for -target, one a line (can be repeated)")
	flags.StringArrayVar(&o.Excludes, "exclude", nil, "leave out this `address`, pattern, label.KEY=VALUE or file, and what needs it (can be repeated)")
	flags.BoolVar(&o.Simulate, "simulate", false, "use the built-in simulator: no key, no network, no money (images go to .fluxbatch/simulation)")
	negate(flags, &o.NoRefresh, "refresh", "look at the images' files for what was lost or changed")
	flags.Var(dollars{&o.MaxCost}, "max-cost", "refuse to plan, and to spend, more than this many US `dollars`")
	flags.BoolVar(&o.RetryModerated, "retry-moderated", false, "ask again for images that the API's moderation refused before")
	negate(flags, &o.NoLock, "lock", "take the state's lock")
	flags.DurationVar(&o.LockTimeout, "lock-timeout", 0, "wait this `long` for another command to release the state, as in 30s")
	negate(flags, &o.noInput, "input", "ask for the values of variables that have none")
	flags.StringVar(&o.StatePath, "state", "", "use this state `file` in the place of the configured one")
	flags.BoolVar(&o.json, "json", false, "print a JSON object a line, in the form of Terraform's machine-readable UI")
	flags.BoolVar(&o.concise, "concise", false, "print a line an image")
	flags.BoolVar(&o.noConcise, "no-concise", false, "print every instance, however many have the same change")
	cmd.MarkFlagsMutuallyExclusive("concise", "no-concise")
}

// bindModes adds the flags that say what kind of plan is made. For destroy that is settled.
func (o *planOptions) bindModes(cmd *cobra.Command, destroy string) {
	flags := cmd.Flags()
	flags.BoolVar(&o.Destroy, "destroy", false, destroy)
	flags.BoolVar(&o.RefreshOnly, "refresh-only", false, "make the state say what is there: forget lost images, take changed files as they are")
	flags.StringArrayVar(&o.Replace, "replace", nil, "replace the image at this `address` although nothing changed (can be repeated)")
	flags.StringArrayVar(&o.Reroll, "reroll", nil, "replace the image at this `address` with a new seed, which the state keeps (can be repeated)")
	flags.StringArrayVar(&o.Abandon, "abandon", nil, "give up the tasks of interrupted runs for this `address`, and what was paid for them (can be repeated)")
	cmd.MarkFlagsMutuallyExclusive("destroy", "refresh-only", "replace")
	cmd.MarkFlagsMutuallyExclusive("destroy", "refresh-only", "reroll")
	cmd.MarkFlagsMutuallyExclusive("refresh", "refresh-only")
	cmd.MarkFlagsMutuallyExclusive("abandon", "refresh-only")
}

// negate adds a flag that is on by default and kept as its opposite.
func negate(flags *pflag.FlagSet, off *bool, name, usage string) {
	flags.Var((*negated)(off), name, usage)
	flags.Lookup(name).NoOptDefVal = "true"
}

// directory returns a command's directory argument, by default the current one.
func directory(args []string) (string, error) {
	if len(args) == 0 {
		return ".", nil
	}
	info, err := os.Stat(args[0])
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(args[0], ".fluxplan"):
		return "", fmt.Errorf("there is no saved plan %q. Save one with plan -out", args[0])
	case errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(args[0], "image."):
		return "", fmt.Errorf("%q is an address, and this command takes a directory. For one image on record there is state show", args[0])
	case err != nil:
		return "", fmt.Errorf("the directory %q cannot be read: %w", args[0], cause(err))
	case !info.IsDir():
		return "", fmt.Errorf("the argument %q is a file. Name the directory that it is in", args[0])
	}
	return args[0], nil
}

// cause returns what a file system's error says without the operation and the path, which the
// message around it tells.
func cause(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// directoryCommand is a command that takes a directory.
func directoryCommand(use, short, long, example string, run func(dir string) error) *cobra.Command {
	return &cobra.Command{
		Use: use + " [DIRECTORY]", Short: short, Long: long, Example: example,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := directory(args)
			if err != nil {
				return err
			}
			return run(dir)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
}
