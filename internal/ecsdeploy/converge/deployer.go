package converge

// Request is what one delivery of an event asks for.
type Request struct {
	Event string
	Time  int64  // of the event, in nanoseconds since 1970
	Image string // in the same form as Revision.Image
	Force bool   // roll out even what runs already
}

// Kind is a kind of call to ECS.
type Kind int

// The kinds of call. Each is atomic in ECS.
const (
	ReadService  Kind = iota + 1 // which revision the service runs or is being moved to
	ReadNewest                   // the family's newest revision
	ReadRevision                 // Number: one revision; it never changes
	Register                     // a revision for the event, with Base and Best
	Update                       // move the service to revision Number
)

// Call is one call to make. Calls that are asked for together may be made in
// any order, or at the same time.
type Call struct {
	Kind   Kind
	Number int // of ReadRevision and Update
	Base   int // of Register
	Best   Key // of Register
}

// Answer is what a call answered: the number of the revision that the service
// runs, that is the newest, or that was registered; for Update, the greatest
// number among the service's deployments. Lost says that nobody knows whether
// a Register took effect.
type Answer struct {
	Number int
	Lost   bool
}

// Outcome is how a delivery ended.
type Outcome int

// The outcomes.
const (
	Deployed   Outcome = iota + 1 // the service was moved to the event's image
	Unchanged                     // the service runs the event's image already
	Repeated                      // this event was carried out before
	Superseded                    // a newer event has won
)

// phase is where in the rule a deployer is.
type phase int

const (
	starting    phase = iota // reading the service and the newest revision
	registering              // adding the event's revision to the family
	rereading                // the image runs already: reading the service a second time
	comparing                // what runs, with the winner of all that is known
	updating                 // moving the service to target
	looking                  // reading the newest revision again
	done
)

// Deployer is one delivery of an event on its way. It is a value: a copy is a
// snapshot, and two that are equal behave the same. Begin with [New].
type Deployer struct {
	request Request
	phase   phase
	running int  // the revision that the service runs, as last read; 0 while unread
	newest  int  // the newest revision known; 0 while unread
	base    int  // the newest revision when the event's was registered
	target  int  // the revision that the service is moved to
	must    bool // the service has to be moved, whatever it seems to run
	looked  bool // the newest revision was read after the service's last
	outcome Outcome
}

// New returns a deployer that is ready to start.
func New(r Request) Deployer { return Deployer{request: r} }

// Outcome returns how the delivery ended; 0 while it has not.
func (d Deployer) Outcome() Outcome {
	if d.phase != done {
		return 0
	}
	return d.outcome
}

// Next returns the calls to make now; none when the deployer is done. Whatever
// it must know of the family first, it asks for with ReadRevision.
func (d *Deployer) Next(family Family) []Call {
	for {
		var unread int // a revision that has to be read before the phase can go on
		switch d.phase {
		case starting:
			if calls := d.reads(); calls != nil {
				return calls
			}
			unread = d.start(family)
		case registering:
			var m Revision
			if m, unread = winner(family, d.base, d.running); unread == 0 {
				return []Call{{Kind: Register, Base: d.base, Best: m.Key()}}
			}
		case comparing:
			unread = d.compare(family)
		case rereading:
			return []Call{{Kind: ReadService}}
		case updating:
			return []Call{{Kind: Update, Number: d.target}}
		case looking:
			return []Call{{Kind: ReadNewest}}
		default:
			return nil
		}
		if unread != 0 {
			return []Call{{Kind: ReadRevision, Number: unread}}
		}
	}
}

// reads returns the two reads of the start that have not been answered.
func (d *Deployer) reads() (calls []Call) {
	if d.running == 0 {
		calls = append(calls, Call{Kind: ReadService})
	}
	if d.newest == 0 {
		calls = append(calls, Call{Kind: ReadNewest})
	}
	return calls
}

// start decides what the event has still to do. If the winner's key is not
// less than the event's, there is nothing to register: the event is late, or
// is carried out already. But whoever registered the winner may have died
// before the service was moved to it, and then the late one *helps*. It does
// not help an old winner: that race is over, and what runs instead is what
// somebody wanted since. Two events of one time are in the order of their
// registration, so that a repetition of the first does not undo the second.
func (d *Deployer) start(family Family) (unread int) {
	m, unread := winner(family, d.newest, d.running)
	if unread != 0 {
		return unread
	}
	if m.Number == 0 || m.Time < d.request.Time {
		d.base, d.phase = max(d.newest, d.running), registering
		return 0
	}
	own, same := m.Event == d.request.Event, m.Image == d.request.Image
	runs, _ := family(d.running) // read: it was a candidate
	settled := runs.Image == m.Image
	if own && d.request.Force {
		settled = runs.Event == m.Event
	}
	switch d.phase = done; {
	case own:
		d.outcome = Repeated
	case same:
		d.outcome = Unchanged
	default:
		d.outcome = Superseded
	}
	if settled || m.Old {
		return 0
	}
	if own || same {
		d.outcome = Deployed
	}
	d.target, d.phase = first(family, m).Number, updating
	return 0
}

// compare moves the service to the winner of all that is known by now, unless
// it runs the winner's image; and then it looks whether more is to be known.
func (d *Deployer) compare(family Family) (unread int) {
	m, unread := winner(family, d.newest, d.running)
	if unread != 0 {
		return unread
	}
	runs, _ := family(d.running) // read: it was a candidate
	switch {
	case d.must || runs.Image != m.Image:
		if d.target, d.phase = first(family, m).Number, updating; d.outcome != Superseded && m.Image != d.request.Image {
			d.outcome = Superseded
		}
	case d.looked:
		d.phase = done
	default:
		d.phase = looking
	}
	return 0
}

// Answered tells the deployer what a call of [Deployer.Next] answered.
// ReadRevision needs no answer: what was read is in the family from then on.
func (d *Deployer) Answered(c Call, a Answer, family Family) {
	switch c.Kind {
	case ReadService:
		if d.running = a.Number; d.phase == rereading {
			d.phase = comparing
		}
	case ReadNewest:
		if d.newest = max(d.newest, a.Number); d.phase == looking {
			d.phase, d.looked = comparing, true
		}
	case Register:
		d.registered(a, family)
	case Update: // the deployments in the answer are a witness that costs nothing
		d.running, d.newest = d.target, max(d.newest, a.Number)
		d.phase, d.must, d.looked = looking, false, false
	}
}

// registered goes on after the event's revision is in the family. If the
// service runs the image already, the revision is only the journal's entry
// that this event came: without it an older event that is still under way
// would win. If nobody knows whether there is a revision, the deployer starts
// again, and takes for its own what it finds.
func (d *Deployer) registered(a Answer, family Family) {
	if a.Lost {
		*d = New(d.request)
		return
	}
	d.newest = max(d.newest, a.Number)
	if runs, _ := family(d.running); runs.Image == d.request.Image && !d.request.Force {
		d.phase, d.outcome = rereading, Unchanged
		return
	}
	d.phase, d.outcome, d.must = comparing, Deployed, true
}
