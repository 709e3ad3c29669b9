package cli

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDashboardPortTaken checks that a port that another program uses is said, with a command that works.
func TestDashboardPortTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	text, err := os.ReadFile("../../examples/centralized-dev-ecr/dev.yaml")
	must(t, err)
	file := filepath.Join(t.TempDir(), "dev.yaml")
	must(t, os.WriteFile(file, text, 0o644))
	address := taken.Addr().String()
	for _, flag := range [][]string{{"--listen", address}, {"--listen=" + address}} {
		var out, errs strings.Builder
		exit := Run(append([]string{"dashboard", "-f", file}, flag...), &out, &errs)
		free := strings.ReplaceAll(strings.Join(flag, " "), address, "127.0.0.1:0")
		want := "deployer: error: listening on " + address + ": another program uses it; port 0 is any free port\n" +
			"deployer: hint: deployer dashboard -f " + file + " " + free + "\n"
		if exit != exitNotDone || errs.String() != want || out.Len() > 0 {
			t.Errorf("%v: exit %d, %q\n%s\nwant\n%s", flag, exit, &out, &errs, want)
		}
	}
}
