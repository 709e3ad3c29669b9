package cli

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/version"
)

func (a *app) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "The version, the commit if it is known, and the Go version and platform of the build.",
		Example: "deployer version\ndeployer version --json",
		Args:    arguments(),
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(*cobra.Command, []string) error { return a.printVersion(*asJSON) }
	return cmd
}

// versionReport is what version prints with --json.
type versionReport struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"` // ends with "-dirty" if the work tree had changes
	Go       string `json:"go"`
	Platform string `json:"platform"` // such as "linux/arm64"
}

func (a *app) printVersion(asJSON bool) error {
	if asJSON {
		number, commit, _ := strings.Cut(version.String(), " ")
		return printJSON(a.out, versionReport{number, commit, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
	}
	_, err := fmt.Fprintf(a.out, "deployer %s (%s %s/%s)\n",
		version.String(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
