package converge

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const minute = int64(60 * 1e9)

// ownAt returns the deployer's own revision for an event at a minute, with the revision
// before it as its base.
func ownAt(number int, event string, time int64, image string) Revision {
	return Revision{Number: number, Own: true, Event: event, Time: time * minute, Registered: time * minute,
		Image: image, Base: number - 1, Configuration: 1, Seen: 1, Delivery: "delivery of " + event}
}

func externalAt(number int, time int64, image string) Revision {
	return Revision{Number: number, Registered: time * minute, Image: image}
}

// outside is a service of which everything is known, and what single deliveries do to it.
type outside struct {
	revisions []Revision // by number from 1
	service   Service
	read      []int // the revisions that were read, besides those of the service and the newest one
	writes    []Kind
	origin    Origin // of all rollouts

	beforeRegister func() // called once, if not nil
	waited         func() // called whenever another delivery was given time
}

func (o *outside) run(r Request) Outcome {
	known := map[int]bool{len(o.revisions): true, o.service.runs(): true}
	family := func(n int) (Revision, bool) {
		if n < 1 || n > len(o.revisions) {
			return Revision{}, true
		}
		return o.revisions[n-1], known[n]
	}
	d := New(r)
	for calls := d.Next(family); len(calls) > 0; calls = d.Next(family) {
		for _, c := range calls {
			a := Answer{Service: o.service, Number: len(o.revisions), Origin: o.origin}
			switch c.Kind {
			case ReadService:
				if c.Wait {
					o.waited()
					a.Service = o.service
				}
			case ReadRevision:
				known[c.Number] = true
				o.read = append(o.read, c.Number)
				continue
			case Register:
				if before := o.beforeRegister; before != nil {
					o.beforeRegister = nil
					before()
				}
				one := Revision{Number: len(o.revisions) + 1, Own: true, Event: r.Event, Time: r.Time,
					Registered: r.Time,
					Image:      r.Image, Demand: r.Demand, Base: c.Registration.Base, Delivery: r.Delivery}
				if of := c.Registration.Copy; of.Key.Number > 0 {
					one.Event, one.Time, one.Image, one.Copy = of.Event, of.Key.Time, of.Image, true
				}
				one.Configuration, one.Seen = c.Registration.Configuration, c.Registration.Seen
				o.revisions = append(o.revisions, one)
				a.Number = one.Number
				known[one.Number] = true
				o.writes = append(o.writes, Register)
			case Update:
				o.service = append(Service{{ID: "new", Revision: c.Number, Created: r.Time}}, o.service...)
				a.Service = o.service
				o.writes = append(o.writes, Update)
			}
			d.Answered(c, a)
		}
	}
	return d.Outcome()
}

// TestDelivery runs single deliveries.
func TestDelivery(t *testing.T) {
	t.Parallel()
	v1, e2 := externalAt(1, 1, "v1"), ownAt(2, "e2", 20, "v2")
	noted := e2
	noted.Rollout = "x2"
	failed := noted
	failed.Failed, failed.RolledBackBy = true, "x3"
	ran := []Rollout{{ID: "x1", Revision: 1, Created: 2 * minute}}
	runs2 := Service{{ID: "x2", Revision: 2, Created: 20 * minute}}
	command := e2
	command.Command = true
	badNewer := ownAt(3, "e3", 25, "v3")
	badNewer.Failed = true
	other := Revision{Number: 3, Other: true, Registered: 21 * minute, Image: "v8"}
	newer := externalAt(3, 25, "v2")
	tests := []struct {
		name      string
		revisions []Revision
		service   Service
		request   Request
		want      Outcome
		runs      int
		writes    []Kind
	}{
		{"new image", []Revision{v1}, ran, Request{Event: "e", Time: 30, Image: "v3"}, Deployed, 2,
			[]Kind{Register, Update}},
		{"the running image", []Revision{v1}, ran, Request{Event: "e", Time: 30, Image: "v1"}, Unchanged, 1,
			[]Kind{Register}},
		{"the running image, forced", []Revision{v1}, ran, Request{Event: "e", Time: 30, Image: "v1",
			Demand: OwnRevision},
			Deployed, 2, []Kind{Register, Update}},
		{"late", []Revision{v1, e2}, runs2, Request{Event: "e", Time: 10, Image: "v3"}, Superseded, 2, nil},
		{"late, for the winner's image", []Revision{v1, e2}, runs2, Request{Event: "e", Time: 10, Image: "v2"},
			Unchanged,
			2, nil},
		{"of the same time", []Revision{v1, e2}, runs2, Request{Event: "e", Time: 20, Image: "v3"}, Superseded, 2, nil},
		{"late, leaves the update to the newer event's delivery", []Revision{v1, e2}, ran,
			Request{Event: "e", Time: 10, Image: "v3"}, Superseded, 1, nil},
		{"late, repairs what was overwritten", []Revision{v1, noted},
			append(Service{{ID: "x3", Revision: 1, Created: 0}}, runs2...), Request{Event: "e", Time: 10, Image: "v3"},
			Superseded, 3, []Kind{Register, Update}},
		{"late, completes what a command registered", []Revision{v1, command}, ran,
			Request{Event: "e", Time: 10, Image: "v3"}, Superseded, 3, []Kind{Register, Update}},
		{"late, leaves an external choice that an event superseded which failed",
			[]Revision{v1, externalAt(2, 20, "v2"), badNewer},
			Service{{ID: "x3", Revision: 3, Created: 25 * minute}, {ID: "x2", Revision: 2, Created: 20 * minute}},
			Request{Event: "e", Time: 10, Image: "v4"}, Superseded, 3, nil},
		{"duplicate", []Revision{v1, e2}, runs2, Request{Event: "e2", Time: 20, Image: "v2"}, Repeated, 2, nil},
		{"resumed", []Revision{v1, e2}, ran, Request{Event: "e2", Time: 20, Image: "v2"}, Deployed, 3,
			[]Kind{Register, Update}},
		{"failed before", []Revision{v1, failed}, append(Service{{ID: "x3", Revision: 1, Created: 22 * minute}},
			runs2...),
			Request{Event: "e2", Time: 20, Image: "v2"}, Failed, 1, nil},
		{"newer than the failed one", []Revision{v1, failed},
			Service{{ID: "x3", Revision: 1, Created: 40 * minute}}, Request{Event: "e", Time: 30, Image: "v3"},
			Deployed, 3, []Kind{Register, Update}},
		{"older than an external rollout", []Revision{v1}, Service{{ID: "x1", Revision: 1, Created: 40 * minute}},
			Request{Event: "e", Time: 30, Image: "v3"}, Superseded, 1, nil},
		{"moved back by a person", []Revision{v1, noted, ownAt(3, "e3", 25, "v3")},
			Service{{ID: "x9", Revision: 2, Created: 100 * minute}}, Request{Event: "e3", Time: 25, Image: "v3"},
			Superseded, 2, nil},
		{"another service's revision is newer", []Revision{v1, noted, other}, runs2,
			Request{Event: "e", Time: 21, Image: "v3"}, Deployed, 4, []Kind{Register, Update}},
		{"a push, with a newer configuration", []Revision{v1, noted, newer}, runs2,
			Request{Event: "e", Time: 30, Image: "v2"}, Unchanged, 2, []Kind{Register}},
		{"a DEPLOY, with a newer configuration", []Revision{v1, noted, newer}, runs2,
			Request{Event: "e", Time: 30, Image: "v2", Demand: NewerConfiguration}, Deployed, 4, []Kind{Register,
				Update}},
		{"a look completes any winner", []Revision{v1, e2}, ran, Request{Rollout: "x1", Time: 30 * minute}, Superseded,
			3,
			[]Kind{Register, Update}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := &outside{revisions: slices.Clone(tt.revisions), service: tt.service}
			if tt.request.Event != "" {
				tt.request.Time *= minute
			}
			tt.request.Delivery = "this delivery"
			if got := o.run(tt.request); got != tt.want || o.service.runs() != tt.runs {
				t.Errorf("outcome %d, running %d; want %d, %d", got, o.service.runs(), tt.want, tt.runs)
			}
			if diff := cmp.Diff(tt.writes, o.writes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOrigin runs deliveries while the service runs an older revision than an external one
// that may have failed.
func TestOrigin(t *testing.T) {
	t.Parallel()
	for origin, want := range map[Origin]Outcome{ByFailure: Deployed, ByMove: Superseded, Unknown: Superseded} {
		o := &outside{revisions: []Revision{externalAt(1, 1, "v1"), externalAt(2, 10, "v2")}, origin: origin,
			service: Service{{ID: "x3", Revision: 1, Created: 22 * minute}}}
		got := o.run(Request{Event: "e", Time: 20 * minute, Image: "v3", Delivery: "this delivery"})
		if got != want {
			t.Errorf("origin %d: outcome %d, want %d", origin, got, want)
		}
	}
}

// TestTwin runs a delivery of an event of which another delivery registers a revision at
// the same time.
func TestTwin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		waited func(o *outside)
		want   Outcome
		image  string
	}{
		{"the other one moves the service",
			func(o *outside) { o.service = Service{{ID: "x2", Revision: 2, Created: 30 * minute}} }, Repeated, "v3"},
		{"the other one overwrites a person's move, and dies", func(o *outside) {
			o.service = Service{{ID: "x3", Revision: 2, Created: 41 * minute},
				{ID: "x2", Revision: 1, Created: 40 * minute}}
		}, Superseded, "v1"},
		{"the other one's rollout failed", nil, Failed, "v1"},
		{"the other one dies before its move", func(*outside) {}, Deployed, "v3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := &outside{revisions: []Revision{externalAt(1, 1, "v1")}, service: Service{{ID: "x1", Revision: 1}}}
			o.beforeRegister = func() {
				other := ownAt(2, "e", 30, "v3")
				other.New, other.Registered, other.Failed = true, 41*minute, tt.waited == nil
				o.revisions = append(o.revisions, other)
			}
			o.waited = func() { tt.waited(o) }
			got := o.run(Request{Event: "e", Time: 30 * minute, Image: "v3", Delivery: "this delivery"})
			if image := o.revisions[o.service.runs()-1].Image; got != tt.want || image != tt.image {
				t.Errorf("outcome %d, running %s; want %d, %s", got, image, tt.want, tt.image)
			}
		})
	}
}
