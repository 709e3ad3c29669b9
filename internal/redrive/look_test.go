package redrive

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// TestLook looks at a queue: nothing is removed from it, and all can be received at once after it.
func TestLook(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		messages int
		items    int
		more     bool
	}{
		{"empty", 0, 0, false},
		{"some", 3, 3, false},
		{"more than one call gives", 25, 25, false},
		{"more than are shown", maxLook + 15, maxLook, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clock := emulator.NewClock(time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC))
			e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now})
			e.CreateQueue(accounts.Prod, accounts.Region, "failed")
			for i := range tt.messages {
				clock.Advance(time.Second)
				e.PutMessage(queueARN, emulator.Message{Body: fmt.Appendf(nil, deployEvent, fmt.Sprint("e", i)),
					SenderID: eventBridge, Attributes: map[string]string{"ERROR_CODE": "NO_PERMISSIONS"}})
			}
			config := accounts.Connect(url, accounts.Prod, accounts.Region).Config
			items, more, err := Look(t.Context(), config, prod(t), queueURL)
			if err != nil || len(items) != tt.items || more != tt.more {
				t.Fatalf("%d items, more %t, %v; want %d, %t", len(items), more, err, tt.items, tt.more)
			}
			if left := e.Queue(queueARN); len(left) != tt.messages {
				t.Errorf("%d messages left, want %d", len(left), tt.messages)
			}
			clock.Advance(time.Second)
			if again := receiveAll(t, config); len(again) != min(tt.messages, 100) {
				t.Errorf("%d messages are visible, want %d", len(again), min(tt.messages, 100))
			}
			if tt.name != "some" {
				return
			}
			got := items[0]
			got.MessageID, got.Age = "", 0
			want := Item{SentAt: time.Date(2026, 1, 22, 10, 0, 3, 0, time.UTC), Form: DeadLetter, Why: "NO_PERMISSIONS",
				EventID: "e2", Asks: "DEPLOY", Service: "backend", Tag: "v1"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the newest (-want +got):\n%s", diff)
			}
		})
	}
}
