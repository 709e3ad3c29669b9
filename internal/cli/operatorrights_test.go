package cli

import (
	"strings"
	"testing"

	"deployer/internal/iam"
	"deployer/testbed/accounts"
)

// TestOperatorCannot evaluates what docs/security.md says that people with the policies of `deployer policy operator`
// cannot do, with the statements of every command.
func TestOperatorCannot(t *testing.T) {
	t.Parallel()
	dir, r := projectDirectory(t), runner{"http://127.0.0.1:1"} // it calls nothing
	_, advice, _ := r.run(t, dir, accounts.Prod, []string{"policy", "operator", "-f", "prod.yaml"})
	const (
		own    = "arn:aws:ecs:us-east-1:333333333333:"
		images = "arn:aws:ecr:us-east-1:111111111111:repository/myproject_backend"
		queue  = "arn:aws:sqs:us-east-1:333333333333:myproject_deployer_"
	)
	parts := 0
	allowed := map[string]bool{}
	for line := range strings.Lines(advice) {
		_, commands, found := strings.Cut(strings.TrimSpace(line), "--commands ")
		if !found {
			continue
		}
		parts++
		stdout, _, exit := r.run(t, dir, accounts.Prod,
			[]string{"policy", "operator", "-f", "prod.yaml", "--commands", commands})
		if exit != exitDone {
			t.Fatalf("%s: exit %d", commands, exit)
		}
		d, err := iam.Parse([]byte(stdout))
		must(t, err)
		for _, q := range [][3]string{
			{"push", "ecr:PutImage", images}, {"upload", "ecr:InitiateLayerUpload", images},
			{"delete", "ecr:BatchDeleteImage", images},
			{"fill the failure queue", "sqs:SendMessage", queue + "failed_prod"},
			{"fill the other queue", "sqs:SendMessage", queue + "undelivered_prod"},
			{"change the stack", "cloudformation:UpdateStack", "*"},
			{"change the function", "lambda:UpdateFunctionCode",
				"arn:aws:lambda:us-east-1:333333333333:function:myproject_deployer_prod"},
			{"change a role", "iam:PutRolePolicy", "arn:aws:iam::333333333333:role/myproject_deployer_prod"},
			{"pass another role", "iam:PassRole", "arn:aws:iam::333333333333:role/Admin"},
			{"pass the function's role", "iam:PassRole", "arn:aws:iam::333333333333:role/myproject_deployer_prod"},
			{"read a secret", "secretsmanager:GetSecretValue", "*"},
			{"update another cluster's service", "ecs:UpdateService", own + "service/other/x"},
			{"update the service", "ecs:UpdateService", own + "service/myproject_cluster_prod/myproject_service_prod"},
			{"see the services", "ecs:DescribeServices",
				own + "service/myproject_cluster_prod/myproject_service_prod"},
		} {
			context := map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com",
				"ecs:cluster": own + "cluster/myproject_cluster_prod"}
			if strings.Contains(q[2], "service/other/") {
				context["ecs:cluster"] = own + "cluster/other"
			}
			got := d.Evaluate(iam.Request{Principal: "arn:aws:iam::333333333333:role/operator",
				Account: accounts.Prod, Action: q[1], Resource: q[2], Context: context})
			allowed[q[0]] = allowed[q[0]] || got == iam.Allow
		}
	}
	if parts < 2 {
		t.Fatalf("%d parts of the policy: %s", parts, advice)
	}
	for name, got := range allowed {
		if want := name == "update the service" || name == "see the services"; got != want {
			t.Errorf("%s: allowed %t, want %t", name, got, want)
		}
	}
}
