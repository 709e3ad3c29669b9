package ecs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

// strategy returns the JSON member for a strategy; more are further members of the configuration.
func strategy(name, more string) string {
	return `,"deploymentConfiguration":{"strategy":"` + name + `","bakeTimeInMinutes":1` + more + `}`
}

// TestTrafficShift follows linear and canary deployments: the stages around a shift recur, each step bakes except the
// last, and the deployment bakes at the end. Each line is a stage, the percentage of traffic, and how many minutes.
func TestTrafficShift(t *testing.T) {
	t.Parallel()
	const pauses = `,"lifecycleHooks":[{"targetType":"PAUSE","lifecycleStages":["PRE_PRODUCTION_TRAFFIC_SHIFT"],` +
		`"timeoutConfiguration":{"timeoutInMinutes":2,"action":"CONTINUE"}}]`
	for _, tt := range []struct {
		name, more string
		want       []string
	}{
		{"linear", strategy("LINEAR", `,"linearConfiguration":{"stepPercent":40,"stepBakeTimeInMinutes":2}`), []string{
			"SCALE_UP 0% 1", "PRODUCTION_TRAFFIC_SHIFT 40% 3", "PRODUCTION_TRAFFIC_SHIFT 80% 3",
			"PRODUCTION_TRAFFIC_SHIFT 100% 1", "BAKE_TIME 100% 1", "SUCCESSFUL 100%"}},
		{"linear, as by default", strategy("LINEAR", ""), []string{
			"SCALE_UP 0% 1", "PRODUCTION_TRAFFIC_SHIFT 10% 7", "PRODUCTION_TRAFFIC_SHIFT 20% 7",
			"PRODUCTION_TRAFFIC_SHIFT 30% 7", "PRODUCTION_TRAFFIC_SHIFT 40% 7", "PRODUCTION_TRAFFIC_SHIFT 50% 7",
			"PRODUCTION_TRAFFIC_SHIFT 60% 7", "PRODUCTION_TRAFFIC_SHIFT 70% 7", "PRODUCTION_TRAFFIC_SHIFT 80% 7",
			"PRODUCTION_TRAFFIC_SHIFT 90% 7", "PRODUCTION_TRAFFIC_SHIFT 100% 1", "BAKE_TIME 100% 1",
			"SUCCESSFUL 100%"}},
		{"linear in one step", strategy("LINEAR", `,"linearConfiguration":{"stepPercent":100}`), []string{
			"SCALE_UP 0% 1", "PRODUCTION_TRAFFIC_SHIFT 100% 1", "BAKE_TIME 100% 1", "SUCCESSFUL 100%"}},
		{"linear with pauses", strategy("LINEAR", pauses+
			`,"linearConfiguration":{"stepPercent":50,"stepBakeTimeInMinutes":0}`), []string{"SCALE_UP 0% 1",
			"PRE_PRODUCTION_TRAFFIC_SHIFT 0% 2", "PRODUCTION_TRAFFIC_SHIFT 50% 1",
			"PRE_PRODUCTION_TRAFFIC_SHIFT 50% 2", "PRODUCTION_TRAFFIC_SHIFT 100% 1", "BAKE_TIME 100% 1",
			"SUCCESSFUL 100%"}},
		{"canary", strategy("CANARY", `,"canaryConfiguration":{"canaryPercent":0.1,"canaryBakeTimeInMinutes":4}`),
			[]string{"SCALE_UP 0% 1", "PRODUCTION_TRAFFIC_SHIFT 0.1% 5", "PRODUCTION_TRAFFIC_SHIFT 100% 1",
				"BAKE_TIME 100% 1", "SUCCESSFUL 100%"}},
		{"canary, as by default", strategy("CANARY", ""), []string{"SCALE_UP 0% 1", "PRODUCTION_TRAFFIC_SHIFT 5% 11",
			"PRODUCTION_TRAFFIC_SHIFT 100% 1", "BAKE_TIME 100% 1", "SUCCESSFUL 100%"}},
		{"canary with pauses", strategy("CANARY", pauses), []string{"SCALE_UP 0% 1",
			"PRE_PRODUCTION_TRAFFIC_SHIFT 0% 2", "PRODUCTION_TRAFFIC_SHIFT 5% 11",
			"PRE_PRODUCTION_TRAFFIC_SHIFT 5% 2", "PRODUCTION_TRAFFIC_SHIFT 100% 1", "BAKE_TIME 100% 1",
			"SUCCESSFUL 100%"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, _ := deploying(t, tt.more, "nginx:2")
			var got []string
			minutes := map[string]int{}
			for range 100 {
				d := w.records(t)[0]
				at := string(d.LifecycleStage)
				if at == "" {
					at = string(d.Status)
				}
				at += fmt.Sprintf(" %v%%", *d.TargetServiceRevision.RequestedProductionTrafficWeight)
				if old := d.SourceServiceRevisions; *old[0].RequestedProductionTrafficWeight+
					*d.TargetServiceRevision.RequestedProductionTrafficWeight != 100 {
					t.Errorf("%s: the old revision has %v%%", at, *old[0].RequestedProductionTrafficWeight)
				}
				if !slices.Contains(got, at) {
					got = append(got, at)
				}
				minutes[at]++
				if d.Status == types.ServiceDeploymentStatusSuccessful {
					break
				}
				w.Clock.Advance(time.Minute)
			}
			for i, at := range got[:len(got)-1] {
				got[i] = fmt.Sprint(at, " ", minutes[at])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTrafficShiftPauses: each pause of a linear deployment is a hook of its own.
func TestTrafficShiftPauses(t *testing.T) {
	t.Parallel()
	w, n := deploying(t, strategy("LINEAR", `,"linearConfiguration":{"stepPercent":50,"stepBakeTimeInMinutes":0}`+
		pauseAt("PRE_PRODUCTION_TRAFFIC_SHIFT", "")), "nginx:2")
	for range 2 {
		w.Clock.Advance(3 * time.Minute)
		if err := w.act(t, ""); err != nil {
			t.Fatal(err)
		}
	}
	w.Clock.Advance(5 * time.Minute)
	w.history(t, n)
	want := []string{
		"09:40 INFO SERVICE_DEPLOYMENT_IN_PROGRESS d2 ECS deployment d2 in progress.",
		"09:41 INFO HOOK_AWAITING_ACTION h1PRE_PRODUCTION_TRAFFIC_SHIFT",
		"09:43 INFO HOOK_SUCCEEDED h1PRE_PRODUCTION_TRAFFIC_SHIFT",
		"09:44 INFO HOOK_AWAITING_ACTION h2PRE_PRODUCTION_TRAFFIC_SHIFT",
		"09:46 INFO HOOK_SUCCEEDED h2PRE_PRODUCTION_TRAFFIC_SHIFT",
		"09:48 INFO SERVICE_DEPLOYMENT_COMPLETED d2 ECS deployment d2 completed.",
	}
	if diff := cmp.Diff(want, w.events(t, n)); diff != "" {
		t.Error(diff)
	}
}

// TestTrafficShiftInvalid: ECS refuses steps that are not valid.
func TestTrafficShiftInvalid(t *testing.T) {
	t.Parallel()
	for more, want := range map[string]string{
		strategy("LINEAR", `,"linearConfiguration":{"stepPercent":2.9}`):            "from 3.0 to 100.0",
		strategy("LINEAR", `,"linearConfiguration":{"stepPercent":101}`):            "from 3.0 to 100.0",
		strategy("CANARY", `,"canaryConfiguration":{"canaryPercent":0}`):            "from 0.1 to 100.0",
		strategy("CANARY", `,"canaryConfiguration":{"canaryPercent":5.55}`):         "from 0.1 to 100.0",
		strategy("LINEAR", `,"linearConfiguration":{"stepBakeTimeInMinutes":1441}`): "0 and 1440 minutes",
		strategy("CANARY", `,"linearConfiguration":{"stepPercent":10}`):             "valid with the LINEAR",
		strategy("ROLLING", `,"canaryConfiguration":{"canaryPercent":10}`):          "valid with the CANARY",
	} {
		w := newService(t, "")
		status, answer := w.Raw(t, dev, "ecs:UpdateService", `{"cluster":"c","service":"web"`+more+`}`)
		if status != 400 || !strings.Contains(answer, want) {
			t.Errorf("%s: %d %s", more, status, answer)
		}
	}
}
