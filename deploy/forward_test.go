package deploy_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// receivers counts the events that the functions of stacks on emulated AWS receive, by
// account.
type receivers struct {
	aws *emulator.Emulator

	mu    sync.Mutex
	count map[string]int
}

// install creates the stack of an environment file in its account, with a function that
// counts events.
func (r *receivers) install(t *testing.T, file string, more ...string) {
	t.Helper()
	env, template := install(t, file, more...)
	if err := r.aws.LoadTemplate(env.AccountID, region, template); err != nil {
		t.Fatal(err)
	}
	function, _ := template.Function("DeployerFunction")
	r.aws.HandleLambda(function.ARN, func(context.Context, []byte) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.count[env.AccountID]++
		return nil
	})
}

// push pushes an image to an account's repository, and waits until the event is delivered.
func (r *receivers) push(t *testing.T, url, account, repository string) {
	t.Helper()
	a := accounts.Connect(url, account, region)
	if _, err := a.Push(t.Context(), repository, "v1", "latest"); err != nil {
		t.Fatal(err)
	}
	if err := r.aws.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// trusted returns the id of the nth account that runs dev's images.
func trusted(n int) string { return fmt.Sprintf("2222222222%02d", n) }

// TestForwardsToManyAccounts pushes an image to dev's registry, whose file trusts n
// accounts: the function of each receives the event once.
func TestForwardsToManyAccounts(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 5, 6, 8, 11, 15} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			e, url := emulatortest.Start(t, emulator.Options{})
			r := &receivers{aws: e, count: map[string]int{}}
			devFile := "project: shop\nenv: dev\nregion: us-east-1\naccount_id: \"" + dev + "\"\n" +
				"ecr_strategy: local\necr_trusted_accounts:\n"
			want := map[string]int{dev: 1}
			for i := range n {
				id := trusted(i)
				devFile += fmt.Sprintf("  - account_id: %q\n", id)
				want[id] = 1
				r.install(t, fmt.Sprintf("project: shop\nenv: staging\nregion: us-east-1\naccount_id: %q\n"+
					"ecr_strategy: cross_account\necr_account_id: %q\necr_account_region: us-east-1\n", id, dev))
			}
			r.install(t, devFile)
			r.push(t, url, dev, "shop_backend")
			if diff := cmp.Diff(want, r.count); diff != "" {
				t.Error(diff)
			}
			undelivered := "arn:aws:sqs:us-east-1:" + dev + ":shop_deployer_undelivered_dev"
			for _, m := range e.Queue(undelivered) {
				t.Errorf("not delivered: %v", m.Attributes)
			}
		})
	}
}

// TestForwardRules checks the rules, the role and the dead-letter queue of a registry
// that forwards to as many accounts as possible: no rule has more than five targets.
func TestForwardRules(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 5, 6, 8, 11, 15} {
		var buses []string
		for i := range n {
			buses = append(buses, "arn:aws:events:us-east-1:"+trusted(i)+":event-bus/default")
		}
		loaded, err := loadWith(t, dev, map[string]string{"Project": "p", "Env": "dev",
			"ForwardPushesTo": strings.Join(buses, ",")})
		if err != nil {
			t.Fatal(err)
		}
		var targets, rules, ids []string
		for _, rule := range loaded.Rules() {
			if !strings.HasPrefix(rule.LogicalID, "ForwardRule") {
				continue
			}
			rules = append(rules, rule.ARN)
			if len(rule.Targets) > 5 {
				t.Errorf("%d accounts: %s has %d targets", n, rule.Name, len(rule.Targets))
			}
			for _, target := range rule.Targets {
				targets, ids = append(targets, target.ARN), append(ids, target.ID)
				if target.DeadLetterARN == "" || target.RoleARN != "arn:aws:iam::"+dev+":role/p_deployer_forward_dev" {
					t.Errorf("%d accounts: target %+v", n, target)
				}
			}
		}
		if diff := cmp.Diff(buses, targets); diff != "" {
			t.Errorf("%d accounts:\n%s", n, diff)
		}
		if slices.Sort(ids); len(slices.Compact(ids)) != n {
			t.Errorf("%d accounts: targets share an id", n)
		}
		trust := member(loaded.Resource("ForwardRole"), "Properties", "AssumeRolePolicyDocument", "Statement", 0,
			"Condition", "ArnEquals", "aws:SourceArn")
		letters := member(loaded.Resource("UndeliveredQueuePolicy"), "Properties", "PolicyDocument", "Statement", 0,
			"Condition", "ArnEquals", "aws:SourceArn")
		for _, rule := range rules {
			if !contains(trust, rule) || !contains(letters, rule) {
				t.Errorf("%d accounts: %s may not use the role %v or the queue %v", n, rule, trust, letters)
			}
		}
	}
	sixteen := strings.Repeat(",arn:aws:events:us-east-1:222222222222:event-bus/default", 16)[1:]
	if _, err := loadWith(t, dev, map[string]string{"Project": "p", "Env": "dev",
		"ForwardPushesTo": sixteen}); err == nil {
		t.Error("the template accepts 16 buses, and forwards to 15")
	}
}

func contains(list any, text string) bool {
	all, _ := list.([]any)
	return slices.Contains(all, any(text))
}
