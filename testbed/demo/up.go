package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"deployer/testbed/cloud"
)

// upOptions are the options of `make up`.
type upOptions struct {
	root string // the project's directory
	dir  string // where its files go
	port int    // of emulated AWS on the loopback interface; 0 for any free one
	bin  string // the directory of the command line deployer

	rolloutStep time.Duration // as in [cloud.Options]
}

// An up is a running environment with its instructions.
type up struct {
	*demo
	instructions instructions
}

// logFile is the name of the file with the functions' logs in the directory of an environment.
const logFile = "functions.log"

// runUp leaves the environment running until ctx ends. Enter on in prints the instructions again.
func runUp(ctx context.Context, o upOptions, in io.Reader, out io.Writer) error {
	u, err := startUp(ctx, o, out)
	switch {
	case ctx.Err() != nil:
		return nil // interrupted before it was ready
	case err != nil:
		return err
	}
	defer u.cloud.Close()
	go func() {
		for lines := bufio.NewScanner(in); lines.Scan(); {
			u.log.print(u.instructions.text())
		}
	}()
	<-ctx.Done()
	u.log.print("\nStopped. The functions' logs are in " + filepath.Join(o.dir, logFile) + ".\n")
	return nil
}

// startUp starts the environment, waits until its services run, and prints the instructions. From then on, decisions
// are printed.
func startUp(ctx context.Context, o upOptions, out io.Writer) (*up, error) {
	listener, err := listen(o.port)
	if err != nil {
		return nil, err
	}
	url := "http://" + listener.Addr().String()
	fmt.Fprintln(out, "Starting three accounts with a deployer in each. Their first rollouts take some seconds.")
	if err := writeFiles(o.root, o.dir, url); err != nil {
		listener.Close()
		return nil, err
	}
	logs, err := os.Create(filepath.Join(o.dir, logFile))
	if err != nil {
		listener.Close()
		return nil, err
	}
	d, err := newDemo(ctx, o.root, filepath.Join(o.dir, "bootstrap"), &functionLog{file: logs}, cloud.Options{
		RolloutStep: o.rolloutStep, Files: o.dir, Listener: listener,
		// Lambda waits one and two minutes. Here a denied event has failed for good before the next command.
		RetryWaits: []time.Duration{200 * time.Millisecond, 400 * time.Millisecond},
	})
	if err != nil {
		listener.Close()
		return nil, err
	}
	u := &up{d, instructions{url: url, dir: o.dir, bin: o.bin}}
	if err := u.prepare(ctx); err != nil {
		d.cloud.Close()
		return nil, err
	}
	fmt.Fprint(out, u.instructions.text())
	d.log.printDecisions(out)
	return u, nil
}

// prepare pushes an image that can be deployed, and waits until all services run.
func (u *up) prepare(ctx context.Context) error {
	if _, err := u.cloud.Accounts["dev"].Push(ctx, backendRepository, "backend v2", newTag); err != nil {
		return err
	}
	for _, env := range cloud.Environments {
		for _, workload := range cloud.Workloads {
			if err := u.waitUntilCompleted(ctx, env.Name, workload.Name); err != nil {
				return err
			}
		}
	}
	return u.cloud.Settle(ctx)
}

// waitUntilCompleted waits until ECS says that a service's first rollout is completed. The service is stable before
// that.
func (u *up) waitUntilCompleted(ctx context.Context, env, workload string) error {
	service := cloud.ServiceName(workload, env)
	for {
		out, err := u.cloud.Accounts[env].ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{
			Cluster: aws.String(cloud.ClusterName(env)), Services: []string{service}})
		if err != nil {
			return fmt.Errorf("waiting for the first rollout of %q: %w", service, err)
		}
		if out.Services[0].Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// errPortTaken is the error for a port that another program uses.
var errPortTaken = errors.New("another program uses it")

// listen listens on a port of the loopback interface.
func listen(port int) (net.Listener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listening on port %d of 127.0.0.1: %w: end it, or choose another port: make up port=%d",
			port, errPortTaken, port+1)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on port %d of 127.0.0.1: %w", port, err)
	}
	return listener, nil
}
