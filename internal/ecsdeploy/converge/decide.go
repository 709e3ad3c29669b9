package converge

import "slices"

// decide decides what to do after reads or a registration.
func (d *Delivery) decide(k *known) {
	switch d.phase {
	case starting:
		d.start(k)
	case registered:
		d.compareGap(k)
	case reread, looked:
		d.compare(k)
	case verified:
		d.verify(k)
	}
}

// end ends the delivery. An outcome that it has is kept.
func (d *Delivery) end(o Outcome) {
	d.phase = done
	if d.outcome == 0 {
		d.outcome = o
	}
}

// completeWithCopy registers a copy of a choice, and moves the service to that: the choice was
// overwritten, only journaled, or left unfinished. The service is never moved to a
// revision that another delivery registered, because that could have been rolled out
// before. Its second rollout would look like an external choice, newer than all events.
func (d *Delivery) completeWithCopy(c Choice) {
	d.copies, d.phase = c, registering
	if !c.is(d.request.Event) {
		d.outcome = Superseded
	}
}

// keepChoice registers a copy of a choice that runs, so that its time stays known. The
// service is not moved, unless it was meanwhile.
func (d *Delivery) keepChoice(c Choice) { d.copies, d.phase = c, registering }

// unrecorded reports whether only ECS's list of rollouts shows a choice: an external
// rollout that one of the deployer's own replaced. ECS soon lists it no more, and an
// older event that comes later would win.
func (k *known) unrecorded(m Choice) bool {
	return m.External && !k.rolls.pointers() && m.Event != k.rolls[0].ID
}

// start decides after the first reads whether there is anything to do.
func (d *Delivery) start(k *known) {
	m, event := k.winner(), d.request.Event
	ofThisEvent := m.is(event)
	newer := event != "" && !ofThisEvent && m.Less(Choice{Key: Key{Time: d.request.Time}})
	if (newer || ofThisEvent && !k.settled(m)) && !k.since(d.request.Time) {
		return
	}
	switch {
	case event != "" && k.failedEvents()[event]:
		d.end(Failed)
	case newer:
		d.phase = registering
	case k.settled(m) && event == "" && k.unrecorded(m):
		d.keepChoice(m)
	case k.settled(m):
		d.end(d.settledOutcome(m))
	case ofThisEvent:
		d.resume(k, m)
	case k.due(m, event == "") && !m.External && d.awaits(k, m.Event):
		d.wait()
	case k.due(m, event == ""):
		d.completeWithCopy(m)
	default:
		d.end(Superseded)
	}
}

// settledOutcome returns the outcome of a delivery that finds a winner that runs.
func (d *Delivery) settledOutcome(m Choice) Outcome {
	switch {
	case m.is(d.request.Event):
		return Repeated
	case m.Image == d.request.Image:
		return Unchanged
	}
	return Superseded
}

// resume completes the deployment of the request's event, which another delivery, or
// an earlier try of this one, left unfinished. If it may still be in progress,
// it first waits.
func (d *Delivery) resume(k *known, m Choice) {
	r, _ := k.family(m.Key.Number)
	switch {
	case d.lost > 0 && r.Number > d.lost && r.Delivery == d.request.Delivery:
		d.number, d.base, d.phase = r.Number, r.Base, registered // the registration took effect
	case d.awaits(k, m.Event):
		d.wait()
	default:
		d.completeWithCopy(m)
	}
}

// awaits reports whether another delivery may be about to move the service to a revision
// of an event, so that it is waited for. If it takes longer, the service is moved anyway.
func (d *Delivery) awaits(k *known, event string) bool {
	for n := k.newest; n > 0 && d.waits < maxWaits; n-- {
		r, ok := k.family(n)
		if !ok {
			break
		}
		if r.Own && r.New && r.Event == event && r.Delivery != d.request.Delivery && !k.rolls.lists(n) {
			return true
		}
	}
	return false
}

// awaitsUnseen reports whether a pointer of a task holds a revision that ECS may show soon: others may have just chosen
// it. Then the pointers are read again before they are written.
func (d *Delivery) awaitsUnseen(k *known) bool {
	unseen := func(p Rollout) bool { r, _ := k.at(p.Revision); return r.Unseen }
	return d.waits < maxWaits && slices.ContainsFunc(k.rolls.current(), unseen)
}

// wait starts the delivery again, after a while.
func (d *Delivery) wait() {
	d.restart()
	d.waits++
}

// compareGap decides after a registration whether to move the service to it. A newer
// choice in the gap between the base and the revision has its own delivery, which
// moves the service.
func (d *Delivery) compareGap(k *known) {
	m, event := k.winner(), d.event()
	if k.rolls.pointers() {
		d.comparePointers(k, m, m.is(event))
		return
	}
	switch {
	case k.rolls.lists(d.number): // the answer to the move was lost
		d.moved()
	case event == d.request.Event && k.failedEvents()[event]:
		d.end(Failed)
	case !m.is(event) && k.ofCommand(m):
		d.wait() // if the command died or was denied, this one completes it
	case !m.is(event):
		d.end(Superseded)
	case d.copies.Key.Number == 0 && k.twin(d.number):
		d.wait() // the other delivery moves the service; if it died, or the move undid anything, this one completes it
	case k.settled(m):
		d.phase = rereading
	default:
		d.phase = updating
	}
}

// event returns the event of what the delivery registers.
func (d *Delivery) event() string {
	if d.copies.Key.Number > 0 {
		return d.copies.Event
	}
	return d.request.Event
}

// twin reports whether another delivery of a revision's event registered a revision
// in the gap before it.
func (k *known) twin(number int) bool {
	r, ok := k.at(number)
	if !ok {
		return false
	}
	gap, _ := k.gap(r)
	for _, one := range gap {
		if one.Own && one.Event == r.Event && one.Delivery != r.Delivery {
			return true
		}
	}
	return false
}

// compare decides, after the service or the newest revision was read again, whether
// the service has to be moved.
func (d *Delivery) compare(k *known) {
	m := k.winner()
	again := d.phase == reread // the service; else the newest revision
	switch {
	case again && k.rolls.pointers() && k.settled(m) && !m.is(d.event()):
		d.end(Superseded)
		return
	case k.settled(m) && k.unrecorded(m):
		d.keepChoice(m)
		return
	case k.settled(m):
	case again && m.Key.Number == d.number && !m.External && d.awaitsUnseen(k):
		d.waits++
		d.pauses, d.phase = true, rereading
		return
	case again && m.Key.Number == d.number && !m.External:
		d.phase = updating
		return
	case m.is(d.request.Event) || k.due(m, d.request.Event == ""):
		if len(k.unread) > 0 || !k.since(m.Key.Time) {
			return
		}
		d.copies, d.phase = m, verifying
		if again {
			d.completeWithCopy(m)
		}
		return
	}
	if again {
		d.phase = looking
		return
	}
	d.end(Unchanged)
}

// verify decides on a repair after the service was read again. What was seen
// overwritten stays known, even if ECS no longer lists it.
func (d *Delivery) verify(k *known) {
	m := k.winner()
	if m.Less(d.copies) {
		m = d.copies
	}
	switch {
	case k.settled(m) && k.unrecorded(m):
		d.keepChoice(m)
		return
	case k.settled(m):
		d.end(Unchanged)
		return
	}
	if (k.rolls.pointers() || k.ofCommand(m)) && !m.External && d.awaits(k, m.Event) {
		d.waits++ // another delivery is about to move the task or the service
		d.phase = verifying
		return
	}
	d.completeWithCopy(m)
}

// due reports whether to complete a choice of another event. A look completes any. A
// delivery completes only one that no other delivery is about to complete: an external
// one that was overwritten, one that was rolled out and overwritten, one that was only
// journaled because its image ran, or so long ago that its delivery died, or one of a
// command. What was superseded by an event whose rollout failed is not brought back.
func (k *known) due(m Choice, look bool) bool {
	if k.failedAfter(m) {
		return false
	}
	if m.External || look || k.rolls.pointers() { // of a move of a task, ECS sends no event that leads to a look
		return true
	}
	r, _ := k.at(m.Key.Number)
	if r.Copy || r.Old || r.Command || r.Rollout != "" || k.rolls.lists(r.Number) {
		return true
	}
	if r.Demand != AnyConfiguration || r.Previous == 0 {
		return false
	}
	ran, _ := k.at(r.Previous)
	return ran.Image == r.Image
}

// ofCommand reports whether a choice is one of a person's command. No one repeats a command
// that died or was denied, and what was superseded by it would be lost with it. So another
// delivery completes it.
func (k *known) ofCommand(m Choice) bool {
	r, _ := k.at(m.Key.Number)
	return !m.External && r.Command
}

// registration returns what to register.
func (d *Delivery) registration(k *known) Registration {
	r := Registration{Copy: d.copies, Base: k.newest, Summary: k.own(k.external()).Key}
	r.Seen, r.Clone = k.configuration()
	r.Configuration = r.Seen
	switch {
	case d.copies.Demand == SameConfiguration && d.copies.Key.Number > 0:
		r.Clone, r.Configuration = d.copies.Key.Number, d.copies.Configuration
		k.at(r.Clone)
	case d.request.FromRunning:
		runs, _ := k.at(k.rolls.runs())
		r.Clone, r.Configuration = runs.Number, runs.configuration()
	}
	return r
}
