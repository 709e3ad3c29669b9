package pipeline

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"deployer/internal/fault"
	"deployer/testbed/aws/emulatortest"
)

// TestOddAnswers replaces each answer of AWS while an event is handled. No answer ends
// the process or is taken for a decision: the event fails with a named fault, or it is
// handled completely. Without the odd answers, its retry handles it.
//
// Each operation has a third of the odd answers in one case, and few in the others. With
// the build tag slow, it has all of them, and more, in all.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	answers := emulatortest.OddAnswers(everyOdd)
	known := map[string]bool{}
	for _, tt := range oddCases {
		operations, want := tt.plain(t)
		for i, operation := range operations {
			_, name, _ := strings.Cut(operation, ":")
			if tt.only != nil && !slices.Contains(tt.only, name) {
				continue
			}
			step := 12 // every which answer
			switch {
			case everyOdd:
				step = 1
			case !known[operation]:
				step = 3
			}
			known[operation] = true
			for j, odd := range answers {
				if (i+j)%step != 0 || tt.cannotBeKnown(operation, odd) {
					continue
				}
				t.Run(tt.name+"/"+operation+"/"+odd.Name, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { tt.try(t, operation, odd, want) })
				})
			}
		}
	}
	for _, operation := range []string{"ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:TagResource",
		"ecs:RegisterTaskDefinition", "ecs:UpdateService", "ecr:BatchGetImage", "scheduler:GetSchedule",
		"scheduler:UpdateSchedule", "scheduler:CreateSchedule", "events:ListTargetsByRule", "events:PutTargets",
		"events:PutEvents", "iam:SimulatePrincipalPolicy", "sqs:SendMessage", "sns:Publish", "ssm:GetParameter"} {
		if !known[operation] {
			t.Errorf("no case calls %s", operation)
		}
	}
}

// plain handles the event of a case without odd answers, and returns the operations that it
// calls and the result.
func (tt oddCase) plain(t *testing.T) (operations []string, want string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newOddWorld(t, tt.world)
		event := tt.prepare(t, w)
		w.aws.ResetCalls()
		got, err := w.handle(t, event)
		if err != nil || !slices.Contains(tt.statuses, got.Status) {
			t.Fatalf("%s: %+v, %v", tt.name, got, err)
		}
		operations = emulatortest.Operations(w.aws.Calls())
		want = w.result(t)
		if _, unnamed := w.odd.Seen(); len(unnamed) > 0 {
			t.Fatalf("%s: requests of no known operation: %q", tt.name, unnamed)
		}
	})
	return operations, want
}

// cannotBeKnown reports whether an odd answer to an operation is what AWS could answer.
func (tt oddCase) cannotBeKnown(operation string, odd emulatortest.OddAnswer) bool {
	switch operation {
	case "ecs:ListTaskDefinitions":
		return odd.Name == "empty members" // a family may have no revision
	case "scheduler:GetSchedule": // a proxy that refuses the call is a fault of the environment, and
		return tt.name == "look at a task" && odd.Status == 403 // the next look is the retry
	case "ecs:TagResource":
		return odd.Name == "no members in its place" // as it is
	}
	return false
}

// try handles the event of a case while one operation has an odd answer, and then again
// without.
func (tt oddCase) try(t *testing.T, operation string, odd emulatortest.OddAnswer, want string) {
	t.Helper()
	w := newOddWorld(t, tt.world)
	event := tt.prepare(t, w)
	w.aws.ResetCalls()
	w.odd.Replace(operation, odd)
	got, err := w.handle(t, event)
	if replaced, _ := w.odd.Seen(); replaced == 0 {
		t.Fatal("no answer was replaced")
	}
	w.odd.Replace("", odd)
	switch name := fault.NameOf(err); {
	case err != nil && (name == "Unknown" || name == "" || fault.IsRejected(err)):
		t.Errorf("it failed without a name: %v", err)
	case err != nil && odd.Harmless:
		t.Errorf("it failed: %v", err)
	case err != nil:
		t.Logf("%s: %v", name, err)
	case !slices.Contains(tt.statuses, got.Status):
		t.Errorf("it was handled: %s: %s", got.Status, got.Reason)
	default:
		if done := w.result(t); done != want {
			t.Errorf("it was handled as %s, but the result is %s, want %s", got.Status, done, want)
		}
	}
	if _, err = w.handle(t, event); err != nil {
		t.Errorf("the retry: %v", err)
	}
	if got := w.result(t); got != want {
		t.Errorf("after the retry: %s, want %s", got, want)
	}
}
