package converge

import (
	"fmt"
	"slices"
)

// The model is one ECS service, deliveries of events to it, and others who act on the
// same service: a person, Terraform, the family's other service, and ECS itself. The
// check runs the rule in every order in which the steps can take effect.
//
// A step is one call, and is atomic. A delivery may die after any write; a death before
// a write is equal to a later start. It is delivered again at any time later. The clock
// is a list of dated occurrences; an event is delivered at any time after its own.

// unit is the length of the model's unit of time: twenty of them are the longest time
// from a registration to the deployer's own rollout.
const (
	unit = OwnRollout / inTime
	// inTime is OwnRollout in units.
	inTime = 20
	// maxWritten is how many revisions or rollouts mean that the rule does not settle.
	maxWritten = 14
)

// revision is a revision of the model's family. Its number is its index plus one.
type revision struct {
	Revision      // all but Own and Other, which follow from by
	by       byte // 'd' the deployer for this service, 'z' for the other one, 'x' others
}

// roll is a rollout of the model's service.
type roll struct {
	revision int
	created  int
	external bool // no part of what the rule sees
	rollback bool
	maker    int // the delivery that started it; -1 for others
}

// process is a delivery of an event, or the handling of a rollout's event.
type process struct {
	Delivery
	number int // of its event, or of its rollout
	active bool
	ended  bool
	stuck  bool
	asked  bool // it has read a rollout's origin
}

// world is one state of the model.
type world struct {
	clock          int
	revisions      []revision
	rolls          []roll
	processes      []process
	crashes        int // how many more are allowed
	stale          int // how many more reads may return what was before the latest write
	again          int // how many more deliveries of what is done
	lost           int // how many more registrations are not answered
	waits          int // how many more writes wait, and are decided again
	serviceWriter  int // who made the latest write: a process, -1 others, -2 it is visible to all
	revisionWriter int
	failed         string // the events whose rollout failed
	dead           bool   // the command died
}

func (w *world) clone() *world {
	c := *w
	c.revisions, c.rolls = slices.Clone(w.revisions), slices.Clone(w.rolls)
	c.processes = slices.Clone(w.processes)
	return &c
}

// occurrence is what happens at a time: an event is emitted, or another actor does
// something.
type occurrence struct {
	at   int
	what string
	arg  string
}

// scenario is a case of the model and its bounds.
type scenario struct {
	name    string
	events  []Request
	line    []occurrence
	crashes int
	stale   int
	again   int
	lost    int
	waits   int
	fresh   bool   // a process's own writes are visible to it at once
	listed  int    // rollouts that ECS lists
	drains  bool   // ECS lists only the newest rollout from some minutes after that began
	looks   bool   // rollout events are handled
	noted   bool   // only the journal of a failed revision says what is a rollback by ECS
	silent  bool   // only a rollout's origin says what is a rollback by ECS, and what failed
	gone    bool   // a delivery that died after it registered is never delivered again
	command string // an event that is a person's command: it is never delivered again
	early   bool   // also before the delivery that started the rollout has ended
	large   bool   // takes long: it runs in `make model` only
	slow    bool   // takes half a second: it runs in `make test-slow` and `make model` only
	order   []int
	mutant  mutant
}

// mutant breaks the rule: by what it is shown, or by changing it after an answer.
type mutant struct {
	revision func(w *world, r Revision) Revision
	unknown  func(w *world, k *process, number int) bool
	service  func(w *world, s Service) Service
	answered func(w *world, p *process, c Call)
	phase    func(k *known, p *process) // after each decision
	events   func(p *process) bool      // whether the event of a rollout has no effect
	blind    bool                       // what started a rollout cannot be known
}

// family is what a process knows of the family: everything.
func (s *scenario) family(w *world, p *process) Family {
	return func(number int) (Revision, bool) {
		if number < 1 || number > len(w.revisions) {
			return Revision{}, true
		}
		if s.mutant.unknown != nil && s.mutant.unknown(w, p, number) {
			return Revision{}, false
		}
		m := &w.revisions[number-1]
		r := m.Revision
		r.Own, r.Other = m.by == 'd', m.by == 'z'
		r.Command = r.Own && r.Event == s.command && s.command != ""
		if s.silent && !p.asked {
			r.Failed, r.RolledBackBy = false, ""
		}
		r.Old = int64(w.now(s))*unit-r.Registered >= OwnRollout
		if s.mutant.revision != nil {
			r = s.mutant.revision(w, r)
		}
		return r, true
	}
}

// ids are the ids of rollouts.
var ids = func() (all [maxWritten + 2]string) {
	for i := range all {
		all[i] = fmt.Sprint("x", i)
	}
	return all
}()

// service is what ECS lists after the first rollouts.
func (s *scenario) service(w *world, count int) Service {
	var all Service
	listed := s.listed
	if s.drains && w.now(s)-w.rolls[count-1].created >= inTime {
		listed = 1
	}
	for i := count - 1; i >= max(0, count-listed); i-- {
		m := w.rolls[i]
		all = append(all, Rollout{ID: ids[i], Revision: m.revision, Created: int64(m.created) * unit,
			Rollback: m.rollback && !s.noted && !s.silent})
	}
	if s.mutant.service != nil {
		all = s.mutant.service(w, all)
	}
	return all
}

func (s *scenario) first() *world {
	w := &world{
		revisions: []revision{{Revision{Number: 1, Image: "v1"}, 'x'}}, rolls: []roll{{revision: 1, external: true,
			maker: -1}},
		crashes: s.crashes, stale: s.stale, again: s.again, lost: s.lost, waits: s.waits,
		serviceWriter: -2, revisionWriter: -2,
	}
	for i, e := range s.events {
		w.processes = append(w.processes, process{Delivery: New(s.request(i, e)), number: i, active: true})
	}
	return w
}

// request returns the request of a delivery, whose number is that of its invocation.
func (s *scenario) request(i int, e Request) Request {
	e.Delivery = string(rune('A' + i))
	return e
}

// fresh returns a process from its start.
func (s *scenario) start(p process) process {
	return process{Delivery: New(p.request), number: p.number, active: true}
}

func (w *world) now(s *scenario) int {
	if w.clock == 0 {
		return 1
	}
	return s.line[w.clock-1].at + 1
}

func (w *world) runs() int { return w.rolls[len(w.rolls)-1].revision }

// move moves the service. ECS starts no rollout of what runs.
func (s *scenario) move(w *world, r roll) {
	w.serviceWriter = r.maker
	if w.runs() == r.revision {
		return
	}
	w.rolls = append(w.rolls, r)
	if s.looks {
		id := ids[len(w.rolls)-1]
		w.processes = append(w.processes, process{Delivery: New(Request{Rollout: id}), number: len(w.rolls) - 1})
	}
}

// add adds a revision of others.
func (w *world) add(r revision, at int) int {
	r.Number, r.Registered = len(w.revisions)+1, int64(at)*unit
	w.revisions = append(w.revisions, r)
	w.revisionWriter = -1
	return r.Number
}

// tick makes the next dated occurrence happen.
func (s *scenario) tick(w *world) {
	o := s.line[w.clock]
	w.clock++
	switch o.what {
	case "move": // a person moves the service to the first revision of an event that was rolled out, or to 1
		n := 1
		if o.arg != "" {
			n = 1 + slices.IndexFunc(w.revisions, func(r revision) bool {
				return r.Event == o.arg && slices.ContainsFunc(w.rolls,
					func(m roll) bool { return m.revision == r.Number })
			})
		}
		if n > 0 {
			s.move(w, roll{revision: n, created: o.at, external: true, maker: -1})
		}
	case "copy": // a person registers a copy with its tags, and moves the service to it
		n := slices.IndexFunc(w.revisions, func(r revision) bool { return r.Event == o.arg })
		if n < 0 {
			return
		}
		r := w.revisions[n]
		r.by, r.Copy = 'x', false
		s.move(w, roll{revision: w.add(r, o.at), created: o.at, external: true, maker: -1})
	case "tf", "tfmove": // Terraform registers, or registers and moves
		r := revision{by: 'x'}
		if r.Image = o.arg; o.arg == "" {
			r.Image = w.revisions[w.runs()-1].Image
		}
		n := w.add(r, o.at)
		if o.what == "tfmove" {
			s.move(w, roll{revision: n, created: o.at, external: true, maker: -1})
		}
	case "other": // the family's other service is deployed
		r := revision{by: 'z'}
		r.Event, r.Time, r.Image, r.Configuration = "z", int64(o.at)*unit, o.arg, w.newestExternal(len(w.revisions))
		r.Base, r.Delivery = len(w.revisions), "Z"
		w.add(r, o.at)
	case "fails": // the rollout of an event fails, and ECS rolls the service back
		now := w.revisions[w.runs()-1]
		if now.Event != o.arg || now.by != 'd' {
			return
		}
		back := 0
		for _, m := range w.rolls {
			if w.revisions[m.revision-1].Event != o.arg {
				back = m.revision
			}
		}
		for i := range w.revisions {
			if w.revisions[i].Event == o.arg {
				w.revisions[i].Failed, w.revisions[i].RolledBackBy = true, ids[len(w.rolls)]
			}
		}
		w.failed += o.arg
		s.move(w, roll{revision: back, created: o.at, external: true, rollback: true, maker: -1})
	}
}

func (w *world) newestExternal(upTo int) int {
	for n := upTo; n > 0; n-- {
		if w.revisions[n-1].by == 'x' {
			return n
		}
	}
	return 0
}
