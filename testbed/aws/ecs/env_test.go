package ecs_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	dev  = accounts.Dev
	prod = accounts.Prod
)

// An env is an [emulatortest.Env] with calls for the service web of the cluster c.
type env struct{ *emulatortest.Env }

func newEnv(t *testing.T, o emulator.Options) *env {
	t.Helper()
	return &env{emulatortest.New(t, o)}
}

const registryImage = "111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend"

// newService is [emulatortest.NewService].
func newService(t *testing.T, more string) *env {
	t.Helper()
	return &env{emulatortest.NewService(t, more)}
}

// rollback is the JSON member for a circuit breaker with rollback.
const rollback = `,"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":true,"rollback":true}}`

// update updates the service web to the task definition.
func (w *env) update(t *testing.T, taskDefinition string) {
	t.Helper()
	w.Do(t, dev, "ecs:UpdateService", `{"cluster":"c","service":"web","taskDefinition":"`+taskDefinition+`"}`)
}

var (
	deploymentID        = regexp.MustCompile(`(?:ecs-svc/)?\b\d{19}\b`)
	serviceDeploymentID = regexp.MustCompile(`(service-deployment/c/web/)([A-Za-z0-9_-]{21})`)
	hookID              = regexp.MustCompile(`ecs-pause-[A-Za-z0-9_-]{43}`)
)

// A names maps ids to short names in the order in which a test sees them: d1 for a deployment and the service revision
// of the same number, s1 for a service deployment, h1 for a hook.
type names map[string]string

// replace replaces the ids in a text with their short names.
func (n names) replace(text string) string {
	text = hookID.ReplaceAllStringFunc(text, func(id string) string { return n.name("h", id) })
	text = serviceDeploymentID.ReplaceAllStringFunc(text, func(arn string) string {
		prefix, id := arn[:strings.LastIndexByte(arn, '/')+1], arn[strings.LastIndexByte(arn, '/')+1:]
		return prefix + n.name("s", id)
	})
	return deploymentID.ReplaceAllStringFunc(text, func(id string) string {
		return n.name("d", strings.TrimPrefix(id,
			"ecs-svc/"))
	})
}

func (n names) name(kind, id string) string {
	if _, ok := n[id]; !ok {
		count := 1
		for _, name := range n {
			if strings.HasPrefix(name, kind) {
				count++
			}
		}
		n[id] = kind + strconv.Itoa(count)
	}
	return n[id]
}

// rollout returns a line for the service web and one for each of its deployments.
func (w *env) rollout(t *testing.T, n names) []string {
	t.Helper()
	answer := w.Do(t, dev, "ecs:DescribeServices", `{"cluster":"c","services":["web"]}`)
	type counts struct {
		TaskDefinition, ID, Status, RolloutState, RolloutStateReason string

		DesiredCount, PendingCount, RunningCount, FailedTasks int
	}
	var described struct {
		Services []struct {
			counts
			Deployments []counts
		}
	}
	if err := json.Unmarshal([]byte(answer), &described); err != nil {
		t.Fatal(err)
	}
	s := described.Services[0]
	revision := func(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }
	lines := []string{fmt.Sprintf("%s %s %d/%d/%d", s.Status, revision(s.TaskDefinition), s.DesiredCount,
		s.PendingCount, s.RunningCount)}
	for i := len(s.Deployments) - 1; i >= 0; i-- {
		n.replace(s.Deployments[i].ID) // the oldest is named first
	}
	for _, d := range s.Deployments {
		lines = append(lines, n.replace(fmt.Sprintf("%s %s %s %d/%d/%d-%d %s: %s", d.ID, d.Status,
			revision(d.TaskDefinition),
			d.DesiredCount, d.PendingCount, d.RunningCount, d.FailedTasks, d.RolloutState, d.RolloutStateReason)))
	}
	return lines
}

// A phase is the expected state of a service after some more steps of a minute. Counts are desired/pending/running, and
// for deployments -failed.
type phase struct {
	steps int
	do    func(t *testing.T, w *env) // before time passes
	want  []string
}
