package converge

// OwnRollout is the longest time from the registration of a revision to the
// deployer's own rollout of it, in nanoseconds. One invocation does both, and the
// function's timeout is 240 seconds. A later rollout is an external choice.
const OwnRollout = int64(5 * 60 * 1e9)

// oldestGap is the longest time from the registration of a revision in the gap before
// another one to the registration of that, in nanoseconds: the max timeout that Lambda
// allows a function. The search of a gap ends at the first older revision after
// gapAhead others, whatever the base says, because a tag may be edited.
const oldestGap = int64(15 * 60 * 1e9)

// maxExternal is how many external revisions the search for the journal of a failed
// revision passes. If it finds none, a rollback that ECS does not mark as one counts
// as a choice.
const maxExternal = 20

// How many revisions are read at the same time: in a gap, and where no journal sums up
// the earlier ones.
const (
	gapAhead  = 16
	readAhead = 8
)

// known is what is known when the rule decides: the service's rollouts, the newest
// revision, and the revisions that were read. After each read the rule decides again.
// What it needs and does not have is unread.
type known struct {
	family Family
	rolls  Service
	newest int
	unread []int
	origin string // the id of a rollout whose origin has to be read first; "" if there is none
}

// at returns a revision; ok is false if it has to be read first.
func (k *known) at(number int) (r Revision, ok bool) {
	if r, ok = k.family(number); !ok {
		k.unread = append(k.unread, number)
	}
	return r, ok
}

// span reports whether all revisions between two numbers, both excluded, are known.
func (k *known) span(low, high int) bool {
	all := true
	for n := high - 1; n > low; n-- {
		if _, ok := k.at(n); !ok {
			all = false
		}
	}
	return all
}

// gap returns the revisions between the base of one of the deployer's own revisions and
// that revision: its delivery had not read them. There are as many as deliveries
// registered at the same time. The number has no bound, but their age has: oldestGap.
func (k *known) gap(r Revision) (all []Revision, ok bool) {
	for n := r.Number - 1; n > r.Base; n-- {
		one, known := k.family(n)
		switch {
		case !known:
			k.span(max(r.Base, n-gapAhead), n+1)
			return nil, false
		case len(all) >= gapAhead && one.Registered > 0 && one.Registered < r.Registered-oldestGap:
			return all, true
		}
		all = append(all, one)
	}
	return all, true
}

// winner returns the newest choice; its key is zero if there is none. If revisions
// have to be read first, the result is not valid.
func (k *known) winner() Choice {
	external := k.external()
	own := k.own(external)
	if own.Key.Number == 0 || external.Key.Number > 0 && own.Less(external) {
		return external
	}
	return own
}

// isOwnRollout reports whether the deployer made a listed rollout: the first of one of its own
// revisions, not long after that was registered.
func (k *known) isOwnRollout(i int, r Revision) bool {
	roll := k.rolls[i]
	switch {
	case roll.Rollback, !r.Own, roll.Created-r.Registered > OwnRollout:
		return false
	case r.Rollout != "" && r.Rollout != roll.ID:
		return false
	}
	return !k.rolls[i+1:].lists(roll.Revision)
}

// external returns the newest external rollout that is listed. It counts even if the
// deployer's own rollouts replaced it. A rollback by ECS is not a choice; if it
// restored an external revision, that counts with its registration.
func (k *known) external() Choice {
	if k.rolls.pointers() {
		return k.chosen()
	}
	var newest int64 // the newest event that is known to have been rolled out
	for i, roll := range k.rolls {
		if i > 0 && roll.Created <= newest || roll.Revision == 0 {
			continue // an older choice than that event; or one that is in another family
		}
		r, ok := k.at(roll.Revision)
		if !ok {
			return Choice{}
		}
		if k.isOwnRollout(i, r) {
			if !r.Failed {
				newest = max(newest, r.Time)
			}
			continue
		}
		c := Choice{Key: Key{roll.Created, roll.Revision}, External: true, Event: roll.ID, Image: r.Image,
			Demand: SameConfiguration, Configuration: r.configuration()}
		switch back := k.rollback(roll); {
		case back && r.Own:
			return Choice{}
		case back:
			c.Key.Time = r.Registered
		}
		return c
	}
	return Choice{}
}

// rollback reports whether a rollout is a rollback by ECS: ECS says so, or the journal
// of the revision that failed, which is a newer one than the rollout restored. If
// neither is known of a revision that may have failed, the rollout's origin is read.
func (k *known) rollback(roll Rollout) bool {
	if roll.Rollback || roll.Origin == ByFailure || roll.Origin == ByMove {
		return roll.Rollback || roll.Origin == ByFailure
	}
	external := 0
	for n := k.newest; n > roll.Revision && external < maxExternal; n-- {
		r, ok := k.at(n)
		if ok && !r.Own {
			external++
		}
		switch {
		case !ok:
			k.span(max(roll.Revision, n-1-readAhead), n)
			return false
		case r.Own && r.RolledBackBy != "" && r.RolledBackBy == roll.ID:
			return true
		case r.Own && r.Ended > 0 && r.Ended < roll.Created:
			return false // its rollout ended before, and so did all earlier ones
		case !r.Other && r.RolledBackBy == "" && r.Registered < roll.Created && roll.Origin == NotRead && roll.ID != "":
			k.origin = roll.ID
			return false
		}
	}
	return false
}

// own returns the newest choice of the deployer's own revisions. Those that were
// registered before an external choice are left out: that was made later.
//
// The search reads the newest revision, and then those that no journal sums up. It
// ends at the deployer's own revision that runs: none below it was newer when its
// delivery moved the service to it.
func (k *known) own(external Choice) (m Choice) {
	failed, since := k.failedEvents(), external.Key.Time
	counts := func(r Revision) bool {
		return r.Own && !r.Failed && !failed[r.Event] && r.Registered >= since
	}
	consider := func(r Revision) {
		if c := choiceOf(r); counts(r) && (m.Key.Number == 0 || m.Less(c)) {
			m = c
		}
	}
	for n := k.newest; n > 0; {
		r, ok := k.at(n)
		if !ok {
			return Choice{}
		}
		consider(r)
		if r.Registered > 0 && r.Registered < since || !r.Own && n == external.Key.Number {
			return m
		}
		if !r.Own {
			k.ahead(n)
			n--
			continue
		}
		gap, ok := k.gap(r)
		if !ok {
			return Choice{}
		}
		for _, one := range gap {
			consider(one)
		}
		if n == k.rolls.runs() && !r.Failed || !m.Key.Less(r.Summary) {
			return m
		}
		best, ok := k.at(r.Summary.Number)
		if !ok {
			return Choice{}
		}
		if counts(best) {
			consider(best)
			return m
		}
		n = r.Base // the best one failed later: search for the second best
	}
	return m
}

// ahead asks for some of the revisions below a number together, down to the one that
// runs.
func (k *known) ahead(n int) {
	k.span(max(0, k.rolls.runs()-1, n-1-readAhead), n)
}

// failedEvents returns the events of known revisions whose rollout failed. All
// revisions of such an event count as failed, copies too.
func (k *known) failedEvents() map[string]bool {
	var failed map[string]bool
	for n := k.newest; n > 0; n-- {
		r, ok := k.family(n)
		if !ok {
			break
		}
		if r.Own && r.Failed {
			if failed == nil {
				failed = map[string]bool{}
			}
			failed[r.Event] = true
		}
	}
	return failed
}

// since reports whether all revisions that were registered at a time or later are
// known. All revisions of an event of that time are among them.
func (k *known) since(at int64) bool {
	for n := k.newest; n > 0; n-- {
		r, ok := k.at(n)
		switch {
		case !ok:
			k.ahead(n)
			return false
		case r.Registered < at && r.Registered > 0:
			return true
		}
	}
	return true
}

// failedAfter reports whether the rollout of a known event failed that is newer than
// a choice.
func (k *known) failedAfter(c Choice) bool {
	for n := k.newest; n > 0; n-- {
		r, ok := k.family(n)
		if !ok {
			return false
		}
		if r.Own && r.Failed && c.Less(choiceOf(r)) {
			return true
		}
	}
	return false
}
