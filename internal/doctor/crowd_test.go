package doctor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/environment"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// TestManyServices examines 100 services in fake time, against ECS's rate limits and while others use up what is left
// of them: it finds no more problems than without limits, checks everything, and describes no family twice.
func TestManyServices(t *testing.T) {
	t.Parallel()
	const services = 100
	levels := func(limited bool) map[string]map[Level]int {
		found := map[string]map[Level]int{}
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(time.Date(2026, time.January, 22, 10, 15, 0, 0, time.UTC)))
			e := emulator.New(emulator.Options{})
			dev := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(func(c *aws.Config) {
				c.HTTPClient = emulatortest.InProcess{AWS: e}
			})
			file, err := cloud.ManyServices(t.Context(), dev, services, false)
			if err != nil {
				t.Fatal(err)
			}
			env, err := environment.Parse("dev.yaml", []byte(file))
			if err != nil {
				t.Fatal(err)
			}
			e.Inject(emulator.Fault{Operation: "*", Latency: 50 * time.Millisecond})
			if limited {
				e.LimitRates()
				// Other callers make every second call fail.
				e.Inject(emulator.Fault{Operation: "ecs:DescribeTaskDefinition", Share: 0.5,
					Error: emulator.ErrThrottled})
			}
			e.ResetCalls()
			report, err := Examine(t.Context(), env, dev.Config, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range report.Findings {
				if found[f.Check] == nil {
					found[f.Check] = map[Level]int{}
				}
				found[f.Check][f.Level]++
			}
			described := map[string]int{}
			for _, c := range e.Calls() {
				if c.Operation == "DescribeTaskDefinition" && c.Error == "" {
					if described[string(c.Body)]++; described[string(c.Body)] > 1 {
						t.Errorf("described twice: %s", c.Body)
					}
				}
			}
			if len(described) != services {
				t.Errorf("%d families were described, want %d", len(described), services)
			}
		})
		return found
	}
	want, got := levels(false), levels(true)
	for check := range want {
		for level := range got[check] {
			if got[check][level] != want[check][level] {
				t.Errorf("%s: %d findings of level %s, want %d", check, got[check][level], level, want[check][level])
			}
		}
	}
}
