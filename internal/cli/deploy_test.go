package cli

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// TestRoundTrips checks, on fake time, what waits for what: STS is asked beside the reads,
// and nothing is changed before it has answered.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	const latency = 100 * time.Millisecond
	const reads = "BatchGetImage DescribeServices DescribeTaskDefinition"
	for _, tt := range []struct {
		name, account string // of the file
		caller        string // the account of the credentials
		slow          time.Duration
		want          map[time.Duration]string // operations by the time since the start
		err           string
	}{
		{"the file has the account", accounts.Dev, accounts.Dev, 0, map[time.Duration]string{
			0: reads + " GetCallerIdentity", latency: "RegisterTaskDefinition", 2 * latency: "UpdateService",
			3 * latency: "DescribeTaskDefinition"}, ""},
		{"the file has no account", "", accounts.Dev, 0, map[time.Duration]string{
			0: "GetCallerIdentity", latency: reads, 2 * latency: "RegisterTaskDefinition", 3 * latency: "UpdateService",
			4 * latency: "DescribeTaskDefinition"}, ""},
		{"STS is slow", accounts.Dev, accounts.Dev, time.Second, map[time.Duration]string{
			0: reads + " GetCallerIdentity", latency + time.Second: "RegisterTaskDefinition",
			2*latency + time.Second: "UpdateService", 3*latency + time.Second: "DescribeTaskDefinition"}, ""},
		{"another account's credentials", accounts.Dev, accounts.Prod, 0, map[time.Duration]string{
			0: reads + " GetCallerIdentity"}, "dev.yaml is environment dev of account 111111111111, but these " +
			"credentials belong to arn:aws:iam::333333333333:root"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				// Fake time begins in 2000, when no event can have happened.
				time.Sleep(time.Until(time.Date(2026, time.January, 22, 10, 15, 0, 0, time.UTC)))
				e := emulator.New(emulator.Options{})
				connect := func(account string) *accounts.Account {
					return accounts.Connect("http://aws.invalid", account, accounts.Region).With(func(c *aws.Config) {
						c.HTTPClient = emulatortest.InProcess{AWS: e}
					})
				}
				env := oneService(t, connect(accounts.Dev), tt.account)
				e.ResetCalls()
				e.Inject(emulator.Fault{Operation: "sts:*", Latency: latency + tt.slow})
				e.Inject(emulator.Fault{Operation: "*", Latency: latency})
				w, _ := env.Find("s0", environment.Services...)
				start := time.Now()
				request := event.Request{Workload: w, Tag: "index"}
				request.Cause.ID, request.Cause.Time = "cli", start.UTC()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, _, err := deployAs(ctx, env, connect(tt.caller).Config, []event.Request{request})
				text := ""
				if err != nil {
					text = err.Error()
				}
				if !strings.HasPrefix(text, tt.err) || (text == "") != (tt.err == "") {
					t.Errorf("error %q, want %q", text, tt.err)
				}
				if diff := cmp.Diff(tt.want, byTime(e, start)); diff != "" {
					t.Errorf("calls by time (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// oneService creates service s0, and returns its environment with or without its account.
func oneService(t *testing.T, dev *accounts.Account, account string) *environment.Environment {
	t.Helper()
	file, err := cloud.ManyServices(t.Context(), dev, 1, false)
	must(t, err)
	_, err = dev.PushIndex(t.Context(), "p_service_s0", "v2", []string{"linux/amd64"}, "index")
	must(t, err)
	if account == "" {
		file = strings.Replace(file, "account_id: \""+accounts.Dev+"\"\n", "", 1)
	}
	env, err := environment.Parse("dev.yaml", []byte(file))
	must(t, err)
	return env
}

// byTime returns the operations that were called, by the time since the start.
func byTime(e *emulator.Emulator, start time.Time) map[time.Duration]string {
	names := map[time.Duration][]string{}
	for _, c := range e.Calls() {
		names[c.Start.Sub(start)] = append(names[c.Start.Sub(start)], c.Operation)
	}
	all := map[time.Duration]string{}
	for at, operations := range names {
		slices.Sort(operations)
		all[at] = strings.Join(operations, " ")
	}
	return all
}
