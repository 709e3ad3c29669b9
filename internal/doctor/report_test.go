package doctor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOf checks that a finding that several services share is one for people.
func TestOf(t *testing.T) {
	t.Parallel()
	denied := func(service, check, fix string) Finding { return Finding{check, service, Unknown, "denied", fix} }
	r := Report{Findings: []Finding{
		denied("", "deployer's role", "allow it"),
		denied("backend", "deployer's role", "allow it"),
		denied("backend", "lifecycle", "allow it"),
		{"circuit breaker", "backend", OK, "on", ""},
		denied("web-api", "lifecycle", "allow it"),
		denied("worker", "lifecycle", "allow it on p_worker"),
		denied("api", "lifecycle", "allow it on p_api"),
		denied("job", "lifecycle", "allow it on p_job"),
		denied("job", "lifecycle", "allow ecr:A on a/b"),
		denied("api", "lifecycle", "allow ecr:B on a/b"),
	}}
	want := []Finding{denied("", "deployer's role", "allow it"), denied("backend, web-api", "lifecycle", "allow it"),
		denied("worker (likewise api, job)", "lifecycle", "allow it on p_worker"),
		denied("job", "lifecycle", "allow ecr:A on a/b"), denied("api", "lifecycle", "allow ecr:B on a/b")}
	if diff := cmp.Diff(want, r.Of(Unknown)); diff != "" {
		t.Error(diff)
	}
	if r.Count(Unknown) != 9 {
		t.Errorf("%d findings", r.Count(Unknown))
	}
}

// TestText checks that the name of the check is not repeated.
func TestText(t *testing.T) {
	t.Parallel()
	for seen, want := range map[string]string{
		`cluster "c" does not exist`: `cluster "c" does not exist`,
		"clusters are not read":      "cluster: clusters are not read",
	} {
		if got := (Finding{Check: "cluster", Seen: seen}).Text(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
