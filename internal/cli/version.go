package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/view/machine"
)

// release is the version of the next release.
const release = "0.1.0"

// Version returns the program's version: that of the module it was installed from, or the coming
// release's in a checkout.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if ok && info.Main.Version != "" && info.Main.Version[0] == 'v' && info.Main.Version != "(devel)" {
		return info.Main.Version[1:]
	}
	return release + "-dev"
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Long:    "Prints the program's version, its platform, and the month of its price table.",
		Example: "  fluxbatch version\n  fluxbatch version -json",
		RunE: func(*cobra.Command, []string) error {
			platform := runtime.GOOS + "_" + runtime.GOARCH
			if asJSON {
				machine.WriteVersion(a.out, Version(), platform)
			} else {
				a.viewer().Version(Version(), platform)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
