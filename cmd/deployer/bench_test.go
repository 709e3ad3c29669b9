package main

import (
	"fmt"
	"testing"
	"time"

	"deployer/testbed/aws/emulator"
)

// BenchmarkColdStart measures the time from the start of a process to its first
// request for an event, and the peak memory after a deployment.
func BenchmarkColdStart(b *testing.B) {
	var init time.Duration
	var peak int64
	for b.Loop() {
		f := newFunction(b, "prod", nil)
		f.invoke(b, deployEvent("action.production", `{"service":"backend","tag":"v1","force":true}`))
		f.invoke(b, `{}`) // the peak is read when the process asks for the next event
		process := f.host.Stats().Processes[0]
		init += process.Init
		peak = max(peak, process.PeakRSS)
		f.host.Close()
	}
	b.ReportMetric(float64(init.Microseconds())/1000/float64(b.N), "ms/start")
	b.ReportMetric(float64(peak)/(1<<20), "MB-peak")
}

// BenchmarkDeploy measures the time from the first call to AWS to UpdateService, with
// a latency of 100 ms for every call.
func BenchmarkDeploy(b *testing.B) {
	f := newFunction(b, "prod", nil)
	f.invoke(b, `{}`) // so that the cold start is not measured
	f.aws.Inject(emulator.Fault{Operation: "*", Latency: 100 * time.Millisecond})
	var update time.Duration
	var calls, n int
	start := time.Now()
	for b.Loop() {
		f.aws.ResetCalls()
		n++
		at := start.Add(time.Duration(n) * time.Second)
		const detail = `{"service":"backend","tag":"v1","force":true}`
		f.invoke(b, deployEventAt(at, fmt.Sprint("event-", n), "action.production", detail))
		all := f.aws.Calls()
		calls = len(all)
		update = max(update, all[4].Start.Sub(all[0].Start)) // after three reads and the registration
	}
	b.ReportMetric(float64(update.Microseconds())/1000, "ms-to-update")
	b.ReportMetric(float64(calls), "calls")
}
