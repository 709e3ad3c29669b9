package doctor

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
)

// statements returns the IAM statements in a finding's fix.
func (f Finding) statements(t *testing.T) (all []string) {
	t.Helper()
	for rest := f.Fix; ; {
		i := strings.Index(rest, `{"Effect"`)
		if i < 0 {
			return all
		}
		d := json.NewDecoder(strings.NewReader(rest[i:]))
		var statement json.RawMessage
		must(t, d.Decode(&statement))
		all, rest = append(all, string(statement)), rest[i+len(statement):]
	}
}

// TestFixes applies the fixes of access problems: the statements that they print, in
// the account that they name, suffice.
func TestFixes(t *testing.T) {
	t.Parallel()
	const role = "myproject_backend_task_execution_prod"
	repository := func(t *testing.T, x *fixture, statements string) { x.repositoryPolicy(t, statements) }
	tests := []struct {
		name, check, account string
		apply                func(t *testing.T, x *fixture, statements string)
		cause                string // the statement that causes the problem
		want                 int
	}{
		{"repository", "pull", "111111111111", repository,
			`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"ecr:*"}`, 1},
		{"execution role", "execution role", "333333333333", func(t *testing.T, x *fixture, statements string) {
			x.repositoryPolicy(t, `{"Effect":"Allow","Principal":{"AWS":"333333333333"},"Action":"ecr:*"}`)
			x.allow(t, "333333333333", role, statements)
		}, `{"Effect":"Allow","Action":"logs:*","Resource":"*"}`, 2},
		{"the caller", "pull", "333333333333", func(t *testing.T, x *fixture, statements string) {
			x.allow(t, "333333333333", "Reader",
				`{"Effect":"Allow","Action":["ecs:*","events:*","iam:*"],"Resource":"*"},`+statements)
		}, `{"Effect":"Allow","Action":"logs:*","Resource":"*"}`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newFixture(t)
			key := ""
			if tt.name == "the caller" {
				key = "333333333333-Reader"
			}
			find := func() Finding {
				for _, f := range x.examine(t, load(t, "prod"), key).Findings {
					if f.Check == tt.check {
						return f
					}
				}
				t.Fatalf("there is no check %q", tt.check)
				return Finding{}
			}
			tt.apply(t, x, tt.cause)
			before := find()
			statements := before.statements(t)
			if before.Level == OK || len(statements) != tt.want ||
				!strings.Contains(before.Fix, "in account "+tt.account+", add") {
				t.Fatalf("found %+v", before)
			}
			tt.apply(t, x, strings.Join(statements, ","))
			if after := find(); after.Level != OK {
				t.Errorf("with %s it is %+v", statements, after)
			}
		})
	}
}

// TestInvalidFile checks the report for a file with faults.
func TestInvalidFile(t *testing.T) {
	t.Parallel()
	_, err := environment.Parse("prod.yaml",
		[]byte("project: p\nenv: prod\nregion: us-east-1\necr_strategy: cross_account\n"))
	var faults environment.Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	got := InvalidFile("prod.yaml", faults)
	want := []string{
		"problem file: prod.yaml:4:15: No ECR repository found: the strategy is cross_account, but `ecr_account_id` " +
			"is not set (add the line: ecr_account_id: \"123456789012\"  # the account that owns the images)",
		"problem file: prod.yaml:4:15: No ECR repository found: the strategy is cross_account, but " +
			"`ecr_account_region` is not set (add the line: ecr_account_region: \"us-east-1\"  # the region of that " +
			"account's registry)",
	}
	if diff := cmp.Diff(want, got.lines("")); diff != "" {
		t.Error(diff)
	}
}
