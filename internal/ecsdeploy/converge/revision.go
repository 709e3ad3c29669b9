package converge

// Key orders choices: by the time of their event, then by the number of their
// revision.
type Key struct {
	Time   int64 // in nanoseconds since 1970
	Number int   // of the revision; 0 if there is none
}

// Less reports whether k is less than other.
func (k Key) Less(other Key) bool {
	if k.Time != other.Time {
		return k.Time < other.Time
	}
	return k.Number < other.Number
}

// Demand is what has to run for a choice to be settled.
type Demand int

// The demands.
const (
	AnyConfiguration   Demand = iota // the image; a push of what runs rolls nothing out
	NewerConfiguration               // the image, with the choice's configuration or a newer one
	SameConfiguration                // the image and exactly the configuration: an external rollout
	OwnRevision                      // a revision of the event itself: a forced deployment
)

// Revision is what the rule needs to know of a revision of the family. All but
// Rollout, RolledBackBy, Ended, Failed, Unusable, Gone and Unseen never change.
type Revision struct {
	Number     int
	Registered int64  // in nanoseconds since 1970
	Image      string // two revisions with the same text run the same image
	Failed     bool   // its rollout failed: it cannot win
	Unusable   bool   // it is INACTIVE or was deleted: ECS starts no task of it, but keeps a service's
	Gone       bool   // it was deleted, or there never was one: nothing else is known of it
	Unseen     bool   // it is Gone, or so new that ECS does not show it yet

	// Own means that the deployer registered the revision, for this service. If it
	// did so for another service that shares the family, Other is true: then the
	// revision is invisible. All other revisions are external.
	Own, Other bool

	// The fields of a revision that is Own. Base, Summary, Configuration and Seen sum
	// up all revisions up to Base, so that they need not be read again.

	Event         string
	Time          int64 // of the event
	Demand        Demand
	Delivery      string // the invocation that registered it
	Copy          bool   // it is a copy of an earlier choice
	Previous      int    // the revision that the service ran then; 0 if that is not known
	Base          int    // the newest revision that its delivery had read
	Summary       Key    // the winner of the deployer's own revisions up to Base
	Configuration int    // the external revision that it has its configuration from
	Seen          int    // the newest external revision up to Base; 0 if that is not known
	Rollout       string // ECS's id of its own rollout; "" if it was not noted
	RolledBackBy  string // ECS's id of the rollback of its rollout; "" if it was not noted
	Ended         int64  // when its rollout ended; 0 if that was not noted
	New           bool   // registered so recently that its delivery may be about to move the service
	Old           bool   // registered so long ago that its delivery has ended, or died
	Command       bool   // registered for a person's command: if that dies, no one repeats it
}

// configuration returns the number of the revision that r has its configuration from.
func (r Revision) configuration() int {
	if r.Own && r.Configuration > 0 {
		return r.Configuration
	}
	return r.Number
}

// Rollout is a deployment of the service, as ECS lists it.
type Rollout struct {
	ID       string
	Revision int   // 0 if it is of another family
	Created  int64 // in nanoseconds since 1970, cut to the second as the times of events are
	Rollback bool  // ECS rolled the service back
	Form     Form  // of a task, this is one of its pointers
	Origin   Origin
}

// Origin says what started a rollout that ECS does not mark as a rollback.
type Origin int

// The origins.
const (
	NotRead   Origin = iota
	Unknown          // it was read, and cannot be known
	ByMove           // a person, a tool or the deployer moved the service
	ByFailure        // ECS rolled the service back
)

// Service is the service's rollouts as one answer of ECS lists them, the newest first.
// The service runs the revision of the first, or is being moved to it. Of a task it is its
// pointers, and then what they held before this delivery moved them.
type Service []Rollout

// runs returns the number of the revision that the service runs.
func (s Service) runs() int { return s[0].Revision }

// OlderThan reports whether ECS answered with s before it answered with other, though its
// eventually consistent reads came in another order: the newest rollout of s is one that
// other shows as replaced, because a rollout is the newest only once. It is false for a
// task, whose pointer may hold a revision twice.
func (s Service) OlderThan(other Service) bool {
	if len(s) == 0 || len(other) == 0 || s.pointers() || s[0].ID == other[0].ID {
		return false
	}
	for _, r := range other[1:] {
		if r.ID == s[0].ID {
			return true
		}
	}
	return s[0].Created < other[0].Created
}

// lists reports whether a rollout of a revision is listed.
func (s Service) lists(revision int) bool {
	for _, r := range s {
		if r.Revision == revision {
			return true
		}
	}
	return false
}

// Family returns what is known of the family's revision with a number. Known is
// false for one that has to be read first. A number of no revision is known, and
// the revision is zero.
type Family func(number int) (r Revision, known bool)
