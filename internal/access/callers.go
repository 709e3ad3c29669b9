package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// Callers are the accounts that a policy allows: those of an organization, or those
// that are listed. The zero value allows none.
type Callers struct {
	Organization string
	Accounts     []string
}

var organizationForm = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)

// ParseCallers reads the id of an organization, or the ids of accounts separated by
// commas. Both may be empty.
func ParseCallers(organization, accounts string) (Callers, error) {
	c := Callers{Organization: organization}
	if organization != "" && accounts != "" {
		return Callers{}, fmt.Errorf("--org and --accounts exclude each other: give one of them")
	}
	if organization != "" && !organizationForm.MatchString(organization) {
		return Callers{}, fmt.Errorf(
			"--org %q is not the id of an organization: write it like o-a1b2c3d4e5 (aws organizations "+
				"describe-organization)", organization)
	}
	if accounts == "" {
		return c, nil
	}
	for _, id := range strings.Split(accounts, ",") {
		id = strings.TrimSpace(id)
		if !image.ValidAccountID(id) {
			return Callers{}, fmt.Errorf(
				"--accounts has %q, which is not an account id: write 12 digits, leading zeros too, and commas "+
					"between the ids", id)
		}
		if !slices.Contains(c.Accounts, id) {
			c.Accounts = append(c.Accounts, id)
		}
	}
	return c, nil
}

func (c Callers) empty() bool { return c.Organization == "" && len(c.Accounts) == 0 }

// admit returns a statement for the callers. The principal "*" is every AWS account,
// so it is used only together with a condition for the organization.
func (c Callers) admit(env *environment.Environment, s statement) statement {
	if c.Organization == "" {
		s.Principal = roots(env, c.Accounts)
		return s
	}
	s.Principal = "*"
	if s.Condition == nil {
		s.Condition = condition{}
	}
	if s.Condition["StringEquals"] == nil {
		s.Condition["StringEquals"] = map[string]any{}
	}
	s.Condition["StringEquals"]["aws:PrincipalOrgID"] = c.Organization
	return s
}

// acceptedBy returns the note that the deployer's stack has to accept the DEPLOY
// events of the callers too. A rule cannot match an organization.
func (c Callers) acceptedBy(env *environment.Environment) []string {
	if c.empty() {
		return nil
	}
	others := slices.DeleteFunc(slices.Clone(c.Accounts), func(id string) bool { return id == env.AccountID })
	note := "the deployer's stack must accept DEPLOY events of these accounts too: "
	if c.Organization != "" {
		others = []string{"ACCOUNT_ID"}
		note = "the deployer's stack must accept the DEPLOY events too, with each sending account by its id: "
	}
	if len(others) == 0 {
		return nil
	}
	return []string{note + "make deploy env=" + env.Name + " set=SenderAccounts=" + strings.Join(others, ",")}
}

// roots returns the principal for accounts: every role that they allow themselves.
func roots(env *environment.Environment, accounts []string) any {
	arns := make([]string, len(accounts))
	for i, id := range accounts {
		arns[i] = "arn:" + image.PartitionOf(env.Region).Name + ":iam::" + id + ":root"
	}
	return map[string]any{"AWS": arns}
}
