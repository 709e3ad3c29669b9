package failure

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestFailed checks whose log explains why a task stopped.
func TestFailed(t *testing.T) {
	t.Parallel()
	none := int32(-1)
	c := func(name string, code int32, reason string) types.Container {
		one := types.Container{Name: aws.String(name), Reason: aws.String(reason), ExitCode: aws.Int32(code)}
		if code == none {
			one.ExitCode = nil
		}
		return one
	}
	unhealthy := func(one types.Container) types.Container {
		one.HealthStatus = types.HealthStatusUnhealthy
		return one
	}
	td := &types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{
		{Name: aws.String("proxy")}, {Name: aws.String("init"), Essential: aws.Bool(false)},
		{Name: aws.String("app"), Essential: aws.Bool(true)}}}
	for _, tt := range []struct {
		name       string
		containers []types.Container
		want       string // "" for none
	}{
		{"no container", nil, ""},
		{"none has started", []types.Container{c("proxy", none, ""), c("app", none, "CannotPullContainerError")}, ""},
		{"the app exits, and the proxy is stopped", []types.Container{c("proxy", 143, ""), c("app", 1, "")}, "app"},
		{"the app exits with 0", []types.Container{c("proxy", 143, ""), c("app", 0, "")}, "app"},
		{"an essential one before another", []types.Container{c("init", 1, ""), c("app", 2, "")}, "app"},
		{"only one that is not essential", []types.Container{c("proxy", 0, ""), c("init", 3, ""), c("app", 143, "")},
			"init"},
		{"too little memory", []types.Container{c("proxy", 143, ""), c("app", 137, "OutOfMemoryError: killed")}, "app"},
		{"an unhealthy one", []types.Container{c("proxy", 143, ""), unhealthy(c("app", 143, ""))}, "app"},
		{"all were stopped", []types.Container{c("init", 0, ""), c("proxy", 143, ""), c("app", 137, "")}, "proxy"},
	} {
		got := ""
		if found := failed(types.Task{Containers: tt.containers}, td); found != nil {
			got = aws.ToString(found.Name)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
