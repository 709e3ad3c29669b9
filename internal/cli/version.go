package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"deployer/internal/version"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "The version, the commit if it is known, and the Go version and platform of the build.",
		Example: "deployer version",
		Args:    arguments(),
		RunE:    func(*cobra.Command, []string) error { return a.printVersion() },
	}
}

func (a *app) printVersion() error {
	_, err := fmt.Fprintf(a.out, "deployer %s (%s %s/%s)\n",
		version.String(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
