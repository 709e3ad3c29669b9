package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"deployer/internal/fault"
	"deployer/internal/outcome"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// newPublisher returns a publisher without channels to prod's default bus on
// emulated AWS. Its metrics go to log.
func newPublisher(t *testing.T, log io.Writer) (*Publisher, *emulator.Emulator) {
	t.Helper()
	e, url := emulatortest.Start(t, emulator.Options{})
	return New(prod(t), accounts.Connect(url, accounts.Prod, accounts.Region).Config, log), e
}

// TestPublish checks that one call carries as many outcomes as it can: ten small
// ones, and fewer large ones.
func TestPublish(t *testing.T) {
	t.Parallel()
	small := outcomes(t)["succeeded"]
	large := outcomes(t)["rejected"]
	large.Event = json.RawMessage(`{"a":"` + strings.Repeat("x", 192<<10-8) + `"}`) // the largest event in an outcome
	for _, tt := range []struct {
		name     string
		outcomes []outcome.Outcome
		calls    int
	}{
		{"none", nil, 0},
		{"ten and one", []outcome.Outcome{small, small, small, small, small, small, small, small, small, small, small},
			2},
		{"large ones", []outcome.Outcome{large, large, large, large, large, small, large}, 2},
	} {
		p, e := newPublisher(t, io.Discard)
		if err := p.Publish(t.Context(), tt.outcomes...); err != nil || len(e.Calls()) != tt.calls {
			t.Errorf("%s: %d calls, want %d: %v", tt.name, len(e.Calls()), tt.calls, err)
		}
	}
}

// TestPublishRejectedEntry checks that the error names the outcome that the bus
// rejected, in an answer that is HTTP 200, and no other.
func TestPublishRejectedEntry(t *testing.T) {
	t.Parallel()
	p, _ := newPublisher(t, io.Discard)
	all := outcomes(t)
	invalid := all["failed"]
	invalid.Kind = ""
	err := p.Publish(t.Context(), all["started"], invalid, all["rejected"])
	want := `publishing "" of service "backend" (event "7bf73129-1428-4cd3-a780-2b9e0c5d80e3"): ` +
		fault.Classify(`putting the  event of source "deployer" on bus "default"`, &smithy.GenericAPIError{
			Code: "InvalidArgument", Message: "Parameter DetailType is not valid. Reason: DetailType is a " +
				"required argument."}).Error()
	if fmt.Sprint(err) != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

// TestPublishDenied checks the class of the fault, and that it names every
// outcome of the call.
func TestPublishDenied(t *testing.T) {
	t.Parallel()
	p, e := newPublisher(t, io.Discard)
	e.Inject(emulator.Fault{Operation: "events:PutEvents",
		Error: emulator.AccessDenied("User: u is not authorized to perform: events:PutEvents")})
	all := outcomes(t)
	err := p.Publish(t.Context(), all["started"], all["rejected"])
	const want = `publishing "Deployment Started" of service "backend" (event ` +
		`"7bf73129-1428-4cd3-a780-2b9e0c5d80e3"), ` +
		`"Deployment Rejected" of service "" (event "7bf73129-1428-4cd3-a780-2b9e0c5d8bd5"): `
	var misconfigured *fault.Misconfiguration
	if !errors.As(err, &misconfigured) || fault.NameOf(err) != "AccessDenied" || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v (%T), want %s…", err, err, want)
	}
}
