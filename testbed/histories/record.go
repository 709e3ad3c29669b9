package histories

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// A record is what happened in a history, as AWS saw it and as the function answered. The checks read nothing else.
type record struct {
	mu         sync.Mutex
	start      time.Time
	events     map[string]*requested // by id
	order      []string              // of the events
	moves      []move
	registered []registration
	results    []result
	published  []publication
	edited     map[string]bool // the events of which a person destroyed a journal
	calls      int             // of the function
	kills      int             // attempts that died
	trace      []traced
}

type traced struct {
	at   time.Time
	text string
}

// A requested is what a person, CI or ECR asked for.
type requested struct {
	id      string
	action  Action
	at      time.Time // as the event says
	image   string    // see world.imageOf; "" until a rollback has found it
	push    bool
	command bool // it was no event, but a command of an operator
	lost    bool // a push without an event
}

// A move is a rollout that began.
type move struct {
	at           time.Time
	service      int
	deployment   string
	revision     string // "family:number"
	image        string
	by           string // who moved the service: "function", "operator", "person", "terraform", "ECS"
	attempt      *attempt
	start        time.Time // when the attempt that made it began
	completed    bool
	failed       bool
	ownRevision  bool // the deployer registered the revision
	registeredAt time.Time
}

// own reports whether the deployer moved the service.
func (m move) own() bool { return m.by == "function" || m.by == "operator" }

// A registration is a revision.
type registration struct {
	at       time.Time
	revision string // "family:number"
	image    string
	config   string // the value of the variable CONFIG
	by       string
	eventID  string // as its tags say
}

// own reports whether the deployer registered the revision.
func (r registration) own() bool { return r.by == "function" || r.by == "operator" }

// A result is what an attempt at an event answered for a service.
type result struct {
	eventID    string
	service    int
	status     string
	reason     string
	image      string
	start, end time.Time
	attempt    *attempt
	err        error
}

// A publication is an outcome that was put on the bus.
type publication struct {
	at         time.Time
	kind       string
	eventID    string
	service    int
	deployment string
	reason     string
	attempt    *attempt
}

func (r *record) add(at time.Time, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trace = append(r.trace, traced{at, fmt.Sprintf(format, args...)})
}

// text returns what happened, one line each.
func (r *record) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortFunc(r.trace, func(a, b traced) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.text, b.text)) })
	var b strings.Builder
	for _, t := range r.trace {
		if t.at.Sub(r.start) < firstAction { // of the rollouts of the set-up
			continue
		}
		fmt.Fprintf(&b, "  %12s  %s\n", t.at.Sub(r.start).Round(time.Millisecond), t.text)
	}
	return b.String()
}

// moved returns the move with the id of a deployment, nil if there is none.
func (r *record) moved(deployment string) *move {
	for i := range r.moves {
		if deployment != "" && r.moves[i].deployment == deployment {
			return &r.moves[i]
		}
	}
	return nil
}

// runs returns the image that a service ran, or was being moved to, at a time.
func (r *record) runs(service int, at time.Time) (image string) {
	for _, m := range r.moves {
		if m.service == service && !m.at.After(at) {
			image = m.image
		}
	}
	return image
}

// registrationOf returns the registration of a revision.
func (r *record) registrationOf(revision string) registration {
	for _, g := range r.registered {
		if g.revision == revision {
			return g
		}
	}
	return registration{}
}

// String returns the publication as a few words.
func (p publication) String() string { return p.kind + " by " + p.attempt.key }
