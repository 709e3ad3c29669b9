package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// acts deploys a service, or a task, with the script of the GitHub action, and the role of the deploy job: input is
// the action's input with the name. The action has to say that it succeeded, in its outputs and its summary.
func acts(env, input, name, tag string) action {
	return func(ctx context.Context, r *patternRun) error {
		script, err := filepath.Abs(filepath.Join(r.root, "action", "send"))
		if err != nil {
			return err
		}
		if _, err := r.jobs.assume(ctx, deploy(env), env); err != nil {
			return err
		}
		account, role := r.jobs.split(deploy(env))
		summary, outputs := filepath.Join(r.dir, "summary-"+input+".md"), filepath.Join(r.dir, "outputs-"+input)
		cmd := r.deployer(ctx, "")
		cmd.Path, cmd.Args = "/bin/bash", []string{"bash", script}
		if bash, err := exec.LookPath("bash"); err == nil {
			cmd.Path = bash
		}
		cmd.Env = append(cmd.Env, "PATH="+r.dir+string(os.PathListSeparator)+os.Getenv("PATH"),
			"AWS_ACCESS_KEY_ID="+account+"-"+role, "AWS_SECRET_ACCESS_KEY=any", "GITHUB_ACTIONS=true",
			"GITHUB_STEP_SUMMARY="+summary, "GITHUB_OUTPUT="+outputs, "INPUT_"+strings.ToUpper(input)+"="+name,
			"INPUT_TAG="+tag,
			"INPUT_ENVIRONMENT_FILE="+env+".yaml", "INPUT_FOLLOW=true", "INPUT_TIMEOUT=5m", "INPUT_ACTOR=octocat")
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("the action: %w\n%s", err, text)
		}
		values, err := os.ReadFile(outputs)
		if err != nil {
			return err
		}
		page, err := os.ReadFile(summary)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(string(values), "status=deployed\noutcome=succeeded\nevent-id=") ||
			!strings.Contains(string(page), " in "+env+": succeeded\n") {
			return fmt.Errorf("the action's outputs are\n%s\nand its summary is\n%s", values, page)
		}
		return nil
	}
}
