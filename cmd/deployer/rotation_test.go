package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
)

// rotate sends the events of CloudTrail about a secret of an account.
func (c *configured) rotate(account, name string, events ...string) {
	for _, event := range events {
		c.aws.TrailRotation(account, accounts.Region, name, event)
	}
}

// rotatedAt returns the sample of the event about the end of a rotation, with a time and a secret.
func rotatedAt(t *testing.T, at time.Time, arn string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../events/secret-rotation-succeeded.json")
	must(t, err)
	return []byte(strings.NewReplacer("2026-01-22T10:15:30Z", at.UTC().Format(time.RFC3339),
		"arn:aws:secretsmanager:us-east-1:333333333333:secret:myproject/prod/api-a1b2c3", arn).Replace(string(text)))
}

// TestRotation rotates secrets, through the rule of the template, with a trail or without. The backend refers to one
// secret; the web API and the worker refer to another one, whose name begins with that of the first.
func TestRotation(t *testing.T) {
	t.Parallel()
	const api, shared = "myproject/prod/api", "myproject/prod/api-shared"
	const started, succeeded, failed = "RotationStarted", "RotationSucceeded", "RotationFailed"
	put := func(c *configured, account, name string) {
		c.aws.PutSecret(account, accounts.Region, name, c.clock.Now().String())
	}
	tests := map[string]struct {
		settings string
		act      func(*testing.T, *configured)
		ends     []string
		writes   string
		about    string // what the reasons of the outcomes say; "" if the function was not invoked
	}{
		"only the event of CloudTrail arrives": {redeployOn, func(_ *testing.T, c *configured) {
			c.rotate(accounts.Prod, api, started, succeeded)
		}, []string{"backend v1: Started Succeeded"}, "1 registered, 1 moved", "secret " + api + " changed"},
		"only the native event arrives": {redeployOn, func(_ *testing.T, c *configured) {
			put(c, accounts.Prod, api)
		}, []string{"backend v1: Started Succeeded"}, "1 registered, 1 moved", "secret " + api + " changed"},
		"both arrive": {redeployOn, func(t *testing.T, c *configured) {
			c.rotate(accounts.Prod, api, started)
			c.pass(t, 11*time.Second)
			put(c, accounts.Prod, api)
			c.pass(t, 11*time.Second)
			c.rotate(accounts.Prod, api, succeeded)
		}, []string{"backend v1: Started Succeeded"}, "1 registered, 1 moved", "secret " + api + " changed"},
		"CloudTrail is minutes late": {redeployOn, func(t *testing.T, c *configured) {
			put(c, accounts.Prod, api)
			at := c.clock.Now()
			c.pass(t, 4*time.Minute)
			c.invoke(t, rotatedAt(t, at, c.secret))
		}, []string{"backend v1: Started Succeeded"}, "1 registered, 1 moved", "secret " + api + " changed"},
		"two services refer to it": {redeployOn, func(_ *testing.T, c *configured) {
			c.rotate(accounts.Prod, shared, started, succeeded)
		}, []string{"web-api v1: Started Succeeded", "worker v1: Started Succeeded"}, "2 registered, 2 moved",
			"secret " + shared + " changed"},
		"only an older revision refers to it": {redeployOn, func(t *testing.T, c *configured) {
			c.refer(t, prodBackend, func(d *ecstypes.ContainerDefinition) { d.Secrets = nil })
			c.advance(t, 8*rolloutStep)
			c.aws.ResetCalls()
			c.logs.reset()
			c.rotate(accounts.Prod, api, started, succeeded)
		}, nil, "0 registered, 0 moved", "secret " + api + " changed, and no running revision of prod refers to it"},
		"the rotation fails": {redeployOn, func(_ *testing.T, c *configured) {
			c.rotate(accounts.Prod, api, started, failed)
		}, nil, "0 registered, 0 moved", ""},
		"another account": {redeployOn, func(_ *testing.T, c *configured) {
			put(c, accounts.Dev, api)
			c.rotate(accounts.Dev, api, started, succeeded)
			put(c, accounts.Dev, api)
		}, nil, "0 registered, 0 moved", ""},
		"off": {"", func(_ *testing.T, c *configured) {
			put(c, accounts.Prod, api)
			c.rotate(accounts.Prod, api, started, succeeded)
		}, nil, "0 registered, 0 moved", ""},
		"on for parameters and files": {"  redeploy_on: [parameters, env_files]\n", func(_ *testing.T, c *configured) {
			put(c, accounts.Prod, api)
			c.rotate(accounts.Prod, api, started, succeeded)
		}, nil, "0 registered, 0 moved", ""},
	}
	leaveOut(t, tests, "only the native event arrives", "CloudTrail is minutes late",
		"only an older revision refers to it", "off", "on for parameters and files")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConfigured(t, tt.settings, 10*time.Second)
			arn := c.aws.PutSecret(accounts.Prod, accounts.Region, shared, "before")
			for _, service := range []string{"myproject_service_web-api_prod", "myproject_service_worker_prod"} {
				c.refer(t, service, func(d *ecstypes.ContainerDefinition) {
					d.Secrets = []ecstypes.Secret{{Name: aws.String("SHARED"), ValueFrom: aws.String(arn)}}
				})
			}
			c.advance(t, 8*rolloutStep)
			c.aws.ResetCalls()
			c.logs.reset()
			tt.act(t, c)
			c.advance(t, 5*time.Minute)
			ends, _ := c.ends(t)
			if diff := cmp.Diff(tt.ends, ends); diff != "" {
				t.Errorf("published (-want +got):\n%s\n%s", diff, c.logs)
			}
			if got := c.writes(); got != tt.writes {
				t.Errorf("%s, want %s\n%s", got, tt.writes, c.logs)
			}
			if logs := c.logs.String(); tt.about == "" && strings.Contains(logs, "secret") ||
				!strings.Contains(logs, tt.about) {
				t.Errorf("the log does not have %q:\n%s", tt.about, logs)
			}
			for _, e := range c.outcomes(t) {
				if e.outcome["reason"] != tt.about {
					t.Errorf("the reason is %q, want %q", e.outcome["reason"], tt.about)
				}
			}
		})
	}
}
