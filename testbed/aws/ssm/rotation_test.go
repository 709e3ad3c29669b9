package ssm_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestTrailRotation checks that CloudTrail's event about a rotation is like the sample, which is AWS's.
func TestTrailRotation(t *testing.T) {
	t.Parallel()
	type event struct {
		DetailType string   `json:"detail-type"`
		Source     string   `json:"source"`
		Resources  []string `json:"resources"`
		Detail     map[string]any
	}
	w := emulatortest.New(t, emulator.Options{})
	const queue = "arn:aws:sqs:us-east-1:111111111111:events"
	w.Rule(t, dev, `{"source":["aws.secretsmanager"]}`, queue, "")
	arn := w.AWS.PutSecret(dev, "us-east-1", "shop", "one")
	w.AWS.TrailRotation(dev, "us-east-1", "shop", "RotationSucceeded")
	sample, err := os.ReadFile("../../../events/secret-rotation-succeeded.json")
	if err != nil {
		t.Fatal(err)
	}
	var got, want event
	for text, into := range map[string]*event{w.Bodies(t, queue)[0]: &got, string(sample): &want} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	if id := got.Detail["additionalEventData"]; !cmp.Equal(id, map[string]any{"SecretId": arn}) {
		t.Errorf("it is about %v", id)
	}
	for _, key := range []string{"eventName", "eventSource", "eventType", "requestParameters"} {
		if diff := cmp.Diff(want.Detail[key], got.Detail[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	names := func(e event) []string { return slices.Sorted(maps.Keys(e.Detail)) }
	if diff := cmp.Diff(names(want), names(got)); diff != "" {
		t.Errorf("keys of the detail (-want +got):\n%s", diff)
	}
	want.Detail, got.Detail = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSecretSuffix checks that the ARNs of secrets end in a hyphen and six letters and digits.
func TestSecretSuffix(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	for i := range 100 {
		name := fmt.Sprintf("shop-%d", i)
		arn := w.AWS.PutSecret(dev, "us-east-1", name, "one")
		if !regexp.MustCompile(`:secret:` + name + `-[0-9A-Za-z]{6}$`).MatchString(arn) {
			t.Errorf("the ARN is %s", arn)
		}
	}
}
