package converge

import (
	"hash/maphash"
	"strings"
)

// encode appends all of a world that makes a difference for what follows.
func (w *world) encode(b []byte) []byte {
	b = append(b, byte(w.clock), byte(w.crashes), byte(w.stale), byte(w.again), byte(w.lost), byte(w.waits),
		byte(w.serviceWriter+2), byte(w.revisionWriter+2))
	b = append(b, w.failed...)
	for _, r := range w.revisions {
		b = append(b, 0xf0, r.by, text(r.Event), byte(r.Time/unit), byte(r.Registered/unit), text(r.Image),
			byte(r.Configuration), byte(r.Demand),
			byte(r.Base), byte(r.Summary.Number), byte(r.Previous), text(r.Rollout), text(r.Delivery),
			byte(r.Seen), bit(r.Copy)|2*bit(r.Failed))
	}
	for _, m := range w.rolls {
		b = append(b, 0xf1, byte(m.revision), byte(m.created), byte(m.maker+2), bit(m.external)|2*bit(m.rollback))
	}
	for _, p := range w.processes {
		b = append(b, 0xf2, text(p.request.Event), byte(p.number),
			bit(p.ended)|2*bit(p.stuck)|4*bit(p.active)|8*bit(p.asked && !p.ended))
		if !p.ended {
			b = append(b, byte(p.phase), byte(p.newest), byte(p.base), byte(p.Delivery.number), byte(p.lost),
				byte(p.waits), byte(p.then), bit(p.renewed))
			b = append(b, byte(len(p.seen)))
			if len(p.seen) > 0 {
				b = append(b, text(p.seen[0].ID), text(p.seen[len(p.seen)-1].ID))
			}
			b = append(b, byte(p.copies.Key.Number), byte(p.copies.Key.Time/unit), text(p.copies.Event),
				bit(p.copies.External), byte(len(p.rolls)))
			if len(p.rolls) > 0 {
				b = append(b, text(p.rolls[0].ID), text(p.rolls[len(p.rolls)-1].ID))
			}
		}
	}
	return b
}

func bit(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// text returns a byte for one of the model's short texts: an event, an image, an id.
func text(s string) byte {
	var sum byte
	for i := range len(s) {
		sum = sum*31 + s[i]
	}
	return sum
}

// explorer runs every run of a scenario.
type explorer struct {
	*scenario
	seen         map[uint64]struct{}
	seed         maphash.Seed
	limit        int // of states, if not 0
	trace        []string
	states, ends int
	most         int // rollouts that deliveries and looks started
	wrong        string
	cut          bool
	buffer       []byte
}

func explore(s *scenario, limit int) *explorer {
	x := &explorer{scenario: s, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed(), limit: limit}
	w := s.first()
	if s.order != nil {
		x.crowd(w)
	}
	x.visit(w)
	return x
}

// crowd lets all deliveries read before any registers, and then register in an order.
func (x *explorer) crowd(w *world) {
	w.clock = len(x.line)
	for range 2 {
		for i := range w.processes {
			x.call(w, i, w.processes[i].Next(x.family(w, &w.processes[i]))[0], "")
		}
	}
	for _, i := range x.order {
		x.call(w, i, w.processes[i].Next(x.family(w, &w.processes[i]))[0], "")
		x.settle(w, i)
	}
	x.trace = x.trace[:0]
}

// visit explores all runs that continue from a world, and reports whether all end right.
func (x *explorer) visit(w *world) bool {
	x.buffer = w.encode(x.buffer[:0])
	key := maphash.Bytes(x.seed, x.buffer)
	if _, ok := x.seen[key]; ok {
		return true
	}
	x.seen[key] = struct{}{}
	x.states++
	if x.limit > 0 && x.states > x.limit {
		x.cut = true
		return false
	}
	if len(w.revisions) > maxWritten || len(w.rolls) > maxWritten {
		return x.fail(w, "it does not settle")
	}
	idle := w.clock == len(x.line)
	for _, p := range w.processes {
		idle = idle && (p.ended || p.stuck)
	}
	if idle {
		x.ends++
		made := 0
		for _, m := range w.rolls {
			if !m.external {
				made++
			}
		}
		x.most = max(x.most, made)
		if why := x.verdict(w); why != "" {
			return x.fail(w, why)
		}
	}
	taken, after := len(x.trace), 0
	ok := x.successors(w, func(label string, next *world) bool {
		after++
		x.trace = append(x.trace[:taken], label)
		return x.visit(next)
	})
	x.trace = x.trace[:taken]
	if ok && after == 0 && !idle {
		return x.fail(w, "nothing can happen, and it is not the end")
	}
	return ok
}

func (x *explorer) fail(_ *world, why string) bool {
	x.wrong = why + ":\n\t" + strings.Join(x.trace, "\n\t")
	return false
}
