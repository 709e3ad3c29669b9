package converge

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWinner checks the winners of families, and which revision has to be read
// first if only some are known.
func TestWinner(t *testing.T) {
	t.Parallel()
	foreign := func(n int, time int64) Revision { return Revision{Number: n, Time: time} }
	ours := func(n int, time int64, base int, best Key) Revision {
		return Revision{Number: n, Event: "e", Time: time, Base: base, Best: best}
	}
	dead := func(r Revision) Revision { r.Dead = true; return r }
	tests := []struct {
		name            string
		known           []Revision
		newest, running int
		want            int // the winner's number
		read            int // or what has to be read first
	}{
		{name: "foreign, running", known: []Revision{foreign(57, 10)}, newest: 57, running: 57, want: 57},
		{name: "ours, the newest", known: []Revision{ours(58, 20, 57, Key{10, 57})}, newest: 58, running: 58, want: 58},
		{name: "the newest is late: the best before it has won",
			known: []Revision{ours(59, 15, 58, Key{20, 58}),
				ours(58, 20, 57, Key{10, 57})}, newest: 59, running: 58, want: 58},
		{name: "the running revision must be read", known: []Revision{ours(59, 15, 58, Key{20, 58})}, newest: 59,
			running: 58, read: 58},
		{name: "the best before must be read", known: []Revision{ours(59, 15, 58, Key{20, 57}),
			ours(58, 12, 57, Key{20, 57})}, newest: 59, running: 58, read: 57},
		{name: "a gap is read, newest first", known: []Revision{ours(60, 15, 57, Key{10, 57}), foreign(57, 10)},
			newest: 60, running: 57, read: 59},
		{name: "then the next", known: []Revision{ours(60, 15, 57, Key{10, 57}), foreign(57, 10),
			ours(59, 16, 57, Key{10, 57})}, newest: 60, running: 57, read: 58},
		{name: "a revision in the gap wins", known: []Revision{ours(60, 15, 57, Key{10, 57}), foreign(57, 10),
			ours(59, 16, 57, Key{10, 57}), ours(58, 14, 57, Key{10, 57})}, newest: 60, running: 57, want: 59},
		{name: "of one time the greater number", known: []Revision{ours(10, 15, 9, Key{15, 9}),
			ours(9, 15, 8, Key{1, 8})}, newest: 10, running: 9, want: 10},
		{name: "behind a foreign one that does not run",
			known: []Revision{foreign(59, 30), ours(58, 20, 57, Key{10, 57})}, newest: 59, running: 58, want: 58},
		{name: "an older foreign one runs again", known: []Revision{ours(58, 20, 57, Key{10, 57}), foreign(57, 10)},
			newest: 58, running: 57, want: 58},
		{name: "a failed one does not win", known: []Revision{dead(ours(58, 20, 57, Key{10, 57})), foreign(57, 10)},
			newest: 58, running: 57, want: 57},
		{name: "nor as the best before", known: []Revision{ours(59, 15, 58, Key{20, 58}),
			dead(ours(58, 20, 57, Key{12, 57})), ours(57, 12, 56, Key{})}, newest: 59, running: 57, want: 59},
		{name: "newer than what was read as newest", known: []Revision{foreign(57, 10), ours(58, 20, 57, Key{10, 57})},
			newest: 57, running: 58, want: 58},
		{name: "none", known: []Revision{dead(foreign(1, 10))}, newest: 1, running: 1, want: 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, read := winner(func(number int) (Revision, bool) {
				for _, r := range tt.known {
					if r.Number == number {
						return r, true
					}
				}
				return Revision{}, false
			}, tt.newest, tt.running)
			if read != tt.read || read == 0 && m.Number != tt.want {
				t.Errorf("winner %d, read %d; want %d, read %d", m.Number, read, tt.want, tt.read)
			}
		})
	}
}

// TestFirst checks which of the revisions of one event the service is moved to.
func TestFirst(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		other Revision // number 5
		want  int
	}{
		{"the first", Revision{Event: "e", Image: "a"}, 5},
		{"not a failed one", Revision{Event: "e", Image: "a", Dead: true}, 7},
		{"not one with the previous image of its tag", Revision{Event: "e", Image: "b"}, 7},
		{"not another event's", Revision{Event: "f", Image: "a"}, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.other.Number = 5
			m := Revision{Number: 7, Event: "e", Image: "a"}
			got := first(func(number int) (Revision, bool) {
				return map[int]Revision{5: tt.other, 7: m}[number], number == 5 || number == 7
			}, m)
			if got.Number != tt.want {
				t.Errorf("%d, want %d", got.Number, tt.want)
			}
		})
	}
}

// TestWinnerIsBounded checks that the search for the winner ends behind many
// foreign revisions.
func TestWinnerIsBounded(t *testing.T) {
	t.Parallel()
	reads := 0
	family := func(number int) (Revision, bool) {
		reads++
		return Revision{Number: number, Time: int64(number)}, true
	}
	if m, read := winner(family, 1000, 1); m.Number != 1 || read != 0 || reads > maxRead+1 {
		t.Errorf("winner %d, read %d after %d", m.Number, read, reads)
	}
}

// TestOutcomes runs single deliveries.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	v1 := Revision{Number: 1, Time: 1, Image: "v1"}
	e2 := Revision{Number: 2, Event: "e2", Time: 20, Image: "v2", Base: 1, Best: Key{1, 1}}
	old := e2
	old.Old = true
	tests := []struct {
		name      string
		revisions []Revision
		running   int
		request   Request
		want      Outcome
		runs      int
		writes    []Kind
	}{
		{"new image", []Revision{v1}, 1, Request{Event: "e", Time: 30, Image: "v3"}, Deployed, 2,
			[]Kind{Register, Update}},
		{"the running image", []Revision{v1}, 1, Request{Event: "e", Time: 30, Image: "v1"}, Unchanged, 1,
			[]Kind{Register}},
		{"the running image, forced", []Revision{v1}, 1, Request{Event: "e", Time: 30, Image: "v1", Force: true},
			Deployed, 2, []Kind{Register, Update}},
		{"late", []Revision{v1, e2}, 2, Request{Event: "e", Time: 10, Image: "v3"}, Superseded, 2, nil},
		{"late, for the winner's image", []Revision{v1, e2}, 2, Request{Event: "e", Time: 10, Image: "v2"}, Unchanged,
			2, nil},
		{"of the same time", []Revision{v1, e2}, 2, Request{Event: "e", Time: 20, Image: "v3"}, Superseded, 2, nil},
		{"late, completes the update", []Revision{v1, e2}, 1, Request{Event: "e", Time: 10, Image: "v3"}, Superseded, 2,
			[]Kind{Update}},
		{"late, does not complete an old update", []Revision{v1, old}, 1, Request{Event: "e", Time: 10, Image: "v3"},
			Superseded, 1, nil},
		{"duplicate", []Revision{v1, e2}, 2, Request{Event: "e2", Time: 20, Image: "v2"}, Repeated, 2, nil},
		{"duplicate, completes the update", []Revision{v1, e2}, 1, Request{Event: "e2", Time: 20, Image: "v2"},
			Deployed, 2, []Kind{Update}},
		{"duplicate, forced, completes the update", []Revision{{Number: 1, Time: 1, Image: "v2"}, e2}, 1,
			Request{Event: "e2", Time: 20, Image: "v2", Force: true}, Deployed, 2, []Kind{Update}},
		{"older than a running foreign one", []Revision{{Number: 1, Time: 40, Image: "v1"}}, 1,
			Request{Event: "e", Time: 30, Image: "v3"}, Superseded, 1, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			revisions, running := append([]Revision(nil), tt.revisions...), tt.running
			family := func(number int) (Revision, bool) {
				if number < 1 || number > len(revisions) {
					return Revision{}, true
				}
				return revisions[number-1], true
			}
			d := New(tt.request)
			var writes []Kind
			for calls := d.Next(family); len(calls) > 0; calls = d.Next(family) {
				for _, c := range calls {
					a := Answer{Number: len(revisions)}
					switch c.Kind {
					case ReadService:
						a.Number = running
					case Register:
						r := tt.request
						revisions = append(revisions,
							Revision{Number: len(revisions) + 1, Event: r.Event, Time: r.Time, Image: r.Image,
								Base: c.Base, Best: c.Best})
						a.Number = len(revisions)
						writes = append(writes, c.Kind)
					case Update:
						running = c.Number
						writes = append(writes, c.Kind)
					}
					d.Answered(c, a, family)
				}
			}
			if d.Outcome() != tt.want || running != tt.runs {
				t.Errorf("outcome %d, running %d; want %d, %d", d.Outcome(), running, tt.want, tt.runs)
			}
			if diff := cmp.Diff(tt.writes, writes); diff != "" {
				t.Error(diff)
			}
		})
	}
}
