package ecsservice

import "testing"

// TestUnsigned checks that what a URL is signed with does not remain in a text of ECS.
func TestUnsigned(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Essential container in task exited": "Essential container in task exited",
		"Did you mean x?y=1":                 "Did you mean x?y=1",
		`Get "https://b.s3.amazonaws.com/l?X-Amz-Security-Token=T&X-Amz-Signature=s3cr3t": i/o timeout`: `Get ` +
			`"https://b.s3.amazonaws.com/l?…": i/o timeout`,
		"Get https://d1.cloudfront.net/l?Policy=p&Signature=s3cr3t&Key-Pair-Id=k: EOF": "Get " +
			"https://d1.cloudfront.net/l?… EOF",
		`'https://production.cloudflare.docker.com/data?verify=s3cr3t' failed`: "'https://production.cloudflare." +
			"docker.com/data?…' failed",
		"pulling https://me:s3cr3t@ghcr.io/x: denied": "pulling https://…@ghcr.io/x: denied",
		"…l?X-Amz-Algorithm=A&X-Amz-Signature=s3cr3t": "…l?…",
		"https://example.com/x and https://y.example": "https://example.com/x and https://y.example",
	} {
		if got := Unsigned(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
