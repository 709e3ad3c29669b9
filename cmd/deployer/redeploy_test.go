package main

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/testbed/cloud"
)

// TestRedeploy redeploys the image that runs: with a newer configuration that the
// infrastructure registered, once.
func TestRedeploy(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "prod", nil)
	now := time.Now()
	f.invoke(t, deployEventAt(now, "e1", "action.production", `{"service":"backend","tag":"v1"}`))
	service := cloud.ServiceName("backend", "prod")
	account := f.accounts["prod"]
	got, err := account.Runs(t.Context(), cloud.Project+"_cluster_prod", service)
	must(t, err)
	_, err = account.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: got.TaskDefinition.Family, ContainerDefinitions: got.TaskDefinition.ContainerDefinitions,
		NetworkMode:             got.TaskDefinition.NetworkMode,
		RequiresCompatibilities: got.TaskDefinition.RequiresCompatibilities,
		ExecutionRoleArn:        got.TaskDefinition.ExecutionRoleArn,
		Cpu:                     aws.String("512"), Memory: aws.String("1024"),
	})
	must(t, err)
	redeploy := deployEventAt(now.Add(2*time.Second), "e2", "action.production",
		`{"service":"backend","action":"redeploy"}`)
	first := f.invoke(t, redeploy)
	if first.Status != "deployed" || first.Reason != "same image, newer configuration: revision 3" {
		t.Errorf("%+v", first)
	}
	if again := f.invoke(t,
		redeploy); again.Status != "unchanged" || again.Reason != "this event was carried out before" {
		t.Errorf("again: %+v", again)
	}
	after, err := account.Runs(t.Context(), cloud.Project+"_cluster_prod", service)
	must(t, err)
	if aws.ToString(after.TaskDefinition.Cpu) != "512" || after.TaskDefinition.Revision != 4 {
		t.Errorf("it runs revision %d with %s CPU units", after.TaskDefinition.Revision, *after.TaskDefinition.Cpu)
	}
}
