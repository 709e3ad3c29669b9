package ecs_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestTaggingLater: tagging a registered revision needs permission without the condition key ecs:CreateAction, which
// only a request that creates the resource has.
func TestTaggingLater(t *testing.T) {
	t.Parallel()
	const (
		revision = "arn:aws:ecs:us-east-1:111111111111:task-definition/web:1"
		every    = "arn:aws:ecs:us-east-1:111111111111:task-definition/web:*"
		outcomes = `{"StringEquals":{"aws:RequestTag/deployer:outcome":["succeeded","failed"]},` +
			`"ForAllValues:StringEquals":{"aws:TagKeys":["deployer:outcome","deployer:finished"]}}`
	)
	tests := []struct {
		name, resource, condition string
		tags                      []types.Tag
		allowed                   bool
	}{
		{"the revision", revision, `{}`, outcome("succeeded"), true},
		{"another revision", "arn:aws:ecs:us-east-1:111111111111:task-definition/web:2", `{}`, outcome("succeeded"),
			false},
		{"when registering", every, `{"StringEquals":{"ecs:CreateAction":"RegisterTaskDefinition"}}`,
			outcome("succeeded"), false},
		{"never when registering", every, `{"Null":{"ecs:CreateAction":"true"}}`, outcome("succeeded"), true},
		{"these keys", every, outcomes, outcome("succeeded"), true},
		{"another value", every, outcomes, outcome("great"), false},
		{"another key besides", every, outcomes, append(outcome("succeeded"), types.Tag{Key: new("team"),
			Value: new("a")}), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newEnv(t, emulator.Options{})
			w.Register(t, dev, "web", "nginx")
			w.AWS.SetRolePolicy(dev, "Deployer", emulatortest.Policy(t,
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:TagResource","Resource":"`+
					tt.resource+`","Condition":`+tt.condition+`}]}`))
			_, err := w.ECS(dev+"-Deployer").TagResource(t.Context(), &ecs.TagResourceInput{ResourceArn: new(revision),
				Tags: tt.tags})
			if !tt.allowed {
				emulatortest.WantError(t, err, "AccessDeniedException",
					"User: arn:aws:sts::111111111111:assumed-role/Deployer/session is not authorized to perform: "+
						"ecs:TagResource on resource: "+revision+" because no identity-based policy allows the "+
						"ecs:TagResource action")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.ECS(dev).DescribeTaskDefinition(t.Context(),
				&ecs.DescribeTaskDefinitionInput{TaskDefinition: new("web:1"),
					Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(describeTags(tt.tags), describeTags(got.Tags)); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
		})
	}
}

func outcome(value string) []types.Tag {
	return []types.Tag{{Key: new("deployer:outcome"), Value: new(value)}}
}

func describeTags(tags []types.Tag) map[string]string {
	described := map[string]string{}
	for _, tag := range tags {
		described[*tag.Key] = *tag.Value
	}
	return described
}
