package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"deployer/internal/iam"
)

// A barrier makes processes wait until a number of them has started.
type barrier struct {
	mu   sync.Mutex
	left int
	open chan struct{}
}

// newBarrier returns the barrier of a fleet: all processes if it is to be warm.
func newBarrier(o Options) *barrier {
	b := &barrier{left: 1, open: make(chan struct{})}
	if o.Warm {
		b.left = o.Processes
	}
	return b
}

// wait is for [lambdahost.Options.Initialized].
func (b *barrier) wait(int) {
	b.mu.Lock()
	if b.left--; b.left == 0 {
		close(b.open)
	}
	b.mu.Unlock()
	<-b.open
}

// warmUp starts all processes: each gets an event that the function ignores.
func (f *Fleet) warmUp(ctx context.Context, processes int) error {
	for range processes {
		if _, err := f.Function.InvokeAsync([]byte(`{"id":"warm","source":"warm","detail-type":"warm"}`)); err != nil {
			return err
		}
	}
	return f.Function.Wait(ctx)
}

// allow allows a role of the account everything.
func (f *Fleet) allow(role string) error {
	const all = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	document, err := iam.Parse([]byte(all))
	if err == nil {
		f.AWS.SetRolePolicy(account, role, document)
	}
	return err
}

// tickInterval is how often rollouts advance.
const tickInterval = 50 * time.Millisecond

// deliverRollouts delivers ECS's events to the function, until the fleet is closed.
func (f *Fleet) deliverRollouts(ctx context.Context) error {
	rules := eventbridge.NewFromConfig(f.Account.Config)
	rule := &eventbridge.PutRuleInput{
		Name:         aws.String("rollouts"),
		EventPattern: aws.String(`{"source":["aws.ecs"],"detail-type":["ECS Deployment State Change"]}`),
	}
	if _, err := rules.PutRule(ctx, rule); err != nil {
		return err
	}
	targets := &eventbridge.PutTargetsInput{
		Rule: rule.Name, Targets: []types.Target{{Id: aws.String("function"), Arn: aws.String(functionARN)}},
	}
	if _, err := rules.PutTargets(ctx, targets); err != nil {
		return err
	}
	f.AWS.HandleLambda(functionARN, func(_ context.Context, event []byte) error {
		_, err := f.Function.InvokeAsync(event)
		return err
	})
	f.ticking.Go(f.tick)
	return nil
}

// tick advances rollouts, so that their events are sent even if no one describes the services.
func (f *Fleet) tick() {
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-f.closed:
			return
		case <-ticker.C:
			f.AWS.Tick()
		}
	}
}
