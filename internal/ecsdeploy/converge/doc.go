// Package converge is the rule by which all deliveries of events, in any order and at
// the same time, leave a service with the newest choice running. It calls no AWS API:
// a [Delivery] says which calls come next, and is given their answers.
//
//	d := converge.New(request)
//	for calls := d.Next(family); len(calls) > 0; calls = d.Next(family) {
//		for _, c := range calls {
//			d.Answered(c, call(c)) // call asks ECS
//		}
//	}
//	fmt.Println(d.Outcome())
//
// The rule, and why it ends right, is in docs/explanation/convergence.md. The tests
// check it in every order in which the steps of several deliveries can take effect.
package converge
