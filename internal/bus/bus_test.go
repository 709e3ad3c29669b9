package bus

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/internal/fault"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func entries(n int) []Entry {
	all := make([]Entry, n)
	for i := range all {
		all[i] = Entry{Source: "action.dev", DetailType: "DEPLOY", Detail: fmt.Sprintf(`{"n":%d}`, i)}
	}
	return all
}

// newBus returns a bus on emulated AWS.
func newBus(t *testing.T, name string) (*Bus, *emulator.Emulator) {
	e, url := emulatortest.Start(t, emulator.Options{})
	return New(accounts.Connect(url, accounts.Dev, accounts.Region).Config, name), e
}

// TestPut checks that one call has ten events, and that each event has an id.
func TestPut(t *testing.T) {
	t.Parallel()
	b, e := newBus(t, "")
	ids, err := b.Put(t.Context(), entries(23)...)
	if err != nil {
		t.Fatal(err)
	}
	different := map[string]bool{}
	for _, id := range ids {
		different[id] = id != ""
	}
	if len(different) != 23 || different[""] || len(e.Calls()) != 3 {
		t.Errorf("%d ids in %d calls: %v", len(different), len(e.Calls()), ids)
	}
}

// TestPutRejected checks that an entry which EventBridge rejects, in an answer that
// is HTTP 200, is an error, and that the others are put.
func TestPutRejected(t *testing.T) {
	t.Parallel()
	b, _ := newBus(t, "")
	all := entries(3)
	all[1].Detail = "not JSON"
	ids, err := b.Put(t.Context(), all...)
	const want = `putting the DEPLOY event of source "action.dev" on bus "default": ` +
		`MalformedDetail: Detail is malformed. (the detail of an event must be a JSON object)`
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	if !fault.IsMisconfigured(err) || ids[0] == "" || ids[1] != "" || ids[2] == "" {
		t.Errorf("ids %q, error %T", ids, err)
	}
}

// TestPutRetries checks that only transient faults are retried.
func TestPutRetries(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault emulator.Fault
		calls int
		want  string // the fault's name
	}{
		{"fault", emulator.Fault{Operation: "events:PutEvents", Times: 2, Error: emulator.ErrServerFault}, 3, ""},
		{"denied", emulator.Fault{Operation: "events:PutEvents", Error: emulator.AccessDenied("no")}, 1,
			"AccessDenied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, e := newBus(t, "")
			e.Inject(tt.fault)
			_, err := b.Put(t.Context(), entries(1)...)
			name := ""
			if err != nil {
				name = fault.NameOf(err)
			}
			if name != tt.want || len(e.Calls()) != tt.calls {
				t.Errorf("%q after %d calls, want %q after %d: %v", name, len(e.Calls()), tt.want, tt.calls, err)
			}
		})
	}
}

func TestExists(t *testing.T) {
	t.Parallel()
	got := map[string]bool{}
	for _, name := range []string{"", "default", "nowhere", "arn:aws:events:us-east-1:111111111111:event-bus/default"} {
		b, _ := newBus(t, name)
		exists, err := b.Exists(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got[name] = exists
	}
	want := map[string]bool{"": true, "default": true, "nowhere": false,
		"arn:aws:events:us-east-1:111111111111:event-bus/default": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
