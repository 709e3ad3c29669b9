package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// outcome is what came of a replay. The first four have to be 0.
type outcome struct {
	// lost counts the valid events of which their service's revisions do not
	// tell, neither by their own journal nor by that of a newer event; those of
	// which a delivery was ignored or rejected; and the deliveries that ended in
	// the failure queue.
	lost int
	// wrong counts the services that do not run the image of their newest valid
	// event, and the revisions that an event made which must not deploy.
	wrong int
	// downgrades counts the services that run the image of an older event than
	// another that they were moved to; and the UpdateServices that took a
	// service to an older event's image though it had been moved to a newer
	// event's before the attempt that made the call had made its first call. An
	// attempt that was under way already may overtake the newer one for a
	// moment, until its look mends it: that is not counted.
	downgrades int
	// duplicates counts the revisions of an event beyond the attempts at its deliveries.
	duplicates int

	services, events, valid, effective, deliveries, attempts int
	calls, faults, registers, rollouts                       int
	took                                                     time.Duration
	logged                                                   map[string]int
}

// judge finds out what came of the events; requests are the request ids of
// each one's deliveries.
func (b *bench) judge(ctx context.Context, events []happening, requests map[string][]string) (*outcome, error) {
	if len(b.witness.began) == 0 {
		return nil, errors.New("no call had a trace id: which attempt made which call cannot be told")
	}
	o := &outcome{services: b.services, events: len(events), lost: len(b.failed), logged: b.logged}
	for _, c := range b.aws.Calls() {
		o.calls++
		switch {
		case c.Error != "":
			o.faults++
		case c.Operation == "RegisterTaskDefinition":
			o.registers++
		}
	}
	attempts := b.attempts()
	tries := map[string]int{} // by event
	for event, ids := range requests {
		for _, id := range ids {
			tries[event] += attempts[id]
			o.attempts += attempts[id]
		}
	}
	for i := range b.services {
		one := career{tries: tries, refused: b.refused}
		for _, h := range events {
			if h.service == i {
				one.events = append(one.events, h)
			}
		}
		for _, m := range b.witness.moves {
			if m.service == ecsName(i) {
				one.moves = append(one.moves, m)
			}
		}
		var err error
		if one.revisions, one.running, err = journal(ctx, b.account, i); err != nil {
			return nil, err
		}
		o.add(one)
	}
	return o, nil
}

// career is what is known of one service after a replay.
type career struct {
	events    []happening     // the valid ones, by time
	tries     map[string]int  // the attempts at the deliveries of an event, by its id
	refused   map[string]bool // the ids of events of which a delivery was ignored or rejected
	revisions []entry         // by number from 1
	running   int             // the revision that runs in the end
	moves     []move
}

// add adds how one service fared.
func (o *outcome) add(c career) {
	o.valid += len(c.events)
	o.lost += c.lost()
	o.wrong += c.wrong()
	o.downgrades += c.downgrades()
	o.duplicates += c.duplicates()
	o.rollouts += len(c.moves)
	effective := map[string]bool{}
	for _, m := range c.moves {
		effective[c.revisions[m.revision-1].event] = true
	}
	o.effective += len(effective)
}

func (c career) lost() (n int) {
	var told time.Time // up to when some revision tells of an event
	for _, r := range c.revisions {
		if r.at.After(told) {
			told = r.at
		}
	}
	for _, h := range c.events {
		if h.at.After(told) || c.refused[h.id] {
			n++
		}
	}
	return n
}

func (c career) wrong() (n int) {
	if len(c.events) == 0 {
		if c.running != 1 {
			n++
		}
	} else if newest := c.events[len(c.events)-1]; !strings.HasSuffix(c.revisions[c.running-1].image, "@"+newest.image) {
		n++
	}
	for _, r := range c.revisions[1:] {
		if !slices.ContainsFunc(c.events, func(h happening) bool { return h.id == r.event && h.at.Equal(r.at) }) {
			n++
		}
	}
	return n
}

func (c career) downgrades() (n int) {
	// better reports whether what m brought is newer than revision r, and another image.
	better := func(m move, r entry) bool {
		to := c.revisions[m.revision-1]
		return to.at.After(r.at) && to.image != r.image
	}
	if slices.ContainsFunc(c.moves, func(m move) bool { return better(m, c.revisions[c.running-1]) }) {
		n++
	}
	for _, m := range c.moves {
		to := c.revisions[m.revision-1]
		if slices.ContainsFunc(c.moves, func(before move) bool { return before.landed.Before(m.began) && better(before, to) }) {
			n++
		}
	}
	return n
}

func (c career) duplicates() (n int) {
	made := map[string]int{}
	for _, r := range c.revisions[1:] {
		made[r.event]++
	}
	for event, revisions := range made {
		n += max(0, revisions-c.tries[event])
	}
	return n
}

// check returns an error unless all that has to be 0 is.
func (o *outcome) check() error {
	if o.lost+o.wrong+o.downgrades+o.duplicates > 0 {
		return fmt.Errorf("%d lost, %d wrong, %d downgrades, %d duplicate registers: all have to be 0", o.lost, o.wrong, o.downgrades, o.duplicates)
	}
	return nil
}
