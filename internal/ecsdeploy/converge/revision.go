// Package converge is the rule by which any number of deployers of one service,
// whose events arrive in any order, several times and at the same time, end
// with the image of the newest event running. It needs no lock: ECS has no
// compare-and-swap, but revision numbers that only grow, and revisions that
// never change.
//
// The package knows nothing of AWS. A deployer is a [Deployer]; it says which
// calls to make, and is told what they answered. That lets it be checked as a
// model: every interleaving of several deployers' calls, with crashes anywhere.
package converge

// Key orders the revisions of a family: by the time of the event that each was
// made for, then by number. The zero Key is before all others.
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

// Revision is a task definition revision as far as the rule is concerned.
type Revision struct {
	Number int
	Event  string // the event it was made for; "" for a revision that somebody else made
	Time   int64  // of the event; of somebody else's revision, when it was registered
	Image  string // two revisions with the same text run the same image
	// Base is the newest revision that its deployer had read, and Best the key
	// of the winner up to that one: they sum up everything before, so that the
	// winner can be told from the newest revision alone. Zero for somebody else's.
	Base int
	Best Key
	Dead bool // its rollout failed, or it is INACTIVE: it cannot win
	Old  bool // it was registered so long ago that no race over it is still on
}

// Key returns the revision's place in the order.
func (r Revision) Key() Key { return Key{r.Time, r.Number} }

// Family is what a deployer knows of the family's revisions, by number.
type Family func(number int) (r Revision, known bool)

// furthest bounds how many revisions are read to find the winner: behind a
// long row of revisions that somebody else made, what is older does not count.
const furthest = 20

// winner returns M, the revision with the greatest key among those up to
// newest, or the number of a revision that has to be read first. A revision
// counts if it has a journal and did not fail; somebody else's counts only
// while the service runs it. There may be no winner (M.Number is 0).
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
	if running > 0 { // it may be somebody else's, and from long ago
		if _, known := consider(running); !known {
			return m, running
		}
	}
	for n, steps := newest, 0; n > 0 && steps < furthest; steps++ {
		r, known := consider(n)
		switch {
		case !known:
			return m, n
		case r.Event == "" && n == running:
			return m, 0 // what it was registered over is older than it
		case r.Event == "":
			n-- // no journal sums up what is before it
			continue
		}
		for between := n - 1; between > r.Base; between-- {
			if steps++; steps >= furthest {
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
		n = r.Base // the best of then does not count any more: look for the second best
	}
	return m, 0
}

// first returns the earliest revision known to be made for the same event as
// m. Deliveries of one event that ran at the same time each registered one;
// they all move the service to the first, so that there is one rollout.
func first(family Family, m Revision) Revision {
	for n := m.Number - 1; n > 0 && n > m.Number-furthest; n-- {
		if r, known := family(n); known && r.Event != "" && r.Event == m.Event && r.Image == m.Image && !r.Dead {
			m = r
		}
	}
	return m
}
