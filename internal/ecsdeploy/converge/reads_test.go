package converge

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCommand runs a delivery while a person's command registers a newer revision.
func TestCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		moves  bool // the command moves the service while the delivery waits
		writes []Kind
	}{
		{"the command moves the service", true, []Kind{Register}},
		{"the command is denied", false, []Kind{Register, Register, Update}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := &outside{revisions: []Revision{externalAt(1, 1, "v1")}, service: Service{{ID: "x1", Revision: 1}}}
			o.beforeRegister = func() {
				command := ownAt(2, "c", 40, "v3")
				command.New, command.Command = true, true
				o.revisions = append(o.revisions, command)
			}
			o.waited = func() {
				if tt.moves {
					o.service = Service{{ID: "x2", Revision: 2, Created: 40 * minute}}
				}
			}
			got := o.run(Request{Event: "e", Time: 30 * minute, Image: "v2", Delivery: "this delivery"})
			if image := o.revisions[o.service.runs()-1].Image; got != Superseded || image != "v3" {
				t.Errorf("outcome %d, running %s", got, image)
			}
			if diff := cmp.Diff(tt.writes, o.writes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReads checks which revisions a delivery reads besides the one that runs and the
// newest one.
func TestReads(t *testing.T) {
	t.Parallel()
	old := func(count int) (all []Revision) {
		for n := range count {
			all = append(all, externalAt(n+1, int64(n), "v1"))
		}
		return all
	}
	crowd := append(old(1), ownAt(2, "e", 100, "v2"))
	for n := 3; n <= 43; n++ {
		r := ownAt(n, "e", 200, "v3")
		r.Base, r.Summary = 2, Key{100 * minute, 2}
		crowd = append(crowd, r)
	}
	edited := append(old(500), ownAt(501, "e", 1000, "v2"))
	edited[500].Base = 1
	journaled := append(old(1), ownAt(2, "e", 100, "v2"), ownAt(3, "f", 110, "v2"), ownAt(4, "g", 120, "v2"))
	for i := 1; i < 4; i++ {
		journaled[i].Summary = Key{journaled[i-1].Time, i}
	}
	for _, tt := range []struct {
		name      string
		revisions []Revision
		runs      int
		created   int64
		want      int
	}{
		{"the newest runs", append(old(1), ownAt(2, "e", 100, "v2")), 2, 100, 0},
		{"an old family without journals", old(1000), 1000, 1000, 0},
		{"a person moved far back in it", old(1000), 3, 1000, maxExternal + readAhead - 1},
		{"some were only journaled", journaled, 2, 100, 0},
		{"a crowd registered at once", crowd, 2, 100, 40},
		{"an edited base far below", edited, 501, 1000, 2 * gapAhead},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := &outside{revisions: tt.revisions, service: Service{{ID: "x", Revision: tt.runs,
				Created: tt.created * minute}}}
			o.run(Request{Event: "new", Time: 5000 * minute, Image: "v9", Delivery: "this delivery"})
			if len(o.read) != tt.want {
				t.Errorf("%d read, want %d: %v", len(o.read), tt.want, o.read)
			}
		})
	}
}
