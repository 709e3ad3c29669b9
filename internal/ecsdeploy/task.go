package ecsdeploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/fault"
	"deployer/internal/journal"
	"deployer/internal/pointer"
	"deployer/internal/signed"
)

const (
	// noteDelay is how long the note that a task was moved does not count: AWS may
	// still answer with what the pointer held before.
	noteDelay = 30 * time.Second
	// maxLookTries is how often a task is tried to be moved for one event before looks wait longer.
	maxLookTries = 4
	// maxLookWait is how long looks wait at most: what AWS refused may have been corrected.
	maxLookWait = 24 * time.Hour
	// maxConflicts is how often a pointer is read and written again because something
	// else changed it at the same time.
	maxConflicts = 8
)

// checkShared returns a fault if a task's pointer floats, and the family's newest revision
// was registered for another environment or task: a pointer that floats runs every
// revision of its family, and a deployment of one would deploy the other.
func (s *State) checkShared() error {
	if !s.rolls.Floats() || !s.target.Record(s.newest).Other {
		return nil
	}
	var floating []string
	for _, p := range s.pointers {
		if p.Floating() {
			floating = append(floating, p.String())
		}
	}
	return fault.Misconfigured(fault.ErrPointerUnusable, fmt.Sprintf("deploying %s", s.target),
		fmt.Errorf("%s runs every revision of family %q, and %s was registered for another task", strings.Join(floating,
			" and "), s.familyName, s.newest.ARN()),
		"write the number of a revision into the pointer, or give each environment a family of its own: "+
			"deployer.workloads."+strings.TrimPrefix(s.target.Workload, environment.TaskPrefix)+".family")
}

// rolloutsOf returns a task's pointers as the convergence rule takes the rollouts of a service.
func rolloutsOf(pointers []pointer.Pointer) (all converge.Service) {
	for _, p := range pointers {
		number := p.Revision()
		one := converge.Rollout{ID: fmt.Sprintf("%s@%d", p, number), Revision: number, Form: converge.Pinned}
		if p.Floating() {
			one.Form = converge.Floating
		}
		all = append(all, one)
	}
	return all
}

// trackFloating makes a revision the one that runs if a task's first pointer floats: it runs the
// newest revision.
func (s *State) trackFloating(newest ecsservice.Revision) {
	if len(s.pointers) == 0 || !s.pointers[0].Floating() || newest.Number() < s.number() {
		return
	}
	s.running = newest
	if newest.Number() >= s.unused {
		s.unused = 0
	}
}

// readPointers reads the task's pointers again, and the revision that the first one holds.
func (r *run) readPointers(ctx context.Context) (converge.Answer, error) {
	s := r.state
	pointers, err := r.deployer.services.Pointers(ctx, s.target)
	if err != nil {
		return converge.Answer{}, err
	}
	s.pointers, s.rolls = pointers, rolloutsOf(pointers)
	number := pointers[0].Revision()
	one, known := s.revisions[number]
	if !known && number > 0 {
		one, err = r.deployer.services.DescribeRevision(ctx, s.arn(number))
		switch {
		case err == nil:
			s.addRevision(one)
			known = true
		case !errors.Is(err, fault.ErrTaskDefinitionNotFound): // one that was deleted runs no more
			return converge.Answer{}, err
		}
	}
	if known && one.ARN() != "" { // else it is known that it was deleted
		s.running = one
	}
	return converge.Answer{Service: s.rolls}, nil
}

// movePointers makes the task's pinned pointers hold a revision. They were read right
// before. What they held is a part of the answer. If one cannot be moved, the others are.
func (r *run) movePointers(ctx context.Context, number int) (converge.Answer, error) {
	s := r.state
	arn := s.arn(number)
	replaced := rolloutsOf(s.pointers)
	var failed error // the first one
	for i, p := range s.pointers {
		if p.Floating() || p.Revision() == number {
			continue
		}
		switch err := r.deployer.services.MovePointer(ctx, s.target, p, arn); {
		case err == nil:
			s.pointers[i].TaskDefinition = arn
		case failed == nil && signed.Conflict(err): // what holds the others is read again, too
			return converge.Answer{}, fault.Adding(err, s.holders(number))
		case failed == nil:
			failed = err
		}
	}
	if failed != nil {
		return converge.Answer{}, fault.Adding(failed, s.holders(number))
	}
	s.rolls = rolloutsOf(s.pointers)
	for i, was := range replaced {
		if was.Form == converge.Pinned && was.Revision != s.rolls[i].Revision {
			was.Form = converge.Replaced
			s.rolls = append(s.rolls, was)
		}
	}
	s.running = s.revisions[number]
	if number == s.unused {
		s.unused = 0
	}
	s.readAt(r.deployer.now())
	return converge.Answer{Service: s.rolls}, nil
}

// holders says which of the task's pinned pointers hold a revision already, for the fault of
// one that could not be moved to it; "" if none does.
func (s *State) holders(number int) string {
	var names []string
	for _, p := range s.pointers {
		if p.Revision() == number {
			names = append(names, p.String())
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return ", after " + names[0] + ", which holds it"
	}
	return ", after " + strings.Join(names, " and ") + ", which hold it"
}

// conflict waits after a pointer could not be written because something else changed it at
// the same time. It reports whether to read and write it again.
func (r *run) conflict(ctx context.Context, err error) bool {
	if r.state.pointers == nil || !signed.Conflict(err) || r.conflicts >= maxConflicts {
		return false
	}
	r.conflicts++
	return fault.Backoff(ctx, r.conflicts, "moving a task", err) == nil
}

// ended returns the records of the revisions of a task whose move has to be reported, if the
// rule ended with the newest choice in its pointers: that of the choice, and of the
// revision that they hold. The choice's is the first.
func (s *State) ended(rule *converge.Delivery) (all []journal.Record) {
	if s.pointers == nil {
		return nil
	}
	m, settled := rule.Winner(s.family)
	if !settled || m.External {
		return nil
	}
	for _, r := range []ecsservice.Revision{s.revisions[m.Key.Number], s.running} {
		if r.TaskDefinition == nil {
			continue
		}
		record := s.target.Record(r)
		listed := slices.ContainsFunc(all, func(one journal.Record) bool { return one.Revision == record.Revision })
		if !record.Foreign && record.Outcome == "" && !listed {
			all = append(all, record)
		}
	}
	return all
}

// nextRun returns which revision the task's next run uses, and when it is due, for people.
func (s *State) nextRun() string {
	return fmt.Sprintf("the next run uses revision %d, %s", s.number(), NextRun(s.pointers, s.now))
}

// NextRun returns when a task with pointers runs next, for people: "due at 2026-01-23T03:00:00Z".
func NextRun(pointers []pointer.Pointer, now time.Time) string {
	var when []string
	for _, p := range pointers {
		next, known := p.Next(now)
		over := p.Over(now)
		switch {
		case p.Rule:
			when = append(when, "when "+p.TaskPointer.String()+" starts it")
		case p.Disabled:
			when = append(when, "when "+p.String()+", which is DISABLED, is enabled")
		case over != "":
			when = append(when, fmt.Sprintf("when %s, whose %s, has a later one", p, over))
		case known:
			when = append(when, "due at "+next.Format(time.RFC3339)+within(p.Window))
		default:
			when = append(when, "due by "+p.Expression)
		}
	}
	return strings.Join(slices.Compact(when), ", and ")
}

// within says how much later than it is due a run may start, "" if no later (user guide of EventBridge Scheduler,
// "Configuring flexible time windows").
func within(window time.Duration) string {
	if window == 0 {
		return ""
	}
	return fmt.Sprintf(", or up to %d min later", int(window.Minutes()))
}

// heldBack reports whether a look leaves a choice alone for now: AWS may refuse to move the task's pointers to it, and
// every try has registered a copy. After the first tries, each waits twice as long as all before it took, but
// maxLookWait at most.
func (s *State) heldBack(c converge.Choice) bool {
	var first, last time.Time
	tries := 0
	for n, r := range s.revisions {
		record := s.contentsOf(n, r).record
		if record.Foreign || record.Outcome != "" || journal.Value(record.Cause.ID) != c.Event {
			continue
		}
		if tries++; tries == 1 || r.Registered().Before(first) {
			first = r.Registered()
		}
		if r.Registered().After(last) {
			last = r.Registered()
		}
	}
	return tries >= maxLookTries && s.now.Sub(last) < min(2*last.Sub(first), maxLookWait)
}

// LookAtTask looks at a task: if its pointers do not hold the newest choice, that is
// completed. It returns the revisions whose move has to be noted, the newest choice's
// first. No event of AWS says that a pointer was moved, so a schedule leads to this.
func (d *Deployer) LookAtTask(ctx context.Context, t ecsservice.Target, o Order) (Deployment, error) {
	s, err := d.Read(ctx, t)
	if err != nil {
		return Deployment{}, err
	}
	unlock, waited, err := d.locks.lock(ctx, t.Cluster+"/"+t.Service, d.now())
	if err != nil {
		return Deployment{}, fault.Classify(fmt.Sprintf("waiting for another deployment of %s", t), err)
	}
	defer unlock()
	if waited {
		s.freshService, s.freshNewest = false, false
	}
	rule := converge.New(converge.Request{Rollout: "look", Delivery: journal.Value(o.Request)})
	r := d.newRun(ctx, s, o)
	r.look = true
	if err := r.carryOut(ctx, &rule); err != nil {
		return Deployment{}, err
	}
	return Deployment{Service: t.Workload, TaskDefinition: s.running.ARN(), PreviousTaskDefinition: s.before.ARN(),
		Ended: s.ended(&rule), Before: t.Record(s.before), NextRun: NextRun(s.pointers, s.now)}, nil
}
