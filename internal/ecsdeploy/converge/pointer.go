package converge

// Form is the form of a [Rollout].
type Form int

// The forms. A workload that runs as a service has rollouts. A task has pointers, such as a
// schedule, which only show the revision that they hold now: their ids and dates are not
// known.
const (
	OfService Form = iota // a deployment of an ECS service
	Pinned                // a pointer that holds the number of a revision
	Floating              // a pointer that holds none: it runs the family's newest revision
	Replaced              // what a pinned pointer held before this delivery moved it
)

// pointers reports whether the workload is a task.
func (s Service) pointers() bool { return len(s) > 0 && s[0].Form != OfService }

// Floats reports whether a pointer runs the newest revision: registering one moves it.
func (s Service) Floats() bool {
	for _, p := range s {
		if p.Form == Floating {
			return true
		}
	}
	return false
}

// resolved returns the pointers with the revision that the floating ones run.
func (s Service) resolved(newest int) Service {
	if !s.Floats() {
		return s
	}
	all := append(Service{}, s...)
	for i := range all {
		if all[i].Form == Floating {
			all[i].Revision = newest
		}
	}
	return all
}

// current returns what the workload runs: what each pointer holds, or the revision of the
// service's newest rollout.
func (s Service) current() Service {
	if !s.pointers() {
		return s[:1]
	}
	for i, p := range s {
		if p.Form == Replaced {
			return s[:i]
		}
	}
	return s
}

// holds reports whether all pointers hold a revision, or a rollout of it is listed.
func (s Service) holds(revision int) bool {
	if !s.pointers() {
		return s.lists(revision)
	}
	for _, p := range s.current() {
		if p.Revision != revision {
			return false
		}
	}
	return true
}

const second = int64(1e9)

// chosen returns the newest external choice of a task: what a person or a tool made a
// pointer hold. That is a revision of others, or one of the deployer's own to which the
// task was moved once, and from which it was moved on since: a delivery only moves a task
// to a revision that it has just registered.
//
// When it was chosen is not known. It was after the last move that the deployer has noted,
// and after the registration of the revision: the later one of these is its date, cut to
// the second as the times of events are.
func (k *known) chosen() (newest Choice) {
	for _, p := range k.rolls {
		r, ok := k.at(p.Revision)
		if !ok {
			return Choice{}
		}
		if p.Revision == 0 || r.Gone || r.Own && r.Ended == 0 {
			continue // in another family or of no image, or a delivery has not noted yet that it moved the task
		}
		moved, ok := k.movedOn(r)
		if !ok {
			return Choice{}
		}
		if r.Own && moved == 0 {
			continue
		}
		at := max(r.Registered, moved)
		c := Choice{Key: Key{at - at%second, r.Number}, External: true, Event: p.ID, Image: r.Image,
			Demand: SameConfiguration, Configuration: r.configuration()}
		if newest.Key.Number == 0 || newest.Less(c) {
			newest = c
		}
	}
	return newest
}

// movedOn returns when the task was last moved to one of the deployer's own revisions above
// another one, as the journals have it; 0 if that is not known. It passes at most
// maxExternal external revisions.
func (k *known) movedOn(from Revision) (at int64, ok bool) {
	external := 0
	for n := k.newest; n > from.Number && external < maxExternal; n-- {
		r, known := k.at(n)
		switch {
		case !known:
			k.span(max(from.Number, n-1-readAhead), n)
			return 0, false
		case r.Own && r.Ended > 0:
			return r.Ended, true
		case !r.Own:
			external++
		}
	}
	return 0, true
}

// comparePointers decides after a registration for a task. Won says that the winner m is of the
// registration's event. A pointer that runs the revision already, because it floats
// or because the answer to its move was lost, is repaired if another choice won.
func (d *Delivery) comparePointers(k *known, m Choice, won bool) {
	switch {
	case won && d.copies.Key.Number == 0 && k.twin(d.number):
		d.wait()
	case won && k.rolls.holds(d.number):
		d.moved()
	case won:
		d.phase = rereading // the pointers are read right before they are written
	case k.settled(m) || !k.rolls.Floats() && !k.rolls.current().lists(d.number):
		d.end(Superseded)
	default:
		d.outcome, d.copies, d.phase = Superseded, m, verifying
	}
}

// Winner returns the newest choice, and whether all of the workload runs it, as far as the
// delivery knows at its end.
func (d *Delivery) Winner(family Family) (winner Choice, settled bool) {
	if d.rolls == nil {
		return Choice{}, false
	}
	newest := max(d.newest, d.rolls.runs())
	k := &known{family: family, rolls: d.rolls.resolved(newest), newest: newest}
	m := k.winner()
	return m, m.Key.Number > 0 && k.settled(m) && len(k.unread) == 0
}
