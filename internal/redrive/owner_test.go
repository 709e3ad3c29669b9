package redrive

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"deployer/internal/environment"
)

const (
	roleID      = "AROAFUNCTION00000000A"
	ownSender   = roleID + ":myproject_deployer_prod"
	eventBridge = "AIDAIE6VAXUQU2DKHA7DK"
)

// prod returns the environment of prod in the examples.
func prod(t *testing.T) *environment.Environment {
	t.Helper()
	env, err := environment.Load(filepath.Join("..", "..", "examples", "centralized-dev-ecr", "prod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	env.File = "prod.yaml"
	return env
}

// TestOwner checks whose messages are run, and every reason why others are not.
func TestOwner(t *testing.T) {
	t.Parallel()
	const (
		other   = "arn:aws:lambda:us-east-1:333333333333:function:shop_deployer_prod"
		another = "; run it with the file and the queue of that function's environment"
		bus     = "arn:aws:events:us-east-1:222222222222:event-bus/default"
		asked   = `{"id":"e1","detail-type":"DEPLOY","source":"action.production","time":"2026-01-22T10:15:30Z",` +
			`"detail":`
		notBus = "it is an outcome that came over the event bus, as an earlier version kept it: every principal " +
			"with events:PutEvents could have sent it, so its event is not run; if you asked for that deployment, " +
			"ask again: "
	)
	letter := func(target, rule string) Message { return Message{Form: DeadLetter, Target: target, RuleARN: rule} }
	record := func(target string) Message { return Message{Form: Record, Target: target} }
	outcome := func(event string) Message { return Message{Form: FromTheBus, Event: json.RawMessage(event)} }
	tests := []struct {
		name, sender string
		message      Message
		want         string // the reason; "" if it is run
	}{
		{"a dead letter", eventBridge, letter(function, rule), ""},
		{"a dead letter of another bus's rule", eventBridge,
			letter(function, "arn:aws:events:us-east-1:333333333333:rule/orders/mine"), ""},
		{"a record", ownSender, record(function + ":$LATEST"), ""},
		{"a record by Lambda's session", roleID + ":awslambda_475_20260122101530", record(function + ":live"), ""},
		{"a kept event", ownSender, Message{Form: Kept, Target: function}, ""},
		{"a schedule's dead letter", "AROARETRY:s", Message{Form: Waited, Target: function}, "role " +
			"myproject_deployer_retry_prod sends such messages, and this one was sent by AROARETRY:s; if that role " +
			"has this id (aws iam get-role --role-name myproject_deployer_retry_prod --query Role.RoleId), add " +
			"--trust-sender AROARETRY"},
		{"a schedule's dead letter for another function", "AROARETRY:s", Message{Form: Waited, Target: other},
			"it is for another function: its attribute TARGET_ARN is " + other + ", not " + function + another},
		{"another function's dead letter", eventBridge, letter(other, rule), "it is for another function: its " +
			"attribute TARGET_ARN is " + other + ", not " + function + another},
		{"another region's dead letter", eventBridge,
			letter("arn:aws:lambda:eu-west-1:333333333333:function:myproject_deployer_prod", rule),
			"it is for another function: its attribute TARGET_ARN is " +
				"arn:aws:lambda:eu-west-1:333333333333:function:myproject_deployer_prod, not " + function + another},
		{"another environment's record", ownSender,
			record("arn:aws:lambda:us-east-1:222222222222:function:myproject_deployer_staging:$LATEST"),
			"it is for another function: its requestContext.functionArn is " +
				"arn:aws:lambda:us-east-1:222222222222:function:myproject_deployer_staging:$LATEST, not " + function +
				another},
		{"a longer name", ownSender, record(function + "_2"), "it is for another function: its " +
			"requestContext.functionArn is " + function + "_2, not " + function + another},
		{"another function's kept event", ownSender, Message{Form: Kept, Target: other}, "it is for another " +
			"function: its member function is " + other + ", not " + function + another},
		{"a dead letter for staging's bus", eventBridge, letter(bus, rule), "EventBridge could not deliver the event " +
			"to another environment's bus, " + bus + ": it is not for myproject_deployer_prod; deploy there, with " +
			"that environment's file, or let its search for lost pushes find the image"},
		{"a dead letter for another target", eventBridge, letter("arn:aws:sqs:us-east-1:333333333333:orders", rule),
			"it is for another function: its attribute TARGET_ARN is arn:aws:sqs:us-east-1:333333333333:orders, not " +
				function + another},
		{"an event without attributes", eventBridge, letter("", ""), "it has no attribute TARGET_ARN, which " +
			"EventBridge gives every dead letter: whom the event was for is not known"},
		{"a record without a function", ownSender, record(""), "whom the event was for is not known: its " +
			"requestContext.functionArn is empty"},
		{"another account's rule", eventBridge,
			letter(function, "arn:aws:events:us-east-1:111111111111:rule/myproject_deployer_deploy_dev"),
			`its attribute RULE_ARN is "arn:aws:events:us-east-1:111111111111:rule/myproject_deployer_deploy_dev", ` +
				`not a rule of account 333333333333 in us-east-1`},
		{"no rule", eventBridge, letter(function, ""), `its attribute RULE_ARN is "", not a rule of account ` +
			`333333333333 in us-east-1`},
		{"a dead letter by a session", "AROAOTHER000000000000:ada", letter(function, rule), "it looks like a dead " +
			"letter, but it was sent by AROAOTHER000000000000:ada, not by EventBridge; if you know that EventBridge " +
			"has this id, add --trust-sender AROAOTHER000000000000"},
		{"a dead letter by the function", ownSender, letter(function, rule), "it looks like a dead letter, but it " +
			"was sent by " + ownSender + ", not by EventBridge; if you know that EventBridge has this id, add " +
			"--trust-sender " +
			roleID},
		{"a dead letter by the account", "333333333333", letter(function, rule), "it looks like a dead letter, but " +
			"it was sent by 333333333333, not by EventBridge; if you know that EventBridge has this id, add " +
			"--trust-sender 333333333333"},
		{"a record by another role", "AROAOTHER000000000000:myproject_deployer_prod", record(function),
			"it was sent by AROAOTHER000000000000:myproject_deployer_prod, not by the function: its SenderId does " +
				"not begin with " + roleID + ", the id of role myproject_deployer_prod"},
		{"a record by a user", eventBridge, record(function), "it was sent by " + eventBridge + ", not by the " +
			"function: its SenderId does not begin with " + roleID + ", the id of role myproject_deployer_prod"},
		{"a kept event by a role of a longer id", roleID + "B:s", Message{Form: Kept, Target: function}, "it was " +
			"sent by " +
			roleID + "B:s, not by the function: its SenderId does not begin with " + roleID +
			", the id of role myproject_deployer_prod"},
		{"a kept event by no one", "", Message{Form: Kept, Target: function}, "it was sent by an unknown sender, not " +
			"by the function: its SenderId does not begin with " + roleID + ", the id of role myproject_deployer_prod"},
		{"an outcome", ownSender, outcome(asked + `{"service":"web-api","tag":"v2"}}`), notBus +
			"deployer send -f prod.yaml web-api v2"},
		{"an outcome of a rollback", ownSender, outcome(asked + `{"service":"web-api","action":"rollback"}}`), notBus +
			"deployer rollback -f prod.yaml web-api"},
		{"an outcome of a redeployment", ownSender, outcome(asked + `{"service":"web-api","action":"redeploy"}}`),
			notBus + "deployer redeploy -f prod.yaml web-api"},
		{"an outcome of nothing", ownSender, outcome(asked + `{"service":"; rm -rf /","tag":"$(x)"}}`), notBus +
			"deployer send -f prod.yaml SERVICE TAG"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := (owner{env: prod(t), roleID: roleID}).check(tt.message, tt.sender); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("%s\nwant: %s", got, tt.want)
			}
		})
	}
}

// TestAgain checks that the command for an event can be pasted whatever the file is called.
func TestAgain(t *testing.T) {
	t.Parallel()
	env := *prod(t)
	env.File = "my project/prod.yaml"
	const want = "deployer send -f 'my project/prod.yaml' SERVICE TAG"
	if got := (owner{env: &env}).again(Message{}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestTrustedSenders checks what --trust-sender lets in, and that it does not let in
// what is another function's.
func TestTrustedSenders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		sender, trusted string
		message         Message
		runs            bool
	}{
		{"AROANEW0000000000000A:events", "AROANEW0000000000000A", Message{Form: DeadLetter, Target: function,
			RuleARN: rule},
			true},
		{"AROANEW0000000000000A:events", "AROANEW0000000000000A:events", Message{Form: Kept, Target: function}, true},
		{"AROANEW0000000000000AB:events", "AROANEW0000000000000A", Message{Form: Kept, Target: function}, false},
		{"AROANEW0000000000000A:events", "AROANEW0000000000000A", Message{Form: Kept, Target: function + "2"}, false},
		{"AROANEW0000000000000A:events", "AROANEW0000000000000A", Message{Form: FromTheBus}, false},
	} {
		o := owner{env: prod(t), roleID: roleID, trusted: []string{tt.trusted}}
		if err := o.check(tt.message, tt.sender); (err == nil) != tt.runs {
			t.Errorf("%s of %s, trusting %s: %v", tt.message.Form, tt.sender, tt.trusted, err)
		}
	}
}

// TestUnknownRole checks what is not run while the id of the function's role is not known.
func TestUnknownRole(t *testing.T) {
	t.Parallel()
	o := owner{env: prod(t), noRole: errors.New("denied")}
	if err := o.check(Message{Form: DeadLetter, Target: function, RuleARN: rule}, eventBridge); err != nil {
		t.Error(err)
	}
	const want = `whether the function's role sent it is not known: denied; or, if you know that SenderId ` +
		`"AROAX:s" is the role's, add --trust-sender AROAX`
	if err := o.check(Message{Form: Kept, Target: function}, "AROAX:s"); fmt.Sprint(err) != want {
		t.Error(err)
	}
}
