// Package redrive runs the events of a failure queue again.
//
// Every principal with sqs:SendMessage on the queue, or with events:PutEvents, may have
// sent a message. It is run only if its event was for the environment's own function,
// and if its sender is known: see [Parse] for the forms of messages.
package redrive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/pipeline"
)

// Pipeline is what Run needs of [pipeline.Pipeline].
type Pipeline interface {
	Handle(ctx context.Context, raw json.RawMessage) (pipeline.Result, error)
	Preview(ctx context.Context, raw json.RawMessage) (pipeline.Result, error)
}

// Report is the result of one message.
type Report struct {
	Item
	Result  pipeline.Result
	Handled bool  // the event needed no deployment, and was handled: see [event.Verdict.MayNeedNoDeployment]
	Err     error // why the message stays in the queue
	// Ended means that the event ended otherwise than carried out: as rejected or ignored, or
	// its rollout failed before. Err says how. The message stays until it is deleted.
	Ended   bool
	Deleted bool
}

// Never reports whether the event can never be carried out, whatever is mended in AWS: the
// message has no event, or the environment file does not accept it, or its rollout failed.
func (r Report) Never() bool { return errors.As(r.Err, new(*neverError)) }

// neverError is the error of a message that can never be carried out.
type neverError struct{ error }

func (e *neverError) Unwrap() error { return e.error }

// hopeless reports whether an event is rejected or ignored for what it is.
func hopeless(reading event.Reading) bool {
	return reading.Verdict == event.Rejected || reading.Verdict == event.Ignored
}

// Answer is what a person answers about one message.
type Answer int

// The answers.
const (
	No   Answer = iota // leave it in the queue
	Yes                // run it
	All                // run it, and all that follow
	Quit               // leave it, and all that follow
)

// ErrDeclined is the error of a message that the person did not want to run.
var ErrDeclined = errors.New("the answer was no")

// Options are the options of [Run]. QueueURL, Found and Report are required.
type Options struct {
	QueueURL     string
	MaxMessages  int      // 0 for all
	DryRun       bool     // preview each event, and delete nothing
	TrustSenders []string // ids of senders besides EventBridge and the function's role

	// Discard has ids of messages that are deleted, and their events not run. If it has any, no
	// other message is reported or run, and Run ends when all are found.
	Discard []string

	// Found is called with each message before its event is run, Report after.
	Found  func(Item)
	Report func(Report)
	// Ask asks whether to run a message, given the preview of its event, or whether to discard
	// it, given its item alone. Nil runs or discards all.
	Ask func(ctx context.Context, preview Report) (Answer, error)
}

// Run runs the events of a queue, one after the other in the order of SQS. An
// event keeps its original time, so that an old event cannot replace a newer
// deployment. A message is deleted if its event was carried out. It stays if its
// event fails, or is rejected or ignored; if it is not for the environment's
// function, or has the wrong sender; and if it has no event.
//
// Run ends when the queue is empty, when it receives a message for the second
// time, after MaxMessages, or when a person quits. A message of Options.Discard that the
// queue does not give is no error: compare the reports. Its error is that of a call of
// SQS, a fault of package fault, or of Ask.
func Run(ctx context.Context, config aws.Config, env *environment.Environment, p Pipeline, o Options) error {
	roleID, noRole := functionRole(ctx, config, env)
	r := &run{Options: o, pipeline: p, queue: &queue{sqs.NewFromConfig(config), o.QueueURL},
		owner: owner{env: env, roleID: roleID, noRole: noRole, trusted: o.TrustSenders}, now: time.Now}
	defer func() {
		for _, receipt := range r.kept {
			r.queue.release(ctx, receipt)
		}
	}()
	seen := map[string]bool{}
	for o.MaxMessages == 0 || len(seen) < o.MaxMessages {
		m, err := r.queue.receive(ctx)
		if m == nil || err != nil {
			return err
		}
		id := aws.ToString(m.MessageId)
		if seen[id] {
			r.kept = append(r.kept, aws.ToString(m.ReceiptHandle))
			return nil
		}
		seen[id] = true
		if len(o.Discard) > 0 {
			if more, err := r.discard(ctx, m); !more || err != nil {
				return err
			}
			continue
		}
		if more, err := r.message(ctx, m); !more || err != nil {
			return err
		}
	}
	return nil
}

// run is one call of [Run].
type run struct {
	Options
	pipeline Pipeline
	queue    *queue
	owner    owner
	now      func() time.Time
	kept     []string // receipts of messages that stay in the queue
	found    int      // messages of Discard that were found
}

// discard deletes a message if it is one of Discard, and does not run its event. It reports
// false once all are found, or if the person quits.
func (r *run) discard(ctx context.Context, m *types.Message) (more bool, err error) {
	receipt, received := aws.ToString(m.ReceiptHandle), r.now()
	if !slices.Contains(r.Discard, aws.ToString(m.MessageId)) {
		r.kept = append(r.kept, receipt)
		return true, nil
	}
	r.found++
	more = r.found < len(r.Discard)
	item, _, _, _ := r.owner.read(m, received) //nolint:dogsled // it is deleted whatever it is
	r.Found(item)
	report := Report{Item: item}
	if !r.DryRun && r.Ask != nil {
		answer, err := r.Ask(ctx, report)
		if err != nil {
			r.kept = append(r.kept, receipt)
			return false, err
		}
		more = more && answer != Quit
		report.Err = r.answered(ctx, answer, receipt, received)
	}
	if r.DryRun || report.Err != nil {
		r.kept = append(r.kept, receipt)
		r.Report(report)
		return more, nil
	}
	err = r.queue.delete(ctx, receipt)
	report.Deleted = err == nil
	r.Report(report)
	return more, err
}

// message runs the event of one message, and deletes the message if that was carried
// out. It reports false if the person quits.
func (r *run) message(ctx context.Context, m *types.Message) (more bool, err error) {
	receipt, received := aws.ToString(m.ReceiptHandle), r.now()
	item, message, reading, err := r.owner.read(m, received)
	r.Found(item)
	result, quits := Report{Item: item, Err: err}, false
	if err == nil && (r.DryRun || r.Ask != nil) {
		result = r.carryOut(ctx, item, message, reading, r.pipeline.Preview)
	}
	if result.Err == nil && !r.DryRun && r.Ask != nil {
		answer, err := r.Ask(ctx, result)
		if err != nil {
			r.kept = append(r.kept, receipt)
			return false, err
		}
		quits = answer == Quit
		result.Err = r.answered(ctx, answer, receipt, received)
	}
	if result.Err != nil || r.DryRun {
		r.kept = append(r.kept, receipt)
		r.Report(result)
		return !quits, nil
	}
	handle := r.pipeline.Handle
	if hopeless(reading) {
		handle = r.pipeline.Preview // it says why, and does not publish that again
	}
	result = r.carryOut(ctx, item, message, reading, handle)
	if result.Err != nil {
		r.kept = append(r.kept, receipt)
		r.Report(result)
		return true, nil
	}
	err = r.queue.delete(ctx, receipt)
	result.Deleted = err == nil
	r.Report(result)
	return true, err
}

// answered obeys an answer, and returns why the message is not run. A message that the
// person looked at for long is hidden from other receivers for as long again; if it was
// visible meanwhile, another receiver may have it.
func (r *run) answered(ctx context.Context, answer Answer, receipt string, received time.Time) error {
	switch {
	case answer == No, answer == Quit:
		return ErrDeclined
	case answer == All:
		r.Ask = nil
	}
	if r.now().Sub(received) < visibilityTimeout*time.Second/2 {
		return nil
	}
	if err := r.queue.extend(ctx, receipt); err != nil {
		return fmt.Errorf("the answer came after more than %s, so another redrive may have the message: run this one "+
			"again: %w", visibilityTimeout*time.Second/2, err)
	}
	return nil
}

// carryOut handles the event of a message, or previews it. The report's Err says why the
// event was not, or would not be, carried out.
func (r *run) carryOut(ctx context.Context, item Item, message Message, reading event.Reading,
	handle func(context.Context, json.RawMessage) (pipeline.Result, error)) Report {
	report := Report{Item: item}
	report.Result, report.Err = handle(ctx, message.Event)
	report.Handled = reading.Verdict.MayNeedNoDeployment() && len(report.Result.Deployments) == 0
	failed := slices.IndexFunc(report.Result.Deployments, func(d ecsdeploy.Deployment) bool { return d.RolloutFailed })
	switch {
	case report.Err != nil:
		return report
	case report.Result.Status == ecsdeploy.Rejected:
		report.Err = fmt.Errorf("event %s rejected: %s", report.Result.EventID, report.Result.Reason)
	case report.Result.Status == ecsdeploy.Ignored && !report.Handled:
		report.Err = fmt.Errorf("event %s ignored: %s", report.Result.EventID, report.Result.Reason)
	}
	// An event of several services is not done by what its other services say.
	undecided := report.Result.Status == ecsdeploy.Rejected || report.Result.Status == ecsdeploy.Planned
	if failed >= 0 && len(report.Result.Deployments) > 1 && !undecided {
		d := report.Result.Deployments[failed]
		report.Err = fmt.Errorf("event %s ignored for %s: %s", report.Result.EventID, d.Service, d.Reason)
	}
	report.Ended = report.Err != nil
	if report.Ended && (hopeless(reading) || failed >= 0) {
		report.Err = &neverError{report.Err}
	}
	return report
}
