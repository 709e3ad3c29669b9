package fault

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
)

// TestDelay checks the bounds of the delays between attempts, and that they are
// spread over all of the range.
func TestDelay(t *testing.T) {
	t.Parallel()
	empty, lost := &smithy.GenericAPIError{Code: "ThrottlingException"}, errors.New("lost")
	tests := []struct {
		name              string
		retryer           func(context.Context) aws.Retryer
		left              time.Duration // until the deadline
		attempt           int
		err               error
		shortest, longest time.Duration
	}{
		{"lost connection", UntilDeadline, time.Minute, 1, lost, 0, 100 * time.Millisecond},
		{"lost again", UntilDeadline, time.Minute, 2, lost, 0, 200 * time.Millisecond},
		{"throttled", UntilDeadline, time.Minute, 1, empty, 0, time.Second},
		{"throttled again", UntilDeadline, time.Minute, 2, empty, 0, 2 * time.Second},
		{"throttled many times", UntilDeadline, time.Minute, 100, empty, 0, 5 * time.Second},
		{"throttled near the end", UntilDeadline, time.Second, 100, empty, 0, time.Second - roundTrip},
		{"registration, lost connection", UntilDeadlineIfRejected, time.Minute, 1, lost, 0, 100 * time.Millisecond},
		{"registration", UntilDeadlineIfRejected, time.Minute, 1, empty, 0, 30 * time.Second},
		{"registration again", UntilDeadlineIfRejected, time.Minute, 2, empty, 3 * time.Second,
			4500 * time.Millisecond},
		{"registration near the end", UntilDeadlineIfRejected, 2*time.Second + roundTrip, 2, empty, time.Second,
			2 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.left)
				defer cancel()
				least, most := time.Hour, time.Duration(0)
				for range 1000 {
					d, err := tt.retryer(ctx).RetryDelay(tt.attempt, tt.err)
					if err != nil {
						t.Fatal(err)
					}
					least, most = min(least, d), max(most, d)
				}
				slack := (tt.longest - tt.shortest) / 20 // fails by chance once in 10^22 runs
				if least < tt.shortest || least > tt.shortest+slack || most > tt.longest || most < tt.longest-slack {
					t.Errorf("delays from %s to %s, want from %s to %s", least, most, tt.shortest, tt.longest)
				}
			})
		})
	}
}
