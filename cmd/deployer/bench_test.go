package main

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
)

// BenchmarkColdStart measures a new process up to its first request for an
// event, and its peak memory after a deployment.
func BenchmarkColdStart(b *testing.B) {
	var init time.Duration
	var peak int64
	for b.Loop() {
		s := newScene(b, "prod", nil)
		s.invoke(b, deployEvent("action.production", `{"service":"backend","tag":"v1","force":true}`))
		s.invoke(b, `{}`) // the peak is read when the next event is asked for
		process := s.Stats().Processes[0]
		init += process.Init
		peak = max(peak, process.PeakRSS)
		s.Close()
	}
	b.ReportMetric(float64(init.Microseconds())/1000/float64(b.N), "ms/start")
	b.ReportMetric(float64(peak)/(1<<20), "MB-peak")
}

// BenchmarkDeploy measures a deployment while every call of AWS takes 100 ms:
// when the update leaves, counted from the first call.
func BenchmarkDeploy(b *testing.B) {
	s := newScene(b, "prod", nil)
	s.invoke(b, `{}`) // the cold start is measured elsewhere
	s.Inject(emulator.Fault{Operation: "*", Latency: 100 * time.Millisecond})
	var update time.Duration
	var calls, n int
	start := time.Now()
	for b.Loop() {
		s.ResetCalls()
		n++
		s.invoke(b, deployEventAt(start.Add(time.Duration(n)*time.Second), fmt.Sprint("event-", n), "action.production", `{"service":"backend","tag":"v1","force":true}`))
		all := s.Calls()
		calls = len(all)
		update = max(update, all[4].Start.Sub(all[0].Start)) // after three reads and the register
	}
	b.ReportMetric(float64(update.Microseconds())/1000, "ms-to-update")
	b.ReportMetric(float64(calls), "calls")
}

// BenchmarkStatus measures the whole command for 100 services while every call
// of AWS takes 50 ms: from the start of the process until it has printed.
func BenchmarkStatus(b *testing.B) {
	const most = 2 * time.Second
	e, url := emulatortest.Start(b, emulator.Options{})
	file := filepath.Join(b.TempDir(), "dev.yaml")
	must(b, os.WriteFile(file, []byte(manyServices(b, accounts.Connect(url, accounts.Dev, accounts.Region), 100, true)), 0o644))
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
		command.Env = append(os.Environ(), asDeployer+"=1", "AWS_ENDPOINT_URL="+url, "AWS_ACCESS_KEY_ID="+accounts.Dev, "AWS_SECRET_ACCESS_KEY=any", "AWS_EC2_METADATA_DISABLED=true")
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
