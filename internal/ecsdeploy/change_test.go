package ecsdeploy

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
)

// TestWire checks that wire returns the body that the SDK sends, with every field
// that it knows.
func TestWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var in ecs.RegisterTaskDefinitionInput
	fill(reflect.ValueOf(&in).Elem(), "")
	w.ResetCalls()
	_, _ = w.ECS.RegisterTaskDefinition(t.Context(), &in) // ECS rejects the values; only the request matters
	calls := w.Calls()
	if len(calls) != 1 || calls[0].Operation != "RegisterTaskDefinition" {
		t.Fatalf("calls %+v", calls)
	}
	got, err := wire(&in)
	must(t, err)
	var want, have any
	must(t, json.Unmarshal(calls[0].Body, &want))
	must(t, json.Unmarshal(got, &have))
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}

// TestDocumentHides checks that no secret is shown, that different secrets are
// distinguished, and that references to secrets are shown.
func TestDocumentHides(t *testing.T) {
	t.Parallel()
	with := func(secret string) string {
		options := map[string]string{"splunk-token": secret, "splunk-url": "https://" + secret, "SecretKey": secret,
			"awslogs-group": "/ecs/web"}
		body, err := document(ecsservice.Revision{}, &ecs.RegisterTaskDefinitionInput{
			Family: aws.String("f"),
			ContainerDefinitions: []types.ContainerDefinition{{
				Name: aws.String("app"),
				Environment: []types.KeyValuePair{{Name: aws.String("PASSWORD"), Value: aws.String(secret)},
					{Name: aws.String("EMPTY"), Value: aws.String("")}, {Name: aws.String("ABSENT")}},
				Secrets: []types.Secret{{Name: aws.String("KEY"),
					ValueFrom: aws.String("arn:aws:ssm:us-east-1:111111111111:parameter/key")}},
				Command: []string{"serve", "--password=" + secret}, EntryPoint: []string{secret},
				HealthCheck: &types.HealthCheck{Command: []string{"CMD-SHELL", "curl -H 'Authorization: " + secret +
					"'"}},
				DockerLabels: map[string]string{"label": secret},
				LogConfiguration: &types.LogConfiguration{LogDriver: "splunk", Options: options,
					SecretOptions: []types.Secret{{Name: aws.String("splunk-token"),
						ValueFrom: aws.String("arn:aws:ssm:us-east-1:111111111111:parameter/splunk")}}},
				FirelensConfiguration: &types.FirelensConfiguration{Type: "fluentbit", Options: options},
			}},
			Volumes: []types.Volume{{Name: aws.String("v"),
				DockerVolumeConfiguration: &types.DockerVolumeConfiguration{
					DriverOpts: map[string]string{"o": "password=" + secret}, Labels: map[string]string{"l": secret}}}},
			Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("b")},
				{Key: aws.String("app"), Value: aws.String("a")}},
		})
		must(t, err)
		return string(body)
	}
	first, second := with("hunter2"), with("hunter3")
	if strings.Contains(first, "hunter") {
		t.Errorf("a secret is shown:\n%s", first)
	}
	for _, want := range []string{`"value": "… 7 characters, sha256 f52fbd32"`,
		`"value": "… 0 characters, sha256 e3b0c442"`, `"awslogs-group": "/ecs/web"`, ":parameter/key\"",
		":parameter/splunk\""} {
		if !strings.Contains(first, want) {
			t.Errorf("%s is missing in\n%s", want, first)
		}
	}
	if n := len(regexp.MustCompile(`… \d+ characters`).FindAllString(first, -1)); n != 16 {
		t.Errorf("%d values are hidden, want 16:\n%s", n, first)
	}
	if strings.Index(first, `"app"`) > strings.Index(first, `"team"`) {
		t.Errorf("tags are not in order:\n%s", first)
	}
	a, b := strings.Split(first, "\n"), strings.Split(second, "\n")
	changed := 0
	for i := range a {
		if a[i] != b[i] {
			changed++
		}
	}
	if changed != 13 { // all but the empty value, serve and CMD-SHELL
		t.Errorf("%d lines differ between the two secrets, want 13", changed)
	}
}
