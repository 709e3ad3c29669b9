package converge

import (
	"fmt"
	"slices"
)

// emitted reports whether an event was emitted.
func (x *taskExplorer) emitted(w *taskWorld, event string) bool {
	for _, o := range x.line[:w.clock] {
		if o.what == "emit" && o.arg == event {
			return true
		}
	}
	return false
}

// begun reports whether a delivery is under way.
func (p *taskProcess) begun() bool {
	return !p.ended && !p.stuck && (p.Delivery.phase != starting || p.rolls != nil || p.newest > 0)
}

// successors calls visit with all that can happen next.
func (x *taskExplorer) successors(w *taskWorld, visit func(label string, next *taskWorld) bool) bool {
	quiet, allEnded := true, true
	for i := range w.processes {
		quiet = quiet && !w.processes[i].begun()
		if p := &w.processes[i]; x.handled && w.clock < len(x.line) && x.line[w.clock].what != "emit" {
			quiet = quiet && (p.ended || !x.emitted(w, p.request.Event))
		}
		allEnded = allEnded && (w.processes[i].ended || w.processes[i].stuck)
	}
	if w.clock < len(x.line) && (quiet || x.line[w.clock].at-w.now(x.scenario) < inTime &&
		x.line[w.clock].what == "emit") {
		next := w.clone()
		o := x.line[w.clock]
		x.tick(next)
		if !visit(fmt.Sprintf("[%s %s at %d]", o.what, o.arg, o.at), next) {
			return false
		}
	}
	if w.clock == len(x.line) && allEnded && !w.looked {
		next := w.clone()
		next.looked, next.stale = true, 0 // it is later than what AWS's answers lag behind
		next.processes = append(next.processes, taskProcess{process: process{
			Delivery: New(Request{Rollout: "look", Delivery: "L"}), active: true}})
		return visit("the search for lost pushes looks", next)
	}
	for i := range w.processes {
		p := &w.processes[i]
		switch {
		case p.stuck, p.request.Event != "" && !x.emitted(w, p.request.Event):
		case p.ended:
			if w.again > 0 && p.request.Event != "" {
				next := w.clone()
				next.again--
				next.processes[i] = x.restart(next.processes[i])
				if !visit(p.name()+" is delivered again", next) {
					return false
				}
			}
		case p.phase == done:
			if !x.note(w, i, visit) {
				return false
			}
		default:
			if !x.calls(w, i, visit) {
				return false
			}
		}
	}
	return true
}

func (x *taskExplorer) restart(p taskProcess) taskProcess {
	return taskProcess{process: process{Delivery: New(p.request), active: true}}
}

// note notes which revisions the task was moved to, or dies before that.
func (x *taskExplorer) note(w *taskWorld, i int, visit func(string, *taskWorld) bool) bool {
	next := w.clone()
	x.noted(next, i)
	if !visit(w.processes[i].name()+" notes what it did", next) {
		return false
	}
	if w.crashes == 0 || len(w.processes[i].notes) == 0 {
		return true
	}
	next = w.clone()
	next.crashes--
	next.processes[i] = x.restart(next.processes[i])
	return visit(w.processes[i].name()+" dies before it notes what it did", next)
}

// noted ends a process, which notes what it did.
func (x *taskExplorer) noted(w *taskWorld, i int) {
	p := &w.processes[i]
	for _, n := range p.notes {
		if w.revisions[n-1].Ended == 0 {
			w.revisions[n-1].Ended = int64(w.now(x.scenario)) * unit
		}
	}
	p.ended, p.notes = true, nil
}

// settle lets a process decide, until it needs a call other than ReadRevision.
func (x *taskExplorer) settle(w *taskWorld, i int) {
	p := &w.processes[i]
	family := x.family(w, p)
	calls := p.Next(family)
	knows := func() *known {
		newest := max(p.newest, p.rolls.runs())
		return &known{family: family, rolls: p.rolls.resolved(newest), newest: newest}
	}
	if x.phase != nil && p.rolls != nil {
		x.phase(knows(), &p.Delivery)
		calls = p.Next(family)
	}
	switch {
	case len(calls) > 0 && calls[0].Kind == ReadRevision:
		p.stuck = true
	case len(calls) == 0 && p.rolls != nil:
		k := knows()
		if m := k.winner(); !m.External && k.settled(m) {
			for _, n := range append([]int{m.Key.Number}, k.rolls.runs()) {
				if r, _ := family(n); r.Own {
					p.notes = append(p.notes, n)
				}
			}
		}
	}
}

// calls visits what may follow the next calls of a process. The first two reads are made at the
// same time, so that either may take effect first.
func (x *taskExplorer) calls(w *taskWorld, i int, visit func(string, *taskWorld) bool) bool {
	p := w.processes[i]
	all := p.Next(x.family(w, &p))
	if x.joint {
		all = all[:1]
	}
	for _, c := range all {
		if !x.makes(w, i, c, visit) {
			return false
		}
	}
	return true
}

// makes visits what may follow a call of a process.
func (x *taskExplorer) makes(w *taskWorld, i int, c Call, visit func(string, *taskWorld) bool) bool {
	p := w.processes[i]
	do := func(how string, late int, change func(*taskWorld)) bool {
		next := w.clone()
		x.call(next, i, c, how, late)
		if second := next.processes[i].Delivery; x.joint && c.Kind == ReadService && second.phase == starting {
			x.call(next, i, Call{Kind: ReadNewest}, how, late)
		}
		if change != nil {
			change(next)
		}
		x.settle(next, i)
		x.readFloating(next, i)
		if p := &next.processes[i]; (x.timeless() || x.joint && next.crashes == 0) && p.phase == done && !p.ended {
			if next.crashes > 0 && len(p.notes) > 0 { // in a timeless case, nothing depends on when it dies
				dead := next.clone()
				dead.crashes--
				dead.processes[i] = x.restart(*p)
				if !visit(p.name()+": "+c.describe()+how+", dies before it notes what it did", dead) {
					return false
				}
			}
			x.noted(next, i)
		}
		return visit(p.name()+": "+c.describe()+how, next)
	}
	if !do("", 0, nil) {
		return false
	}
	fresh := w.now(x.scenario)-w.wrote < inTime
	switch c.Kind {
	case ReadService, ReadNewest:
		if w.stale > 0 && fresh && (c.Kind == ReadNewest && len(w.revisions) > 1 ||
			c.Kind == ReadService && len(w.held) > 1) {
			return do(" (stale)", 1, func(next *taskWorld) { next.stale-- })
		}
	case Register, Update:
		dies := func(next *taskWorld) {
			next.crashes--
			next.processes[i] = x.restart(next.processes[i])
		}
		if w.crashes > 0 && !do(", dies", 0, dies) {
			return false
		}
		if w.crashes > 0 && c.Kind == Update && len(x.forms) > 1 && !do(", dies half way", 0, dies) {
			return false
		}
		if w.gives > 0 && p.request.Event != "" && !do(", dies for good", 0, func(next *taskWorld) {
			next.gives--
			dies(next)
			next.crashes++
			next.processes[i].ended, next.processes[i].phase = true, done
		}) {
			return false
		}
		if w.lost > 0 {
			return do(", not answered", 0, func(next *taskWorld) {
				next.lost--
				next.processes[i].Delivery = p.Delivery
				d := &next.processes[i].Delivery
				d.Next(x.family(next, &next.processes[i]))
				if c.Kind == Update {
					d.Stale()
				} else {
					d.Answered(c, Answer{Lost: true})
				}
			})
		}
	}
	return true
}

// readFloating makes the next call of a process in the same step, if it reads pointers that all
// float, in a timeless case: no other step changes what they hold, or what the process does
// after that, so that nothing depends on when it reads.
func (x *taskExplorer) readFloating(w *taskWorld, i int) {
	for p := &w.processes[i]; x.timeless() && !slices.Contains(x.forms, Pinned); {
		calls := p.Next(x.family(w, p))
		if p.stuck || len(calls) == 0 || calls[0].Kind != ReadService || p.phase == starting {
			return
		}
		x.call(w, i, calls[0], "", 0)
		x.settle(w, i)
	}
}

// call makes a call of a process take effect. A stale read returns what was before the
// latest write.
func (x *taskExplorer) call(w *taskWorld, i int, c Call, how string, late int) {
	p := &w.processes[i]
	d := &p.Delivery
	d.Next(x.family(w, p)) // sets what it remembers of a registration
	a := Answer{}
	switch c.Kind {
	case ReadService:
		a.Service = x.service(w.held[len(w.held)-1-late])
	case ReadNewest:
		a.Number = len(w.revisions) - late
	case Register:
		a.Number = x.register(w, i, c.Registration)
	case Update:
		was := d.rolls.current()
		first := len(x.forms)
		if how == ", dies half way" {
			first = 1
		}
		w.write(x.taskCase, c.Number, first)
		w.writes++
		a.Service = x.service(w.held[len(w.held)-1])
		for _, r := range was {
			if r.Form == Pinned {
				r.Form = Replaced
				a.Service = append(a.Service, r)
			}
		}
	}
	d.Answered(c, a)
}

// register registers what a process asks for, and returns its number.
func (x *taskExplorer) register(w *taskWorld, i int, n Registration) int {
	p := &w.processes[i]
	r := revision{by: 'd'}
	r.Event, r.Time, r.Image, r.Demand = p.request.Event, p.request.Time, p.request.Image, p.request.Demand
	if c := n.Copy; c.Key.Number > 0 {
		r.Event, r.Time, r.Image, r.Demand, r.Copy = c.Event, c.Key.Time, c.Image, c.Demand, true
	}
	r.Delivery = p.request.Delivery
	r.Previous, r.Base, r.Summary = p.rolls.runs(), n.Base, n.Summary
	r.Configuration, r.Seen = n.Configuration, n.Seen
	r.Number, r.Registered = len(w.revisions)+1, int64(w.now(x.scenario))*unit
	w.revisions = append(w.revisions, r)
	w.wrote = w.now(x.scenario)
	return r.Number
}
