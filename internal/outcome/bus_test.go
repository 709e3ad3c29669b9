package outcome

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"deployer/internal/fault"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// newBus returns prod's default bus on emulated AWS.
func newBus(t *testing.T) (*Bus, *emulator.Emulator) {
	e, url := emulatortest.Start(t, emulator.Options{})
	return New(accounts.Connect(url, accounts.Prod, accounts.Region).Config), e
}

// TestSend holds that as many outcomes as fit go out in a call: ten small
// ones, and fewer that are large.
func TestSend(t *testing.T) {
	t.Parallel()
	small := samples(t)["succeeded"]
	large := samples(t)["rejected"]
	large.Event = embed(json.RawMessage(`{"a":"` + strings.Repeat("x", mostEvent-8) + `"}`))
	for _, tt := range []struct {
		name     string
		outcomes []Outcome
		calls    int
	}{
		{"none", nil, 0},
		{"ten and one", []Outcome{small, small, small, small, small, small, small, small, small, small, small}, 2},
		{"large ones", []Outcome{large, large, large, large, large, small, large}, 2},
	} {
		b, e := newBus(t)
		if err := b.Send(t.Context(), tt.outcomes...); err != nil || len(e.Calls()) != tt.calls {
			t.Errorf("%s: %d calls, want %d: %v", tt.name, len(e.Calls()), tt.calls, err)
		}
	}
}

// TestSendRefused holds that an outcome which the bus did not take, in an
// answer that is HTTP 200, is named, and only it.
func TestSendRefused(t *testing.T) {
	t.Parallel()
	b, _ := newBus(t)
	all := samples(t)
	lost := all["failed"]
	lost.Kind = ""
	err := b.Send(t.Context(), all["started"], lost, all["rejected"])
	const want = `making known "" of service "backend" (event "7bf73129-1428-4cd3-a780-2b9e0c5d80e3"): putting the  event of source "deployer" on bus "default": ` +
		`InvalidArgument: Parameter DetailType is not valid. Reason: DetailType is a required argument. (AWS rejected the request as invalid: check the task definition; if it is valid, this is a bug in the deployer)`
	if fmt.Sprint(err) != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

// TestSendDenied holds that a refusal is the keeper's to mend, what passes an
// outage, and that every outcome of the call is named.
func TestSendDenied(t *testing.T) {
	t.Parallel()
	b, e := newBus(t)
	e.Inject(emulator.Fault{Operation: "events:PutEvents", Error: emulator.AccessDenied("User: u is not authorized to perform: events:PutEvents")})
	all := samples(t)
	err := b.Send(t.Context(), all["started"], all["rejected"])
	const want = `making known "Deployment Started" of service "backend" (event "7bf73129-1428-4cd3-a780-2b9e0c5d80e3"), "Deployment Rejected" of service "" (event "7bf73129-1428-4cd3-a780-2b9e0c5d8bd5"): `
	var keeper *fault.Misconfiguration
	if !errors.As(err, &keeper) || fault.NameOf(err) != "AccessDenied" || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v (%T), want %s…", err, err, want)
	}
}
