package pointer

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNeeds checks what a pointer's role has to be allowed, in each partition.
func TestNeeds(t *testing.T) {
	t.Parallel()
	for partition, region := range map[string]string{"aws": "us-east-1", "aws-cn": "cn-north-1",
		"aws-us-gov": "us-gov-west-1"} {
		ecs := "arn:" + partition + ":ecs:" + region + ":222222222222:"
		role := "arn:" + partition + ":iam::222222222222:role/"
		for _, tt := range []struct {
			parameters, input string
			roles             []string
			want              []string // action, resources, condition
		}{
			{`{}`, "", []string{"", ""}, []string{"RUN"}},
			{`{}`, "not JSON", []string{role + "path/task", role + "execution"},
				[]string{"RUN", "PASS " + role + "path/task " + role + "execution"}},
			{`{}`, `{"taskRoleArn":"other","executionRoleArn":"` + role + `execution"}`,
				[]string{"", role + "execution"}, []string{"RUN", "PASS " + role + "execution " + role + "other"}},
			{`{"PropagateTags":"TASK_DEFINITION"}`, "", nil, []string{"RUN", "TAG"}},
			{`{"EnableECSManagedTags":true}`, "", nil, []string{"RUN", "TAG"}},
			{`{"Tags":[{"Key":"a","Value":"b"}]}`, "", nil, []string{"RUN", "TAG"}},
			{`{"Tags":[],"EnableECSManagedTags":false}`, "", nil, []string{"RUN"}},
		} {
			p := Pointer{Cluster: ecs + "cluster/c", TaskDefinition: ecs + "task-definition/report:7", Input: tt.input,
				EcsParameters: json.RawMessage(tt.parameters)}
			var got []string
			for _, n := range p.needs(8, tt.roles) {
				got = append(got, fmt.Sprint(n.action, " ", strings.Join(n.resources, " "), " ", n.context))
			}
			for i, want := range tt.want {
				if passed, ok := strings.CutPrefix(want, "PASS "); ok {
					tt.want[i] = "iam:PassRole " + passed + " map[iam:PassedToService:ecs-tasks.amazonaws.com]"
				}
				tt.want[i] = strings.NewReplacer(
					"RUN", "ecs:RunTask "+ecs+"task-definition/report:8 map[ecs:cluster:"+ecs+"cluster/c]",
					"TAG", "ecs:TagResource "+ecs+"task/c/any map[ecs:CreateAction:RunTask ecs:cluster:"+ecs+
						"cluster/c]").Replace(tt.want[i])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s, %s in %s: %s", tt.parameters, tt.input, partition, diff)
			}
		}
	}
}

// TestMayHave checks which condition keys that IAM reports as missing leave a doubt about an action.
func TestMayHave(t *testing.T) {
	t.Parallel()
	const run, pass, tag = "ecs:RunTask", "iam:PassRole", "ecs:TagResource"
	p := Pointer{Cluster: cluster, TaskDefinition: first,
		EcsParameters: json.RawMessage(`{"EnableECSManagedTags":true}`)}
	for key, want := range map[string]string{
		"aws:ResourceTag/team": run + " " + pass + " " + tag, "AWS:SourceVpc": run + " " + pass + " " + tag,
		"ecs:ResourceTag/team": run + " " + tag, "ecs:cluster": run + " " + tag, "ECS:CreateAction": tag,
		"iam:PassedToService": pass, "s3:prefix": "", "sts:ExternalId": "",
	} {
		var got []string
		for _, n := range p.needs(8, []string{"task"}) {
			if n.mayHave(key) {
				got = append(got, n.action)
			}
		}
		if all := strings.Join(got, " "); all != want {
			t.Errorf("%s: %s, want %s", key, all, want)
		}
	}
}
