package events_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	prodBus     = "arn:aws:events:us-east-1:333333333333:event-bus/default"
	prodWestBus = "arn:aws:events:us-west-2:333333333333:event-bus/default"
	prodQueue   = "arn:aws:sqs:us-east-1:333333333333:events"
	forwarder   = "arn:aws:iam::111111111111:role/Forwarder"
)

// TestForwarding: the policies of prod's bus and of the target's role must both allow dev to forward an event.
func TestForwarding(t *testing.T) {
	t.Parallel()
	const denied = "User: arn:aws:sts::111111111111:assumed-role/Forwarder/session is not authorized to perform: " +
		"events:PutEvents on resource: " + prodBus
	permit := func(more string) string {
		return `{"StatementId":"dev","Action":"events:PutEvents","Principal":"111111111111"` + more + `}`
	}
	conditional := func(conditions string) string {
		return `{"Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"` +
			forwarder + `\"},\"Action\":\"events:PutEvents\",\"Resource\":\"` +
			prodBus + `\",\"Condition\":{\"StringEquals\":` + conditions + `}}]}"}`
	}
	tests := []struct {
		name     string
		identity string // the policy of the role Forwarder
		bus      string // the PutPermission on prod's bus
		want     string // the error of the dead letter
	}{{
		name: "both allow", identity: emulatortest.Allow("events:PutEvents", prodBus), bus: permit(""),
	}, {
		name: "with conditions that are met", identity: emulatortest.Allow("events:PutEvents", prodBus),
		bus: conditional(`{\"events:source\":\"action.production\",\"events:detail-type\":\"DEPLOY\",` +
			`\"events:eventBusInvocation\":\"true\"}`),
	}, {
		name: "with a condition that is not met", identity: emulatortest.Allow("events:PutEvents", prodBus),
		bus:  conditional(`{\"events:source\":\"aws.ecr\"}`),
		want: denied + " because no resource-based policy allows the events:PutEvents action",
	}, {
		name: "of an organisation", identity: emulatortest.Allow("events:PutEvents", prodBus),
		bus: `{"StatementId":"org","Action":"events:PutEvents","Principal":"*","Condition":{"Type":"StringEquals",` +
			`"Key":"aws:PrincipalOrgID","Value":"o-a1b2c3d4e5"}}`,
	}, {
		name: "the bus has no policy", identity: emulatortest.Allow("events:PutEvents", prodBus),
		want: denied + " because no resource-based policy allows the events:PutEvents action",
	}, {
		name: "the role has none", bus: permit(""),
		want: denied + " because no identity-based policy allows the events:PutEvents action",
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			w.AWS.SetOrganization("o-a1b2c3d4e5", dev, prod)
			if tt.identity != "" {
				w.AWS.SetRolePolicy(dev, "Forwarder", emulatortest.Policy(t, tt.identity))
			}
			if tt.bus != "" {
				w.Do(t, prod, "events:PutPermission", tt.bus)
			}
			w.Rule(t, dev, `{"detail-type":["DEPLOY"]}`, prodBus,
				`,"RoleArn":"`+forwarder+`","DeadLetterConfig":{"Arn":"`+deadLetters+`"}`)
			w.Rule(t, prod, `{"detail-type":["DEPLOY"]}`, prodQueue, "")
			w.Do(t, dev, "events:PutEvents", deployEntry)

			// The envelope does not change.
			want := []string{`{"version":"0","id":"ID","detail-type":"DEPLOY","source":"action.production",` +
				`"account":"111111111111","time":"2026-01-22T09:30:00Z","region":"us-east-1","resources":[],` +
				`"detail":{}}`}
			var wantDead []map[string]string
			if tt.want != "" {
				want = nil
				wantDead = []map[string]string{{
					"RULE_ARN": "arn:aws:events:us-east-1:111111111111:rule/all", "TARGET_ARN": prodBus,
					"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": tt.want, "RETRY_ATTEMPTS": "0",
				}}
			}
			if diff := cmp.Diff(want, w.Bodies(t, prodQueue)); diff != "" {
				t.Errorf("received (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantDead, attributes(w.AWS.Queue(deadLetters))); diff != "" {
				t.Errorf("dead letters (-want +got):\n%s", diff)
			}
		})
	}
}

func attributes(messages []emulator.Message) []map[string]string {
	var all []map[string]string
	for _, m := range messages {
		all = append(all, m.Attributes)
	}
	return all
}

// TestThirdHop: an event is forwarded to a second bus, but not to a third.
func TestThirdHop(t *testing.T) {
	t.Parallel()
	const (
		stagingBus  = "arn:aws:events:us-east-1:222222222222:event-bus/default"
		prodRole    = "arn:aws:iam::333333333333:role/Forwarder"
		prodLetters = "arn:aws:sqs:us-east-1:333333333333:dead-letters"
	)
	for code, third := range map[string]string{
		"THIRD_ACCOUNT_HOP_DETECTED": stagingBus,
		"THIRD_REGION_HOP_DETECTED":  prodWestBus,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			w.AWS.SetRolePolicy(dev, "Forwarder", emulatortest.Policy(t, emulatortest.Allow("events:PutEvents",
				prodBus)))
			w.AWS.SetRolePolicy(prod, "Forwarder", emulatortest.Policy(t, emulatortest.Allow("events:PutEvents", "*")))
			w.Do(t, prod, "events:PutPermission", `{"StatementId":"dev","Action":"events:PutEvents",`+
				`"Principal":"111111111111"}`)
			w.Rule(t, dev, `{"detail-type":["DEPLOY"]}`, prodBus, `,"RoleArn":"`+forwarder+`"`)
			w.Rule(t, prod, `{"detail-type":["DEPLOY"]}`, third,
				`,"RoleArn":"`+prodRole+`","DeadLetterConfig":{"Arn":"`+prodLetters+`"}`)
			w.Do(t, dev, "events:PutEvents",
				deployEntry) // by way of dev's bus
			w.Do(t, dev, "events:PutEvents", strings.Replace(deployEntry, `{"Source"`, `{"EventBusName":"`+prodBus+
				`","Source"`, 1)) // directly
			want := map[string]string{
				"RULE_ARN": "arn:aws:events:us-east-1:333333333333:rule/all", "TARGET_ARN": third,
				"ERROR_CODE":     code,
				"ERROR_MESSAGE":  "Events received from another event bus cannot be forwarded to this event bus.",
				"RETRY_ATTEMPTS": "0",
			}
			if diff := cmp.Diff([]map[string]string{want, want}, attributes(w.AWS.Queue(prodLetters))); diff != "" {
				t.Errorf("dead letters (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPutEventsOnAnotherAccountsBus sends events from one account directly to the bus of another.
func TestPutEventsOnAnotherAccountsBus(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Rule(t, prod, `{"detail-type":["DEPLOY"]}`, prodQueue, "")
	const entries = `{"Entries":[{"Source":"action.production","DetailType":"DEPLOY","Detail":"{}","EventBusName":"` +
		prodBus + `"}]}`
	_, got := w.Raw(t, dev, "events:PutEvents", entries)
	const want = `{"Message":"User: arn:aws:iam::111111111111:root is not authorized to perform: events:PutEvents on ` +
		`resource: ` + prodBus +
		` because no resource-based policy allows the events:PutEvents action","__type":"AccessDeniedException"}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w.Do(t, prod, "events:PutPermission", `{"StatementId":"dev","Action":"events:PutEvents",`+
		`"Principal":"111111111111"}`)
	w.Do(t, dev, "events:PutEvents", entries)
	received := []string{`{"version":"0","id":"ID","detail-type":"DEPLOY","source":"action.production",` +
		`"account":"111111111111","time":"2026-01-22T09:30:00Z","region":"us-east-1","resources":[],"detail":{}}`}
	if diff := cmp.Diff(received, w.Bodies(t, prodQueue)); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}
