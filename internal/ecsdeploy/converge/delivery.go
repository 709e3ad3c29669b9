package converge

import "slices"

// Request is one delivery of an event, or a look at the service after one of its
// rollouts started or ended.
type Request struct {
	Event    string // "" for a look
	Time     int64  // of the event, in nanoseconds since 1970
	Image    string // in the same form as Revision.Image
	Demand   Demand
	Delivery string // the invocation; another delivery of the same event has another one
	// FromRunning means that the service's own revision is cloned, instead of the newest
	// external configuration.
	FromRunning bool
	Rollout     string // of a look: ECS's id of the rollout
}

// Kind is a kind of call to ECS.
type Kind int

// The kinds of call. Each is atomic in ECS.
const (
	ReadService  Kind = iota + 1 // read the service's rollouts
	ReadNewest                   // read the family's newest revision
	ReadRevision                 // read the revision Number
	ReadOrigin                   // read what started the rollout Rollout; that may show which revisions failed
	Register                     // register a revision, as Registration says
	Update                       // move the service to the revision Number
)

// Call is one call to make. Calls that [Delivery.Next] returns together may be made in
// any order, or at the same time.
type Call struct {
	Kind         Kind
	Number       int          // of ReadRevision and Update
	Rollout      string       // of ReadOrigin
	Wait         bool         // of ReadService: give another delivery of the event time to move the service
	Registration Registration // of Register
}

// Registration is a revision to register.
type Registration struct {
	Copy Choice // register a copy of this choice; zero: register the request's own revision

	Clone         int // the revision to clone
	Configuration int // the external revision that the clone has its configuration from
	Seen          int // the newest external revision
	Base          int // the newest revision
	Summary       Key // the winner of the deployer's own revisions up to Base
}

// Answer is the answer to a call.
type Answer struct {
	Number  int     // of ReadNewest and Register: the revision
	Lost    bool    // it is not known whether a Register took effect
	Service Service // of ReadService and Update; Update's lists what the call replaced
	Origin  Origin  // of ReadOrigin
}

// Outcome is the outcome of a delivery.
type Outcome int

// The outcomes.
const (
	Deployed   Outcome = iota + 1 // the service was moved to the event's image
	Unchanged                     // the service already ran the event's image
	Repeated                      // the service already ran what this event deployed
	Superseded                    // a newer choice won
	Failed                        // the event's rollout failed before: it is not repeated
)

// phase is the phase of the rule that a delivery is in.
type phase int

const (
	starting    phase = iota // reading the service and the newest revision
	renewing                 // reading both again before a write, see Stale
	registering              // registering a revision
	registered               // comparing the revisions that were registered meanwhile
	updating                 // moving the service
	rereading                // reading the service again, because it runs the image
	reread                   // comparing what that read
	looking                  // reading the newest revision again
	looked                   // comparing what that read
	verifying                // reading the service again, before a repair
	verified                 // comparing what that read
	done
)

// maxWaits is how often a delivery waits for another one of its event.
const maxWaits = 5

// Delivery is the state of one delivery or look. It is a value: a copy is a snapshot.
// [New] returns one.
type Delivery struct {
	request Request
	phase   phase
	rolls   Service // as last read; nil while unread
	seen    Service // the latest of all answers about the service
	newest  int     // the newest revision known; 0 while unread
	base    int     // newest, when the last registration was made
	number  int     // the revision that it registered last
	copies  Choice  // what to register a copy of; zero: the request's own revision
	lost    int     // a registration whose answer was lost is newer than this, if not 0
	waits   int     // how often it waited for another delivery of the event
	pauses  bool    // the next read of the pointers is made after a while
	renewed bool    // the newest revision was read again, when renewing
	then    phase   // the phase after renewing
	outcome Outcome
}

// New returns the delivery of a request.
func New(r Request) Delivery { return Delivery{request: r} }

// Outcome returns the outcome; 0 before the end.
func (d Delivery) Outcome() Outcome {
	if d.phase != done {
		return 0
	}
	return d.outcome
}

// Next returns the calls to make now; none at the end.
func (d *Delivery) Next(family Family) []Call {
	for {
		switch d.phase {
		case starting:
			if calls := d.reads(); calls != nil {
				return calls
			}
		case rereading, verifying:
			return []Call{{Kind: ReadService, Wait: d.pauses || d.phase == verifying && d.waits > 0}}
		case renewing:
			if calls := d.reads(); calls != nil {
				return calls
			}
			d.phase, d.then = d.then, 0
		case looking:
			return []Call{{Kind: ReadNewest}}
		case updating:
			return []Call{{Kind: Update, Number: d.number}}
		case done:
			return nil
		}
		newest := max(d.newest, d.rolls.runs())
		k := &known{family: family, rolls: d.rolls.resolved(newest), newest: newest}
		if d.phase == registering && d.number == 0 && d.awaitsUnseen(k) {
			d.wait()
			continue
		}
		next := *d
		var call Call
		if d.phase == registering {
			call = Call{Kind: Register, Registration: d.registration(k)}
		} else {
			next.decide(k)
		}
		if len(k.unread) > 0 {
			return reads(k.unread)
		}
		if k.origin != "" {
			return []Call{{Kind: ReadOrigin, Rollout: k.origin}}
		}
		if d.phase == registering {
			d.base = call.Registration.Base
			return []Call{call}
		}
		*d = next
	}
}

// reads returns those of the first two reads that have no answer yet.
func (d *Delivery) reads() (calls []Call) {
	if d.rolls == nil {
		calls = append(calls, Call{Kind: ReadService, Wait: d.waits > 0})
	}
	if d.newest == 0 || d.phase == renewing && !d.renewed {
		calls = append(calls, Call{Kind: ReadNewest})
	}
	return calls
}

// reads returns the calls that read revisions, each once.
func reads(numbers []int) (calls []Call) {
	seen := map[int]bool{}
	for _, n := range numbers {
		if !seen[n] {
			seen[n] = true
			calls = append(calls, Call{Kind: ReadRevision, Number: n})
		}
	}
	return calls
}

// Stale makes the delivery read again before its next write, because what it has read
// is too old to decide by, or because the answer to a move was lost. A choice that was
// seen overwritten stays known.
func (d *Delivery) Stale() {
	switch {
	case d.phase == registering && d.copies.Key.Number == 0:
		d.rolls, d.newest, d.phase = nil, 0, starting
	case d.phase == registering:
		d.rolls, d.renewed, d.phase, d.then = nil, false, renewing, verified
	case d.phase == updating:
		d.rolls, d.renewed, d.phase, d.then = nil, false, renewing, registered
	}
}

// Answered takes the answer to a call of [Delivery.Next]. The answer to ReadRevision
// is empty: the revision is known in the family from then on.
func (d *Delivery) Answered(c Call, a Answer) {
	switch c.Kind {
	case ReadService:
		d.rolls = a.Service
		if d.rolls.OlderThan(d.seen) {
			d.rolls = d.seen // the answer to a move is exact, and a read after it may be behind it
		}
		d.seen, d.pauses = d.rolls, false
		switch d.phase {
		case rereading:
			d.phase = reread
		case verifying:
			d.phase = verified
		}
	case ReadOrigin:
		d.rolls = slices.Clone(d.rolls)
		for i := range d.rolls {
			if d.rolls[i].ID == c.Rollout {
				d.rolls[i].Origin = max(a.Origin, Unknown)
			}
		}
		d.seen = d.rolls
	case ReadNewest:
		d.newest, d.renewed = max(d.newest, a.Number), true
		if d.phase == looking {
			d.phase = looked
		}
	case Register:
		if a.Lost {
			lost := d.base
			d.restart()
			d.lost = max(1, lost)
			return
		}
		d.number, d.newest, d.phase = a.Number, max(d.newest, a.Number), registered
	case Update:
		d.rolls, d.seen = a.Service, a.Service
		d.moved()
	}
}

// restart starts the delivery again. What it knows of the service remains.
func (d *Delivery) restart() {
	seen, waits := d.seen, d.waits
	*d = New(d.request)
	d.seen, d.waits = seen, waits
}

// moved continues after the service was moved.
func (d *Delivery) moved() {
	d.phase = looking
	d.outcome = Superseded
	if d.copies.Key.Number == 0 || d.copies.is(d.request.Event) {
		d.outcome = Deployed
	}
}
