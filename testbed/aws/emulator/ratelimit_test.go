package emulator_test

import (
	"testing"
	"time"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func TestRateLimits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		call, body string
		burst      int
		second     int // how many more after a second
	}{
		{"ecs:RegisterTaskDefinition", `{"family":"web","containerDefinitions":[{"name":"app","image":"nginx",` +
			`"memory":128}]}`, 20, 1},
		{"ecs:DescribeTaskDefinition", `{"taskDefinition":"web"}`, 50, 20},
		{"ecs:UpdateService", `{"service":"web"}`, 50, 5},
		{"ecs:DescribeServices", `{"services":["web"]}`, 100, 20},
		{"ecs:ListServiceDeployments", `{"service":"web"}`, 50, 20},
		{"ecs:TagResource", `{"resourceArn":"arn"}`, 20, 10},
	}
	for _, tt := range tests {
		t.Run(tt.call, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			w.AWS.LimitRates()
			const throttled = `{"__type":"ThrottlingException","message":"Rate exceeded"}`
			for _, want := range []int{tt.burst, tt.second} {
				passed := 0
				for range 200 {
					if _, got := w.Raw(t, dev, tt.call, tt.body); got == throttled {
						break
					}
					passed++
				}
				if passed != want {
					t.Errorf("%d calls passed, want %d", passed, want)
				}
				w.Clock.Advance(time.Second)
			}
			// Other accounts and other kinds of calls have buckets of their own.
			if _, got := w.Raw(t, prod, tt.call, tt.body); got == throttled {
				t.Error("another account is throttled")
			}
			if _, got := w.Raw(t, dev, "ecs:ListClusters", `{}`); got == throttled {
				t.Error("ListClusters is throttled")
			}
		})
	}
}
