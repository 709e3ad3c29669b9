package awsconfig

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestPaced checks, on fake time, that many reads take half of ECS's tokens, and that
// other calls do not wait.
func TestPaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := emulator.New(emulator.Options{})
		a := accounts.Connect("http://aws.invalid", accounts.Dev, accounts.Region).With(func(c *aws.Config) {
			c.HTTPClient = emulatortest.InProcess{AWS: e}
		})
		e.LimitRates()
		client := ecs.NewFromConfig(Paced(a.Config))
		start := time.Now()
		var all sync.WaitGroup
		const reads = 400
		for range reads {
			all.Go(func() {
				_, _ = client.DescribeTaskDefinition(t.Context(),
					&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("none")})
			})
		}
		all.Wait()
		if took, want := time.Since(start), 37500*time.Millisecond; took != want { // 25 at once, then 10 a second
			t.Errorf("%d reads took %s, want %s", reads, took, want)
		}
		for _, c := range e.Calls() {
			if c.Error != "ClientException" { // there is no such family
				t.Errorf("%s: %s", c.Operation, c.Error)
			}
		}
		start = time.Now()
		_, _ = client.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{})
		if took := time.Since(start); took != 0 {
			t.Errorf("a registration waited %s", took)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(io.ErrClosedPipe)
		_, err := client.DescribeTaskDefinition(ctx,
			&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("none")})
		if !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, context.Canceled) {
			t.Errorf("a call that waits with an ended context: %v", err)
		}
	})
}
