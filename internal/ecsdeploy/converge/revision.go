// Package converge is the rule by which several deployments to one service
// converge: in the end the service runs the image of the newest event, although
// events arrive in any order, more than once and at the same time. It needs no
// lock. ECS has no compare-and-swap, but revision numbers only grow, and
// revisions never change.
//
// The package is pure. A [Deployer] returns the calls to make, and takes their
// answers. Its tests check it as a model: every interleaving of the calls of
// several deployers, with crashes anywhere.
package converge

// Key orders the revisions of a family: by the time of their events, then by
// number. The zero Key comes before all others.
type Key struct {
	Time   int64 // of the event, in nanoseconds since 1970
	Number int   // of the revision
}

// Less reports whether k comes before o.
func (k Key) Less(o Key) bool {
	if k.Time != o.Time {
		return k.Time < o.Time
	}
	return k.Number < o.Number
}

// Revision is what the rule needs to know of a task definition revision.
type Revision struct {
	Number int
	Event  string // the event that it was registered for; "" for a foreign one, which another tool registered
	Time   int64  // of the event; for a foreign revision, of its registration
	Image  string // two revisions with the same text run the same image
	// Base is the newest revision that its deployer had read, and Best the key of
	// the winner up to Base. They sum up all earlier revisions, so that the newest
	// one is enough to find the winner. Both are zero for a foreign revision.
	Base int
	Best Key
	Dead bool // its rollout failed, or it is INACTIVE: it cannot win
	Old  bool // it was registered so long ago that no deployment to it can still be in progress
}

// Key returns the revision's key.
func (r Revision) Key() Key { return Key{r.Time, r.Number} }

// Family returns what is known of the family's revision with a number. Known is
// false for one that has to be read first.
type Family func(number int) (r Revision, known bool)

// maxRead is how many revisions are read at most to find the winner. Revisions
// older than that do not count.
const maxRead = 20

// winner returns the revision with the greatest key among those up to newest, or
// the number of a revision that has to be read first. A revision counts if it is
// not dead; a foreign one counts only while the service runs it. If there is no
// winner, the number of m is 0.
func winner(family Family, newest, running int) (m Revision, read int) {
	counts := func(r Revision) bool { return !r.Dead && (r.Event != "" || r.Number == running) }
	consider := func(number int) (r Revision, known bool) {
		r, known = family(number)
		if known && counts(r) && m.Key().Less(r.Key()) {
			m = r
		}
		return r, known
	}
	newest = max(newest, running)
	if running > 0 { // it may be foreign and old
		if _, known := consider(running); !known {
			return m, running
		}
	}
	for n, steps := newest, 0; n > 0 && steps < maxRead; steps++ {
		r, known := consider(n)
		switch {
		case !known:
			return m, n
		case r.Event == "" && n == running:
			return m, 0 // it was registered after all others
		case r.Event == "":
			n-- // it has no journal that sums up the earlier ones
			continue
		}
		for between := n - 1; between > r.Base; between-- {
			if steps++; steps >= maxRead {
				break
			}
			if _, known := consider(between); !known {
				return m, between
			}
		}
		if !m.Key().Less(r.Best) {
			return m, 0
		}
		best, known := family(r.Best.Number)
		switch {
		case !known:
			return m, r.Best.Number
		case counts(best):
			return best, 0
		}
		n = r.Base // the best no longer counts: search for the second best
	}
	return m, 0
}

// first returns the earliest known revision of m's event. Simultaneous deliveries
// of one event each register a revision. All of them move the service to the
// first, so that there is one rollout.
func first(family Family, m Revision) Revision {
	for n := m.Number - 1; n > 0 && n > m.Number-maxRead; n-- {
		if r, known := family(n); known && r.Event != "" && r.Event == m.Event && r.Image == m.Image && !r.Dead {
			m = r
		}
	}
	return m
}
