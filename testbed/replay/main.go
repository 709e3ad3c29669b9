// Command replay delivers thousands of events to the deployer on emulated AWS, in disorder, several times each, and
// with faults on the way. It prints what became of them, and fails if an event was lost, or a service runs a wrong
// image, was moved back to an older event's image, or had more revisions registered than attempts.
package main

import (
	"context"
	"flag"

	"deployer/testbed/fleet"
)

func main() {
	seed := flag.Uint64("seed", 1, "the seed of the events, their order and the faults")
	services := flag.Int("services", 20, "the number of services")
	deliveries := flag.Int("deliveries", 10_000, "the number of deliveries")
	phases := flag.Int("phases", 12, "the number of phases, with 20 minutes between them on AWS's clock")
	foreign := flag.Bool("foreign", true, "a person and Terraform move services too")
	fleet.Command("replay", func(ctx context.Context, root string) error {
		return fleet.Print(replay(ctx, options{
			root: root, services: *services, deliveries: *deliveries, phases: *phases, seed: *seed, foreign: *foreign,
			denied: true, throttled: []string{"ecr:*", "ecs:Describe*", "ecs:UpdateService", "ecs:TagResource"},
		}))
	})
}
