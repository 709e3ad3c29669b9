package cli

import (
	"regexp"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"deployer/testbed/aws/emulator"
)

// laterAttempt is the SDK's header on the second and later attempts of a call.
var laterAttempt = regexp.MustCompile(`^attempt=([2-9]|\d\d)`)

var readOnly = regexp.MustCompile(`^(BatchGet|Describe|Get|List)`)

// calls is `calls OPERATION...`: those and no others were called since the last
// `account`, `push` or `calls`, in any order. `! calls OPERATION...`: none of those were.
func calls(ts *testscript.TestScript, neg bool, want []string) {
	var got []string
	for _, c := range of(ts).Calls() {
		got = append(got, c.Operation)
	}
	got = of(ts).withoutRetries(got)
	of(ts).ResetCalls()
	if neg {
		if slices.ContainsFunc(got, func(name string) bool { return slices.Contains(want, name) }) {
			ts.Fatalf("calls %v, want none of %v", got, want)
		}
		return
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		ts.Fatalf("calls %v, want %v", got, want)
	}
}

// withoutRetries returns the calls without the attempts that the SDK made again.
func (w *world) withoutRetries(calls []string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, retried := range w.retried {
		if i := slices.Index(calls, retried); i >= 0 {
			calls = slices.Delete(calls, i, i+1)
		}
	}
	return calls
}

// deny is `deny OPERATION`: from here on it is denied to everybody.
func deny(ts *testscript.TestScript, _ bool, args []string) {
	denied := emulator.AccessDenied("User: u is not authorized to perform: " + args[0])
	of(ts).Inject(emulator.Fault{Operation: args[0], Error: denied})
}

// denyOnce is `denyonce OPERATION`: AWS denies it once.
func denyOnce(ts *testscript.TestScript, _ bool, args []string) {
	denied := emulator.AccessDenied("User: u is not authorized to perform: " + args[0])
	of(ts).Inject(emulator.Fault{Operation: args[0], Error: denied, Times: 1})
}

// slow is `slow OPERATION TIME`: from here on it takes that long.
func slow(ts *testscript.TestScript, _ bool, args []string) {
	latency, err := time.ParseDuration(args[1])
	ts.Check(err)
	of(ts).Inject(emulator.Fault{Operation: args[0], Latency: latency})
}

// allow is `allow`: nothing is denied any more.
func allow(ts *testscript.TestScript, _ bool, _ []string) { of(ts).ClearFaults() }
