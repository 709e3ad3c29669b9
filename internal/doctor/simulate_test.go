package doctor

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/cloud"
)

// denyRole gives a role of dev an inline policy that denies actions.
func (x *fixture) denyRole(t *testing.T, role, policy string, actions ...string) {
	t.Helper()
	_, err := iam.NewFromConfig(x.accounts["dev"].Config).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: &role, PolicyName: &policy, PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["` + strings.Join(actions, `","`) +
				`"],"Resource":"*"}]}`)})
	must(t, err)
}

// simulator answers simulations of one action with a result; everything else is passed on.
type simulator struct {
	action, result string
	next           aws.HTTPClient
}

func (s simulator) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return s.next.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	action := strings.ReplaceAll(s.action, ":", "%3A")
	if !bytes.Contains(body, []byte("Action=SimulatePrincipalPolicy")) ||
		!bytes.Contains(body, []byte("ActionNames.member.1="+action)) {
		return s.next.Do(r)
	}
	answer := `<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults><member>` +
		`<EvalActionName>` + s.action + `</EvalActionName>` + s.result +
		`</member></EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml"}},
		Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
}

// TestRefused checks what the doctor says of what IAM's policy simulator does not allow for
// another cause than a missing Allow: of the deployer's role, of one that it passes, of an
// execution role and of one that starts a task.
func TestRefused(t *testing.T) {
	t.Parallel()
	const (
		own     = "arn:aws:iam::111111111111:role/myproject_deployer_dev"
		starter = "myproject_scheduler_nightly-report_role_dev"
		by      = "schedule/myproject-schedule-group-dev-nightly-report/myproject-scheduler-nightly-report-dev"
		silent  = ": its next revision would not be started, and no error says so"
		tokens  = "arn:aws:iam::111111111111:role/myproject_backend_task_execution_dev"
		log     = "ecr:GetAuthorizationToken"
		in      = "in account 111111111111, "
		which   = "; which it is: aws iam get-role --role-name %s --query Role.PermissionsBoundary"
		runs    = "arn:aws:ecs:us-east-1:111111111111:task-definition/nightly-report:*"

		inline = `<MatchedStatements><member><SourcePolicyId>role_%s_block</SourcePolicyId>` +
			`<SourcePolicyType>IAM Policy</SourcePolicyType></member></MatchedStatements>`
		boundary = `<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false` +
			`</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>`
		organization = `<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations>` +
			`</OrganizationsDecisionDetail>`
	)
	explicit := func(details string) string { return "<EvalDecision>explicitDeny</EvalDecision>" + details }
	implicit := func(details string) string { return "<EvalDecision>implicitDeny</EvalDecision>" + details }
	allowing := func(action, resource string) string {
		return fmt.Sprintf(`{"Effect":"Allow","Action":[%q],"Resource":%q}`, action, resource)
	}
	for _, tt := range []struct {
		name, action, result string
		want                 []Finding
	}{
		{"missing allow", log, implicit(""), []Finding{{"execution role", "backend", Problem,
			"the policies of " + tokens + " do not allow " + log,
			in + "add to the policy of " + tokens + ": " + allowing(log, "*")}}},
		{"boundary", log, implicit(boundary), []Finding{{"execution role", "backend", Problem,
			tokens + " is denied " + log + " for pulling: its permissions boundary does not allow it",
			in + "add to the policy that is the permissions boundary of role myproject_backend_task_execution_dev: " +
				allowing(log, "*") + "; no other policy can exceed the boundary" +
				fmt.Sprintf(which, "myproject_backend_task_execution_dev")}}},
		{"boundary of the role that starts a task", "ecs:RunTask", implicit(boundary), []Finding{{"starting role",
			"task:nightly-report", Problem, "arn:aws:iam::111111111111:role/" + starter + ", which starts it by " + by +
				", is denied ecs:RunTask: its permissions boundary does not allow it" + silent,
			in + "add to the policy that is the permissions boundary of role " + starter + ": " +
				allowing("ecs:RunTask", runs) + "; no other policy can exceed the boundary" +
				fmt.Sprintf(which, starter)}}},
		{"organization, for the role that starts a task", "ecs:RunTask", implicit(organization), []Finding{{
			"starting role", "task:nightly-report", Problem, "arn:aws:iam::111111111111:role/" + starter +
				", which starts it by " + by + ", is denied ecs:RunTask: the service control policies of the " +
				"organization do not allow it" + silent,
			"in the organization's management account, add to a service control policy of account 111111111111, and " +
				"of every organizational unit above it that does not allow the action: " +
				allowing("ecs:RunTask", runs) + "; no policy within the account can do this; if one of them has a " +
				"Deny, exclude role " + starter + " from it"}}},
		{"inline policy of the role that starts a task", "ecs:RunTask", explicit(fmt.Sprintf(inline, starter)),
			[]Finding{{"starting role", "task:nightly-report", Problem, "arn:aws:iam::111111111111:role/" + starter +
				", which starts it by " + by + ", is denied ecs:RunTask: explicit deny in its inline policy block" +
				silent, in + "in the inline policy block of role " + starter + ", exclude role " + starter +
				" from the Deny for ecs:RunTask on " + runs + "; read it: aws iam get-role-policy --role-name " +
				starter + " --policy-name block"}}},
		{"managed policy", "scheduler:CreateSchedule", explicit(strings.ReplaceAll(fmt.Sprintf(inline, ""),
			"role__block", "block")), []Finding{{"deployer's role", "", Problem, own + " is denied " +
			"scheduler:CreateSchedule for its own calls: explicit deny in its managed policy block",
			in + "in the managed policy block of role myproject_deployer_dev, exclude role myproject_deployer_dev " +
				"from the Deny for scheduler:CreateSchedule on arn:aws:scheduler:us-east-1:111111111111:schedule/" +
				"myproject_deployer_retry_dev/any; read it: aws iam get-account-authorization-details --filter " +
				`LocalManagedPolicy AWSManagedPolicy --query "Policies[?PolicyName=='block'].PolicyVersionList[] | ` +
				`[?IsDefaultVersion].Document"`}}},
		{"organization", "scheduler:CreateSchedule", explicit(organization), []Finding{{"deployer's role", "", Problem,
			own + " is denied scheduler:CreateSchedule for its own calls: explicit deny in a service control policy " +
				"of the organization", "in the organization's management account, in the service control policy, " +
				"exclude role myproject_deployer_dev from the Deny for scheduler:CreateSchedule on " +
				"arn:aws:scheduler:us-east-1:111111111111:schedule/myproject_deployer_retry_dev/any"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newFixture(t)
			must(t, cloud.CreateTasks(t.Context(), x.accounts))
			config := x.accounts["dev"].With(func(c *aws.Config) {
				c.HTTPClient = simulator{tt.action, tt.result, http.DefaultClient}
			}).Config
			report, err := Examine(t.Context(), load(t, "dev"), config, []string{"backend", "task:nightly-report"})
			must(t, err)
			var got []Finding
			for _, f := range report.Findings {
				if strings.HasSuffix(f.Check, "role") && f.Level != OK {
					got = append(got, f)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
