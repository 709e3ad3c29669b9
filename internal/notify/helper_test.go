package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/environment"
	"deployer/internal/outcome"
)

// configAt returns the SDK configuration of a server that accepts any credentials.
func configAt(url, region string) aws.Config {
	return aws.Config{Region: region, BaseEndpoint: aws.String(url), Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		})}
}

// attack is a text of a sender that looks like markup of every channel.
const attack = "\"quoted\"\n*Project:* other <!channel> <https://evil.example|the console> " +
	"[the console](https://evil.example) & @here :tada: `code` \u202eesrever"

// prod returns the environment of the outcomes.
func prod(tb testing.TB) *environment.Environment {
	tb.Helper()
	env, err := environment.Load("../../examples/centralized-dev-ecr/prod.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	return env
}

// outcomes returns an outcome of every kind, read from the testdata of package
// outcome as a listener on the bus reads them. "hostile" has the attack in every
// field that a sender or ECS can write.
func outcomes(tb testing.TB) map[string]outcome.Outcome {
	tb.Helper()
	files, err := filepath.Glob("../outcome/testdata/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatal(err, files)
	}
	all := map[string]outcome.Outcome{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var event struct {
			Kind      outcome.Kind    `json:"detail-type"`
			Resources []string        `json:"resources"`
			Detail    outcome.Outcome `json:"detail"`
		}
		if err := json.Unmarshal(text, &event); err != nil {
			tb.Fatal(err)
		}
		event.Detail.Kind, event.Detail.ServiceARN = event.Kind, strings.Join(event.Resources, "")
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = event.Detail
	}
	hostile := all["failed"]
	for _, field := range []*string{
		&hostile.Service, &hostile.Tag, &hostile.Cause.Actor, &hostile.Cause.Reason, &hostile.ECSReason,
	} {
		*field = attack
	}
	hostile.RolledBackTo, hostile.StoppedTasks = outcome.Revision{}, []string{attack}
	all["hostile"] = hostile
	return all
}

// golden compares a message as JSON with its file in testdata, and returns the
// JSON. UPDATE_GOLDEN=1 rewrites the file.
func golden(tb testing.TB, file string, message any) string {
	tb.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(message); err != nil {
		tb.Fatal(err)
	}
	file = filepath.Join("testdata", file)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		tb.Errorf("%s (-want +got):\n%s", file, diff)
	}
	return b.String()
}
