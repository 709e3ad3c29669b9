package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"deployer/testbed/cloud"
)

// unknownService is the step of an event that the functions reject, which the deploy jobs read in the functions' logs.
var unknownService = patternStep{
	title: "The deploy jobs' file has another name for the worker, with which no stack was updated. Each job ends " +
		"at\n   once: deployer send -f new/ENV.yaml mailer v1 --follow",
	run: func(ctx context.Context, r *patternRun) error {
		for _, e := range cloud.Environments {
			file, err := r.renameWorker(e.Name)
			if err != nil {
				return err
			}
			// The role may not look for the tag in a repository of the new name.
			err = r.permissions.refusing(func() error {
				return r.command(ctx, deploy(e.Name), "send -f "+file+" mailer v1 --follow")
			})
			if err == nil || !strings.Contains(err.Error(), "the function rejected the event: ") {
				return fmt.Errorf("the command ended with %w, and should say that the event was rejected", err)
			}
		}
		return nil
	},
	want: []string{"dev rejected", "staging rejected", "prod rejected"},
}

// renameWorker returns an environment's file with another name for the worker, whose ECS service stays.
func (r *patternRun) renameWorker(env string) (file string, err error) {
	text, err := os.ReadFile(filepath.Join(r.files, env+".yaml"))
	if err != nil {
		return "", err
	}
	service := cloud.Project + "_service_worker_" + env
	renamed := strings.Replace(string(text), "- name: worker\n", "- name: mailer\n", 1) +
		"\ndeployer:\n  workloads:\n    mailer: {service: " + service + ", family: " + service + "}\n"
	file = filepath.Join(r.dir, "new", env+".yaml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	return file, os.WriteFile(file, []byte(renamed), 0o644)
}
