package environment

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// nested returns a file of about 1 kB with mappings that merge each other: depth times
// ten levels.
func nested(depth int) string {
	var b strings.Builder
	b.WriteString(head + "a0: &a0 {name: web}\n")
	for i := 1; i <= depth; i++ {
		fmt.Fprintf(&b, "a%d: &a%d {<<: [%s*a%d]}\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	return b.String()
}

// TestWorkIsBounded reads files whose merge keys amount to more than can be read.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	var wide strings.Builder
	wide.WriteString(head + "x: &x\n")
	for i := range 400 {
		fmt.Fprintf(&wide, "  k%d: v\n", i)
	}
	wide.WriteString("services:\n")
	for i := range 300 {
		fmt.Fprintf(&wide, "- {<<: *x, name: web%d}\n", i)
	}
	tests := []struct{ name, in, want string }{
		{"nested", nested(16) + "services: [*a16, {<<: *a16, name: api}]\n", ""},
		{"a chain longer than 16", head + "a0: &a0 {name: web}\n" + chain(40) + "services: [*a40]\n", ""},
		{"itself", head + "a: &a {<<: [*a, *a], name: web}\nservices: [*a]\n", ""},
		{"many keys", wide.String(),
			"x.yaml:655:3: the file has more than 100000 keys, with those that `<<` merges (write each workload's " +
				"own keys, and merge fewer mappings)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			done := make(chan error, 1)
			go func() { _, err := Parse("x.yaml", []byte(tt.in)); done <- err }()
			select {
			case err := <-done:
				got := ""
				if err != nil {
					got, _, _ = strings.Cut(err.Error(), "\n")
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("still reading")
			}
		})
	}
}

func chain(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "a%d: &a%d {<<: *a%d}\n", i, i, i-1)
	}
	return b.String()
}

// TestSecretsAreNotPrinted puts a webhook into each place of a file.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	const token = "T0SECRET/B0SECRET/xSECRETx"
	for _, secret := range []string{
		"https://hooks.slack.com/services/" + token, "hooks.slack.com/services/" + token,
		"http://user:" + strings.ReplaceAll(token, "/", "") + "@example.com/x",
		"https://discord.com/api/webhooks/" + token,
		"xoxb-SECRET-SECRET", "AKIASECRETSECRETSECR",
	} {
		for _, in := range []string{
			secret, "- " + secret, "env: " + secret, head + secret + ": x", head + "env: " + secret,
			head + "? [" + secret + "]\n: x\n", head + "account_id: " + secret, head + "schema_version: " + secret,
			head + "ecr_strategy: " + secret, head + "ecr_account_region: " + secret, head + "is_prod: " + secret,
			head + "ecr_trusted_accounts: " + secret, head + "ecr_trusted_accounts: [{region: " + secret + "}]",
			head + "services: " + secret, head + "services: [" + secret + "]",
			head + "services: [{name: " + secret + "}]",
			head + "services: [{name: a, ecr_config: " + secret + "}]",
			head + "services: [{name: a, docker_image: " + secret + "}]",
			head + "services: [{name: a, ecr_config: {mode: manual_repo, repository_uri: " + secret + "}}]",
			head + "services: [{name: a, ecr_config: {mode: use_existing, source_service_name: " + secret + "}}]",
			head + "services: [{name: a, ecr_config: {mode: " + secret + "}}]",
			head + "services: [{name: a, enabled: " + secret + "}]",
			head + "workload: " + secret, head + "workload: {slack_webhok: " + secret + "}",
			head + "workload: {backend_external_docker_image: " + secret + "}",
			head + "deployer: " + secret, head + "deployer: {'" + secret + "': x}",
			head + "deployer: {notify: " + secret + "}",
			head + "deployer: {notify: {slack: " + secret + "}}", head + "deployer: {notify: {topic: " + secret + "}}",
			head + "deployer: {cluster: " + secret + "}", head + "deployer: {auto_deploy: [" + secret + "]}",
			head + "deployer: {workloads: {backend: {family: " + secret + "}}}",
			head + "deployer: {workloads: {backend: {container: " + secret + "}}}",
			head + "deployer: {workloads: {'" + secret + "': {}}}", head + "deployer: {image: " + secret + "}",
			head + "x: !" + secret + " y\nregion2: &" + strings.ReplaceAll(secret, "/", "") + " *" + secret,
			head + "'" + secret + "': 1\n'" + secret + "': 2", head + "<<: " + secret,
		} {
			e, err := Parse("x.yaml", []byte(in))
			said := fmt.Sprint(err)
			if err == nil {
				said = e.Warnings.Error() + e.Advice.Error()
				for _, w := range e.Workloads {
					said += w.External
				}
			}
			if strings.Contains(said, "SECRET") {
				t.Errorf("%s:\n%s", in, said)
			}
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	const ecr = "https://111111111111.dkr.ecr.us-east-1.amazonaws.com/a/b"
	for in, want := range map[string]string{
		"https://hooks.slack.com/services/a/b": "https://hooks.slack.com/***",
		`is "https://a:b@x.org/y?z", which`:    `is "https://x.org/***", which`,
		"hooks.example.org/a, and more":        "hooks.example.org/***, and more",
		ecr:                                    ecr,
		"ghcr.io/owner/image:1":                "ghcr.io/owner/image:1",
		"arn:aws:ecs:us-east-1:111111111111:service/shop/web": "arn:aws:ecs:us-east-1:111111111111:service/shop/web",
		"write it like /myproject/slack":                      "write it like /myproject/slack",
	} {
		if got := Mask(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
