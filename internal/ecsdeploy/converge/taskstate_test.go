package converge

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// The key of a world says all of it that makes a difference for what follows. Deliveries of one
// event are alike. Of a timeless case, a key says of a revision only what a search that starts
// at it finds, and of two revisions only which one is older. [TestTaskKeys] checks that worlds
// with the same key have the same future.

// taskForm writes the keys of worlds. Its buffers are used again.
type taskForm struct {
	out      []byte
	process  [][]byte
	timeless bool
	waits    bool   // how often a process waited makes a difference
	starts   []bool // by number of a revision: a search may start at it
	rank     []byte // how many starts are not newer
}

// timeless reports whether no time but those of events is compared in any run of the case:
// nothing but events happens, so early that no note of a move counts yet, and no other
// revision than the first is external, which was registered before all events. A plain case is
// explored as if it were not.
func (c *taskCase) timeless() bool { return !c.plain && c.onlyEvents() }

func (c *taskCase) onlyEvents() bool {
	for _, o := range c.line {
		if o.what != "emit" || o.at >= inTime {
			return false
		}
	}
	return c.scenario.lost == 0
}

// key returns the key of a world.
func (x *taskExplorer) key(w *taskWorld) uint64 { return x.keyOf(w, x.timeless()) }

// keyOf returns the key of a world, of a timeless case or of another one.
func (x *taskExplorer) keyOf(w *taskWorld, timeless bool) uint64 {
	f := &x.form
	f.timeless = timeless
	f.waits = x.lag > 0 || slices.ContainsFunc(x.line, func(o occurrence) bool { return o.what == "gone" })
	f.mark(w)
	wrote := byte(0) // when is forgotten once no read can be stale
	if w.stale > 0 && w.now(x.scenario)-w.wrote < inTime {
		wrote = byte(w.wrote)
	}
	b := append(f.out[:0], byte(w.clock), byte(w.crashes), byte(w.stale), byte(w.again), byte(w.lost), byte(w.gives),
		bit(w.looked), wrote)
	for _, held := range w.shown() {
		for _, n := range held {
			b = append(b, f.rank[n])
		}
	}
	for _, o := range w.others {
		b = append(b, byte(o.at/unit), text(o.image))
	}
	for i := range w.revisions {
		if f.starts[i+1] {
			b = f.revision(w, i+1, append(b, 0xf0))
		}
	}
	for len(f.process) < len(w.processes) {
		f.process = append(f.process, nil)
	}
	all := f.process[:len(w.processes)]
	for i := range w.processes {
		all[i] = w.processes[i].encode(w, f, all[i][:0])
	}
	slices.SortFunc(all, bytes.Compare)
	for _, p := range all {
		b = append(append(b, 0xf2), p...)
	}
	f.out = b
	return maphash.Bytes(x.seed, b)
}

// revision appends all of a revision that makes a difference for what follows. In a timeless
// case, that is its event, and the newest choice of those that a search finds: in the
// revision and its gap, with the best that it sums up, and above it, which the gap of the
// next registration may have. See [known.own].
func (f *taskForm) revision(w *taskWorld, n int, b []byte) []byte {
	r := &w.revisions[n-1]
	b = append(b, r.by, text(r.Event))
	if !f.timeless {
		return append(b, byte(r.Time/unit), text(r.Image), byte(r.Configuration), byte(r.Seen), byte(r.Registered/unit),
			byte(r.Ended/unit), byte(r.Base), byte(r.Summary.Number), bit(r.Unusable), bit(r.Gone))
	}
	low := r.Base
	if r.by != 'd' {
		low = n - 1
	}
	best := w.newest(low, n)
	b = f.choice(w, best, b)
	if s := r.Summary.Number; s > 0 && (best == 0 || w.revisions[best-1].Time < r.Summary.Time) {
		best = s
	}
	return f.choice(w, w.newest(n, len(w.revisions)), f.choice(w, best, b))
}

// choice appends the choice that a revision was registered for: its event, and whether it is
// one of the starts.
func (f *taskForm) choice(w *taskWorld, n int, b []byte) []byte {
	switch {
	case n == 0:
		return append(b, 0, 0)
	case f.starts[n]:
		return append(b, text(w.revisions[n-1].Event), f.rank[n])
	}
	return append(b, text(w.revisions[n-1].Event), 0)
}

// newest returns the revision of the newest choice above a number, up to another one; 0 if
// the deployer registered none of these.
func (w *taskWorld) newest(low, high int) (best int) {
	for n := low + 1; n <= high; n++ {
		r := &w.revisions[n-1]
		if r.by == 'd' && (best == 0 || w.revisions[best-1].Time <= r.Time) {
			best = n
		}
	}
	return best
}

// shown returns what a read of the pointers may show: what they hold, and if a read can be
// stale what they held before.
func (w *taskWorld) shown() [][]int {
	if w.stale > 0 {
		return w.held[max(0, len(w.held)-2):]
	}
	return w.held[len(w.held)-1:]
}

// visible returns the newest revision that every read shows.
func (w *taskWorld) visible() int { return len(w.revisions) - int(bit(w.stale > 0)) }

// mark marks the revisions that a search may start at, now or later.
func (f *taskForm) mark(w *taskWorld) {
	size := len(w.revisions) + 1
	f.starts = append(f.starts[:0], make([]bool, size)...)
	for n := range f.starts {
		f.starts[n] = !f.timeless || n >= w.visible()
	}
	for _, held := range w.shown() {
		for _, n := range held {
			f.starts[n] = true
		}
	}
	for i := range w.processes {
		p := &w.processes[i]
		if p.ended || p.stuck || p.phase == done {
			continue
		}
		f.starts[p.newest] = f.starts[p.newest] || p.newestMatters(w, f)
		for _, r := range p.read(f) {
			f.starts[r.Revision] = true
		}
		if p.numberMatters() {
			f.starts[p.Delivery.number] = true
		}
	}
	f.rank = append(f.rank[:0], 0)
	for n := 1; n < size; n++ {
		f.rank = append(f.rank, f.rank[n-1]+bit(f.starts[n]))
	}
}

// registers reports whether a process may register next by what it has read.
func (p *taskProcess) registers() bool { return p.phase == starting || p.phase == registering }

// numberMatters reports whether the revision that a process registered last makes a
// difference.
func (p *taskProcess) numberMatters() bool {
	return !p.registers() && p.phase != looking && p.phase != verifying
}

// newestMatters reports whether the newest revision that a process knows makes a difference. In
// a timeless case it reads that again after a move, and what it reads is not older if no read is
// stale.
func (p *taskProcess) newestMatters(w *taskWorld, f *taskForm) bool {
	return !f.timeless || w.stale > 0 || p.phase != updating && p.phase != looking
}

// copiesMatter reports whether what a process registers a copy of makes a difference.
func (p *taskProcess) copiesMatter(f *taskForm) bool {
	return p.phase != starting && p.phase != looking && (p.phase != updating || !f.timeless)
}

// read returns what a process has read of the pointers, if it is used before they are read
// again or written. What a pointer held before makes no difference in a timeless case: all
// events are newer than a choice of others.
func (p *taskProcess) read(f *taskForm) Service {
	switch {
	case p.phase == rereading, p.phase == verifying, p.phase == updating && f.timeless:
		return nil
	case f.timeless && len(p.rolls) > 0:
		return p.rolls.current()
	}
	return p.rolls
}

// encode appends all of a process that makes a difference for what follows.
func (p *taskProcess) encode(w *taskWorld, f *taskForm, b []byte) []byte {
	if f.timeless && p.ended && w.again == 0 {
		return append(b, 0xff) // only what it has done makes a difference
	}
	b = append(b, text(p.request.Event), bit(p.ended)|2*bit(p.stuck)|4*bit(p.active))
	if p.stuck || p.ended && w.again == 0 {
		return b
	}
	b = p.own(w, f, b)
	if p.ended { // it begins anew, if it is delivered again
		return b
	}
	b = append(b, byte(p.phase))
	if f.waits {
		b = append(b, byte(p.waits))
	}
	if p.phase == done {
		if f.timeless {
			return append(b, bit(len(p.notes) > 0))
		}
		for _, n := range p.notes {
			b = append(b, byte(n))
		}
		return b
	}
	if p.newestMatters(w, f) {
		b = append(b, f.rank[p.newest])
	}
	b = append(b, byte(p.lost), byte(p.then), bit(p.renewed))
	if p.numberMatters() {
		b = append(b, f.rank[p.Delivery.number])
	}
	if p.copiesMatter(f) {
		b = append(b, byte(p.copies.Key.Time/unit), bit(p.copies.External), bit(p.copies.Key.Number > 0))
		if !f.timeless {
			b = append(b, byte(p.copies.Key.Number))
		}
	}
	for _, r := range p.read(f) {
		b = append(b, f.rank[r.Revision], byte(r.Form), r.ID[1]) // the pointer's number
	}
	return b
}

// own appends which revisions of its event the process itself registered. In a timeless
// case, it appends the newest one of those that it did not, if it may be in the gap before
// the one that it registers next, and that is no copy: see [known.twin].
func (p *taskProcess) own(w *taskWorld, f *taskForm, b []byte) []byte {
	low := 0
	if f.timeless {
		low = w.visible()
		if p.newest > 0 && p.registers() && p.copies.Key.Number == 0 {
			low = min(low, p.newest)
		}
	}
	twin := 0
	for n := low + 1; n <= len(w.revisions); n++ {
		r := &w.revisions[n-1]
		if r.Event != p.request.Event {
			continue
		}
		if own := r.Delivery == p.request.Delivery; own && !f.timeless {
			b = append(b, byte(n))
		} else if !own {
			twin = n
		}
	}
	if f.timeless && twin > 0 {
		b = append(b, 1+f.rank[twin-1]) // it is above so many starts
	}
	return append(b, 0xff)
}
