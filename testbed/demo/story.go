package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// scene is one event of the story, and what has to come of it.
type scene struct {
	title string
	act   func(context.Context, *stack) error
	want  []string // "ENVIRONMENT what" for each decision, in the order of environments
	quiet string   // why the environments that have nothing to decide have not; "" if that is no part of the story
}

// putEvents is the guide's command, whose entry the scenes send as it is.
const putEvents = `aws events put-events --entries \
     'Source=action.production,DetailType=DEPLOY,Detail="{\"service\":\"backend\",\"tag\":\"%s\"}"'`

var story = []scene{
	{"CI pushes a new backend to dev's registry as git-abc123f and as latest.",
		func(ctx context.Context, s *stack) error {
			_, err := s.Accounts["dev"].Push(ctx, cloud.Project+"_backend", "backend v2", "git-abc123f", "latest")
			return err
		},
		[]string{"dev deployed", "dev ignored", "staging deployed", "staging ignored"},
		"no event arrives: prod has no rule for pushes, only a DEPLOY event deploys it"},
	{"A person deploys it to prod:\n   " + fmt.Sprintf(putEvents, "git-abc123f"), deployToProd("git-abc123f"), []string{"prod deployed"}, ""},
	{"The same, with a tag that nobody pushed (git-0000000).", deployToProd("git-0000000"), []string{"prod rejected"}, ""},
	{"The DEPLOY of git-abc123f once more.", deployToProd("git-abc123f"), []string{"prod unchanged"}, ""},
}

func deployToProd(tag string) func(context.Context, *stack) error {
	return func(ctx context.Context, s *stack) error {
		return s.putEvent(ctx, accounts.Prod, "action.production", "DEPLOY", fmt.Sprintf(`{"service":"backend","tag":%q}`, tag))
	}
}

// play tells the story and returns an error if it went otherwise.
func (s *stack) play(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "One project, three environments in three accounts; dev's registry serves all (the guide's pattern 1).\n\n")
	if err := s.table(ctx, out); err != nil {
		return err
	}
	for i, sc := range story {
		fmt.Fprintf(out, "\n%d. %s\n", i+1, sc.title)
		if err := sc.act(ctx, s); err != nil {
			return err
		}
		if err := s.Settle(ctx); err != nil {
			return err
		}
		if err := sc.tell(s.said.take(), out); err != nil {
			return err
		}
		if err := sc.end(ctx, s, out); err != nil {
			return err
		}
	}
	fmt.Fprintln(out)
	if err := s.table(ctx, out); err != nil {
		return err
	}
	return s.check(ctx)
}

// tell prints what became of a scene's event, and returns an error if that is
// not what has to come of it.
func (sc scene) tell(said []decision, out io.Writer) error {
	slices.SortStableFunc(said, func(a, b decision) int {
		return cmp.Or(cmp.Compare(order(a.env), order(b.env)), cmp.Compare(a.Message, b.Message))
	})
	var got []string
	for _, d := range said {
		what := strings.Fields(d.Message)[len(strings.Fields(d.Message))-1]
		got = append(got, d.env+" "+what)
		detail := d.Reason + d.Error
		if what == "deployed" {
			detail = d.Service + " " + d.Tag + " is revision " + d.TaskDefinition[strings.LastIndex(d.TaskDefinition, ":")+1:] + ": " + d.Reason
		}
		fmt.Fprintf(out, "   %-8s %-10s %s\n", d.env, what, detail)
	}
	for _, env := range cloud.Environments {
		if sc.quiet != "" && !slices.ContainsFunc(said, func(d decision) bool { return d.env == env.Name }) {
			fmt.Fprintf(out, "   %-8s %-10s %s\n", env.Name, "ignores", sc.quiet)
		}
	}
	if !slices.Equal(got, sc.want) {
		return fmt.Errorf("the story went wrong: %v, want %v", got, sc.want)
	}
	return nil
}

// end prints how the scene's deployments ended, once ECS has told the functions.
func (sc scene) end(ctx context.Context, s *stack, out io.Writer) error {
	started := 0
	for _, w := range sc.want {
		if strings.HasSuffix(w, " deployed") {
			started++
		}
	}
	ends, err := s.said.ended(ctx, started)
	for _, e := range ends {
		fmt.Fprintf(out, "   %-8s %-10s %s\n", e.env, "succeeded", e.Words)
	}
	return err
}

// order returns an environment's place in the order of a release.
func order(env string) int {
	for i, e := range cloud.Environments {
		if e.Name == env {
			return i
		}
	}
	return -1
}

// table prints every service with what it runs, after its rollout has ended.
func (s *stack) table(ctx context.Context, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ENVIRONMENT\tSERVICE\tREVISION\tTASKS\tIMAGE")
	for _, env := range cloud.Environments {
		for _, workload := range cloud.Workloads {
			row, err := s.row(ctx, env.Name, cloud.ServiceName(workload.Name, env.Name))
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s\t%s\n", env.Name, row)
		}
	}
	return w.Flush()
}

// row returns one service's line of the table.
func (s *stack) row(ctx context.Context, env, service string) (string, error) {
	account := s.Accounts[env]
	cluster := cloud.Project + "_cluster_" + env
	running, err := s.finished(ctx, account, cluster, service)
	if err != nil {
		return "", err
	}
	runs, err := account.Runs(ctx, cluster, service)
	if err != nil {
		return "", err
	}
	_, image, _ := strings.Cut(aws.ToString(runs.TaskDefinition.ContainerDefinitions[0].Image), "/")
	if i := strings.Index(image, "@sha256:"); i > 0 {
		image = image[:i+len("@sha256:")+12] + "…"
	}
	return fmt.Sprintf("%s\t%d\t%d\t%s", service, runs.TaskDefinition.Revision, running, image), nil
}

// finished waits until a service's rollout has ended and returns how many tasks run.
func (s *stack) finished(ctx context.Context, a *accounts.Account, cluster, service string) (running int32, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	waiter := ecs.NewServicesStableWaiter(a.ECS, func(o *ecs.ServicesStableWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
	})
	out, err := waiter.WaitForOutput(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: []string{service}}, time.Minute)
	if err != nil {
		return 0, fmt.Errorf("waiting for %s to be stable: %w", service, err)
	}
	return out.Services[0].RunningCount, nil
}

// check compares where the story ended with where it had to end.
func (s *stack) check(ctx context.Context) error {
	for _, env := range cloud.Environments {
		for _, workload := range cloud.Workloads {
			runs, err := s.Accounts[env.Name].Runs(ctx, cloud.Project+"_cluster_"+env.Name, cloud.ServiceName(workload.Name, env.Name))
			if err != nil {
				return err
			}
			want := int32(1)
			if workload.Name == "backend" {
				want = 2
			}
			if got := runs.TaskDefinition.Revision; got != want {
				return fmt.Errorf("%s in %s ended at revision %d, want %d", workload.Name, env.Name, got, want)
			}
		}
	}
	return nil
}
