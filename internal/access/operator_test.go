package access

import (
	"regexp"
	"strings"
	"testing"
)

// TestStatementNames checks that the statements of an operator's policy are named for what they allow: one that reads
// changes nothing, and one that changes does not hold what a policy of reading commands needs.
func TestStatementNames(t *testing.T) {
	t.Parallel()
	s, err := newScope(example(t, "isolated-production-ecr/prod"))
	must(t, err)
	reads := regexp.MustCompile(`^\w+:((Get|List|Describe|BatchGet|Filter|Test|Simulate|Receive)[A-Z]|` +
		`ChangeMessageVisibility$)`) // shows a message that was read to others at once
	seen := map[string]bool{}
	for _, one := range s.operations() {
		if seen[one.Sid] {
			t.Errorf("two statements are called %s", one.Sid)
		}
		seen[one.Sid] = true
		isReader := strings.HasPrefix(one.Sid, "Read") || strings.HasPrefix(one.Sid, "Find") ||
			one.Sid == "SimulateRoles"
		for _, action := range one.Action.([]string) {
			if reads.MatchString(action) != isReader {
				t.Errorf("%s has %s", one.Sid, action)
			}
		}
	}
}
