package converge

import "fmt"

// name returns the name of a process in traces.
func (p *process) name() string {
	if p.request.Event != "" {
		return p.request.Event
	}
	return "look " + p.request.Rollout
}

// emitted reports whether an event was emitted.
func (x *explorer) emitted(w *world, event string) bool {
	for _, o := range x.line[:w.clock] {
		if o.what == "emit" && o.arg == event {
			return true
		}
	}
	return false
}

// successors calls visit with all that can happen next.
func (x *explorer) successors(w *world, visit func(label string, next *world) bool) bool {
	if w.clock < len(x.line) {
		quiet := x.line[w.clock].at-w.now(x.scenario) < inTime // else no process may be under way
		if !quiet {
			quiet = true
			for _, p := range w.processes {
				quiet = quiet && (p.ended || p.stuck || !p.active || p.Delivery.phase == starting && p.rolls == nil)
			}
		}
		if quiet {
			next := w.clone()
			o := x.line[w.clock]
			x.tick(next)
			if !visit(fmt.Sprintf("[%s %s at %d]", o.what, o.arg, o.at), next) {
				return false
			}
		}
	}
	for i := range w.processes {
		p := &w.processes[i]
		switch {
		case p.stuck:
		case p.ended:
			if w.again > 0 && (!p.isDelivery() || x.again > 0) {
				next := w.clone()
				next.again--
				next.processes[i] = x.start(next.processes[i])
				if !p.isDelivery() {
					next.processes[i].active = false
				}
				if !visit(p.name()+" is delivered again", next) {
					return false
				}
			}
		case !p.isDelivery() && !p.active:
			if m := w.rolls[p.number].maker; !x.early && m >= 0 && busy(&w.processes[m]) {
				continue // the event is handled after the process that started the rollout ended or died
			}
			next := w.clone()
			x.look(next, i)
			if !visit(p.name()+": notes and reads", next) {
				return false
			}
		case p.isDelivery() && !x.emitted(w, p.request.Event):
		default:
			if !x.calls(w, i, visit) {
				return false
			}
		}
	}
	return true
}

func (p *process) isDelivery() bool { return p.request.Event != "" }

// busy reports whether a process may still write.
func busy(p *process) bool {
	return !p.ended && !p.stuck && p.active && p.Delivery.phase != starting
}

// look handles the event of a rollout: it notes the id of one of the deployer's own, and
// reads the service. Its reads show this rollout. Only the event of the rollout that
// runs completes anything.
func (x *explorer) look(w *world, i int) {
	p := &w.processes[i]
	last := p.number == len(w.rolls)-1
	if last {
		w.serviceWriter = -2
	}
	rolls := x.service(w, len(w.rolls))
	k := &known{family: x.family(w, p), rolls: rolls, newest: len(w.revisions)}
	for j, roll := range rolls {
		r := &w.revisions[roll.Revision-1]
		if own, _ := k.family(roll.Revision); roll.ID == ids[p.number] && r.Rollout == "" && k.isOwnRollout(j, own) {
			r.Rollout = roll.ID
		}
	}
	if p.active = true; !last || x.mutant.events != nil && x.mutant.events(p) {
		p.ended = true
		return
	}
	p.rolls, p.newest = rolls, len(w.revisions)
	if x.mutant.answered != nil {
		x.mutant.answered(w, p, Call{Kind: ReadService})
	}
	x.settle(w, i)
}

// settle lets a process decide, until it needs a call other than ReadRevision.
func (x *explorer) settle(w *world, i int) {
	p := &w.processes[i]
	calls := x.next(w, p)
	if x.mutant.phase != nil {
		x.mutant.phase(&known{family: x.family(w, p), rolls: p.rolls, newest: max(p.newest, 1)}, p)
		calls = x.next(w, p)
	}
	switch {
	case len(calls) == 0:
		p.ended = true
	case calls[0].Kind == ReadRevision:
		p.stuck = true // everything is known, but to a mutant
	}
}

// next returns the next calls of a process. What started a rollout never changes, and is
// answered at once.
func (x *explorer) next(w *world, p *process) []Call {
	for {
		calls := p.Next(x.family(w, p))
		if len(calls) == 0 || calls[0].Kind != ReadOrigin {
			return calls
		}
		a := Answer{Origin: Unknown}
		for i, m := range w.rolls {
			if ids[i] == calls[0].Rollout && x.silent && !x.mutant.blind {
				a.Origin = map[bool]Origin{false: ByMove, true: ByFailure}[m.rollback]
				p.asked = true
			}
		}
		p.Answered(calls[0], a)
	}
}

// calls visits what may follow the next call of a process.
func (x *explorer) calls(w *world, i int, visit func(string, *world) bool) bool {
	p := w.processes[i]
	c := p.Next(x.family(w, &p))[0]
	do := func(how string, change func(*world)) bool {
		next := w.clone()
		if how == " (stale)" {
			next.stale--
		}
		x.call(next, i, c, how)
		if change != nil {
			change(next)
		} else {
			x.settle(next, i)
		}
		return visit(p.name()+": "+c.describe()+how, next)
	}
	if !do("", nil) {
		return false
	}
	switch c.Kind {
	case ReadService, ReadNewest:
		by, latest := w.serviceWriter, len(w.rolls)
		if c.Kind == ReadNewest {
			by, latest = w.revisionWriter, len(w.revisions)
		}
		if w.stale > 0 && by != -2 && latest > 1 && !(x.fresh && by == i) {
			return do(" (stale)", nil)
		}
	case Register, Update:
		if w.waits > 0 {
			next := w.clone()
			next.waits--
			next.processes[i].Stale()
			if !visit(p.name()+" waits before it "+c.describe(), next) {
				return false
			}
		}
		if w.crashes > 0 && (!x.gone || w.clock < len(x.line)) && !do(", dies", func(next *world) {
			next.crashes--
			next.processes[i] = x.start(next.processes[i])
			next.processes[i].active = p.isDelivery()
			command := p.isDelivery() && p.request.Event == x.command
			next.dead = next.dead || command
			next.processes[i].ended = x.gone && p.isDelivery() || command
		}) {
			return false
		}
		if w.lost > 0 {
			return do(", not answered", func(next *world) {
				next.lost--
				next.processes[i].Delivery = p.Delivery
				d := &next.processes[i].Delivery
				d.Next(x.family(next, &p))
				if c.Kind == Update {
					d.Stale()
				} else {
					d.Answered(c, Answer{Lost: true})
				}
				x.settle(next, i)
			})
		}
	}
	return true
}

func (c Call) describe() string {
	switch c.Kind {
	case ReadService:
		return "reads the service"
	case ReadNewest:
		return "reads the newest revision"
	case Register:
		if c.Registration.Copy.Key.Number > 0 {
			return fmt.Sprintf("registers a copy of %s", c.Registration.Copy.Event)
		}
		return "registers its revision"
	}
	return fmt.Sprintf("moves the service to %d", c.Number)
}

// call makes a call of a process take effect. A stale read returns what was before the
// latest write.
func (x *explorer) call(w *world, i int, c Call, how string) {
	p := &w.processes[i]
	d := &p.Delivery
	d.Next(x.family(w, p)) // sets what it remembers of a registration
	a := Answer{}
	late := 0
	if how == " (stale)" {
		late = 1
	}
	switch c.Kind {
	case ReadService:
		a.Service = x.service(w, len(w.rolls)-late)
	case ReadNewest:
		a.Number = len(w.revisions) - late
	case Register:
		a.Number = x.register(w, i, c.Registration)
	case Update:
		x.move(w, roll{revision: c.Number, created: w.now(x.scenario), maker: i})
		p, d = &w.processes[i], &w.processes[i].Delivery // move may have grown the list
		a.Service = x.service(w, len(w.rolls))
	}
	d.Answered(c, a)
	if x.mutant.answered != nil {
		x.mutant.answered(w, p, c)
	}
}

// register registers what a process asks for, and returns its number.
func (x *explorer) register(w *world, i int, n Registration) int {
	p := &w.processes[i]
	r := revision{by: 'd'}
	r.Event, r.Time, r.Image, r.Demand = p.request.Event, p.request.Time, p.request.Image, p.request.Demand
	if c := n.Copy; c.Key.Number > 0 {
		r.Event, r.Time, r.Image, r.Demand, r.Copy = c.Event, c.Key.Time, c.Image, c.Demand, true
	}
	r.Delivery = p.request.Delivery
	if r.Delivery == "" {
		r.Delivery = string(rune('a' + i))
	}
	r.Previous, r.Base, r.Summary = p.rolls.runs(), n.Base, n.Summary
	r.Configuration, r.Seen = n.Configuration, n.Seen
	r.Number, r.Registered = len(w.revisions)+1, int64(w.now(x.scenario))*unit
	w.revisions = append(w.revisions, r)
	w.revisionWriter = i
	return r.Number
}
