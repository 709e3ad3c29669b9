package converge

import (
	"fmt"
	"slices"
)

// tick makes the next dated occurrence happen. Others act on the first pointer.
func (c *taskCase) tick(w *taskWorld) {
	o := c.line[w.clock]
	w.clock++
	choose := func(number int) {
		if c.forms[0] == Pinned {
			w.write(c, number, 1)
			w.others = append(w.others, choiceMade{at: int64(o.at) * unit, image: w.revisions[number-1].Image,
				name: "the move to " + fmt.Sprint(number)})
		}
	}
	switch o.what {
	case "move": // a person moves the task back to the first revision of an event, or to 1
		n := 1 + slices.IndexFunc(w.revisions, func(r revision) bool { return r.Event == o.arg && r.Ended > 0 })
		if o.arg == "" {
			n = 1
		}
		if n > 0 && n != w.runs(0) {
			choose(n)
		}
	case "tf", "tfmove", "other": // Terraform or another service registers, and Terraform moves
		r := revision{by: map[bool]byte{true: 'z', false: 'x'}[o.what == "other"]}
		r.Number, r.Registered, r.Image = len(w.revisions)+1, int64(o.at)*unit, o.arg
		if r.by == 'z' {
			r.Event, r.Time, r.Base, r.Configuration, r.Seen = "z", int64(o.at)*unit, len(w.revisions), 1, 1
		}
		w.revisions = append(w.revisions, r)
		if c.forms[0] == Floating && r.by == 'x' {
			w.others = append(w.others, choiceMade{at: int64(o.at) * unit, image: o.arg, name: "a registration"})
		} else if o.what == "tfmove" {
			choose(r.Number)
		}
	case "off", "gone": // the revision that the deployer moved the task to is deregistered, or then deleted
		r := &w.revisions[w.runs(0)-1]
		if c.forms[0] != Pinned || r.by != 'd' || r.Ended == 0 {
			return
		}
		r.Unusable = true
		if o.what == "gone" {
			*r = revision{Revision{Number: r.Number, Unusable: true, Gone: true, Unseen: true}, 'z'}
		}
	}
}
