package redrive

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"deployer/internal/environment"
	"deployer/internal/event"
)

// owner is whose messages are run: those for an environment's own function, from a
// sender that is known.
type owner struct {
	env     *environment.Environment
	roleID  string   // the unique id of the function's role; "" if it is not known
	noRole  error    // why it is not known
	trusted []string // further ids of senders
}

// check returns why a message is not run, nil if it may be. Sender is the system
// attribute SenderId, which SQS sets.
func (o owner) check(m Message, sender string) error {
	if m.Form == FromTheBus {
		return &neverError{errors.New("it is an outcome that came over the event bus, as an earlier version kept " +
			"it: every principal with events:PutEvents could have sent it, so its event is not run; if you asked " +
			"for that deployment, ask again: " + o.again(m))}
	}
	if err := o.checkTarget(m); err != nil {
		return err
	}
	id, _, session := strings.Cut(sender, ":")
	if slices.Contains(o.trusted, id) || slices.Contains(o.trusted, sender) {
		return nil
	}
	if m.Form == DeadLetter {
		return checkEventBridge(sender)
	}
	if m.Form == Waited {
		return fmt.Errorf("role %s sends such messages, and this one was sent by %s; if that role has this id (aws "+
			"iam get-role --role-name %[1]s --query Role.RoleId), add --trust-sender %[3]s", o.env.RetryName(),
			named(sender), id)
	}
	switch {
	case o.roleID == "":
		return fmt.Errorf("whether the function's role sent it is not known: %w; or, if you know that SenderId %q is "+
			"the role's, add --trust-sender %s", o.noRole, sender, id)
	case !session || id != o.roleID:
		return fmt.Errorf("it was sent by %s, not by the function: its SenderId does not begin with %s, the id of "+
			"role %s", named(sender), o.roleID, o.env.FunctionName())
	}
	return nil
}

// user is the id of an IAM user (IAM user guide, "IAM identifiers").
var user = regexp.MustCompile(`^AIDA[A-Z0-9]{10,}$`)

// checkEventBridge checks the sender of a rule's dead letter. EventBridge sends as an IAM
// user of an account of AWS. Its id differs by region and is not documented:
// AIDAIE6VAXUQU2DKHA7DK in us-west-2, in messages from 2022 to 2025. The queue's policy
// lets no user of the environment's own account send.
func checkEventBridge(sender string) error {
	if user.MatchString(sender) {
		return nil
	}
	id, _, _ := strings.Cut(sender, ":")
	return fmt.Errorf("it looks like a dead letter, but it was sent by %s, not by EventBridge; if you know that "+
		"EventBridge has this id, add --trust-sender %s", named(sender), id)
}

// named returns how a sender is called in messages.
func named(sender string) string {
	if sender == "" {
		return "an unknown sender"
	}
	return sender
}

// checkTarget checks that the event of a message was for the environment's function.
func (o owner) checkTarget(m Message) error {
	attribute := map[Form]string{DeadLetter: "its attribute TARGET_ARN", Waited: "its attribute TARGET_ARN",
		Record: "its requestContext.functionArn",
		Kept:   "its member function"}[m.Form]
	own := o.env.FunctionARN()
	switch {
	case m.Target == "" && m.Form == DeadLetter:
		return errors.New("it has no attribute TARGET_ARN, which EventBridge gives every dead letter: whom the event " +
			"was for is not known")
	case m.Target == "":
		return fmt.Errorf("whom the event was for is not known: %s is empty", attribute)
	case strings.Contains(m.Target, ":event-bus/"):
		return &neverError{fmt.Errorf("EventBridge could not deliver the event to another environment's bus, %s: it "+
			"is not for %s; deploy there, with that environment's file, or let its search for lost pushes find the "+
			"image", m.Target, o.env.FunctionName())}
	case unqualified(m.Target) != own:
		return fmt.Errorf("it is for another function: %s is %s, not %s; run it with the file and the queue of that "+
			"function's environment", attribute, m.Target, own)
	}
	if m.Form != DeadLetter {
		return nil
	}
	rule := strings.SplitN(m.RuleARN, ":", 6)
	mine := strings.SplitN(own, ":", 6)
	isRule := len(rule) == 6 && rule[2] == "events" && strings.HasPrefix(rule[5], "rule/")
	if !isRule || rule[3] != mine[3] || rule[4] != mine[4] {
		return fmt.Errorf("its attribute RULE_ARN is %q, not a rule of account %s in %s", m.RuleARN, mine[4], mine[3])
	}
	return nil
}

// unqualified returns a function's ARN without its version or alias.
func unqualified(arn string) string {
	const fields = 7 // arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME
	parts := strings.Split(arn, ":")
	return strings.Join(parts[:min(len(parts), fields)], ":")
}

// again returns the commands that ask for the deployments of an event once more.
func (o owner) again(m Message) string {
	var commands []string
	reading := event.Read(m.Event, o.env, time.Now())
	for _, r := range reading.Requests {
		command := o.env.Command("send", r.Workload.Label(), r.Tag)
		switch {
		case r.Rollback:
			command = o.env.Command("rollback", r.Workload.Label())
		case r.Redeploy:
			command = o.env.Command("redeploy", r.Workload.Label())
		}
		commands = append(commands, command)
	}
	if len(commands) == 0 {
		return o.env.Command("send", "SERVICE", "TAG")
	}
	return strings.Join(commands, "; ")
}
