package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"deployer/internal/pipeline"
	"deployer/testbed/lambdahost"
)

// TestColdStart checks which environment file the function reads, and that every
// fault in a bad one is logged and reported to Lambda.
func TestColdStart(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile("../../examples/centralized-dev-ecr/prod.yaml")
	must(t, err)
	const bad = "env: prod\necr_strategy: cross_account\necr_account_id: \"1\"\n"
	tests := []struct {
		name, file, variable, content string
		stack                         string   // DEPLOYER_ENV
		faults                        []string // nil: it starts
	}{
		{name: "default", file: "environment.yaml", content: string(good)},
		{name: "empty is unset", file: "environment.yaml", variable: "=", content: string(good)},
		{name: "relative", file: "project/prod.yaml", variable: "project/prod.yaml", content: string(good)},
		{name: "missing", file: "other.yaml", content: string(good), faults: []string{
			"environment.yaml: reading the environment file: open ",
		}},
		{name: "the stack's", file: "environment.yaml", content: string(good), stack: "prod"},
		{name: "another environment", file: "environment.yaml", content: string(good), stack: "dev", faults: []string{
			`environment.yaml: the file is of project "myproject" and environment "prod", but the function's stack ` +
				`is of project "myproject" and environment "dev" (pack the stack's own file: make deploy env=dev)`,
		}},
		{name: "bad", file: "environment.yaml", content: bad, faults: []string{
			"environment.yaml:1:1: `project` is not set",
			"environment.yaml:1:1: `region` is not set",
			"environment.yaml:2:15: No ECR repository found: the strategy is cross_account, " +
				"but `ecr_account_region` is not set",
			"environment.yaml:3:17: `ecr_account_id` is \"1\", not an AWS account id",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, tt.file)), 0o755))
			must(t, os.WriteFile(filepath.Join(dir, tt.file), []byte(tt.content), 0o644))
			f := newFunction(t, "prod", func(o *lambdahost.Options) {
				o.Dir = dir
				delete(o.Env, "DEPLOYER_ENVIRONMENT_FILE")
				if tt.stack != "" {
					o.Env["DEPLOYER_PROJECT"], o.Env["DEPLOYER_ENV"] = "myproject", tt.stack
				}
				if tt.variable != "" {
					o.Env["DEPLOYER_ENVIRONMENT_FILE"] = strings.TrimPrefix(tt.variable, "=")
				}
			})
			event := deployEvent("action.production", `{"service":"backend","tag":"v1","dry_run":true}`)
			response, err := f.host.Invoke(t.Context(), []byte(event))
			must(t, err)
			if tt.faults == nil {
				var result pipeline.Result
				if err := json.Unmarshal(response.Payload, &result); err != nil || result.Status != "planned" {
					t.Errorf("got %s", response.Payload)
				}
				started := f.logs.lines(t, "starting")
				if len(started) != 1 || started[0]["environment_sha256"] != fmt.Sprintf("%x", sha256.Sum256(good)) {
					t.Errorf("the start is logged as %v", started)
				}
				return
			}
			if response.ErrorType != "Deployer.EnvironmentFile" {
				t.Errorf("got %s", response.Payload)
			}
			lines := f.logs.lines(t, "cold start failed")
			if len(lines) != 2*len(tt.faults) { // Lambda tries a cold start twice
				t.Fatalf("%d faults in the log, want each of %d twice:\n%s", len(lines), len(tt.faults), f.logs)
			}
			for i, want := range tt.faults {
				if got := fmt.Sprint(lines[i]["error"]); !strings.Contains(got, want) {
					t.Errorf("fault %d: %s\nwant %s", i, got, want)
				}
				if !strings.Contains(response.ErrorMessage, want) {
					t.Errorf("the init error does not contain %s: %s", want, response.ErrorMessage)
				}
			}
		})
	}
}
