package converge

// Request is one delivery of an event.
type Request struct {
	Event string
	Time  int64  // of the event, in nanoseconds since 1970
	Image string // in the same form as Revision.Image
	Force bool   // roll out even if the service runs the image
}

// Kind is a kind of call to ECS.
type Kind int

// The kinds of call. Each is atomic in ECS.
const (
	ReadService  Kind = iota + 1 // read which revision the service runs or is being moved to
	ReadNewest                   // read the family's newest revision
	ReadRevision                 // read the revision Number, which never changes
	Register                     // register a revision for the event, with Base and Best
	Update                       // move the service to the revision Number
)

// Call is one call to make. Calls that [Deployer.Next] returns together may be
// made in any order, or at the same time.
type Call struct {
	Kind   Kind
	Number int // of ReadRevision and Update
	Base   int // of Register
	Best   Key // of Register
}

// Answer is the answer to a call.
type Answer struct {
	// Number is the number of the revision that the service runs, that is the
	// newest, or that was registered. For Update it is the greatest number among
	// the service's deployments.
	Number int
	Lost   bool // it is not known whether a Register took effect
}

// Outcome is the outcome of a delivery.
type Outcome int

// The outcomes.
const (
	Deployed   Outcome = iota + 1 // the service was moved to the event's image
	Unchanged                     // the service already ran the event's image
	Repeated                      // a duplicate: a revision was registered for this event before
	Superseded                    // a newer event won
)

// phase is the phase of the rule that a deployer is in.
type phase int

const (
	starting    phase = iota // reading the service and the newest revision
	registering              // registering the event's revision
	rereading                // reading the service again, because it runs the event's image
	comparing                // comparing the running revision with the winner
	updating                 // moving the service to target
	checking                 // reading the newest revision again
	done
)

// Deployer is the state of one delivery. It is a value: a copy is a snapshot, and
// equal deployers behave the same. [New] returns one.
type Deployer struct {
	request Request
	phase   phase
	running int  // the revision that the service runs, as last read; 0 while unread
	newest  int  // the newest revision known; 0 while unread
	base    int  // the newest revision when the event's was registered
	target  int  // the revision that the service is moved to
	must    bool // the service has to be moved, whatever revision was read
	checked bool // the newest revision was read after the service's last update
	outcome Outcome
}

// New returns the deployer of a request.
func New(r Request) Deployer { return Deployer{request: r} }

// Outcome returns the outcome of the delivery; 0 before its end.
func (d Deployer) Outcome() Outcome {
	if d.phase != done {
		return 0
	}
	return d.outcome
}

// Next returns the calls to make now; none at the end. It returns ReadRevision
// for revisions that it has to know first.
func (d *Deployer) Next(family Family) []Call {
	for {
		var unread int // a revision that the phase needs
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
		case checking:
			return []Call{{Kind: ReadNewest}}
		default:
			return nil
		}
		if unread != 0 {
			return []Call{{Kind: ReadRevision, Number: unread}}
		}
	}
}

// reads returns those of the first two reads that have no answer yet.
func (d *Deployer) reads() (calls []Call) {
	if d.running == 0 {
		calls = append(calls, Call{Kind: ReadService})
	}
	if d.newest == 0 {
		calls = append(calls, Call{Kind: ReadNewest})
	}
	return calls
}

// start decides what is left to do for the event. If the winner's key is not
// less than the event's, nothing is registered: the event is late or a duplicate.
// But the deployer that registered the winner may have crashed before it moved
// the service. Then the late deployer completes that update. It does not complete
// an old one: the service was moved elsewhere since. Events of the same time are
// in the order of their registration, so that a duplicate of the first does not
// undo the second.
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
	d.phase = done
	switch {
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

// compare moves the service to the winner of all known revisions, unless it runs
// the winner's image. Then it checks for newer revisions.
func (d *Deployer) compare(family Family) (unread int) {
	m, unread := winner(family, d.newest, d.running)
	if unread != 0 {
		return unread
	}
	runs, _ := family(d.running) // read: it was a candidate
	switch {
	case d.must || runs.Image != m.Image:
		d.target, d.phase = first(family, m).Number, updating
		if m.Image != d.request.Image {
			d.outcome = Superseded
		}
	case d.checked:
		d.phase = done
	default:
		d.phase = checking
	}
	return 0
}

// Answered takes the answer to a call of [Deployer.Next]. The answer to
// ReadRevision is empty: the revision is known in the family from then on.
func (d *Deployer) Answered(c Call, a Answer, family Family) {
	switch c.Kind {
	case ReadService:
		d.running = a.Number
		if d.phase == rereading {
			d.phase = comparing
		}
	case ReadNewest:
		d.newest = max(d.newest, a.Number)
		if d.phase == checking {
			d.phase, d.checked = comparing, true
		}
	case Register:
		d.registered(a, family)
	case Update: // the answer's deployments may show newer revisions, without another call
		d.running, d.newest = d.target, max(d.newest, a.Number)
		d.phase, d.must, d.checked = checking, false, false
	}
}

// registered continues after the registration of the event's revision. If the
// service already runs the image, the revision only journals the event: without
// it, an older event that is still being deployed would win. If it is not known
// whether there is a revision, the deployer starts again, and uses the one that
// it finds.
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
