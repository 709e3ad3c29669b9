package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// BenchmarkStatus measures the whole command for 100 services while every call
// of AWS takes 50 ms: from the start of the process until it has printed.
func BenchmarkStatus(b *testing.B) {
	const most = 2 * time.Second
	e, url := emulatortest.Start(b, emulator.Options{})
	file := filepath.Join(b.TempDir(), "dev.yaml")
	text, err := cloud.ManyServices(b.Context(), accounts.Connect(url, accounts.Dev, accounts.Region), 100, true)
	must(b, err)
	must(b, os.WriteFile(file, []byte(text), 0o644))
	e.Inject(emulator.Fault{Operation: "*", Latency: 50 * time.Millisecond})
	args := []string{"status", "-f", file}
	for i := range 100 {
		args = append(args, fmt.Sprint("s", i))
	}
	var took time.Duration
	var calls int
	for b.Loop() {
		e.ResetCalls()
		command := exec.CommandContext(b.Context(), os.Args[0], args...)
		command.Env = deployerEnv(url, accounts.Dev)
		begin := time.Now()
		out, err := command.CombinedOutput()
		took = max(took, time.Since(begin))
		if err != nil || strings.Count(string(out), "\n") != 101 {
			b.Fatalf("%v\n%s", err, out)
		}
		calls = len(e.Calls())
	}
	if took > most {
		b.Errorf("the slowest took %s, want at most %s", took, most)
	}
	b.ReportMetric(float64(took.Microseconds())/1000, "ms-slowest")
	b.ReportMetric(float64(calls), "calls")
}
