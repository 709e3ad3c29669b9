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

// BenchmarkStatusOfThree is [BenchmarkStatus] for three environments in accounts of their own
// with 30 services each, all found by name: `status -e all`.
func BenchmarkStatusOfThree(b *testing.B) {
	const most = 2 * time.Second
	e, url := emulatortest.Start(b, emulator.Options{})
	dir := b.TempDir()
	var profiles strings.Builder
	for name, id := range map[string]string{"dev": accounts.Dev, "staging": accounts.Staging, "prod": accounts.Prod} {
		text, err := cloud.ManyServices(b.Context(), accounts.Connect(url, id, accounts.Region), 30, true)
		must(b, err)
		text = strings.Replace(text, "env: dev\n", "env: "+name+"\naws_profile: "+name+"\n", 1)
		text += "deployer:\n  cluster: p_cluster_dev\n  workloads:\n"
		for i := range 30 {
			text += fmt.Sprintf("    s%d: {service: p_service_s%[1]d_dev}\n", i)
		}
		must(b, os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o644))
		fmt.Fprintf(&profiles, "[profile %s]\naws_access_key_id = %s\naws_secret_access_key = any\n", name, id)
	}
	config := filepath.Join(dir, "aws.config")
	must(b, os.WriteFile(config, []byte(profiles.String()), 0o600))
	e.Inject(emulator.Fault{Operation: "*", Latency: 50 * time.Millisecond})
	args := []string{"status", "-e", "all"}
	for i := range 30 {
		args = append(args, fmt.Sprint("s", i))
	}
	var took time.Duration
	for b.Loop() {
		command := exec.CommandContext(b.Context(), os.Args[0], args...)
		command.Dir = dir
		command.Env = append(deployerEnv(url, ""), "AWS_CONFIG_FILE="+config, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
		begin := time.Now()
		out, err := command.Output()
		took = max(took, time.Since(begin))
		if err != nil || strings.Count(string(out), "\n") < 31 {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	if took > most {
		b.Errorf("the slowest took %s, want at most %s", took, most)
	}
	b.ReportMetric(float64(took.Microseconds())/1000, "ms-slowest")
}
