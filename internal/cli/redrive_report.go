package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"deployer/internal/ecsdeploy"
	"deployer/internal/redrive"
)

// maxShown is how many characters of a sender's text are shown.
const maxShown = 300

// redriveReport prints each message and the result of its event, and counts them. What
// messages and events say is escaped.
type redriveReport struct {
	app         *app
	asJSON      bool   // the messages are collected, and printed as one document
	environment string // its name
	queue       string // URL of the queue that is looked at
	messages    []redrivenMessage

	dryRun     bool
	asks       bool
	ask        func(context.Context, redrive.Report) (redrive.Answer, error)
	max        int      // of messages; 0 for all
	discard    []string // the command line that discards messages, but for their ids
	discards   []string // ids of the messages to delete without running them, that were not found yet
	done, kept int
	shown      string   // id of the message whose line stands above the question
	quit       bool     // the person quits
	never      []string // ids of messages that can never succeed
	ended      string   // id of a message whose event was rejected or ignored, and may succeed later
}

// options returns the options for a queue.
func (r *redriveReport) options(url string, how redriveFlags) redrive.Options {
	o := redrive.Options{QueueURL: url, DryRun: how.dryRun, TrustSenders: how.trust, Discard: slices.Clone(r.discards),
		MaxMessages: r.left(), Found: r.found, Report: r.add}
	if r.asks && r.ask != nil {
		o.Ask = func(ctx context.Context, preview redrive.Report) (redrive.Answer, error) {
			answer, err := r.ask(ctx, preview)
			r.quit = r.quit || answer == redrive.Quit
			if answer == redrive.All {
				r.ask = nil // in the other queue neither
			}
			return answer, err
		}
	}
	return o
}

// left returns how many messages may still be looked at; 0 without a limit.
func (r *redriveReport) left() int { return max(0, r.max-r.done-r.kept) }

// found prints a message before its event is run.
func (r *redriveReport) found(i redrive.Item) {
	if r.ask == nil {
		return // the line of its result says it
	}
	r.shown = i.MessageID
	switch {
	case r.asJSON: // what the question is about
		r.app.note("%s", itemLine(i))
	default:
		r.app.line("%s", itemLine(i))
	}
}

// sameReason reports whether the error of a message only repeats why it is in the queue. The error
// begins with the event and its status.
func sameReason(why, text string) bool {
	_, reason, _ := strings.Cut(text, ": ")
	return says(why, reason) || says(why, text)
}

// itemLine returns the line about a message.
func itemLine(i redrive.Item) string {
	about := []string{orDash(i.Asks) + " of " + orDash(i.Service), "tag " + orDash(i.Tag), "actor " + orDash(i.Actor),
		age(i.Age)}
	from := string(i.Form)
	if i.Why != "" {
		from += ": " + printableAtMost(i.Why, maxShown)
	}
	return fmt.Sprintf("%s: %s (event %s; %s)", i.MessageID, strings.Join(about, ", "), orDash(i.EventID), from)
}

// orDash returns a sender's text as it is shown, or a dash if there is none.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return printableAtMost(s, maxShown)
}

// age returns how old an event is.
func age(d time.Duration) string {
	switch {
	case d == 0:
		return "age unknown"
	case d < time.Minute:
		return fmt.Sprintf("%ds old", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm old", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh old", int(d.Hours()))
	}
	return fmt.Sprintf("%dd old", int(d.Hours()/24))
}

// add prints the result of a message: after its line, or on the same line if there was no question.
// A reason that both would have is in one of them.
func (r *redriveReport) add(m redrive.Report) {
	discarded, result := slices.Contains(r.discards, m.MessageID), r.result(m)
	line, same := m.MessageID, m.Err != nil && sameReason(m.Why, m.Err.Error())
	switch shown := r.shown == m.MessageID; {
	case !shown && same:
		m.Why = ""
		line = itemLine(m.Item)
	case !shown:
		line = itemLine(m.Item)
	case same && len(m.Why) <= maxShown:
		result = "kept, for the same reason"
	}
	if r.asJSON {
		r.messages = append(r.messages, redrivenOf(r.queue, m, discarded))
		return
	}
	r.app.line("%s: %s", line, result)
}

// result returns the result of a message, and counts it.
func (r *redriveReport) result(m redrive.Report) string {
	if m.Err != nil {
		r.kept++
	} else {
		r.done++
	}
	switch {
	case slices.Contains(r.discards, m.MessageID):
		r.discards = slices.DeleteFunc(slices.Clone(r.discards), func(id string) bool { return id == m.MessageID })
		switch {
		case m.Err != nil:
			return "kept: " + printable(m.Err.Error())
		case r.dryRun:
			return "would be deleted, and its event not run"
		}
		return "deleted, and its event not run"
	case m.Never():
		r.never = append(r.never, m.MessageID)
		return "kept: it can never succeed: " + printable(m.Err.Error())
	case m.Err != nil:
		if m.Ended {
			r.ended = m.MessageID
		}
		return "kept: " + printable(m.Err.Error())
	case r.dryRun:
		return "would be " + verdict(m)
	}
	return string(m.Result.Status) + ": " + printable(reasonOf(m))
}

// verdict returns what a preview says of an event: its status, and why.
func verdict(m redrive.Report) string {
	status := string(m.Result.Status)
	switch {
	case m.Handled:
		status = "handled"
	case m.Result.Status == ecsdeploy.Planned:
		status = string(ecsdeploy.Deployed)
	}
	return status + ": " + printable(reasonOf(m))
}

// end prints the counts, and how to discard messages. Those that were kept are an error. failed
// is the error that ended the work before its end, nil for none.
func (r *redriveReport) end(failed error) error {
	if r.asJSON && (failed == nil || len(r.messages) > 0) {
		document := r.document(failed)
		defer func() { _ = printJSON(r.app.out, document) }()
	}
	if failed != nil {
		return failed
	}
	for _, id := range r.discards {
		r.app.note("no message %s is in the queue, or another receiver has it: try again in five minutes",
			printable(id))
	}
	done := "done"
	if r.dryRun {
		done = "would be done"
	}
	r.app.note("%s %s, %d kept", count(r.done, "message"), done, r.kept)
	switch {
	case len(r.never) > 0:
		r.app.note("%d can never succeed; to discard: %s", len(r.never),
			commandLine(append(slices.Clone(r.discard), strings.Join(r.never, ","))...))
	case r.ended != "":
		r.app.note("to discard a message that is not wanted any more: %s",
			commandLine(append(slices.Clone(r.discard), r.ended)...))
	}
	if r.kept > 0 || len(r.discards) > 0 {
		return errNotDone
	}
	return nil
}

// canAsk reports whether there is a person to ask: standard input is a terminal.
func (a *app) canAsk() bool {
	f, ok := a.in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull && !isNull(info)
}

// isNull reports whether a file is the null device, which is a character device too.
func isNull(info os.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(info, null)
}

// asker asks a person on the terminal.
type asker struct {
	app      *app
	discards bool        // whether to discard a message, not whether to run it
	lines    chan string // what the person types; closed at its end
}

// newAsker returns an asker. It reads standard input from the first question on.
func (a *app) newAsker(discards bool) *asker { return &asker{app: a, discards: discards} }

// ask asks about one message until there is an answer.
func (a *asker) ask(ctx context.Context, preview redrive.Report) (redrive.Answer, error) {
	if a.lines == nil {
		a.lines = make(chan string)
		go a.read()
	}
	question := "Discard it"
	if !a.discards {
		question = "Run it"
		fmt.Fprintf(a.app.err, "It would be %s\n", verdict(preview))
	}
	for {
		fmt.Fprintf(a.app.err, "%s? [y]es, [n]o, [a]ll, [q]uit: ", question)
		select {
		case <-ctx.Done():
			return redrive.Quit, context.Cause(ctx)
		case line, ok := <-a.lines:
			if !ok {
				return redrive.Quit, errors.New("the terminal was closed before the question was answered")
			}
			if answer, ok := answers[strings.ToLower(strings.TrimSpace(line))]; ok {
				return answer, nil
			}
		}
	}
}

// answers are what a person may type. Only an explicit yes runs anything.
var answers = map[string]redrive.Answer{
	"y": redrive.Yes, "yes": redrive.Yes, "a": redrive.All, "all": redrive.All,
	"n": redrive.No, "no": redrive.No, "q": redrive.Quit, "quit": redrive.Quit,
}

// read passes on what is typed, line by line.
func (a *asker) read() {
	defer close(a.lines)
	for scanner := bufio.NewScanner(a.app.in); scanner.Scan(); {
		a.lines <- scanner.Text()
	}
}
