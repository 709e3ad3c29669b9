package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// printServices prints what every service runs after its rollout ended.
func (d *demo) printServices(ctx context.Context, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ENVIRONMENT\tSERVICE\tREVISION\tTASKS\tIMAGE")
	for _, env := range cloud.Environments {
		for _, workload := range cloud.Workloads {
			row, err := d.serviceRow(ctx, env.Name, cloud.ServiceName(workload.Name, env.Name))
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s\t%s\n", env.Name, row)
		}
	}
	return w.Flush()
}

// serviceRow returns the row of one service without its environment.
func (d *demo) serviceRow(ctx context.Context, env, service string) (string, error) {
	account, cluster := d.cloud.Accounts[env], cloud.ClusterName(env)
	running, err := waitUntilStable(ctx, account, cluster, service)
	if err != nil {
		return "", err
	}
	runs, err := account.Runs(ctx, cluster, service)
	if err != nil {
		return "", err
	}
	_, image, _ := strings.Cut(aws.ToString(runs.TaskDefinition.ContainerDefinitions[0].Image), "/")
	i := strings.Index(image, "@sha256:")
	if i > 0 {
		image = image[:i+len("@sha256:")+12] + "…"
	}
	return fmt.Sprintf("%s\t%d\t%d\t%s", service, runs.TaskDefinition.Revision, running, image), nil
}

// waitUntilStable waits for a service's rollout to end and returns how many tasks run.
func waitUntilStable(ctx context.Context, a *accounts.Account, cluster, service string) (running int32, err error) {
	waiter := ecs.NewServicesStableWaiter(a.ECS, func(o *ecs.ServicesStableWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
	})
	out, err := waiter.WaitForOutput(ctx, &ecs.DescribeServicesInput{
		Cluster: aws.String(cluster), Services: []string{service},
	}, 5*time.Minute)
	if err != nil {
		return 0, fmt.Errorf("waiting for service %q to be stable: %w", service, err)
	}
	return out.Services[0].RunningCount, nil
}

// checkRevisions returns an error unless every service runs the expected revision: 2 for backend, 1 for the others.
func (d *demo) checkRevisions(ctx context.Context) error {
	for _, env := range cloud.Environments {
		for _, workload := range cloud.Workloads {
			service := cloud.ServiceName(workload.Name, env.Name)
			runs, err := d.cloud.Accounts[env.Name].Runs(ctx, cloud.ClusterName(env.Name), service)
			if err != nil {
				return err
			}
			want := int32(1)
			if workload.Name == "backend" {
				want = 2
			}
			got := runs.TaskDefinition.Revision
			if got != want {
				return fmt.Errorf("service %q runs revision %d, want %d", service, got, want)
			}
		}
	}
	return nil
}
