package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"text/tabwriter"
	"time"

	"deployer/internal/emulator"
)

// outcome is what came of a replay. The first four have to be 0.
type outcome struct {
	lost       int // valid events of which no revision tells, neither theirs nor a newer one's; and deliveries that failed for good
	wrong      int // services that do not run the image of their newest valid event
	downgrades int // services whose last move was to a revision of an older event than one that they were moved to before
	duplicates int // revisions of an event beyond the attempts at its deliveries

	services, events, valid, deliveries, attempts, calls, registers, updates, moves int
	faults                                                                          int
	took                                                                            time.Duration
	statuses                                                                        map[string]int
}

// runReplay delivers events in disorder through eight processes, with faults:
// 5 % of the calls that throttled names are throttled, 2 % of all meet a server
// fault, and of 1 % the answer is lost after they took effect.
func runReplay(ctx context.Context, root string, services, deliveries int, seed uint64, throttled ...string) (fmt.Stringer, error) {
	behind := func() time.Time { return time.Now().Add(-2 * time.Minute) }
	b, err := newBench(ctx, root, services, 8, emulator.Options{Clock: behind, RolloutStep: time.Millisecond}, `latest, "git-*"`)
	if err != nil {
		return nil, err
	}
	defer b.close()
	m := &maker{bench: b, Rand: rand.New(rand.NewPCG(seed, 1)), services: services, begin: time.Now().Add(-time.Minute)}
	events, err := m.make(ctx, deliveries)
	if err != nil {
		return nil, err
	}
	queue := shuffled(events, deliveries, m.Rand)
	b.aws.ResetCalls()
	for _, operation := range throttled {
		b.aws.Inject(emulator.Fault{Operation: operation, Share: 0.05, Error: emulator.Throttled()})
	}
	b.aws.Inject(emulator.Fault{Operation: "*", Share: 0.02, Error: emulator.ServerFault()})
	b.aws.Inject(emulator.Fault{Operation: "*", Share: 0.01, Drop: emulator.DropAfter})
	began := time.Now()
	requests := map[string][]string{} // the request ids of each event's deliveries
	for _, h := range queue {
		id, err := b.function.InvokeAsync(h.raw)
		if err != nil {
			return nil, err
		}
		requests[h.id] = append(requests[h.id], id)
	}
	if err := b.function.Wait(ctx); err != nil {
		return nil, err
	}
	o := &outcome{services: services, events: len(events), deliveries: len(queue), took: time.Since(began), statuses: b.statuses}
	b.aws.ClearFaults()
	return o, b.judge(ctx, o, events, requests)
}

// shuffled returns so many deliveries of events, each one to five times, in disorder.
func shuffled(events []happening, deliveries int, dice *rand.Rand) []happening {
	queue := append([]happening(nil), events...)
	for len(queue) < deliveries {
		again := events[dice.IntN(len(events))]
		queue = append(queue, again)
	}
	dice.Shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })
	return queue
}

// judge fills the outcome, and returns an error if it is not what it has to be.
func (b *bench) judge(ctx context.Context, o *outcome, events []happening, requests map[string][]string) error {
	attempts := b.attempts()
	for _, c := range b.aws.Calls() {
		o.calls++
		switch {
		case c.Error != "":
			o.faults++
		case c.Operation == "RegisterTaskDefinition":
			o.registers++
		case c.Operation == "UpdateService":
			o.updates++
		}
	}
	for _, n := range attempts {
		o.attempts += n
	}
	o.lost = len(b.failed)
	moves := b.moves()
	for i := range o.services {
		revisions, running, err := b.journal(ctx, i)
		if err != nil {
			return err
		}
		o.judgeService(i, events, requests, attempts, revisions, running, moves[ecsName(i)])
	}
	if o.lost+o.wrong+o.downgrades+o.duplicates > 0 {
		return fmt.Errorf("%d lost, %d wrong, %d downgrades, %d duplicate registers: all have to be 0", o.lost, o.wrong, o.downgrades, o.duplicates)
	}
	return nil
}

// judgeService judges how one service ended.
func (o *outcome) judgeService(i int, events []happening, requests map[string][]string, attempts map[string]int, revisions []entry, running int, moves []int) {
	var newest happening
	told := revisions[0].at // the time up to which some revision tells of an event
	made := map[string]int{}
	for _, r := range revisions {
		if r.at.After(told) {
			told = r.at
		}
		made[r.event]++
	}
	for _, h := range events {
		if h.service != i {
			continue
		}
		o.valid++
		if h.at.After(newest.at) {
			newest = h
		}
		if h.at.After(told) {
			o.lost++
		}
		tries := 0
		for _, id := range requests[h.id] {
			tries += attempts[id]
		}
		o.duplicates += max(0, made[h.id]-tries)
	}
	if newest.id != "" && !strings.HasSuffix(revisions[running-1].image, newest.image) {
		o.wrong++
	}
	o.moves += len(moves)
	if len(moves) > 0 {
		last := revisions[moves[len(moves)-1]-1]
		for _, n := range moves {
			if r := revisions[n-1]; r.at.After(last.at) && r.image != last.image {
				o.downgrades++
				break
			}
		}
	}
}

// String returns the outcome as a table.
func (o *outcome) String() string {
	var s strings.Builder
	w := tabwriter.NewWriter(&s, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(format string, args ...any) { fmt.Fprintf(w, format+"\t\n", args...) }
	row("lost\t%d", o.lost)
	row("wrong\t%d", o.wrong)
	row("downgrades\t%d", o.downgrades)
	row("duplicate registers\t%d", o.duplicates)
	row("services\t%d", o.services)
	row("events\t%d", o.events)
	row("of them valid\t%d", o.valid)
	row("deliveries\t%d", o.deliveries)
	row("attempts\t%d", o.attempts)
	row("API calls\t%d", o.calls)
	row("calls that met a fault\t%d", o.faults)
	row("API calls per event\t%.2f", float64(o.calls)/float64(o.events))
	row("revisions registered\t%d", o.registers)
	row("services moved\t%d", o.moves)
	row("seconds\t%.1f", o.took.Seconds())
	row("deliveries per second\t%.0f", float64(o.deliveries)/o.took.Seconds())
	for _, status := range []string{"deployment deployed", "deployment unchanged", "deployment superseded", "deployment failed", "event ignored", "event rejected"} {
		row("%s\t%d", status, o.statuses[status])
	}
	w.Flush()
	return s.String()
}
