package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/environment"
	"deployer/internal/fleet"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// newQuickBoard returns an emulator with a number of services, on which calls take
// 50 ms, and the board of their environment. It needs fake time.
func newQuickBoard(t *testing.T, services int) (*emulator.Emulator, *accounts.Account, *board) {
	t.Helper()
	// Fake time begins in 2000, when no event can have happened.
	time.Sleep(time.Until(time.Date(2026, time.January, 22, 10, 15, 0, 0, time.UTC)))
	e := emulator.New(emulator.Options{})
	inProcess := func(c *aws.Config) { c.HTTPClient = emulatortest.InProcess{AWS: e} }
	dev := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(inProcess)
	file, err := cloud.ManyServices(t.Context(), dev, services, true)
	must(t, err)
	env, err := environment.Parse("dev.yaml", []byte(file))
	must(t, err)
	time.Sleep(time.Minute)
	e.ResetCalls()
	e.Inject(emulator.Fault{Operation: "*", Latency: 50 * time.Millisecond})
	workloads := slices.DeleteFunc(slices.Clone(env.Workloads), func(w environment.Workload) bool {
		return w.Kind != environment.Service
	})
	open := func(context.Context) (fleet.Place, error) {
		return fleet.Place{Env: env, Config: dev.Config,
			Workloads: workloads}, nil
	}
	return e, dev, &board{fleet.New(fleet.Source{Name: "dev", Open: open}), true, false, &look{}}
}

// redeploy starts a new deployment of service i.
func redeploy(t *testing.T, dev *accounts.Account, i int) {
	t.Helper()
	_, err := dev.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Cluster: aws.String("p_cluster_dev"), Service: aws.String(fmt.Sprintf("p_service_s%d_dev", i)),
		ForceNewDeployment: true,
	})
	must(t, err)
}

// TestStatusWithFaults checks that a failed call does not keep other services from being read.
func TestStatusWithFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, _, b := newQuickBoard(t, 20)
		e.ClearFaults()
		e.Inject(emulator.Fault{Operation: "ecs:DescribeServices", Times: 1, Error: emulator.AccessDenied("no")})
		e.Inject(emulator.Fault{Operation: "ecs:DescribeTaskDefinition", Times: 1, Error: emulator.AccessDenied("no")})
		e.Inject(emulator.Fault{Operation: "ecr:BatchGetImage", Times: 2, Error: emulator.AccessDenied("no")})
		report, err := b.read(t.Context())
		must(t, err)
		table := b.draw(canvas{}, report)
		steady, failed := strings.Count(table, "none\n"), strings.Count(table, " error: AccessDeniedException: ")
		unknown := strings.Count(table, "unknown: these credentials have no access to ECR\n")
		if steady != 7 || unknown != 2 || failed != 11 || report.Healthy() {
			t.Errorf("%d steady, %d unknown, %d failed:\n%s", steady, unknown, failed, table)
		}
	})
}

// watched returns what a watched status prints of a board off a terminal: something changes after ten seconds, and a
// minute later it is interrupted. It runs in a test of fake time.
func watched(t *testing.T, b *board, change func()) string {
	t.Helper()
	var out strings.Builder
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		time.Sleep(10 * time.Second)
		change()
		time.Sleep(time.Minute)
		interrupt()
	}()
	must(t, (&app{out: &out}).watch(ctx, b))
	return out.String()
}

// TestStatusWatch checks what a watched status prints off a terminal: a table
// for each change, until it is interrupted.
func TestStatusWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, dev, b := newQuickBoard(t, 2)
		out := watched(t, b, func() { redeploy(t, dev, 1) })
		var seen []string
		for part := range strings.SplitSeq(out, "\n\n") {
			lines := strings.Split(strings.TrimSpace(part), "\n")
			if len(lines) != 3 || !strings.HasPrefix(lines[0], "SERVICE ") ||
				!strings.HasPrefix(lines[1], "s0 ") || !strings.Contains(lines[1], " steady 2/2 ") {
				t.Errorf("a part is\n%s", part)
			}
			_, after, _ := strings.Cut(lines[len(lines)-1], " ada  ")
			seen = append(seen, strings.Join(strings.Fields(after), " "))
		}
		want := []string{"steady 2/2 none", "rolling out 0/2 none", "rolling out 2/2 none", "steady 2/2 none"}
		if !slices.Equal(seen, want) {
			t.Errorf("s1 was %q, want %q", seen, want)
		}
	})
}

// TestMatrixWatch checks what the watched status of several environments prints off a
// terminal: the table of services and environments, again for each change.
func TestMatrixWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, dev, b := newQuickBoard(t, 1)
		b.single = false
		out := watched(t, b, func() { redeploy(t, dev, 0) })
		var seen []string
		for line := range strings.Lines(out) {
			if fields := strings.Fields(line); len(fields) > 0 && fields[0] != "s0" {
				seen = append(seen, strings.Join(fields, " "))
			}
		}
		want := []string{"SERVICE dev", "SERVICE dev", "rolling out 0/2", "SERVICE dev", "rolling out 2/2",
			"SERVICE dev"}
		if !slices.Equal(seen, want) {
			t.Errorf("the tables have %q, want %q:\n%s", seen, want, out)
		}
	})
}
